import {
  keyValueStoreBuilder,
  persistentKeyValueStore,
  StreamRecord,
  string,
  Topology,
} from "../../../../mod.ts";
import { compileTopology } from "../../../../lib/topology/compile.ts";
import { counts, nothing } from "./fixture.ts";
import type { Misuse } from "./misuse.ts";

const processor = () => ({ process() {} });
const I = "InternalTopologyBuilder: ";
const small = () =>
  new Topology().addSource("in", "a").addProcessor("p", processor, "in").addSink(
    "out",
    "b",
    {},
    "p",
  );
const globalStore = (given: object = {}) => ({
  store: counts(),
  sourceName: "gs",
  topic: "global",
  processorName: "gp",
  supplier: processor,
  ...given,
});

/** Graphs that are built by hand. */
export const GRAPH: readonly Misuse[] = [
  {
    that: "a source without a name",
    java: [I + "name cannot be null"],
    error: "TypeError",
    says: "Cannot add a node as its name is missing: current value is null",
    build: () => new Topology().addSource(nothing, "a"),
  },
  {
    that: "a source without topics",
    java: [I + "topics cannot be empty"],
    error: "TopologyException",
    says: "Invalid topology: topics cannot be empty. Name a topic, or give a pattern",
    build: () => new Topology().addSource("in", []),
  },
  {
    that: "a source of null",
    java: [
      I + "topics cannot be a null array",
      I + "topicPattern cannot be null",
      I + "Either topics or pattern must be not-null, but both are null.",
    ],
    error: "TypeError",
    says: 'Cannot add the source "in" as it needs topics or a pattern: current value is null',
    build: () => new Topology().addSource("in", nothing),
  },
  {
    that: "a source of a topic that is null",
    java: [I + "topic names cannot be null", I + "topic cannot be null"],
    error: "TypeError",
    says: "Cannot read a topic as its name must be a text that is not empty: current value is null",
    build: () => new Topology().addSource("in", ["a", nothing]),
  },
  {
    that: "two nodes of one name",
    java: [I + "Processor … is already added."],
    error: "TopologyException",
    says: "Invalid topology: Processor p is already added. Give one of both another name",
    build: () => small().addSource("p", "c"),
  },
  {
    that: "two sources of one topic",
    java: [I + "Topic … has already been registered by another source."],
    error: "TopologyException",
    says:
      "Invalid topology: Topic a has already been registered by another source. Read it once, and use that stream or table twice",
    build: () => small().addSource("again", "a"),
  },
  {
    that: "one topic twice in a source",
    java: [I + "Topic … has already been registered by another source."],
    error: "TopologyException",
    says:
      "Invalid topology: Topic a has already been registered by another source. Read it once, and use that stream or table twice",
    build: () => new Topology().addSource("in", ["a", "a"]),
  },
  {
    that: "a topic that the pattern of another source matches",
    java: [I + "Topic … matches a Pattern already registered by another source."],
    error: "TopologyException",
    says:
      "Invalid topology: Topic ab matches a Pattern already registered by another source. Leave it out of the pattern, or read it by the pattern alone",
    build: () => new Topology().addSource("all", /a.*/).addSource("one", "ab"),
  },
  {
    that: "a pattern that matches the topic of another source",
    java: [I + "Pattern … will match a topic that has already been registered by another source."],
    error: "TopologyException",
    says:
      "Invalid topology: Pattern a|z will match a topic that has already been registered by another source. Leave the topic out of the pattern, or read it by the pattern alone",
    build: () => small().addSource("all", /a|z/),
  },
  {
    that: "a processor without a name",
    java: [I + "processor cannot not be null"],
    error: "TypeError",
    says: 'Cannot add a node as its name is missing: current value is ""',
    build: () => small().addProcessor("", processor, "in"),
  },
  {
    that: "a processor without a supplier",
    error: "TypeError",
    says:
      'Cannot add the processor "q" as its supplier is neither a function nor has a get(): current value is null',
    build: () => small().addProcessor("q", nothing, "in"),
  },
  {
    that: "a processor without parents",
    java: [I + "predecessorNames cannot be empty", I + "predecessorNames cannot be a null array"],
    error: "TopologyException",
    says: "Invalid topology: predecessorNames cannot be empty. Name the nodes that q follows",
    build: () => small().addProcessor("q", processor),
  },
  {
    that: "a processor whose parent is null",
    java: [I + "parent name cannot be null"],
    error: "TopologyException",
    says: "Invalid topology: Parent node null is unknown. Add it before q",
    build: () => small().addProcessor("q", processor, nothing),
  },
  {
    that: "a processor behind an unknown node",
    java: [I + "Parent node … is unknown."],
    error: "TopologyException",
    says: "Invalid topology: Parent node nowhere is unknown. Add it before q",
    build: () => small().addProcessor("q", processor, "nowhere"),
  },
  {
    that: "a processor behind itself",
    java: [I + "Parent node … is unknown (self-reference)."],
    error: "TopologyException",
    says: "Invalid topology: Parent node q is unknown (self-reference). Name another parent",
    build: () => small().addProcessor("q", processor, "q"),
  },
  {
    that: "a processor behind a sink",
    java: [I + "Sink … cannot be used a parent.", I + "Sinks don't have successors."],
    error: "TopologyException",
    says:
      "Invalid topology: Sink out cannot be used a parent. Name the node before it, or read its topic by a source",
    build: () => small().addProcessor("q", processor, "out"),
  },
  {
    that: "a sink without a topic",
    java: [I + "topic cannot be null", I + "topicExtractor cannot be null"],
    error: "TypeError",
    says:
      'Cannot add the sink "again" as it needs a topic, or a function that chooses one: current value is null',
    build: () => small().addSink("again", nothing, {}, "p"),
  },
  {
    that: "a sink without parents",
    java: [I + "predecessorNames cannot be empty"],
    error: "TopologyException",
    says: "Invalid topology: predecessorNames cannot be empty. Name the nodes that again follows",
    build: () => small().addSink("again", "b"),
  },
  {
    that: "a sink behind itself",
    java: [I + "Parent node … is unknown (self-reference)."],
    error: "TopologyException",
    says: "Invalid topology: Parent node again is unknown (self-reference). Name another parent",
    build: () => small().addSink("again", "b", {}, "again"),
  },
  {
    that: "null as a store",
    java: [I + "storeBuilder cannot be null", I + "stateStoreFactory cannot be null"],
    error: "TypeError",
    says:
      "Cannot add a store as it must be made by a store builder, such as keyValueStoreBuilder(…): current value is null",
    build: () => small().addStateStore(nothing, "p"),
  },
  {
    that: "two stores of one name",
    java: [I + "A different StateStore has already been added with the name "],
    error: "TopologyException",
    says:
      "Invalid topology: A different StateStore has already been added with the name counts. Give one of both another name",
    build: () => small().addStateStore(counts(), "p").addStateStore(counts(), "p"),
  },
  {
    that: "a store of a global store's name",
    java: [I + "A different GlobalStateStore has already been added with the name "],
    error: "TopologyException",
    says:
      "Invalid topology: A different GlobalStateStore has already been added with the name counts. Give one of both another name",
    build: () => small().addGlobalStore(globalStore()).addStateStore(counts(), "p"),
  },
  {
    that: "a store for an unknown processor",
    java: [I + "Processor … is not added yet."],
    error: "TopologyException",
    says: "Invalid topology: Processor q is not added yet. Add it before its stores are connected",
    build: () => small().addStateStore(counts(), "q"),
  },
  {
    that: "a store for a source",
    java: [I + "cannot connect a state store … to a source node or a sink node."],
    error: "TopologyException",
    says:
      "Invalid topology: cannot connect a state store counts to a source node or a sink node. Connect it to a processor",
    build: () => small().addStateStore(counts(), "in"),
  },
  {
    that: "connecting a source to a store",
    java: [I + "State stores cannot be connect to sources or sinks."],
    error: "TopologyException",
    says:
      "Invalid topology: State stores cannot be connect to sources or sinks. Connect them to a processor",
    build: () => small().addStateStore(counts()).connectProcessorAndStateStores("in", "counts"),
  },
  {
    that: "connecting a processor to nothing",
    java: [I + "stateStoreNames cannot be empty", I + "stateStoreNames cannot be a null array"],
    error: "TopologyException",
    says:
      "Invalid topology: stateStoreNames cannot be empty. Name the stores that the processor uses",
    build: () => small().connectProcessorAndStateStores("p"),
  },
  {
    that: "connecting a processor to an unknown store",
    java: [I + "StateStore … is not added yet."],
    error: "TopologyException",
    says:
      "Invalid topology: StateStore counts is not added yet. Add it by addStateStore, or give its builder to the processor",
    build: () => small().connectProcessorAndStateStores("p", "counts"),
  },
  {
    that: "connecting a processor to a store that is null",
    java: [I + "state store name cannot be null"],
    error: "TopologyException",
    says:
      "Invalid topology: StateStore null is not added yet. Add it by addStateStore, or give its builder to the processor",
    build: () => small().connectProcessorAndStateStores("p", nothing),
  },
  {
    that: "connecting an unknown processor",
    java: [I + "Processor … is not added yet.", I + "processorName cannot be null"],
    error: "TopologyException",
    says: "Invalid topology: Processor q is not added yet. Add it before its stores are connected",
    build: () => small().addStateStore(counts()).connectProcessorAndStateStores("q", "counts"),
  },
  {
    that: "connecting a processor to a global store",
    java: [
      I +
      "Global StateStore … can be used by a Processor without being specified; it should not be explicitly passed.",
    ],
    error: "TopologyException",
    says:
      "Invalid topology: Global StateStore counts can be used by a Processor without being specified; it should not be explicitly passed. Leave it out of the processor's stores",
    build: () =>
      small().addGlobalStore(globalStore()).connectProcessorAndStateStores("p", "counts"),
  },
  {
    that: "a global store that is null",
    java: ["Topology: storeBuilder cannot be null"],
    error: "TypeError",
    says:
      "Cannot add a store as it must be made by a store builder, such as keyValueStoreBuilder(…): current value is null",
    build: () => small().addGlobalStore(globalStore({ store: null })),
  },
  {
    that: "a global store without a supplier",
    java: ["Topology: stateUpdateSupplier cannot be null"],
    error: "TypeError",
    says:
      'Cannot add the processor "gp" as its supplier is neither a function nor has a get(): current value is null',
    build: () => small().addGlobalStore(globalStore({ supplier: null })),
  },
  {
    that: "a global store whose source and processor share a name",
    java: [I + "sourceName and processorName must be different."],
    error: "TopologyException",
    says:
      "Invalid topology: sourceName and processorName must be different. Give the processor another name",
    build: () => small().addGlobalStore(globalStore({ processorName: "gs" })),
  },
  {
    that: "a global store of a topic that is read",
    java: [I + "Topic … has already been registered by another source."],
    error: "TopologyException",
    says:
      "Invalid topology: Topic a has already been registered by another source. Read it once, and use that stream or table twice",
    build: () => small().addGlobalStore(globalStore({ topic: "a" })),
  },
  {
    that: "a global store of a store's name",
    java: [I + "A different StateStore has already been added with the name "],
    error: "TopologyException",
    says:
      "Invalid topology: A different StateStore has already been added with the name counts. Give one of both another name",
    build: () => small().addStateStore(counts(), "p").addGlobalStore(globalStore()),
  },
  {
    that: "two global stores of one name",
    java: [I + "A different GlobalStateStore has already been added with the name "],
    error: "TopologyException",
    says:
      "Invalid topology: A different GlobalStateStore has already been added with the name counts. Give one of both another name",
    build: () =>
      small().addGlobalStore(globalStore()).addGlobalStore(
        globalStore({ sourceName: "gs2", processorName: "gp2", topic: "g2" }),
      ),
  },
  {
    that: "a store with two changelogs",
    java: [I + "Source store … is already added."],
    error: "TopologyException",
    says:
      "Invalid topology: Source store counts is already added. Give it one topic as its changelog",
    build: () =>
      small().connectSourceStoreAndTopic("counts", "a").connectSourceStoreAndTopic("counts", "b"),
  },
  {
    that: "a read-only store of a topic that is read",
    java: [I + "Topic … has already been registered by another source."],
    error: "TopologyException",
    says:
      "Invalid topology: Topic a has already been registered by another source. Read it once, and use that stream or table twice",
    build: () => small().addReadOnlyStateStore(globalStore({ topic: "a" })),
  },
  {
    that: "copartitioned repartition topics of different counts",
    java: ["CopartitionedTopicsEnforcer: msg", I + "msg"],
    error: "TopologyException",
    says:
      "Invalid topology: Following topics do not have the same number of partitions: [{x=2, y=3}]. Give them the same number, as they are read together",
    build: () => {
      const topology = new Topology()
        .addInternalTopic("x", { partitions: 2 }).addInternalTopic("y", { partitions: 3 })
        .addSource("sx", "x").addSource("sy", "y").copartitionSources(["sx", "sy"]);
      compileTopology(topology, { applicationId: "app", cacheMaxBytes: 0 });
    },
  },
  {
    that: "a record from before the epoch",
    java: [
      "Record: Malformed Record…Timestamp may not be negative. Got: ",
      "FixedKeyRecord: Malformed Record…Timestamp may not be negative. Got: ",
    ],
    error: "StreamsException",
    says: "Cannot make a record as its timestamp is negative or not a number: current value is -1",
    build: () => new StreamRecord("k", "v", 0).withTimestamp(-1),
  },
  {
    that: "a store builder without a name",
    java: ["AbstractStoreBuilder: name cannot be null"],
    error: "TypeError",
    says: "Cannot make a store as its name is missing: current value is null",
    build: () =>
      keyValueStoreBuilder(persistentKeyValueStore(nothing), { key: string(), value: string() }),
  },
];
