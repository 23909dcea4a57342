import { string, topic } from "../../../../mod.ts";
import { counts, lines, nothing, other, versioned } from "./fixture.ts";
import type { Misuse } from "./misuse.ts";

/** Topics, sources and stores that are added by themselves. */
export const SOURCES: readonly Misuse[] = [
  {
    that: "a stream without topics",
    java: ["InternalTopologyBuilder: topics cannot be empty"],
    error: "TopologyException",
    says: "Invalid topology: Cannot read a stream as it needs a topic: current value is []",
    build: (b) => b.stream([] as (typeof lines)[]),
  },
  {
    that: "a stream of null",
    java: ["StreamsBuilder: topics can't be null", "StreamsBuilder: topicPattern can't be null"],
    error: "TypeError",
    says: "Cannot read a topic as it must be a topic or its name: current value is null",
    build: (b) => b.stream(nothing),
  },
  {
    that: "a table of null",
    java: ["StreamsBuilder: topic can't be null"],
    error: "TypeError",
    says: "Cannot read a topic as it must be a topic or its name: current value is null",
    build: (b) => b.table(nothing),
  },
  {
    that: "a global table of null",
    java: ["StreamsBuilder: topic can't be null"],
    error: "TypeError",
    says: "Cannot read a topic as it must be a topic or its name: current value is null",
    build: (b) => b.globalTable(nothing),
  },
  {
    that: "null as a store",
    java: [
      "StreamsBuilder: builder can't be null",
      "InternalTopologyBuilder: stateStoreFactory cannot be null",
    ],
    error: "TypeError",
    says:
      "Cannot add a store as it must be made by a store builder, such as keyValueStoreBuilder(…): current value is null",
    build: (b) => b.addStateStore(nothing),
  },
  {
    that: "null as a global store",
    java: ["StreamsBuilder: storeBuilder can't be null"],
    error: "TypeError",
    says:
      "Cannot add a store as it must be made by a store builder, such as keyValueStoreBuilder(…): current value is null",
    build: (b) => b.addGlobalStore(nothing, lines, () => ({ process() {} })),
  },
  {
    that: "a global store without a topic",
    java: ["StreamsBuilder: topic can't be null"],
    error: "TypeError",
    says: "Cannot read a topic as it must be a topic or its name: current value is null",
    build: (b) => b.addGlobalStore(counts(), nothing, () => ({ process() {} })),
  },
  {
    that: "a global store without a processor",
    error: "TypeError",
    says:
      'Cannot add the processor "KTABLE-SOURCE-0000000001" as its supplier is neither a function nor has a get(): current value is null',
    build: (b) => b.addGlobalStore(counts(), lines, nothing),
  },
  {
    that: "a topic without a name",
    java: ["InternalTopologyBuilder: topicName can't be null"],
    error: "TypeError",
    says: "Cannot name a topic as the name must be a text that is not empty: current value is ",
    build: () => topic("", { key: string(), value: string() }),
  },
  {
    that: "a topic without a value serde",
    error: "TypeError",
    says: "Cannot use the topic t as it needs a serde { value: … }: current value is undefined",
    build: () => topic("t", { key: string() } as any),
  },
  {
    that: "a topic without options",
    error: "TypeError",
    says: "Cannot use the topic t as it needs a serde { key: … }: current value is undefined",
    build: () => topic("t", nothing),
  },
  {
    that: "overlapping but not equal topics of two streams",
    java: [
      "InternalStreamsBuilder: Two source nodes are subscribed to overlapping but not equal input topics",
    ],
    error: "TopologyException",
    says:
      "Invalid topology: Cannot read topics in two streams as these must have either the same topics or none in common: current value is [lines,other] and [lines]",
    build: (b) => (b.stream([lines, other]), b.stream(lines)),
  },
  {
    that: "a topic as stream and as table",
    java: ["InternalTopologyBuilder: Topic … has already been registered by another source."],
    error: "TopologyException",
    says:
      "Invalid topology: Topic lines has already been registered by another source. Read it once, and use that stream or table twice",
    build: (b) => (b.stream(lines), b.table(lines)),
  },
  {
    that: "a topic as two tables",
    java: ["InternalTopologyBuilder: Topic … has already been registered by another source."],
    error: "TopologyException",
    says:
      "Invalid topology: Topic lines has already been registered by another source. Read it once, and use that stream or table twice",
    build: (b) => (b.table(lines), b.table(lines)),
  },
  {
    that: "a topic as table and as global table",
    java: ["InternalTopologyBuilder: Topic … has already been registered by another source."],
    error: "TopologyException",
    says:
      "Invalid topology: Topic lines has already been registered by another source. Read it once, and use that stream or table twice",
    build: (b) => (b.table(lines), b.globalTable(lines)),
  },
  {
    that: "a pattern that matches a topic of another source",
    java: [
      "InternalTopologyBuilder: Pattern … will match a topic that has already been registered by another source.",
    ],
    error: "TopologyException",
    says:
      "Invalid topology: Pattern li.* will match a topic that has already been registered by another source. Leave the topic out of the pattern, or read it by the pattern alone",
    build: (b) => (b.stream(lines), b.stream(/li.*/, lines)),
  },
  {
    that: "a topic that a pattern of another source matches",
    java: [
      "InternalTopologyBuilder: Topic … matches a Pattern already registered by another source.",
    ],
    error: "TopologyException",
    says:
      "Invalid topology: Topic lines matches a Pattern already registered by another source. Leave it out of the pattern, or read it by the pattern alone",
    build: (b) => (b.stream(/li.*/, lines), b.table(lines)),
  },
  {
    that: "different reset policies of one topic",
    java: [
      "StreamSourceNode: Can't configure different offset reset policies on the same input topic(s)",
    ],
    error: "TopologyException",
    says:
      'Invalid topology: Cannot read [lines] in two streams as these must have the same offsetReset: current value is "earliest" and "latest"',
    build: (
      b,
    ) => (b.stream(topic("lines", { ...lines, offsetReset: "earliest" })),
      b.stream(topic("lines", { ...lines, offsetReset: "latest" }))),
  },
  {
    that: "a reset policy that is none",
    java: ["InternalTopologyBuilder: Unrecognized reset format %s"],
    error: "TypeError",
    says:
      'Cannot read lines as offsetReset must be "earliest", "latest", "none" or { byDurationMs } of whole milliseconds, at least 0: current value is "first"',
    build: () => topic("lines", { ...lines, offsetReset: "first" as any }),
  },
  {
    that: "a reset to a negative duration",
    java: ["AutoOffsetReset: Duration cannot be negative"],
    error: "TypeError",
    says:
      'Cannot read lines as offsetReset must be "earliest", "latest", "none" or { byDurationMs } of whole milliseconds, at least 0: current value is {"byDurationMs":-1}',
    build: () => topic("lines", { ...lines, offsetReset: { byDurationMs: -1 } }),
  },
  {
    that: "a versioned global table",
    java: ["InternalStreamsBuilder: GlobalTables cannot be versioned."],
    error: "TopologyException",
    says:
      "Invalid topology: Cannot make a global table of lines as its store must not keep versions: current value is a versioned store",
    build: (b) => b.globalTable(lines, { store: versioned as any }),
  },
  {
    that: "a stream of a name without serdes that is written",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build the sink to out as its key has to be written and no serde is known for it: current value is undefined. Give { key: … } there, or withSerdes({ … }) before it",
    build: (b) => b.stream("lines", {} as any).to("out"),
  },
  {
    that: "one topic that is declared in two ways",
    error: "TopologyException",
    says:
      'Invalid topology: Cannot declare the topic lines as it must be declared alike everywhere: current value is {"partitions":3,"settings":{}} and {"partitions":4,"settings":{}}',
    build: (b) => {
      b.stream(topic("lines", { ...lines, partitions: 3 }));
      b.declareTopic("lines", { partitions: 4 });
    },
  },
  {
    that: "a topic that is declared with no partitions",
    error: "RangeError",
    says:
      "Cannot declare the topic lines as partitions must be a positive whole number: current value is 0",
    build: () => topic("lines", { ...lines, partitions: 0 }),
  },
];
