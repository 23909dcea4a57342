// Applications with several threads, each in a Worker.
import { after, before, test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigException } from "../../lib/errors.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { timestampedRangeQuery } from "../../lib/state/query.ts";
import { ValueAndTimestamp } from "../../lib/state/store.ts";
import { KafkaStreams } from "../../lib/streams.ts";
import { newTopic, type Plain, type Subject, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { eventually, reaches, readAllCommitted, readUntil, writeRecords } from "./application.ts";
import { topology } from "./worker_topology.ts";

const PARTITIONS = 4;
const KEYS = 20;
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

const source = { url: new URL("./worker_topology.ts", import.meta.url).href };
const keyed = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i % KEYS}`, value: `v${i}` }));

async function start(
  dir: string,
  more: Readonly<Record<string, unknown>> = {},
  prepare: (streams: KafkaStreams) => void = () => {},
): Promise<{ streams: KafkaStreams; from: string; to: string }> {
  const from = await newTopic(subject, "from", PARTITIONS);
  const to = await newTopic(subject, "to", PARTITIONS);
  const streams = new KafkaStreams(source, {
    "application.id": unique("workers"),
    "bootstrap.servers": `embedded://${subject.bootstrapServers}`,
    "processing.guarantee": "exactly_once_v2",
    "commit.interval.ms": 50,
    "num.stream.threads": 2,
    "state.dir": dir,
    "log.level": "silent",
    "app.from": from,
    "app.to": to,
    "app.marker": `${dir}/died`,
    ...more,
  });
  prepare(streams);
  await streams.start();
  return { streams, from, to };
}

function lastOfEach(rows: readonly Plain[]): Map<string, string> {
  return new Map(rows.map((row) => [row.key!, row.value!]));
}
const allCounts = (count: string) =>
  new Map(Array.from({ length: KEYS }, (_, i) => [`k${i}`, count]));

test("KafkaStreams runs each thread in a Worker, as a member of its own", () =>
  withTempDir(async (dir) => {
    const { streams, from, to } = await start(dir);
    await reaches(streams, "RUNNING");
    await eventually(
      "both threads have tasks",
      () => streams.threads().length === 2 && streams.threads().every((t) => t.tasks.length === 2),
    );
    await writeRecords(subject, from, keyed(400));
    await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= 400);
    await eventually("the metrics of all threads come in", () => {
      const family = streams.metrics().families
        .find((f) => f.name === "kafka_stream_thread_process_total");
      return family?.series.reduce((sum, s) => sum + s.value, 0) === 400;
    });
    const counts = await streams.query({
      store: "counts",
      query: timestampedRangeQuery<string, bigint>(),
    });
    assertEquals([...counts.keys()].sort(), [0, 1, 2, 3]);
    const rows0 = [...counts.values()].flatMap((result) => result.ok ? result.result : []);
    assertEquals(rows0.length, KEYS);
    assert(
      rows0.every(([, value]) => value instanceof ValueAndTimestamp && Number(value.value) === 20),
    );
    assertEquals(streams.lag().length, PARTITIONS);
    assertEquals(streams.stores().filter((s) => s.name === "counts").length, PARTITIONS);
    assert(await streams.close());
    const rows = await readAllCommitted(subject, to, PARTITIONS);
    assertEquals(rows.length, 400);
    assertEquals(lastOfEach(rows), allCounts("20"));
  }));

test("KafkaStreams replaces a Worker that dies, and loses nothing", () =>
  withTempDir(async (dir) => {
    const failures: Error[] = [];
    const { streams, from, to } = await start(
      dir,
      {},
      (made) =>
        made.setUncaughtExceptionHandler((error) => {
          failures.push(error);
          return "replace-thread";
        }),
    );
    await reaches(streams, "RUNNING");
    await writeRecords(subject, from, keyed(400));
    await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= 400);
    await writeRecords(subject, from, [{ key: "k0", value: "die" }]);
    await eventually("the death is reported", () => failures.length === 1);
    assert(failures[0].message.endsWith("as its Worker has ended without a word"));
    await writeRecords(subject, from, keyed(400));
    await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= 801);
    assert(await streams.close());
    const rows = await readAllCommitted(subject, to, PARTITIONS);
    assertEquals(rows.length, 801);
    assertEquals(lastOfEach(rows), new Map([...allCounts("40"), ["k0", "41"]]));
  }));

test("KafkaStreams ends in ERROR when a Worker's thread fails, with the error's name, message and cause", () =>
  withTempDir(async (dir) => {
    const { streams, from } = await start(dir);
    await reaches(streams, "RUNNING");
    await writeRecords(subject, from, [{ key: "k", value: "throw" }]);
    await reaches(streams, "ERROR");
    assertEquals(streams.failure?.name, "StreamsException");
    assert(streams.failure?.message.startsWith("Exception caught in process. taskId=0_"));
    assertEquals((streams.failure?.cause as Error).name, "RangeError");
    assertEquals((streams.failure?.cause as Error).message, "asked to throw");
  }));

test("KafkaStreams adds a thread and takes one away while it runs", () =>
  withTempDir(async (dir) => {
    const { streams, from, to } = await start(dir);
    await reaches(streams, "RUNNING");
    const added = streams.addStreamThread();
    await eventually(
      "three threads have tasks",
      () => streams.threads().length === 3 && streams.threads().every((t) => t.tasks.length > 0),
    );
    await writeRecords(subject, from, keyed(400));
    await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= 400);
    assertEquals(streams.removeStreamThread(), added);
    await eventually("two threads have all tasks", () =>
      streams.threads().length === 2 &&
      streams.threads().reduce((sum, t) => sum + t.tasks.length, 0) === PARTITIONS);
    await writeRecords(subject, from, keyed(400));
    await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= 800);
    assert(await streams.close());
    const rows = await readAllCommitted(subject, to, PARTITIONS);
    assertEquals(rows.length, 800);
    assertEquals(lastOfEach(rows), allCounts("40"));
  }));

test("KafkaStreams refuses several threads for a topology that is no module", () => {
  const error = assertThrows(
    () =>
      new KafkaStreams(topology, {
        "application.id": "a",
        "bootstrap.servers": "localhost:1",
        "num.stream.threads": 2,
      }),
    ConfigException,
  );
  assert(error.message.includes("needs the topology as a module"));
});
