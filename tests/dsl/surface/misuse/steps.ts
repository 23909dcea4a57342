import { otherwise, type StreamsBuilder, string } from "../../../../mod.ts";
import { compileTopology } from "../../../../lib/topology/compile.ts";
import { counts, identity, lines, nothing, other } from "./fixture.ts";
import type { Misuse } from "./misuse.ts";

/** Steps that take one function, and what Kafka Streams calls it. */
const FUNCTIONS = [
  ["filter", "predicate"],
  ["filterNot", "predicate"],
  ["map", "mapper"],
  ["mapValues", "mapper"],
  ["flatMap", "mapper"],
  ["flatMapValues", "mapper"],
  ["selectKey", "mapper"],
  ["peek", "action"],
  ["foreach", "action"],
] as const;

/** Steps of streams. */
export const STEPS: readonly Misuse[] = [
  ...FUNCTIONS.map(([step, what]) => ({
    that: `${step} without a function`,
    java: [`KStreamImpl: ${what} cannot be null`],
    error: "TypeError",
    says: `Cannot add the step ${step} as it needs the function ${what}: current value is null`,
    build: (b: StreamsBuilder) => (b.stream(lines) as any)[step](null),
  })),
  {
    that: "groupBy without a function",
    java: ["KStreamImpl: keySelector cannot be null"],
    error: "TypeError",
    says: "Cannot add the step groupBy as it needs the function mapper: current value is null",
    build: (b) => b.stream(lines).groupBy(nothing, { key: string() }),
  },
  {
    that: "deduplicate without a function",
    error: "TypeError",
    says: "Cannot add the step deduplicate as it needs the function by: current value is null",
    build: (b) => b.stream(lines).deduplicate(1, nothing, { id: string() }),
  },
  {
    that: "a merge with null",
    java: ["KStreamImpl: otherStream cannot be null"],
    error: "TypeError",
    says: "Cannot merge as the other side must be a KStream: current value is null",
    build: (b) => b.stream(lines).merge(nothing),
  },
  {
    that: "a merge with a table",
    error: "TypeError",
    says: "Cannot merge as the other side must be a KStream: current value is [object Object]",
    build: (b) => b.stream(lines).merge(b.table(other) as any),
  },
  {
    that: "a print with a mapper that is no function",
    java: ["Printed: mapper can't be null"],
    error: "TypeError",
    says: "Cannot add the step print as it needs the function mapper: current value is x",
    build: (b) => b.stream(lines).print({ mapper: "x" as any }),
  },
  {
    that: "a branch without a predicate",
    error: "TypeError",
    says: "Cannot add a branch as it needs a predicate: current value is null",
    build: (b) => b.stream(lines).split().branch(nothing),
  },
  {
    that: "a branch that goes on with something that is no function",
    java: ["Branched: chain function cannot be null", "Branched: chain consumer cannot be null"],
    error: "TypeError",
    says: "Cannot add the step branch as it needs the function then: current value is null",
    build: (b) => b.stream(lines).split().branch(() => true, { then: nothing }),
  },
  {
    that: "a branch behind the default branch",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot add a branch to KSTREAM-BRANCH-0000000001 as the default branch is the last: current value is one branch more",
    build: (b) => {
      const split = b.stream(lines).split();
      split.defaultBranch();
      split.branch(() => true);
    },
  },
  {
    that: "a second default branch",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot add a branch to KSTREAM-BRANCH-0000000001 as the default branch is the last: current value is one branch more",
    build: (b) => {
      const split = b.stream(lines).split();
      split.defaultBranch();
      split.defaultBranch();
    },
  },
  {
    that: "a rest that is not the last branch",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot split a stream as the branch that takes the rest must be the last: current value is rest before a",
    build: (b) => b.stream(lines).split({ rest: otherwise, a: () => true }),
  },
  {
    that: "a named branch without a test",
    error: "TypeError",
    says: "Cannot add a branch as it needs a predicate: current value is null",
    build: (b) => b.stream(lines).split({ a: () => true, b: nothing }),
  },
  {
    that: "no partitions at all",
    error: "RangeError",
    says:
      "Cannot repartition a stream as partitions must be a positive whole number: current value is 0",
    build: (b) => b.stream(lines).repartition({ partitions: 0 }),
  },
  {
    that: "repartition topics of different counts that are joined",
    java: ["CopartitionedTopicsEnforcer: msg"],
    error: "TopologyException",
    says:
      "Invalid topology: Following topics do not have the same number of partitions: [{l-repartition=2, r-repartition=3}]. Give them the same number, as they are read together",
    build: (b) => {
      const left = b.stream(lines).repartition({ name: "l", partitions: 2 });
      const right = b.stream(other).repartition({ name: "r", partitions: 3 }).toTable();
      left.join(right, (value: string) => value).to(lines);
      compileTopology(b.build(), { applicationId: "app", cacheMaxBytes: 0 });
    },
  },
  {
    that: "a sink without a topic",
    java: [
      "KStreamImpl: topicExtractor cannot be null",
      "InternalTopologyBuilder: topic cannot be null",
    ],
    error: "TypeError",
    says:
      "Cannot write a stream as it needs a topic, its name, or a function that chooses it: current value is null",
    build: (b) => b.stream(lines).to(nothing),
  },
  {
    that: "a partitioner that is no function",
    error: "TypeError",
    says: "Cannot add the step to as it needs the function partitioner: current value is 3",
    build: (b) => b.stream(lines).to(other, { partitioner: 3 as any }),
  },
  {
    that: "a new key without a serde in front of a count",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build the aggregate as its key has to be written and no serde is known for it: current value is undefined. Give { key: … } there, or withSerdes({ … }) before it",
    build: (b) => b.stream(lines).groupBy(identity, {} as any).count(),
  },
  {
    that: "a new value without a serde in front of a sink",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build the sink to lengths as its value has to be written and no serde is known for it: current value is undefined. Give { value: … } there, or withSerdes({ … }) before it",
    build: (b) => b.stream(lines).mapValues((line) => line.length).to("lengths", {} as any),
  },
  {
    that: "a processor that is null",
    error: "TypeError",
    says:
      'Cannot add the processor "KSTREAM-PROCESSOR-0000000001" as its supplier is neither a function nor has a get(): current value is null',
    build: (b) => b.stream(lines).process(nothing),
  },
  {
    that: "a fixed-key processor that is null",
    error: "TypeError",
    says:
      'Cannot add the processor "KSTREAM-PROCESSVALUES-0000000001" as its supplier is neither a function nor has a get(): current value is null',
    build: (b) => b.stream(lines).processValues(nothing),
  },
  {
    that: "a processor whose store is not added",
    java: ["InternalTopologyBuilder: StateStore … is not added yet."],
    error: "TopologyException",
    says:
      "Invalid topology: StateStore missing is not added yet. Add it by addStateStore, or give its builder to the processor",
    build: (b) => b.stream(lines).process({ process() {} }, { stores: ["missing"] }),
  },
  {
    that: "a processor with a store whose name is null",
    java: [
      "KStreamImpl: state store name cannot be null",
      "InternalTopologyBuilder: state store name cannot be null",
    ],
    error: "TopologyException",
    says:
      "Invalid topology: StateStore null is not added yet. Add it by addStateStore, or give its builder to the processor",
    build: (b) => b.stream(lines).process({ process() {} }, { stores: [nothing] }),
  },
  {
    that: "a supplier that gives one processor twice",
    java: [
      "ApiUtils: %s generates single reference.… %s#get() must return a new object each time it is called.",
    ],
    error: "RangeError",
    says:
      'Cannot add the processor "KSTREAM-PROCESSOR-0000000001" as its supplier must give a new object on each call: current value is the same object twice',
    build: (b) => {
      const processor = { process() {} };
      b.stream(lines).process(() => processor);
    },
  },
  {
    that: "a supplier that gives nothing",
    error: "RangeError",
    says:
      'Cannot add the processor "KSTREAM-PROCESSOR-0000000001" as its supplier must give a new object on each call: current value is null',
    build: (b) => b.stream(lines).process(() => nothing),
  },
  {
    that: "a global store that is connected",
    java: [
      "InternalTopologyBuilder: Global StateStore … can be used by a Processor without being specified; it should not be explicitly passed.",
    ],
    error: "TopologyException",
    says:
      "Invalid topology: Global StateStore counts can be used by a Processor without being specified; it should not be explicitly passed. Leave it out of the processor's stores",
    build: (b) => {
      b.addGlobalStore(counts(), other, () => ({ process() {} }));
      b.stream(lines).process({ process() {} }, { stores: ["counts"] });
    },
  },
  {
    that: "a deduplication without a window",
    error: "RangeError",
    says:
      "Cannot deduplicate as the window must be a positive whole number of ms: current value is 0",
    build: (b) => b.stream(lines).deduplicate(0, identity, { id: string() }),
  },
  {
    that: "a deduplication without a serde for its ids",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build KSTREAM-DEDUPLICATE-0000000002 as its key has to be written and no serde is known for it: current value is undefined. Give { key: … } there, or withSerdes({ … }) before it",
    build: (b) => b.stream(lines).deduplicate(1, identity, {} as any),
  },
  {
    that: "a rate of nothing",
    error: "RangeError",
    says: "Cannot limit the rate as recordsPerSecond must be a positive number: current value is 0",
    build: (b) => b.stream(lines).rateLimit({ recordsPerSecond: 0 }),
  },
  {
    that: "mapAsync",
    error: "NotBuiltError",
    says:
      "Cannot map asynchronously as mapAsync is not built: do the asynchronous work before the topic or behind it",
    build: (b) => b.stream(lines).mapAsync(),
  },
];
