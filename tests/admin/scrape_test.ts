/**
 * A real scrape: the order application in several Workers on the embedded broker, its metrics read over HTTP and held against what was written
 * and what plain loops calculate.
 */
import { after, before, test } from "node:test";
import { spawnSync } from "node:child_process";
import { assert, assertEquals } from "@std/assert";
import { type GeneratedOrder, generateOrders } from "../../examples/orders/generator.ts";
import { DEAD_LETTERS, orders, orderStats, payments } from "../../examples/orders/topics.ts";
import { murmur2Partition } from "../../lib/kafka/murmur2.ts";
import { systemClock } from "../../lib/record/time.ts";
import { CATALOG } from "../../lib/telemetry/catalog.ts";
import { expectedAggregate } from "../examples/expected_orders.ts";
import { bytes } from "../kafka/subject.ts";
import { eventually } from "../runtime/application.ts";
import { seededRandom } from "../support/random.ts";
import { requireTool } from "../support/system_tools.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { PARTITIONS, type RunningOrders, startOrders, TOKEN } from "./orders_running.ts";
import { type Scrape, scrape } from "./scrape.ts";

const ORDERS = 20_000;
const CUSTOMERS = 100;
const THREADS = 3;
const { seed } = seededRandom("scrape");
// Orders of the last four minutes, so that the time to the sinks is one that is believable.
const startMs = systemClock.now() - ORDERS * 10 - 60_000;
const generated = [...generateOrders(ORDERS, { seed, customers: CUSTOMERS, startMs })];
const expected = byPartition(generated).map(expectedAggregate);
const windows = expected.reduce((sum, each) => sum + each.windows.length, 0);
const late = expected.reduce((sum, each) => sum + each.late, 0);
const corrupt = expected.reduce((sum, each) => sum + each.corrupt, 0);

let running: RunningOrders;
let idle: Scrape;
let busy: Scrape;
let paid: number;
let repartition: string;

before(async () => {
  running = await startOrders(makeTempDir("scrape"), THREADS, {
    "metrics.recording.level": "debug",
    "commit.interval.ms": 200,
  });
  repartition = `${running.applicationId}-orders-with-payments-left-repartition`;
  idle = await scrape(running.url);
  await running.feed(generated);
  paid = await running.pay(generated);
  // Workers tell twice a second, so the parts of what is scraped need not be of one moment before all is still.
  await eventually("everything is processed and committed", async () => {
    busy = await scrape(running.url);
    return busy.total("kafka_stream_thread_process_total") === 2 * (ORDERS - corrupt) + paid &&
      busy.only("kafka_streams_records_lag") === 0 &&
      busy.total("kafka_streams_committed_offset", { topic: orders.topic }) === ORDERS &&
      busy.total("kafka_streams_committed_offset", { topic: payments.topic }) === paid &&
      busy.total("kafka_consumer_fetch_manager_records_consumed_total") >= ORDERS + paid;
  });
});
after(() => running?.stop());

test("Every metric of a scrape is one of the catalog, with its type and help", () => {
  const catalog = new Map(Object.values(CATALOG).flat().map((each) => [each.name, each]));
  assert(busy.types.size > 80, `${busy.types.size} metrics`);
  for (const [name, type] of busy.types) {
    assertEquals(type, catalog.get(name)?.type, name);
    assertEquals(busy.helps.get(name), catalog.get(name)?.help);
  }
});

test("A scrape has all of the catalog but what has not happened", () => {
  const missing = Object.values(CATALOG).flat().map(({ name }) => name)
    .filter((name) => !busy.types.has(name));
  assertEquals(missing, [
    // No partition was lost, and nothing had to be restored.
    "kafka_stream_thread_tasks_lost_latency_avg",
    "kafka_stream_thread_tasks_lost_latency_max",
    "kafka_streams_restore_remaining_records",
    "kafka_streams_restore_eta_seconds",
  ]);
});

test("promtool takes the text format, and finds fault only with names that are given", async () => {
  const promtool = await requireTool("promtool");
  const { status, stdout, stderr } = spawnSync(promtool, ["check", "metrics"], {
    input: busy.text,
    encoding: "utf8",
  });
  // 1 is a text that it cannot read, 3 names that it would have chosen otherwise.
  assertEquals(status, 3, stdout + stderr);
  assertEquals((stdout + stderr).trim().split("\n").map((line) => line.split(" ")[0]).sort(), [
    // Kafka Streams' names in Micrometer's spelling: "-total" of gauges, "-count", "-ns".
    "kafka_stream_state_suppression_buffer_count",
    "kafka_stream_task_active_buffer_count",
    "kafka_stream_task_cache_size_bytes_total",
    "kafka_stream_task_input_buffer_bytes_total",
    "kafka_stream_task_restore_remaining_records_total",
    "kafka_stream_thread_blocked_time_ns_total",
    // The order system's own names.
    "kafka_streams_process_latency_avg_ms",
    "kafka_streams_process_latency_max_ms",
  ]);
});

test("The client and each of its Workers are there, with their states", () => {
  const labels = {
    application_id: running.applicationId,
    client_id: running.streams.clientId,
    process_id: running.streams.processId,
  };
  assertEquals(busy.series("kafka_stream_client_state"), [{ labels, value: 2 }]);
  assertEquals(busy.only("kafka_stream_alive_stream_threads"), THREADS);
  assertEquals(busy.only("kafka_stream_failed_stream_threads"), 0);
  assertEquals(busy.only("kafka_stream_recording_level"), 1);
  const states = busy.series("kafka_stream_thread_state");
  assertEquals(
    states.map((series) => series.labels.thread_id).sort(),
    [1, 2, 3].map((n) => `${running.streams.clientId}-StreamThread-${n}`),
  );
  assert(states.every((series) => series.value === 4));
  assertEquals(busy.total("kafka_streams_tasks", { role: "active" }), 2 * PARTITIONS);
  assertEquals(busy.total("kafka_streams_tasks", { role: "restoring" }), 0);
});

test("Records are counted exactly, by topic, task, node and thread", () => {
  const consumed = (topic: string) =>
    busy.total("kafka_stream_topic_records_consumed_total", { topic });
  const produced = (topic: string) =>
    busy.total("kafka_stream_topic_records_produced_total", { topic });
  assertEquals(consumed(orders.topic), ORDERS);
  assertEquals(consumed(payments.topic), paid);
  assertEquals(produced(repartition), ORDERS - corrupt);
  assertEquals(consumed(repartition), ORDERS - corrupt);
  assert(windows > 100);
  assertEquals(produced(orderStats.topic), windows);
  assert(busy.series("kafka_stream_thread_process_total").every(({ value }) => value > 0));
  assertEquals(
    busy.total("kafka_stream_task_process_total"),
    busy.total("kafka_stream_thread_process_total"),
  );
  const node = (id: string) =>
    busy.total("kafka_stream_processor_node_process_total", { processor_node_id: id });
  assertEquals(node("order-counter"), ORDERS - corrupt);
  assertEquals(node("KSTREAM-SOURCE-0000000000"), ORDERS - corrupt);
});

test("Records that are left out are counted by reason, dead letters too", () => {
  assert(late > 0 && corrupt > 0, `late ${late} corrupt ${corrupt}`);
  const ofOrders = (reason: string) =>
    busy.series("kafka_streams_dropped_records_total", { reason })
      .filter(({ labels }) => labels.task_id.startsWith("0_"))
      .reduce((sum, { value }) => sum + value, 0);
  assertEquals(ofOrders("late"), late);
  assertEquals(ofOrders("deserialization"), corrupt);
  assertEquals(
    busy.total("kafka_streams_dropped_records_total"),
    busy.total("kafka_stream_task_dropped_records_total"),
  );
  assertEquals(busy.total("kafka_streams_deserialization_errors_total"), corrupt);
  assertEquals(busy.total("kafka_streams_dlq_records_total"), corrupt);
  assertEquals(
    busy.series("kafka_stream_topic_records_consumed_total", { topic: DEAD_LETTERS }),
    [],
  );
});

test("Lags are 0 in the end, for each partition and in the order system's names", () => {
  const lags = busy.series("kafka_consumer_fetch_manager_records_lag");
  assertEquals(lags.length, 3 * PARTITIONS);
  assertEquals(
    new Set(lags.map(({ labels }) => labels.topic)),
    new Set([orders.topic, payments.topic, repartition]),
  );
  assert(lags.every(({ value }) => value === 0));
  assert(busy.series("kafka_streams_lag_seconds").every(({ value }) => value === 0));
  for (
    const name of [
      "kafka_streams_records_lag_max",
      "kafka_streams_records_lag_avg",
      "kafka_streams_records_lag",
      "kafka_consumer_fetch_manager_records_lag_max",
    ]
  ) {
    assertEquals(busy.series(name), [{
      labels: { application_id: running.applicationId },
      value: 0,
    }]);
  }
  const committed = (topic: string) => busy.total("kafka_streams_committed_offset", { topic });
  assertEquals([committed(orders.topic), committed(payments.topic)], [ORDERS, paid]);
});

test("Commits grow and none fails", () => {
  const before = idle.only("kafka_streams_commit_total");
  const now = busy.only("kafka_streams_commit_total");
  assert(now > before, `${before} and then ${now} commits`);
  assertEquals(now, busy.total("kafka_stream_thread_commit_total"));
  assertEquals(now, busy.total("kafka_streams_commit_duration_seconds_count"));
  assertEquals(busy.only("kafka_streams_commit_failed_total"), 0);
  assertEquals(busy.total("kafka_streams_transaction_aborts_total"), 0);
});

test("Latencies are those of processing, averages no greater than maxima", () => {
  const average = busy.only("kafka_streams_process_latency_avg_ms");
  const longest = busy.only("kafka_streams_process_latency_max_ms");
  assert(average > 0 && average <= longest, `${average} and ${longest} ms`);
  for (const operation of ["commit", "poll", "process", "punctuate"]) {
    for (const { labels, value } of busy.series(`kafka_stream_thread_${operation}_latency_avg`)) {
      const max = busy.only(`kafka_stream_thread_${operation}_latency_max`, labels);
      assert(value > 0 && value <= max * 1.000001, `${operation}: ${value} and ${max} ms`);
    }
    for (const { value } of busy.series(`kafka_stream_thread_${operation}_ratio`)) {
      assert(value >= 0 && value <= 1, `${operation}: ${value}`);
    }
  }
});

test("The time from a record's timestamp is known to sources and sinks, and lies where the timestamps do", () => {
  const oldest = systemClock.now() - startMs;
  const nodes = busy.series("kafka_stream_processor_node_record_e2e_latency_avg");
  const named = new Set(nodes.map(({ labels }) => labels.processor_node_id));
  for (
    const { labels: { topic, processor_node_id: node } } of busy.series(
      "kafka_stream_topic_records_produced_total",
    )
  ) {
    assert(named.has(node), `${node} writes ${topic}`);
  }
  assert(named.has("KSTREAM-SOURCE-0000000000"));
  for (const { labels, value } of nodes) {
    const max = busy.only("kafka_stream_processor_node_record_e2e_latency_max", labels);
    const min = busy.only("kafka_stream_processor_node_record_e2e_latency_min", labels);
    assert(0 <= min && min <= value && value <= max && max <= oldest, `${min} ${value} ${max}`);
  }
  assertEquals(
    busy.total("kafka_streams_record_e2e_latency_seconds_count"),
    busy.total("kafka_stream_thread_process_total"),
  );
});

test("Stores have their sizes, keys and writes", () => {
  const of = (name: string, store: string) => busy.series(name, { state_id: store });
  assertEquals(
    busy.total("kafka_stream_state_estimate_num_keys", { state_id: "counts-store" }),
    CUSTOMERS,
  );
  assertEquals(
    busy.total("kafka_streams_state_store_writes_total", { state_id: "counts-store" }),
    ORDERS - corrupt,
  );
  const sizes = of("kafka_streams_state_store_size_bytes", "order-stats");
  assertEquals(sizes.length, PARTITIONS);
  assert(sizes.every(({ value, labels }) => value > 0 && labels.store_type === "lmdb"));
  assert(busy.total("kafka_streams_state_store_write_rate") > 0);
  assert(
    of("kafka_stream_record_cache_hit_ratio_avg", "order-stats").every(({ value }) => value > 0),
  );
  const held = of(
    "kafka_stream_state_suppression_buffer_count",
    "KTABLE-SUPPRESS-STATE-STORE-0000000003",
  );
  assertEquals(held.length, PARTITIONS);
  assert(held.every(({ value }) => value > 0));
});

test("Kafka's clients are counted by librdkafka", () => {
  assertEquals(busy.series("kafka_producer_record_send_total").length, THREADS);
  const produced = busy.total("kafka_stream_topic_records_produced_total");
  assert(busy.total("kafka_producer_record_send_total") >= produced);
  assert(busy.total("kafka_producer_outgoing_byte_total") > 0);
  assert(busy.total("kafka_consumer_incoming_byte_total") > 0);
  assertEquals(busy.total("kafka_producer_request_error_total"), 0);
  assertEquals(busy.series("kafka_consumer_coordinator_rebalance_total").length, THREADS);
});

test("The admin server of a running application listens on loopback alone and answers its probes", async () => {
  assertEquals(new URL(running.url).hostname, "127.0.0.1");
  for (const path of ["/healthz", "/livez", "/readyz", "/startupz"]) {
    const answer = await fetch(`${running.url}${path}`);
    assertEquals([answer.status, await answer.text()], [200, "ok\n"], path);
  }
  const verbose = await (await fetch(`${running.url}/readyz?verbose`)).text();
  assertEquals(verbose, "[+]state RUNNING\nready check passed\n");
  const live = await (await fetch(`${running.url}/healthz?verbose`)).text();
  assert(live.includes(`[+]threads ${THREADS} of ${THREADS} alive`), live);
});

test("The admin server shows the topology as describe() prints it, and the configuration without secrets", async () => {
  const text = await (await fetch(`${running.url}/topology`)).text();
  assert(text.startsWith("Topologies:\n   Sub-topology: 0"), text);
  assert(text.includes("(topics: [orders-input])") && text.includes("Sink: "), text);
  const config = await (await fetch(`${running.url}/config`)).text();
  assertEquals(JSON.parse(config)["num.stream.threads"], String(THREADS));
  assert(!config.includes(TOKEN));
  assert(config.includes("[hidden]"));
});

test("The admin server pauses, resumes and changes levels for who has the token, and nobody else", async () => {
  const ask = async (method: string, path: string, token?: string, level?: string) => {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const body = level && JSON.stringify({ level });
    const answer = await fetch(`${running.url}${path}`, { method, headers, ...(body && { body }) });
    await answer.body?.cancel();
    return answer.status;
  };
  for (const token of [undefined, "wrong-horse"]) {
    assertEquals(await ask("POST", "/api/v1/actions/pause", token), 401);
    assertEquals(await ask("PUT", "/api/v1/loggers/root", token, "error"), 401);
    assertEquals(await ask("PUT", "/api/v1/metrics/recording-level", token, "info"), 401);
  }
  assert(!running.streams.isPaused);
  assertEquals(await ask("POST", "/api/v1/actions/pause", TOKEN), 202);
  assert(running.streams.isPaused);
  assertEquals(await ask("POST", "/api/v1/actions/resume", TOKEN), 202);
  assert(!running.streams.isPaused);
  assertEquals(await ask("PUT", "/api/v1/metrics/recording-level", TOKEN, "info"), 200);
  await eventually("debug series are gone from all Workers", async () => {
    const now = await scrape(running.url);
    return now.series("kafka_stream_task_process_total").length === 0 &&
      now.only("kafka_stream_recording_level") === 0;
  });
});

function byPartition(all: readonly GeneratedOrder[]): GeneratedOrder[][] {
  const parts: GeneratedOrder[][] = Array.from({ length: PARTITIONS }, () => []);
  for (const each of all) parts[murmur2Partition(bytes(each.key), PARTITIONS)].push(each);
  return parts;
}
