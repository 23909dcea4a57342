import { test } from "node:test";
import { assert, assertStringIncludes } from "@std/assert";
import {
  inMemoryKeyValueStore,
  inMemoryStores,
  inMemoryWindowStore,
  keyValueStoreBuilder,
  long,
  NotBuiltError,
  otherwise,
  persistentKeyValueStore,
  persistentVersionedKeyValueStore,
  session,
  sliding,
  StreamsBuilder,
  string,
  topic,
  tumbling,
  unlimited,
  within,
} from "../../../mod.ts";

const lines = topic("lines", { key: string(), value: string() });
const other = topic("other", { key: string(), value: string() });
const versioned = persistentVersionedKeyValueStore("history", { historyRetentionMs: 1000 });
const counts = () =>
  keyValueStoreBuilder(persistentKeyValueStore("counts"), { key: string(), value: long() });
const identity = (value: string) => value;
const both = (left: unknown, right: unknown) => `${left}+${right}`;

interface Misuse {
  /** What is wrong. */
  readonly that: string;
  readonly error: string;
  /** What the message says. */
  readonly says: string;
  readonly build: (builder: StreamsBuilder) => unknown;
}

const SOURCES: readonly Misuse[] = [
  {
    that: "a stream without topics",
    error: "TopologyException",
    says: "needs a topic",
    build: (b) => b.stream([] as (typeof lines)[]),
  },
  {
    that: "a topic without a name",
    error: "TypeError",
    says: "not empty",
    build: () => topic("", { key: string(), value: string() }),
  },
  {
    that: "a topic without a value serde",
    error: "TypeError",
    says: "{ value: … }",
    build: () => topic("t", { key: string() } as any),
  },
  {
    that: "overlapping but not equal topics of two streams",
    error: "TopologyException",
    says: "either the same topics or none in common",
    build: (b) => (b.stream([lines, other]), b.stream(lines)),
  },
  {
    that: "a topic as stream and as table",
    error: "TopologyException",
    says: "already been registered",
    build: (b) => (b.stream(lines), b.table(lines)),
  },
  {
    that: "a topic as two tables",
    error: "TopologyException",
    says: "already been registered",
    build: (b) => (b.table(lines), b.table(lines)),
  },
  {
    that: "a pattern that matches a topic of another source",
    error: "TopologyException",
    says: "already been registered",
    build: (b) => (b.stream(lines), b.stream(/li.*/, lines)),
  },
  {
    that: "different reset policies of one topic",
    error: "TopologyException",
    says: "same offsetReset",
    build: (
      b,
    ) => (b.stream(topic("lines", { ...lines, offsetReset: "earliest" })),
      b.stream(topic("lines", { ...lines, offsetReset: "latest" }))),
  },
  {
    that: "a versioned global table",
    error: "TopologyException",
    says: "must not keep versions",
    build: (b) => b.globalTable(lines, { store: versioned as any }),
  },
  {
    that: "a stream of a name without serdes that is written",
    error: "TopologyException",
    says: "no serde is known",
    build: (b) => b.stream("lines", {} as any).to("out"),
  },
];

const NAMES: readonly Misuse[] = [
  ...["", ".", "..", "a b", "ä", "x".repeat(250)].map((name) => ({
    that: `the name ${JSON.stringify(name).slice(0, 20)}`,
    error: "TopologyException",
    says: "Cannot use a name",
    build: (b: StreamsBuilder) => b.stream(lines).filter(() => true, { name }),
  })),
  {
    that: "a store's name with a blank",
    error: "TopologyException",
    says: "Cannot use a name",
    build: (b) => b.table(lines, { store: "a b" }),
  },
  {
    that: "one name for two steps",
    error: "TopologyException",
    says: "Processor twice is already added",
    build: (b) =>
      b.stream(lines).filter(() => true, { name: "twice" }).peek(() => {}, { name: "twice" }),
  },
  {
    that: "one name for two stores",
    error: "TopologyException",
    says: "A different StateStore has already been added with the name s",
    build: (b) => (b.table(lines, { store: "s" }), b.table(other, { store: "s" })),
  },
  {
    that: "one name for two repartition topics",
    error: "TopologyException",
    says: "already",
    build: (b) => {
      b.stream(lines).repartition({ name: "r" }).to("a");
      b.stream(other).repartition({ name: "r" }).to("b");
    },
  },
];

const STEPS: readonly Misuse[] = [
  ...([
    "filter",
    "filterNot",
    "map",
    "mapValues",
    "flatMap",
    "flatMapValues",
    "selectKey",
    "peek",
    "foreach",
  ] as const)
    .map((step) => ({
      that: `${step} without a function`,
      error: "TypeError",
      says: `the step ${step} as it needs a function`,
      build: (b: StreamsBuilder) => (b.stream(lines) as any)[step](null),
    })),
  {
    that: "a branch without a predicate",
    error: "TypeError",
    says: "needs a predicate",
    build: (b) => b.stream(lines).split().branch(null as any),
  },
  {
    that: "a branch behind the default branch",
    error: "TopologyException",
    says: "the default branch is the last",
    build: (b) => {
      const split = b.stream(lines).split();
      split.defaultBranch();
      split.branch(() => true);
    },
  },
  {
    that: "a rest that is not the last branch",
    error: "TopologyException",
    says: "must be the last",
    build: (b) => b.stream(lines).split({ rest: otherwise, a: () => true }),
  },
  {
    that: "a negative partition count",
    error: "RangeError",
    says: "positive whole number",
    build: (b) => b.stream(lines).repartition({ partitions: 0 }),
  },
  {
    that: "a sink without a topic",
    error: "TypeError",
    says: "needs a topic",
    build: (b) => b.stream(lines).to(undefined as any),
  },
  {
    that: "a new key without a serde in front of a count",
    error: "TopologyException",
    says: "Give { key: … } there, or withSerdes",
    build: (b) => b.stream(lines).groupBy(identity, {} as any).count(),
  },
  {
    that: "a processor whose store is not added",
    error: "TopologyException",
    says: "StateStore missing is not added yet",
    build: (b) => b.stream(lines).process({ process() {} }, { stores: ["missing"] }),
  },
  {
    that: "a supplier that gives one processor twice",
    error: "RangeError",
    says: "must give a new object on each call",
    build: (b) => {
      const processor = { process() {} };
      b.stream(lines).process(() => processor);
    },
  },
  {
    that: "a global store that is connected",
    error: "TopologyException",
    says: "should not be explicitly passed",
    build: (b) => {
      b.addGlobalStore(counts(), other, () => ({ process() {} }));
      b.stream(lines).process({ process() {} }, { stores: ["counts"] });
    },
  },
  {
    that: "a deduplication without a window",
    error: "RangeError",
    says: "positive whole number of ms",
    build: (b) => b.stream(lines).deduplicate(0, identity, { id: string() }),
  },
  {
    that: "a rate of nothing",
    error: "RangeError",
    says: "recordsPerSecond must be a positive number",
    build: (b) => b.stream(lines).rateLimit({ recordsPerSecond: 0 }),
  },
];

const WINDOWS: readonly Misuse[] = [
  {
    that: "windows that are none",
    error: "TypeError",
    says: "made by tumbling, hopping, sliding, session or unlimited",
    build: (b) => b.stream(lines).groupByKey().windowedBy({ size: 1 } as any),
  },
  {
    that: "unlimited windows that are emitted on close",
    error: "RangeError",
    says: "unlimited windows never close",
    build: (b) =>
      b.stream(lines).groupByKey().windowedBy(unlimited()).emitStrategy("onWindowClose"),
  },
  {
    that: "a retention below size and grace",
    error: "RangeError",
    says: "at least their length and grace, 15 ms",
    build: (b) =>
      b.stream(lines).groupByKey().windowedBy(tumbling({ size: 10, grace: 5 })).count({
        retention: 14,
      }),
  },
  {
    that: "a retention below twice the difference and grace",
    error: "RangeError",
    says: "at least their length and grace, 25 ms",
    build: (b) =>
      b.stream(lines).groupByKey().windowedBy(sliding({ timeDifference: 10, grace: 5 }))
        .count({ retention: 24 }),
  },
  {
    that: "a retention below gap and grace",
    error: "RangeError",
    says: "at least their length and grace, 15 ms",
    build: (b) =>
      b.stream(lines).groupByKey().windowedBy(session({ gap: 10, grace: 5 })).count({
        retention: 14,
      }),
  },
  {
    that: "a negative retention",
    error: "RangeError",
    says: "must not be negative",
    build: (b) =>
      b.stream(lines).groupByKey().windowedBy(tumbling({ size: 10 })).count({ retention: -1 }),
  },
  {
    that: "a supplier that keeps windows for too short",
    error: "RangeError",
    says: "at least their length and grace, 20 ms",
    build: (b) =>
      b.stream(lines).groupByKey().windowedBy(tumbling({ size: 10, grace: 10 })).count({
        store: inMemoryWindowStore("w", { retentionMs: 10, windowSizeMs: 10 }),
      }),
  },
  {
    that: "a supplier and a choice of suppliers",
    error: "RangeError",
    says: "its supplier is given already",
    build: (b) => b.table(lines, { store: inMemoryKeyValueStore("s"), stores: inMemoryStores }),
  },
  {
    that: "final results without windows",
    error: "TopologyException",
    says: "there must be a windowed aggregate upstream",
    build: (b) => (b.stream(lines).groupByKey().count() as any).final(),
  },
  {
    that: "final results that are emitted early",
    error: "RangeError",
    says: "a full buffer must shut down",
    build: (b) =>
      b.stream(lines).groupByKey().windowedBy(tumbling({ size: 1 })).count()
        .suppress({ until: "windowCloses", whenFull: "emitEarly" } as any),
  },
  {
    that: "a time limit that is not given",
    error: "TypeError",
    says: "limitMs must be given",
    build: (b) => b.table(lines).suppress({ until: "timeLimit" } as any),
  },
  {
    that: "a negative buffer",
    error: "RangeError",
    says: "maxRecords must not be negative",
    build: (b) => b.table(lines).suppress({ until: "timeLimit", limitMs: 1, maxRecords: -1 }),
  },
  {
    that: "suppress of a versioned table",
    error: "TopologyException",
    says: "only tables without versions",
    build: (b) => b.table(lines, { store: versioned }).suppress({ until: "timeLimit", limitMs: 1 }),
  },
  {
    that: "suppress of a table that stands on a versioned one",
    error: "TopologyException",
    says: "only tables without versions",
    build: (b) =>
      b.table(lines, { store: versioned }).filter(() => true).suppress({
        until: "timeLimit",
        limitMs: 1,
      }),
  },
];

const JOINS: readonly Misuse[] = [
  {
    that: "a join with nothing that can be joined",
    error: "TypeError",
    says: "must be a KStream, KTable or GlobalKTable",
    build: (b) => (b.stream(lines) as any).join({}, identity, both),
  },
  {
    that: "a join without a joiner",
    error: "TypeError",
    says: "needs a function",
    build: (b) => b.stream(lines).join(b.table(other), null as any),
  },
  {
    that: "streams that are joined without windows",
    error: "TypeError",
    says: "made by within",
    build: (b) => b.stream(lines).join(b.stream(other), both, undefined as any),
  },
  {
    that: "join stores that share a name",
    error: "StreamsException",
    says: "names of their own",
    build: (b) => {
      const store = inMemoryWindowStore("s", {
        retentionMs: 10,
        windowSizeMs: 10,
        retainDuplicates: true,
      });
      const windows = within({ timeDifference: 5 });
      b.stream(lines).join(b.stream(other), both, windows, { thisStore: store, otherStore: store });
    },
  },
  {
    that: "a join store that keeps no duplicates",
    error: "StreamsException",
    says: "must keep duplicates",
    build: (b) => {
      const thisStore = inMemoryWindowStore("s", { retentionMs: 10, windowSizeMs: 10 });
      b.stream(lines).join(b.stream(other), both, within({ timeDifference: 5 }), { thisStore });
    },
  },
  {
    that: "a join store of other windows",
    error: "StreamsException",
    says: "its window size must be 10 ms and its retention 12 ms",
    build: (b) => {
      const thisStore = inMemoryWindowStore("s", {
        retentionMs: 10,
        windowSizeMs: 10,
        retainDuplicates: true,
      });
      const windows = within({ timeDifference: 5, grace: 2 });
      b.stream(lines).join(b.stream(other), both, windows, { thisStore });
    },
  },
  {
    that: "a grace with a table that keeps no versions",
    error: "RangeError",
    says: "the table must keep versions",
    build: (b) => b.stream(lines).join(b.table(other), both, { grace: 1 }),
  },
  {
    that: "a grace longer than the versions are kept",
    error: "RangeError",
    says: "must keep versions for at least that long",
    build: (b) => b.stream(lines).join(b.table(other, { store: versioned }), both, { grace: 1001 }),
  },
  {
    that: "a negative grace",
    error: "RangeError",
    says: "must not be negative",
    build: (b) => b.stream(lines).join(b.table(other, { store: versioned }), both, { grace: -1 }),
  },
  {
    that: "a foreign key of no function",
    error: "TypeError",
    says: "joiner must be a function",
    build: (b) => b.table(lines).join(b.table(other), identity, null as any, { value: string() }),
  },
  {
    that: "mapAsync",
    error: "NotBuiltError",
    says: "mapAsync is not built",
    build: (b) => b.stream(lines).mapAsync(),
  },
];

for (const { that, error, says, build } of [...SOURCES, ...NAMES, ...STEPS, ...WINDOWS, ...JOINS]) {
  test(`StreamsBuilder refuses ${that}`, () => {
    let thrown: Error | undefined;
    try {
      const builder = new StreamsBuilder();
      build(builder);
      builder.build();
    } catch (e) {
      thrown = e as Error;
    }
    assert(thrown !== undefined, "nothing was thrown");
    assertStringIncludes(`${thrown.name}: ${thrown.message}`, says);
    assert(thrown.name === error, `${thrown.name}: ${thrown.message}`);
  });
}

test("NotBuiltError names what to do instead", () => {
  try {
    new StreamsBuilder().stream(lines).mapAsync();
  } catch (error) {
    assert(error instanceof NotBuiltError);
  }
});
