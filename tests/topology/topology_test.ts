import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { TopologyException } from "../../lib/errors.ts";
import { compileTopology } from "../../lib/topology/compile.ts";
import { Topology } from "../../lib/topology/topology.ts";
import type { Processor } from "../../lib/topology/processor.ts";
import { fakeStoreBuilder } from "./fake_store.ts";

class Nothing implements Processor {
  process(): void {}
}
const nothing = () => new Nothing();

test("Topology describes a chain as Kafka Streams does", () => {
  const topology = new Topology()
    .addSource("source", ["b", "a"])
    .addProcessor("p", nothing, "source")
    .addSink("sink", "out", {}, "p");
  assertEquals(
    topology.describe().toString(),
    [
      "Topologies:",
      "   Sub-topology: 0",
      "    Source: source (topics: [a, b])",
      "      --> p",
      "    Processor: p (stores: [])",
      "      --> sink",
      "      <-- source",
      "    Sink: sink (topic: out)",
      "      <-- p",
      "",
      "",
    ].join("\n"),
  );
});

test("Topology numbers subtopologies upstream first and unites nodes that share a store", () => {
  const topology = new Topology()
    .addSource("s1", "t1").addSource("s2", "t2").addSource("s3", "t3")
    .addProcessor("p1", nothing, "s1").addProcessor("p2", nothing, "s2").addProcessor(
      "p3",
      nothing,
      "s3",
    )
    .addStateStore(fakeStoreBuilder("shared"), "p1", "p3");
  assertEquals(topology.nodeGroups(), [["s1", "s3", "p1", "p3"], ["s2", "p2"]]);
});

test("Topology prints a global store in its own subtopology without tasks", () => {
  const topology = new Topology().addGlobalStore({
    store: fakeStoreBuilder("globals"),
    sourceName: "source",
    topic: "table",
    processorName: "update",
    supplier: nothing,
  });
  assertEquals(
    topology.describe().toString(),
    "Topologies:\n   Sub-topology: 0 for global store (will not generate tasks)\n" +
      "    Source: source (topics: [table])\n      --> update\n" +
      "    Processor: update (stores: [globals])\n      --> none\n      <-- source\n",
  );
  const plan = compileTopology(topology, { applicationId: "app", cacheMaxBytes: 0 });
  assertEquals(plan.subtopologies.length, 0);
  assertEquals(plan.global?.stores.map((s) => s.topic), ["table"]);
});

test("compileTopology gives internal topics the application's prefix and closes copartition groups", () => {
  const topology = new Topology()
    .addInternalTopic("x-repartition", { partitions: 3 })
    .addSource("s0", "in").addSink("k", "x-repartition", {}, "s0")
    .addSource("s1", "x-repartition").addSource("s2", "b").addSource("s3", "c")
    .addProcessor("p", nothing, "s1", "s2")
    .addStateStore(fakeStoreBuilder("store"), "p")
    .copartitionSources(["s1", "s2"]).copartitionSources(["s2", "s3"]);
  const plan = compileTopology(topology, { applicationId: "app", cacheMaxBytes: 1 });
  assertEquals([...plan.repartitionTopics], [["app-x-repartition", { partitions: 3 }]]);
  assertEquals(plan.copartitionGroups.map((g) => [...g].sort()), [["app-x-repartition", "b", "c"]]);
  assertEquals(plan.subtopologies[0].sinkTopics, ["app-x-repartition"]);
  assertEquals(plan.subtopologies[1].repartitionTopics, ["app-x-repartition"]);
  assertEquals(plan.subtopologies[1].stores[0].changelogTopic, "app-store-changelog");
});

const REFUSALS: [string, () => unknown, string][] = [
  [
    "a name twice",
    () => new Topology().addSource("a", "t").addSource("a", "u"),
    "Processor a is already added.",
  ],
  [
    "a topic twice",
    () => new Topology().addSource("a", "t").addSource("b", "t"),
    "Topic t has already been registered by another source.",
  ],
  [
    "a topic that a pattern reads",
    () => new Topology().addSource("a", /t.*/).addSource("b", "tt"),
    "Topic tt matches a Pattern already registered by another source.",
  ],
  [
    "a pattern that matches a read topic",
    () => new Topology().addSource("a", "tt").addSource("b", /t.*/),
    "will match a topic that has already been registered",
  ],
  ["no topic", () => new Topology().addSource("a", []), "topics cannot be empty"],
  [
    "no parent",
    () => new Topology().addProcessor("p", nothing),
    "predecessorNames cannot be empty",
  ],
  [
    "an unknown parent",
    () => new Topology().addProcessor("p", nothing, "x"),
    "Parent node x is unknown.",
  ],
  [
    "itself as parent",
    () => new Topology().addProcessor("p", nothing, "p"),
    "Parent node p is unknown (self-reference).",
  ],
  [
    "a sink as parent",
    () =>
      new Topology().addSource("a", "t").addSink("k", "o", {}, "a").addProcessor("p", nothing, "k"),
    "Sink k cannot be used a parent.",
  ],
  [
    "another store of the same name",
    () => new Topology().addStateStore(fakeStoreBuilder("s")).addStateStore(fakeStoreBuilder("s")),
    "A different StateStore has already been added with the name s",
  ],
  [
    "a store that is not added",
    () =>
      new Topology().addSource("a", "t").addProcessor("p", nothing, "a")
        .connectProcessorAndStateStores("p", "s"),
    "StateStore s is not added yet.",
  ],
  [
    "a store for an unknown processor",
    () => new Topology().addStateStore(fakeStoreBuilder("s"), "p"),
    "Processor p is not added yet.",
  ],
  [
    "a store for a source",
    () =>
      new Topology().addSource("a", "t").addStateStore(fakeStoreBuilder("s"))
        .connectProcessorAndStateStores("a", "s"),
    "State stores cannot be connect to sources or sinks.",
  ],
  [
    "no store to connect",
    () => new Topology().connectProcessorAndStateStores("p"),
    "stateStoreNames cannot be empty",
  ],
  [
    "a store connected to a topic twice",
    () => new Topology().connectSourceStoreAndTopic("s", "t").connectSourceStoreAndTopic("s", "u"),
    "Source store s is already added.",
  ],
];
for (const [what, build, message] of REFUSALS) {
  test(`Topology refuses ${what}`, () => {
    assertThrows(build, TopologyException, message);
  });
}

test("Topology refuses a supplier that gives the same processor twice", () => {
  const one = new Nothing();
  assertThrows(
    () => new Topology().addSource("a", "t").addProcessor("p", () => one, "a"),
    RangeError,
    "new object on each call",
  );
});

test("compileTopology refuses copartitioned repartition topics with different partition counts", () => {
  const topology = new Topology()
    .addInternalTopic("a-repartition", { partitions: 2 }).addInternalTopic("b-repartition", {
      partitions: 3,
    })
    .addSource("s1", "a-repartition").addSource("s2", "b-repartition")
    .copartitionSources(["s1", "s2"]);
  assertThrows(
    () => compileTopology(topology, { applicationId: "app", cacheMaxBytes: 0 }),
    TopologyException,
    "Following topics do not have the same number of partitions: [{a-repartition=2, b-repartition=3}]",
  );
});
