// What a running application with Workers logs, and levels that change while it runs.
import { after, before, test } from "node:test";
import { readdirSync, readFileSync } from "node:fs";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { KafkaStreams } from "../../lib/streams.ts";
import type { MetricsSnapshot } from "../../lib/telemetry/metrics.ts";
import { newTopic, type Subject, unique } from "../kafka/subject.ts";
import { eventually, writeRecords } from "../runtime/application.ts";
import { withTempDir } from "../support/temp_dir.ts";

let broker: EmbeddedBroker;
let subject: Subject;
before(() => {
  broker = startEmbeddedBroker();
  subject = {
    kind: "embedded",
    clients: embeddedClients(broker),
    bootstrapServers: broker.bootstrapServers,
    createTopic: async (topic, partitions) => broker.createTopic(topic, partitions),
    close: async () => broker.close(),
  };
});
after(() => subject.close());

async function start(
  dir: string,
  more: Readonly<Record<string, unknown>>,
): Promise<{ streams: KafkaStreams; from: string; topics: Readonly<Record<string, string>> }> {
  const from = String(more["app.from"] ?? await newTopic(subject, "from", 2));
  const to = String(more["app.to"] ?? await newTopic(subject, "to", 2));
  const streams = new KafkaStreams(
    { url: new URL("./traced_topology.ts", import.meta.url).href },
    {
      "application.id": unique("logged"),
      "bootstrap.servers": `embedded://${subject.bootstrapServers}`,
      "processing.exception.handler": "log-and-continue",
      "commit.interval.ms": 100,
      "num.stream.threads": 2,
      "state.dir": `${dir}/state`,
      "app.from": from,
      "app.to": to,
      ...more,
    },
  );
  await streams.start();
  await eventually(
    "both threads have their tasks",
    () =>
      streams.state === "RUNNING" && streams.threads().length === 2 &&
      streams.threads().every((thread) => thread.tasks.length === 2),
  );
  return { streams, from, topics: { "app.from": from, "app.to": to } };
}

const RECORD = { key: "k", value: "v" };

function linesIn(dir: string): Record<string, any>[] {
  return readdirSync(dir).filter((name) => name.endsWith(".log"))
    .flatMap((name) => readFileSync(`${dir}/${name}`, "utf8").trim().split("\n"))
    .map((line) => JSON.parse(line));
}

test("The log file of the day holds whole lines of all Workers, and levels change in them", () =>
  withTempDir(async (dir) => {
    const { streams, from } = await start(dir, {
      "log.file": `${dir}/app.log`,
      "log.format": "json",
      "app.token": "do-not-show-this",
    });
    const [name] = readdirSync(dir).filter((each) => each.endsWith(".log"));
    assertMatch(name, /^app\.\d{4}-\d\d-\d\d\.log$/);
    const poisoned = () => linesIn(dir).filter((line) => line.msg === "poisoned");
    const both = [0, 1].map((partition) => ({ key: "k", value: "poison", partition }));
    await writeRecords(subject, from, both);
    await eventually(
      "the records are left out",
      () => totalOf(streams.metrics(), "kafka_streams_processing_errors_total") === 2,
    );
    assertEquals(poisoned(), []);

    streams.setLevels({ log: { name: "root", level: "debug" } });
    await writeRecords(subject, from, both);
    await eventually("both Workers log it", () => poisoned().length === 2);
    const applicationId = streams.config.applicationId;
    for (const line of poisoned()) {
      assertEquals([line.level, line.application_id, line.logger, line.topic, line.offset], [
        "debug",
        applicationId,
        "stream-thread",
        from,
        1,
      ]);
      assertMatch(line.thread_id, /-StreamThread-[12]$/);
      assertMatch(line.task_id, /^0_[01]$/);
      assertMatch(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    assertEquals(new Set(poisoned().map((line) => line.thread_id)).size, 2);

    // A level of its own for a name; a thread that is added later is told, too.
    streams.setLevels({ log: { name: "stream-thread", level: "error" } });
    const added = streams.addStreamThread();
    await eventually(
      "the third thread runs",
      () => streams.threads().length === 3 && streams.threads().every((t) => t.state === "RUNNING"),
    );
    const before = linesIn(dir).length;
    await writeRecords(subject, from, both);
    await eventually(
      "the records are left out",
      () => totalOf(streams.metrics(), "kafka_streams_processing_errors_total") === 6,
    );
    assertEquals(
      linesIn(dir).slice(before).filter((line) => line.logger === "stream-thread"),
      [],
    );
    assert(added.endsWith("-StreamThread-3"));
    assert(await streams.close());
    const all = linesIn(dir);
    assert(all.some((line) => line.msg === "State transition from RUNNING to PENDING_SHUTDOWN"));
    assert(!JSON.stringify(all).includes("do-not-show-this"));
  }));

test("The recording level changes in all Workers", () =>
  withTempDir(async (dir) => {
    const { streams, from } = await start(dir, { "log.level": "silent" });
    await writeRecords(subject, from, [{ key: "k", value: "v", partition: 0 }]);
    const processed = () => seriesOf(streams.metrics(), "kafka_stream_task_process_total");
    assertEquals(processed(), []);
    streams.setLevels({ recording: "debug" });
    await eventually("the tasks of both Workers show", () =>
      new Set(processed().map((series) => series.labels.thread_id)).size === 2);
    await eventually("the record is counted twice, by two subtopologies", () =>
      totalOf(streams.metrics(), "kafka_stream_task_process_total") === 2);
    streams.setLevels({ recording: "info" });
    await eventually("they show no more", () =>
      processed().length === 0);
    assert(await streams.close());
  }));

test("What was committed is known after a restart, before anything is committed again", () =>
  withTempDir(async (dir) => {
    const settings = { "log.level": "silent", "application.id": unique("restarted") };
    const { streams, from, topics } = await start(dir, settings);
    await writeRecords(subject, from, [0, 1, 1].map((partition) => ({ ...RECORD, partition })));
    const committed = (of: KafkaStreams) =>
      of.lag().filter((lag) => lag.topic === from)
        .map((lag) => `${lag.partition}: ${lag.committedOffset}`).sort().join();
    await eventually("all is committed", () => committed(streams) === "0: 1,1: 2");
    assert(await streams.close());
    const { streams: again } = await start(dir, { ...settings, ...topics });
    await eventually("the same is shown", () => committed(again) === "0: 1,1: 2");
    assertEquals(totalOf(again.metrics(), "kafka_stream_thread_commit_total"), 0);
    assert(await again.close());
  }));

function seriesOf(snapshot: MetricsSnapshot, name: string) {
  return snapshot.families.find((family) => family.name === name)?.series ?? [];
}
function totalOf(snapshot: MetricsSnapshot, name: string): number {
  return seriesOf(snapshot, name).reduce((sum, series) => sum + series.value, 0);
}
