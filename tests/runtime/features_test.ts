// What applications do with topics beyond plain reading and writing, on the embedded broker.
import { after, before, test } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { existsSync } from "node:fs";
import {
  InvalidStateStoreException,
  StreamsException,
  UnknownStateStoreException,
} from "../../lib/errors.ts";
import { keyQuery, rangeQuery } from "../../lib/state/query.ts";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { within } from "../../lib/dsl/windows.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { systemClock } from "../../lib/record/time.ts";
import { long, string } from "../../lib/serde/primitives.ts";
import { Topology } from "../../lib/topology/topology.ts";
import { newTopic, type Subject, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import {
  application,
  eventually,
  log,
  reaches,
  readAllCommitted,
  readUntil,
  testHome,
  writeRecords,
} from "./application.ts";
import { counting, passThrough } from "./counting.ts";

const TEXT = { key: string(), value: string() };
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

const inDir = (test: (dir: string) => Promise<void>) => () =>
  log.printOnFailure(() => withTempDir(test));

test(
  "A global table is filled before the first record is processed, and follows its topic",
  inDir(async (dir) => {
    const names = await newTopic(subject, "names", 2);
    const from = await newTopic(subject, "from", 2);
    const to = await newTopic(subject, "to", 2);
    const topology = defineTopology((builder) => {
      const table = builder.globalTable(topic(names, TEXT), { store: "names" });
      builder.stream(topic(from, TEXT))
        .join(table, (_, key) => key, (value: string, name: string) => `${value} ${name}`)
        .to(topic(to, TEXT));
    });
    const ids = Array.from({ length: 50 }, (_, i) => `id${i}`);
    const all = { "application.id": unique("global") };
    await writeRecords(subject, names, ids.map((id) => ({ key: id, value: `first-${id}` })));
    await writeRecords(subject, from, ids.map((id) => ({ key: id, value: "a" })));
    const first = application(subject, topology, testHome(dir, "a"), all);
    await first.start();
    const joined = await readUntil(subject, to, 2, (r) => r.length >= 50);
    assertEquals(joined.map((r) => r.value).sort(), ids.map((id) => `a first-${id}`).sort());
    await writeRecords(subject, names, ids.map((id) => ({ key: id, value: `second-${id}` })));
    await eventually("the change has come", async () => {
      await writeRecords(subject, from, [{ key: "id7", value: "probe" }]);
      const seen = await readAllCommitted(subject, to, 2);
      return seen.some((r) => r.value === "probe second-id7");
    });
    await first.close();
    const before = (await readAllCommitted(subject, to, 2)).length;
    await writeRecords(subject, from, ids.map((id) => ({ key: id, value: "b" })));
    const second = application(subject, topology, testHome(dir, "a"), all);
    await second.start();
    const seen = await readUntil(subject, to, 2, (r) => r.length >= before + 50);
    await second.close();
    assertEquals(
      seen.filter((r) => r.value!.startsWith("b ")).map((r) => r.value).sort(),
      ids.map((id) => `b second-${id}`).sort(),
    );
  }),
);

test(
  "A table whose source is its changelog is restored up to the committed offset",
  inDir(async (dir) => {
    const rows = await newTopic(subject, "rows", 1);
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const topology = defineTopology((builder) => {
      const table = builder.table(topic(rows, TEXT), { store: "rows" });
      builder.stream(topic(from, TEXT))
        .join(table, (value: string, row: string) => `${value} ${row}`)
        .to(topic(to, TEXT));
    });
    const all = { "application.id": unique("reuse"), "topology.optimization": "all" };
    const now = systemClock.now();
    await writeRecords(subject, rows, [{ key: "a", value: "1", timestamp: now }]);
    for (let round = 1; round <= 2; round++) {
      const streams = application(subject, topology, testHome(`${dir}/${round}`, `p${round}`), all);
      const restored: number[] = [];
      streams.setRestoreListener({ onRestoreEnd: (_, total) => restored.push(total) });
      await streams.start();
      await reaches(streams, "RUNNING");
      if (round === 1) {
        await eventually(
          "the row is read",
          () => streams.lag().some((l) => l.topic === rows && l.committedOffset === 1),
        );
      }
      await writeRecords(subject, from, [{ key: "a", value: `x${round}`, timestamp: now + 10 }]);
      const seen = await readUntil(subject, to, 1, (r) => r.length >= round);
      assertEquals(seen[round - 1].value, `x${round} 1`);
      await streams.close();
      assertEquals(restored, round === 1 ? [] : [1]);
    }
    const admin = subject.clients.admin({ "bootstrap.servers": subject.bootstrapServers });
    const topics = (await admin.listTopics(5_000)).map((t) => t.topic);
    await admin.close();
    assert(!topics.some((t) => t.startsWith(all["application.id"])), topics.join(", "));
  }),
);

test(
  "A pattern reads all topics that match it",
  inDir(async (dir) => {
    const prefix = unique("many");
    for (const name of ["a", "b"]) await subject.createTopic(`${prefix}-${name}`, 2);
    const to = await newTopic(subject, "to", 1);
    const topology = new Topology()
      .addSource("source", new RegExp(`${prefix}-[abc]`), TEXT)
      .addSink("sink", to, TEXT, "source");
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": unique("pattern"),
      "metadata.max.age.ms": 200,
    });
    await writeRecords(subject, `${prefix}-a`, [{ key: "1", value: "from a" }]);
    await writeRecords(subject, `${prefix}-b`, [{ key: "1", value: "from b" }]);
    await streams.start();
    const rows = await readUntil(subject, to, 1, (r) => r.length >= 2);
    assertEquals(rows.map((r) => r.value).sort(), ["from a", "from b"]);
    // A topic that comes later is read, too, and nothing of the others again.
    await subject.createTopic(`${prefix}-c`, 3);
    await writeRecords(subject, `${prefix}-c`, [{ key: "1", value: "from c" }]);
    const more = await readUntil(subject, to, 1, (r) => r.length >= 3);
    assertEquals(more.map((r) => r.value).sort(), ["from a", "from b", "from c"]);
    await streams.close();
    assertEquals((await readAllCommitted(subject, to, 1)).length, 3);
  }),
);

test(
  "Records of two topics are processed in the order of their times, however they are fetched",
  inDir(async (dir) => {
    const left = await newTopic(subject, "left", 1);
    const right = await newTopic(subject, "right", 1);
    const to = await newTopic(subject, "to", 1);
    const topology = new Topology().addSource("source", [left, right], TEXT)
      .addSink("sink", to, TEXT, "source");
    const now = systemClock.now() - 10_000;
    const every = (name: string, shift: number) =>
      Array.from({ length: 3_000 }, (_, i) => ({
        key: "k",
        value: `${name}${i}`,
        timestamp: now + 2 * i + shift,
      }));
    await writeRecords(subject, left, every("l", 0));
    await writeRecords(subject, right, every("r", 1));
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": unique("order"),
      "max.poll.records": 100,
      "buffered.records.per.partition": 50,
    });
    await streams.start();
    const rows = await readUntil(subject, to, 1, (r) => r.length >= 6_000);
    assertEquals(
      rows.map((r) => r.value),
      Array.from({ length: 6_000 }, (_, i) => `${i % 2 === 0 ? "l" : "r"}${i >> 1}`),
    );
    await streams.close();
  }),
);

test(
  "What was read of a repartition topic is deleted from it",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 2);
    const to = await newTopic(subject, "to", 2);
    const id = unique("purge");
    const topology = defineTopology((builder) => {
      builder.stream(topic(from, TEXT)).groupBy((value) => value, TEXT)
        .count({ store: "counts" }).toStream().to(topic(to, { key: string(), value: long() }));
    });
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": id,
      "repartition.purge.interval.ms": 50,
    });
    await streams.start();
    const admin = subject.clients.admin({ "bootstrap.servers": subject.bootstrapServers });
    const repartition = [0, 1].map((partition) => ({
      topic: `${id}-counts-repartition`,
      partition,
    }));
    await eventually("the first offsets have moved", async () => {
      await writeRecords(subject, from, [{ key: "a", value: "x" }, { key: "a", value: "y" }]);
      if (streams.state !== "RUNNING") return false;
      const first = await admin.listOffsets(repartition, "earliest", 5_000);
      return first.some((o) => o.offset > 0);
    });
    await admin.close();
    await streams.close();
  }),
);

test(
  "A source reads from where its reset policy says when the group has no offset",
  inDir(async (dir) => {
    const [early, late] = [await newTopic(subject, "early", 1), await newTopic(subject, "late", 1)];
    const to = await newTopic(subject, "to", 1);
    const topology = new Topology()
      .addSource("early", early, { ...TEXT, offsetReset: "earliest" })
      .addSource("late", late, { ...TEXT, offsetReset: "latest" })
      .addSink("sink", to, TEXT, "early", "late");
    for (const name of [early, late]) {
      await writeRecords(subject, name, [{ key: "k", value: "before" }]);
    }
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": unique("reset"),
      "max.task.idle.ms": -1,
    });
    await streams.start();
    await readUntil(subject, to, 1, (r) => r.length >= 1);
    await writeRecords(subject, late, [{ key: "k", value: "after" }]);
    await readUntil(subject, to, 1, (r) => r.length >= 2);
    await streams.close();
    const rows = await readAllCommitted(subject, to, 1);
    assertEquals(rows.map((r) => r.value), ["before", "after"]);
  }),
);

test(
  "A source whose policy is none fails without an offset",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const topology = new Topology().addSource("s", from, { ...TEXT, offsetReset: "none" });
    topology.addProcessor("p", () => ({ process() {} }), "s");
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": unique("none"),
    });
    await streams.start();
    await reaches(streams, "ERROR");
    assert(streams.failure!.message.startsWith("No valid committed offset found for input"));
  }),
);

test(
  "Topics that are joined must have equal partition counts",
  inDir(async (dir) => {
    const left = await newTopic(subject, "left", 2);
    const right = await newTopic(subject, "right", 3);
    const topology = defineTopology((builder) => {
      builder.stream(topic(left, TEXT)).join(
        builder.stream(topic(right, TEXT)),
        (a: string, b: string) => a + b,
        within({ timeDifference: 1_000 }),
        { key: string(), value: string(), otherValue: string() },
      ).to(topic("out", TEXT));
    });
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": unique("copartition"),
    });
    await streams.start();
    await reaches(streams, "ERROR");
    assertEquals(
      streams.failure?.message,
      `Invalid topology: Topics not co-partitioned: [{${left}=2, ${right}=3}]`,
    );
  }),
);

test(
  "A corrupt record goes to the dead letter topic in the transaction of those that follow it",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const letters = await newTopic(subject, "letters", 1);
    const topology = new Topology()
      .addSource("source", from, { key: string(), value: long() })
      .addSink("sink", to, { key: string(), value: long() }, "source");
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": unique("corrupt"),
      "deserialization.exception.handler": "dead-letter-queue",
      "errors.dead.letter.queue.topic.name": letters,
    });
    await streams.start();
    await writeRecords(subject, from, [
      { key: "a", value: "\0\0\0\0\0\0\0a" },
      { key: "b", value: "short" },
      { key: "c", value: "\0\0\0\0\0\0\0c" },
    ]);
    const [letter] = await readUntil(subject, letters, 1, (r) => r.length >= 1);
    const rows = await readUntil(subject, to, 1, (r) => r.length >= 2);
    await streams.close();
    assertEquals(rows.map((r) => r.key), ["a", "c"]);
    assertEquals([letter.key, letter.value], ["b", "short"]);
    const headers = new Map(
      letter.headers.map((h) => [h.name, new TextDecoder().decode(h.value!)]),
    );
    assertEquals(headers.get("__streams.errors.exception"), "SerializationException");
    assertEquals(headers.get("__streams.errors.topic"), from);
    assertEquals(headers.get("__streams.errors.partition"), "0");
    assertEquals(headers.get("__streams.errors.offset"), "1");
  }),
);

test(
  "A record whose extracted timestamp is negative is left out, and its offset is committed",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const topology = new Topology()
      .addSource("source", from, { ...TEXT, timestampExtractor: () => -5 })
      .addSink("sink", to, TEXT, "source");
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": unique("negative"),
    });
    await streams.start();
    await writeRecords(subject, from, [{ key: "a", value: "1" }]);
    await eventually("the offset moves on", () => streams.lag()[0]?.committedOffset === 1);
    await streams.close();
    assertEquals((await readAllCommitted(subject, to, 1)).length, 0);
  }),
);

test(
  "Two applications copy the same topic, each for itself",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const targets = [await newTopic(subject, "to", 1), await newTopic(subject, "to", 1)];
    const both = targets.map((to, i) =>
      application(subject, passThrough(from, to), testHome(`${dir}/${i}`, "a"), {
        "application.id": unique("both"),
      })
    );
    for (const streams of both) await streams.start();
    await writeRecords(subject, from, [{ key: "a", value: "1" }]);
    for (const to of targets) await readUntil(subject, to, 1, (r) => r.length === 1);
    for (const streams of both) assert(await streams.close());
  }),
);

test(
  "A store answers queries while its task runs, and says why it does not otherwise",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 2);
    const to = await newTopic(subject, "to", 2);
    const streams = application(subject, counting(from, to), testHome(dir, "a"), {
      "application.id": unique("query"),
    });
    const key = { store: "counts", query: keyQuery<string, string>("k1") };
    await assertRejects(() => streams.query(key), InvalidStateStoreException);
    await streams.start();
    await writeRecords(
      subject,
      from,
      Array.from({ length: 30 }, (_, i) => ({ key: `k${i % 3}`, value: "v" })),
    );
    await readUntil(subject, to, 2, (rows) => rows.length >= 30);
    const answers = [...(await streams.query(key)).values()];
    assertEquals(answers.filter((a) => a.ok).map((a) => a.ok && a.result).sort(), ["10", null]);
    const all = await streams.query({ store: "counts", query: rangeQuery<string, string>() });
    assertEquals(
      [...all.values()].flatMap((a) => a.ok ? a.result : []).sort(),
      [["k0", "10"], ["k1", "10"], ["k2", "10"]],
    );
    const counted = [...all.values()].map((a) => a.ok ? a.position?.[from] : undefined);
    const ends = counted.flatMap((offsets) => Object.values(offsets ?? {}));
    assertEquals(ends.reduce((sum, offset) => sum + offset + 1, 0), 30);
    const bound = Object.assign({}, ...counted);
    const bounded = await streams.query({ ...key, bound: { [from]: bound } });
    assertEquals([...bounded.values()].map((a) => a.ok), [true, true]);
    const partition = Number(Object.keys(bound)[0]);
    const ahead = await streams.query({ ...key, bound: { [from]: { [partition]: 30 } } });
    const behind = ahead.get(partition);
    assertEquals(behind?.ok === false && behind.reason, "not-up-to-bound");
    const elsewhere = await streams.query({ ...key, partitions: [0, 7] });
    const missing = elsewhere.get(7);
    assertEquals([...elsewhere.keys()].sort(), [0, 7]);
    assertEquals(missing?.ok === false && missing.reason, "not-present");
    await assertRejects(
      () => streams.query({ ...key, store: "nothing" }),
      UnknownStateStoreException,
    );
    await streams.close();
    await assertRejects(() => streams.query(key), InvalidStateStoreException);
  }),
);

test(
  "KafkaStreams removes its state when it is told to clean up, and not while it runs",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const all = { "application.id": unique("clean") };
    const streams = application(subject, counting(from, to), testHome(`${dir}/state`, "a"), all);
    await streams.start();
    await writeRecords(subject, from, [{ key: "k", value: "v" }]);
    await readUntil(subject, to, 1, (rows) => rows.length >= 1);
    assertThrows(() => streams.cleanUp(), StreamsException, "Cannot clean up while running");
    await streams.close();
    streams.cleanUp();
    assertEquals(existsSync(`${dir}/state/0_0`), false);
    const again = application(subject, counting(from, to), testHome(`${dir}/state`, "a"), all);
    const restored: number[] = [];
    again.setRestoreListener({ onRestoreEnd: (_, total) => restored.push(total) });
    await again.start();
    await reaches(again, "RUNNING");
    assertEquals(restored, [1]);
    await again.close();
  }),
);

test(
  "The metrics of a running application count what it read, wrote, kept and committed",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const streams = application(subject, counting(from, to), testHome(dir, "a"), {
      "application.id": unique("metrics"),
      "statistics.interval.ms": 100,
    });
    await streams.start();
    await writeRecords(
      subject,
      from,
      Array.from({ length: 30 }, (_, i) => ({ key: `k${i % 3}`, value: "v" })),
    );
    await readUntil(subject, to, 1, (rows) => rows.length >= 30);
    await eventually("the lag is 0", () => streams.lag()[0]?.records === 0);
    const value = (name: string) =>
      streams.metrics().families.find((f) => f.name === name)?.series
        .reduce((sum, series) => sum + series.value, 0);
    await eventually(
      "the commit is counted",
      () => value("kafka_streams_committed_offset") === 30,
    );
    assertEquals(value("kafka_stream_thread_process_total"), 30);
    assertEquals(value("kafka_stream_topic_records_consumed_total"), 30);
    assertEquals(value("kafka_stream_topic_records_produced_total"), 30);
    assertEquals(value("kafka_stream_topic_bytes_consumed_total"), 30 * 3);
    assertEquals(value("kafka_streams_state_store_writes_total"), 30);
    assertEquals(value("kafka_streams_committed_offset"), 30);
    assert(value("kafka_stream_thread_commit_total")! >= 1);
    await eventually(
      "the clients' statistics come in",
      () =>
        value("kafka_producer_record_send_total") !== undefined ||
        streams.metrics().families.some((f) => f.name.startsWith("kafka_producer")),
    );
    await streams.close();
    assertEquals(streams.metrics().families.flatMap((f) => f.series), []);
  }),
);
