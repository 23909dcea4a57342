// Records that are left out by rule: each counts by its reason, goes to the dead letter topic where that is asked for, and is committed.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { tumbling, within } from "../../lib/dsl/windows.ts";
import { string } from "../../lib/serde/primitives.ts";
import { Topology } from "../../lib/topology/topology.ts";
import type { TopologySource } from "../../lib/runtime/topology_source.ts";
import { newTopic, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { eventually, log, reaches, readAllCommitted, readUntil } from "./application.ts";
import {
  committedOffsets,
  dropped,
  embeddedSubject,
  errorHeaders,
  type RawInput,
  realApplication,
  writeRaw,
} from "./bad_input.ts";
import { passThrough } from "./counting.ts";

const TEXT = { key: string(), value: string() };
let subject: ReturnType<typeof embeddedSubject>;
before(() => {
  subject = embeddedSubject();
});
after(() => subject.close());

/** A day in the past that is the beginning of a minute. */
const T = 1_700_000_040_000;

const counts = (from: string, to: string) =>
  defineTopology((builder) =>
    builder.stream(topic(from, TEXT)).groupByKey().count({ store: "counts", caching: false })
      .toStream().mapValues((count) => String(count)).to(topic(to, TEXT))
  );
const windows = (from: string, to: string) =>
  defineTopology((builder) =>
    builder.stream(topic(from, TEXT)).groupByKey()
      .windowedBy(tumbling({ size: 60_000, grace: 10_000 }))
      .count({ store: "counts", caching: false })
      .toStream().map((count, key) => [key.key, `${key.start - T}=${count}`]).to(topic(to, TEXT))
  );
const joined = (from: string, to: string) =>
  defineTopology((builder) => {
    const table = builder.table(topic(`${from}-table`, TEXT), { store: "table" });
    builder.stream(topic(from, TEXT)).join(table, (value: string, row: string) => value + row)
      .to(topic(to, TEXT));
  });
const pairs = (from: string, to: string) =>
  defineTopology((builder) => {
    builder.stream(topic(from, TEXT)).join(
      builder.stream(topic(`${from}-table`, TEXT)),
      (value: string, row: string) => value + row,
      within({ timeDifference: 1_000, grace: 0 }),
      { ...TEXT, otherValue: string() },
    ).to(topic(to, TEXT));
  });

const DROPS: readonly {
  readonly name: string;
  readonly topology: (from: string, to: string) => TopologySource;
  readonly inputs: readonly RawInput[];
  readonly output: string[];
  readonly reason: string;
  readonly message: string;
  /** The offset of the one record that is left out. */
  readonly at: number;
}[] = [
  {
    name: "a null key in an aggregation",
    topology: counts,
    inputs: [{ key: "a", value: "1" }, { key: null, value: "2" }, { key: "a", value: "3" }],
    output: ["1", "2"],
    reason: "null-key",
    message: "Record dropped: null-key",
    at: 1,
  },
  {
    name: "a null value in an aggregation",
    topology: counts,
    inputs: [{ key: "a", value: "1" }, { key: "a", value: null }, { key: "a", value: "3" }],
    output: ["1", "2"],
    reason: "null-value",
    message: "Record dropped: null-value",
    at: 1,
  },
  {
    name: "a record beyond its window's grace",
    topology: windows,
    inputs: [
      { key: "a", value: "1", timestamp: T },
      { key: "a", value: "2", timestamp: T + 69_999 },
      { key: "a", value: "3", timestamp: T + 1 },
      { key: "a", value: "4", timestamp: T + 70_000 },
      { key: "a", value: "5", timestamp: T + 2 },
      { key: "a", value: "6", timestamp: T + 70_001 },
    ],
    output: ["0=1", "60000=1", "0=2", "60000=2", "60000=3"],
    reason: "late",
    message: `timestamp ${T + 2}, window [${T},${T + 60_000}), expiration ${
      T + 60_000
    }, stream time ${T + 70_000}`,
    at: 4,
  },
  {
    name: "a null key in a window",
    topology: windows,
    inputs: [{ key: "a", value: "1", timestamp: T }, { key: null, value: "2", timestamp: T }],
    output: ["0=1"],
    reason: "null-key",
    message: "Record dropped: null-key",
    at: 1,
  },
  {
    name: "a null key in a join with a table",
    topology: joined,
    inputs: [{ key: null, value: "1" }],
    output: [],
    reason: "null-key",
    message: "Record dropped: null-key",
    at: 0,
  },
  {
    name: "a null value in a join with a table",
    topology: joined,
    inputs: [{ key: "a", value: null }],
    output: [],
    reason: "null-value",
    message: "Record dropped: null-value",
    at: 0,
  },
  {
    name: "a null key in a join of streams",
    topology: pairs,
    inputs: [{ key: null, value: "1" }],
    output: [],
    reason: "null-key",
    message: "Record dropped: null-key",
    at: 0,
  },
  {
    name: "a null key in a table",
    topology: (from, to) =>
      defineTopology((builder) => {
        builder.table(topic(from, TEXT), { store: "rows", caching: false }).toStream()
          .mapValues((value) => value ?? "deleted").to(topic(to, TEXT));
      }),
    inputs: [{ key: "a", value: "1" }, { key: null, value: "2" }, { key: "a", value: null }],
    output: ["1", "deleted"],
    reason: "null-key",
    message: "Record dropped: null-key",
    at: 1,
  },
  {
    name: "a negative timestamp when these are to be skipped",
    topology: passThrough,
    inputs: [
      { key: "a", value: "1", timestamp: T },
      { key: "a", value: "2", timestamp: -7 },
      { key: "a", value: "3", timestamp: T },
    ],
    output: ["1", "3"],
    reason: "timestamp",
    message: "the extracted timestamp is negative",
    at: 1,
  },
];

for (const { name, topology, inputs, output, reason, message, at } of DROPS) {
  test(`An application leaves out ${name}, counts it and goes on`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        await subject.createTopic(`${from}-table`, 1);
        const to = await newTopic(subject, "to", 1);
        const letters = await newTopic(subject, "letters", 1);
        const id = unique("drops");
        const streams = realApplication(subject, topology(from, to), dir, {
          "application.id": id,
          "default.timestamp.extractor": "log-and-skip-on-invalid",
          "errors.dead.letter.queue.topic.name": letters,
          "errors.dead.letter.queue.dropped.records": "late,null-key,null-value,timestamp",
        });
        await writeRaw(subject, from, inputs);
        await streams.start();
        await eventually(
          "all is committed",
          async () => (await committedOffsets(subject, id))[`${from}-0`] === inputs.length,
        );
        assertEquals(dropped(streams, reason), [1, 1]);
        assert(await streams.close());
        assertEquals((await readAllCommitted(subject, to, 1)).map((r) => r.value), output);
        const [letter, ...others] = await readAllCommitted(subject, letters, 1);
        assertEquals(others, []);
        assertEquals([letter.key, letter.value], [inputs[at].key, inputs[at].value]);
        assertEquals(letter.timestamp, reason === "timestamp" ? 0 : letter.timestamp);
        assertEquals(errorHeaders(letter), {
          "__streams.errors.reason": reason,
          "__streams.errors.message": message,
          "__streams.errors.topic": from,
          "__streams.errors.partition": "0",
          "__streams.errors.offset": String(at),
        });
      })
    ));
}

test("An application keeps null keys and null values where no rule is against them", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const streams = realApplication(subject, passThrough(from, to), dir, {
        "application.id": unique("nulls"),
      });
      await streams.start();
      const inputs = [{ key: null, value: "1" }, { key: "b", value: null }, {
        key: null,
        value: null,
      }, { key: "", value: "" }];
      await writeRaw(subject, from, inputs);
      const rows = await readUntil(subject, to, 1, (r) => r.length >= 4);
      assertEquals(rows.map(({ key, value }) => ({ key, value })), inputs);
      assertEquals(dropped(streams, "null-key"), [0, 0]);
      assert(await streams.close());
    })
  ));

test("An application stops at a negative timestamp by default, and takes the partition's time when it is told to", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const all = { "application.id": unique("negative") };
      await writeRaw(subject, from, [
        { key: "a", value: "1", timestamp: T },
        { key: "a", value: "2", timestamp: -7 },
        { key: "a", value: "3", timestamp: T + 5 },
      ]);
      const failing = realApplication(subject, passThrough(from, to), dir, all);
      await failing.start();
      await reaches(failing, "ERROR");
      assertEquals(failing.failure?.name, "StreamsException");
      assertEquals(
        failing.failure?.message,
        `Input record {topic=${from}, partition=0, offset=1, timestamp=-7} has invalid (negative) timestamp. ` +
          "Possibly because a pre-0.10 producer client was used to write this record to Kafka without embedding " +
          "a timestamp, or because the input topic was created before upgrading the Kafka cluster to 0.10+. " +
          "Use a different TimestampExtractor to process this data.",
      );
      await failing.close();
      assert(((await committedOffsets(subject, all["application.id"]))[`${from}-0`] ?? 0) <= 1);
      const going = realApplication(subject, passThrough(from, to), dir, {
        ...all,
        "default.timestamp.extractor": "use-partition-time-on-invalid",
      });
      await going.start();
      const rows = await readUntil(subject, to, 1, (r) => r.length >= 3);
      assert(await going.close());
      assertEquals(rows.map((r) => [r.value, r.timestamp - T]), [["1", 0], ["2", 0], ["3", 5]]);
    })
  ));

test("A null key in the topic of a source node is no reason to leave a record out of a dead letter: it goes there as it came", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const letters = await newTopic(subject, "letters", 1);
      const topology = new Topology().addSource("source", from, TEXT)
        .addProcessor("fails", () => ({
          process() {
            throw new RangeError("always");
          },
        }), "source");
      const streams = realApplication(subject, topology, dir, {
        "application.id": unique("nulls"),
        "processing.exception.handler": "dead-letter-queue",
        "errors.dead.letter.queue.topic.name": letters,
      });
      await streams.start();
      await writeRaw(subject, from, [{ key: null, value: null, timestamp: T }]);
      const [letter] = await readUntil(subject, letters, 1, (r) => r.length >= 1);
      assertEquals([letter.key, letter.value, letter.timestamp], [null, null, T]);
      assertEquals(dropped(streams, "processing"), [1, 1]);
      assert(await streams.close());
    })
  ));
