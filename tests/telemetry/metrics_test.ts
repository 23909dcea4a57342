import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { ManualClock } from "../../lib/record/time.ts";
import { ClientMetrics } from "../../lib/telemetry/client_metrics.ts";
import { LagMetrics } from "../../lib/telemetry/lag_metrics.ts";
import { ClientStatistics } from "../../lib/telemetry/librdkafka_metrics.ts";
import { mergeSnapshots, withSummary } from "../../lib/telemetry/merge.ts";
import { MetricsRegistry, type MetricsSnapshot } from "../../lib/telemetry/metrics.ts";
import { GrowthRate, Histogram, Sampler } from "../../lib/telemetry/sampler.ts";
import { StoreMetrics } from "../../lib/telemetry/store_metrics.ts";
import { NodeMetrics, TaskMetrics, TopicMetrics } from "../../lib/telemetry/task_metrics.ts";
import { ThreadMetrics } from "../../lib/telemetry/thread_metrics.ts";

const WINDOWS = { windowMs: 1000, samples: 2 };

function valueOf(snapshot: MetricsSnapshot, name: string, labels = {}): number | undefined {
  const series = snapshot.families.find((family) => family.name === name)?.series ?? [];
  return series.find((one) =>
    Object.entries(labels).every(([key, value]) => one.labels[key] === value)
  )?.value;
}

test("Sampler gives average, maximum and minimum of the windows that are not over", () => {
  const sampler = new Sampler(WINDOWS);
  sampler.record(10, 0);
  sampler.record(20, 500);
  sampler.record(3, 1500);
  assertEquals(sampler.read(1500), { sum: 33, count: 3, max: 20, min: 3 });
  assertEquals(sampler.read(2100), { sum: 3, count: 1, max: 3, min: 3 });
  const over = sampler.read(9000);
  assertEquals([over.count, over.max, over.min], [0, NaN, NaN]);
});

test("Sampler reuses its windows and forgets what they held", () => {
  const sampler = new Sampler(WINDOWS);
  for (let now = 0; now < 100_000; now += 1000) sampler.record(now, now);
  assertEquals(sampler.read(99_000), { sum: 197_000, count: 2, max: 99_000, min: 98_000 });
});

test("GrowthRate is per second over the last windows, and 0 at first", () => {
  const rate = new GrowthRate(WINDOWS);
  assertEquals(rate.read(100, 0), 0);
  assertEquals(rate.read(200, 1000), 100);
  assertEquals(rate.read(200, 2000), 50);
  assertEquals(rate.read(200, 3000), 0);
  assertEquals(rate.read(200, 60_000), 0);
});

test("Histogram counts values up to each bound, and those above all", () => {
  const histogram = new Histogram([1, 2]);
  for (const value of [0.5, 1, 1.5, 9]) histogram.observe(value);
  histogram.observe(2, 3);
  assertEquals([...histogram.counts], [2, 4, 1]);
  assertEquals(histogram.sum, 18);
});

test("MetricsRegistry leaves out series above its recording level, which may change", () => {
  const registry = new MetricsRegistry({ clock: new ManualClock() });
  const task = new TaskMetrics(registry, { threadId: "t", taskId: "0_0" }, { loopMs: 0 });
  task.recordProcessed(10, 0, 5);
  task.recordDropped("late");
  assertEquals(valueOf(registry.snapshot(), "kafka_stream_task_process_total"), undefined);
  assertEquals(valueOf(registry.snapshot(), "kafka_stream_task_dropped_records_total"), 1);
  assertEquals(registry.records("debug"), false);
  registry.level = "debug";
  const snapshot = registry.snapshot();
  assertEquals(valueOf(snapshot, "kafka_stream_task_process_total"), 5);
  assertEquals(valueOf(snapshot, "kafka_stream_task_process_latency_avg"), 2e6);
  assertEquals(
    valueOf(snapshot, "kafka_streams_dropped_records_total", { reason: "late" }),
    1,
  );
});

test("MetricsRegistry shows nothing of what has been removed", () => {
  const registry = new MetricsRegistry({ level: "trace", clock: new ManualClock() });
  const identity = { threadId: "t", taskId: "0_0" };
  const holders = [
    new ThreadMetrics(registry, "t"),
    new TaskMetrics(registry, identity, { loopMs: 0 }),
    new NodeMetrics(registry, identity, "n"),
    new TopicMetrics(registry, identity, { nodeName: "n", topic: "in", role: "source" }),
    new StoreMetrics(registry, { ...identity, storeName: "s", storeType: "lmdb" }),
    new LagMetrics(registry, "c"),
    new ClientStatistics(registry, "consumer", "c"),
  ];
  (holders[5] as LagMetrics).partition("in", 0).records = 5;
  assert(registry.snapshot().families.length > 60);
  for (const holder of holders) holder.remove();
  assertEquals(registry.snapshot().families, []);
});

test("ThreadMetrics shows totals, rates, latencies per record and shares of the loop's time", () => {
  const clock = new ManualClock(1000);
  const registry = new MetricsRegistry({ clock, windows: WINDOWS });
  const thread = new ThreadMetrics(registry, "thread-1");
  registry.snapshot();
  thread.state = "RUNNING";
  thread.process.record(100, 1000, 50);
  thread.process.record(300, 1000, 50);
  thread.process.record(0, 1000, 0);
  thread.commit.record(20, 1000);
  thread.loopMs = 800;
  clock.advance(1000);
  const snapshot = registry.snapshot();
  assertEquals(valueOf(snapshot, "kafka_stream_thread_state"), 4);
  assertEquals(valueOf(snapshot, "kafka_stream_thread_process_total"), 100);
  assertEquals(valueOf(snapshot, "kafka_stream_thread_process_rate"), 100);
  assertEquals(valueOf(snapshot, "kafka_stream_thread_process_latency_avg"), 4);
  assertEquals(valueOf(snapshot, "kafka_stream_thread_process_latency_max"), 6);
  assertEquals(valueOf(snapshot, "kafka_stream_thread_process_ratio"), 0.5);
  assertEquals(valueOf(snapshot, "kafka_stream_thread_commit_latency_max"), 20);
});

test("Rates and shares are known at the first look", () => {
  const clock = new ManualClock();
  const registry = new MetricsRegistry({ clock, windows: WINDOWS });
  const thread = new ThreadMetrics(registry, "thread-1");
  thread.process.record(100, 0, 50);
  thread.loopMs = 400;
  clock.advance(500);
  const snapshot = registry.snapshot();
  assertEquals(valueOf(snapshot, "kafka_stream_thread_process_rate"), 100);
  assertEquals(valueOf(snapshot, "kafka_stream_thread_process_ratio"), 0.25);
});

test("StoreMetrics shows the write rate, the size and when a restore ends", () => {
  const clock = new ManualClock();
  const registry = new MetricsRegistry({ clock, windows: WINDOWS });
  const store = new StoreMetrics(registry, {
    threadId: "t",
    taskId: "0_0",
    storeName: "counts",
    storeType: "lmdb",
  });
  store.sizeBytes = () => 4096;
  store.restoreRemaining = 1000;
  registry.snapshot();
  store.puts += 500;
  store.restored += 100;
  store.restoreRemaining = 900;
  clock.advance(1000);
  const snapshot = registry.snapshot();
  const labels = { state_id: "counts" };
  assertEquals(valueOf(snapshot, "kafka_streams_state_store_write_rate", labels), 500);
  assertEquals(valueOf(snapshot, "kafka_streams_state_store_size_bytes", labels), 4096);
  assertEquals(valueOf(snapshot, "kafka_streams_restore_eta_seconds", labels), 9);
});

test("mergeSnapshots adds totals, keeps maxima and weighs averages; snapshots survive structuredClone", () => {
  const snapshots = [[10, 1, 1], [30, 2, 3]].map(([elapsed, lag, records]) => {
    const registry = new MetricsRegistry({ clock: new ManualClock() });
    const thread = new ThreadMetrics(registry, "same-thread");
    for (let i = 0; i < records; i++) thread.process.record(elapsed, 0);
    thread.commitDuration.observe(elapsed);
    new LagMetrics(registry, "c").partition("in", 0).records = lag;
    return structuredClone(registry.snapshot());
  });
  const merged = mergeSnapshots(snapshots);
  assertEquals(valueOf(merged, "kafka_stream_thread_process_total"), 4);
  assertEquals(valueOf(merged, "kafka_stream_thread_process_latency_avg"), 25);
  assertEquals(valueOf(merged, "kafka_stream_thread_process_latency_max"), 30);
  assertEquals(valueOf(merged, "kafka_consumer_fetch_manager_records_lag"), 2);
  const durations = merged.families.find((f) => f.name === "kafka_streams_commit_duration_seconds");
  assertEquals(durations!.series[0].value, 40);
  assertEquals(durations!.series[0].counts!.reduce((a, b) => a + b), 2);
});

test("withSummary gives the order system's names, put together from all threads", () => {
  const registry = new MetricsRegistry({ clock: new ManualClock() });
  for (const [id, elapsed] of [["t1", 2], ["t2", 4]] as const) {
    const thread = new ThreadMetrics(registry, id);
    thread.process.record(elapsed, 0);
    thread.commit.record(1, 0, 3);
    thread.commitsFailed = 1;
  }
  const lags = new LagMetrics(registry, "c");
  lags.partition("in", 0).records = 10;
  lags.partition("in", 1).records = 30;
  const summary = withSummary(registry.snapshot(), "orders");
  const of = (name: string) => valueOf(summary, name, { application_id: "orders" });
  assertEquals(of("kafka_streams_records_lag_max"), 30);
  assertEquals(of("kafka_streams_records_lag_avg"), 20);
  assertEquals(of("kafka_streams_records_lag"), 40);
  assertEquals(of("kafka_streams_process_latency_avg_ms"), 3);
  assertEquals(of("kafka_streams_process_latency_max_ms"), 4);
  assertEquals(of("kafka_streams_commit_total"), 6);
  assertEquals(of("kafka_streams_commit_failed_total"), 2);
});

test("withSummary gives zeros before the first record", () => {
  const summary = withSummary({ families: [] }, "orders");
  for (const family of summary.families) assertEquals(family.series[0].value, 0);
});

test("LagMetrics forgets a partition that has another owner", () => {
  const registry = new MetricsRegistry({ clock: new ManualClock() });
  const lags = new LagMetrics(registry, "c");
  lags.partition("in", 0).records = 1;
  lags.partition("in", 1).records = 1;
  assertEquals(lags.partition("in", 1), lags.partition("in", 1));
  lags.forget("in", 0);
  assertEquals(lags.all().map((lag) => lag.partition), [1]);
  assertEquals(registry.snapshot().families[0].series.length, 1);
});

test("ClientMetrics shows the state by Kafka Streams' number", () => {
  const registry = new MetricsRegistry({ clock: new ManualClock() });
  const client = new ClientMetrics(
    registry,
    { applicationId: "a", clientId: "c", processId: "p" },
    { version: "0.1.0", runtime: "deno", runtimeVersion: "2" },
  );
  client.state = "PENDING_ERROR";
  client.showTopology(registry, "a", "abc");
  const snapshot = registry.snapshot();
  assertEquals(valueOf(snapshot, "kafka_stream_client_state", { application_id: "a" }), 5);
  assertEquals(valueOf(snapshot, "kafka_streams_build_info", { version: "0.1.0" }), 1);
  assertEquals(valueOf(snapshot, "kafka_streams_topology_info", { hash: "abc" }), 1);
});

test("ClientStatistics reads librdkafka's statistics", () => {
  const registry = new MetricsRegistry({ clock: new ManualClock() });
  const statistics = new ClientStatistics(registry, "consumer", "c");
  assertEquals(registry.snapshot().families, []);
  statistics.update({
    rxmsgs: 7,
    tx: 3,
    brokers: {
      "a/1": { rtt: { avg: 2000, cnt: 3 }, txerrs: 1 },
      "b/2": { rtt: { avg: 6000, cnt: 1 } },
    },
    cgrp: { rebalance_cnt: 2, rebalance_age: 5000 },
  });
  const snapshot = registry.snapshot();
  assertEquals(valueOf(snapshot, "kafka_consumer_fetch_manager_records_consumed_total"), 7);
  assertEquals(valueOf(snapshot, "kafka_consumer_request_latency_avg"), 3);
  assertEquals(valueOf(snapshot, "kafka_consumer_request_error_total"), 1);
  assertEquals(valueOf(snapshot, "kafka_consumer_coordinator_last_rebalance_seconds_ago"), 5);
});
