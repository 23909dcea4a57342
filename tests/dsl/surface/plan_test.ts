import { test } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  ConfigException,
  defineTopology,
  long,
  session,
  StreamsBuilder,
  string,
  topic,
  TopologyException,
  tumbling,
  within,
} from "../../../mod.ts";

const lines = topic("lines", { key: string(), value: string() });
const other = topic("other", { key: string(), value: string() });

/** Names in the order of describe(), without what stands before and after them. */
function names(text: string): string[] {
  return [...text.matchAll(/(?:Source|Processor|Sink): (\S+)/g)].map((m) => m[1]).sort();
}

function twoCounts(builder: StreamsBuilder): void {
  const moved = builder.stream(lines).selectKey((line) => line);
  moved.groupByKey({ key: string() }).count({ store: "a" });
  moved.groupByKey({ key: string() }).count({ store: "b" });
}

test("StreamsBuilder.build is a function of the plan and its settings", () => {
  const builder = new StreamsBuilder();
  twoCounts(builder);
  const plain = builder.build().describe().toString();
  const optimized = builder.build({ "topology.optimization": "all" }).describe().toString();
  assert(plain !== optimized);
  assertEquals(builder.build().describe().toString(), plain);
  assertEquals(
    builder.build({ "topology.optimization": "merge.repartition.topics" }).describe().toString(),
    optimized,
  );
  assertEquals(optimized.match(/-repartition\)/g)?.length, 1);
  assertEquals(plain.match(/-repartition\)/g)?.length, 2);
});

test("StreamsBuilder.build refuses an optimization that is not known", () => {
  const builder = new StreamsBuilder();
  const error = assertThrows(
    () => builder.build({ "topology.optimization": "some" }),
    ConfigException,
  );
  assertStringIncludes(error.message, `must be "none", "all" or a list of reuse`);
});

test("defineTopology builds anew for each configuration", () => {
  let calls = 0;
  const module = defineTopology((builder) => {
    calls++;
    builder.stream(lines).to(other);
  }, { name: "copy" });
  assertEquals(module.name, "copy");
  assert(module.build() !== module.build());
  assertEquals(calls, 2);
  assert(Object.isFrozen(module));
});

test("defineTopology refuses a definition that is asynchronous", () => {
  const module = defineTopology((async () => {}) as unknown as () => void);
  assertThrows(() => module.build(), TypeError);
});

test("Names that the user gives use up the numbers of those that are generated", () => {
  const build = (name?: string) => {
    const builder = new StreamsBuilder();
    builder.stream(lines).filter(() => true, { name }).mapValues((line) => line).to("out", {
      value: string(),
    });
    return names(builder.build().describe().toString());
  };
  const tail = [
    "KSTREAM-MAPVALUES-0000000002",
    "KSTREAM-SINK-0000000003",
    "KSTREAM-SOURCE-0000000000",
  ];
  assertEquals(build(), ["KSTREAM-FILTER-0000000001", ...tail]);
  assertEquals(build("mine"), [...tail, "mine"]);
});

test("Names of a table, its source and its store follow the name of the table", () => {
  const builder = new StreamsBuilder();
  builder.table(lines, { name: "table", store: "rows" });
  builder.table(other).toStream().to("out");
  assertEquals(names(builder.build().describe().toString()), [
    "KSTREAM-SINK-0000000006",
    "KSTREAM-SOURCE-0000000003",
    "KTABLE-SOURCE-0000000004",
    "KTABLE-TOSTREAM-0000000005",
    "table",
    "table-source",
  ]);
});

test("ensure.explicit.internal.resource.naming refuses generated names and lists them", () => {
  const setting = { "ensure.explicit.internal.resource.naming": true };
  const builder = new StreamsBuilder();
  builder.stream(lines).groupBy((line) => line, { key: string() }).count();
  const error = assertThrows(() => builder.build(setting), TopologyException);
  assertStringIncludes(error.message, "KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition");
  assertStringIncludes(error.message, "KSTREAM-AGGREGATE-STATE-STORE-0000000002-changelog");
  const named = new StreamsBuilder();
  named.stream(lines).groupBy((line) => line, { key: string() }).count({ store: "counts" });
  named.build(setting);
});

test("reuse.ktable.source.topics makes a table's topic its changelog", () => {
  const builder = new StreamsBuilder();
  builder.table(lines, { store: "rows" });
  assertEquals([...builder.build().storeToSourceTopic], []);
  const reused = builder.build({ "topology.optimization": "reuse.ktable.source.topics" });
  assertEquals([...reused.storeToSourceTopic], [["rows", "lines"]]);
  assertEquals(reused.stores.get("rows")!.builder.loggingEnabled, false);
  assertEquals(builder.build().stores.get("rows")!.builder.loggingEnabled, true);
});

test("A table gets a store only when it is named or read", () => {
  const stores = (use: (builder: StreamsBuilder) => void) => {
    const builder = new StreamsBuilder();
    use(builder);
    return [...builder.build().stores.keys()];
  };
  assertEquals(stores((b) => b.table(lines).filter(() => true).toStream().to("out")), []);
  assertEquals(
    stores((b) =>
      b.stream(other).join(b.table(lines), (a, c) => a + c).to("out", { value: string() })
    ),
    ["lines-STATE-STORE-0000000001"],
  );
  assertEquals(
    stores((b) => b.table(lines).mapValues((v) => v, { value: string(), store: "mapped" })),
    ["mapped"],
  );
});

test("Joined sources must have equal partition counts, repartitioned or not", () => {
  const builder = new StreamsBuilder();
  const moved = builder.stream(lines).selectKey((line) => line);
  moved.join(builder.stream(other), (a, b) => a + b, within({ timeDifference: 1 }), {
    key: string(),
    name: "j",
  });
  const [group] = builder.build().copartitionGroups;
  assertEquals([...group].sort(), ["KSTREAM-SOURCE-0000000002", "j-left-repartition-source"]);
});

test("A self join has one window store when it is optimized", () => {
  const builder = new StreamsBuilder();
  const stream = builder.stream(lines);
  stream.join(stream, (a, b) => a + b, within({ timeDifference: 1 }), { store: "s" });
  assertEquals([...builder.build().stores.keys()], ["s-this-join-store", "s-other-join-store"]);
  const optimized = builder.build({ "topology.optimization": "single.store.self.join" });
  assertEquals([...optimized.stores.keys()], ["s-this-join-store"]);
});

test("A repartition step leaves records without a key to a left join downstream", () => {
  const filters = (isLeft: boolean) => {
    const builder = new StreamsBuilder();
    const moved = builder.stream(lines).selectKey((line) => line);
    const table = builder.table(other);
    const options = { key: string(), name: "j" };
    if (isLeft) moved.leftJoin(table, (a) => a, options);
    else moved.join(table, (a) => a, options);
    const node = builder.build().nodes.get("j-repartition-filter");
    return node?.kind === "processor" ? node.supplier.constructor.name : "";
  };
  assertEquals(filters(true), "PassThrough");
  assertEquals(filters(false), "NullKeyFilter");
});

test("Stores that say nothing are cached and logged, and those of windows kept for size and grace", () => {
  const builder = new StreamsBuilder();
  const grouped = builder.stream(lines).groupByKey();
  grouped.count({ store: "plain" });
  grouped.count({ store: "bare", caching: false, logging: false });
  grouped.count({ store: "set", logging: { "segment.ms": "1" } });
  const windows = tumbling({ size: 10, grace: 5 });
  grouped.windowedBy(windows).count({ store: "windows" });
  grouped.windowedBy(session({ gap: 10 })).emitStrategy("onWindowClose").count({ store: "closed" });
  const { stores } = builder.build();
  const of = (name: string) => stores.get(name)!.builder;
  assertEquals([of("plain").cachingEnabled, of("plain").loggingEnabled], [true, true]);
  assertEquals([of("bare").cachingEnabled, of("bare").loggingEnabled], [false, false]);
  assertEquals(of("set").logConfig, { "segment.ms": "1" });
  assertEquals(of("windows").changelogPolicy.retentionMs, 15);
  assertEquals(of("closed").cachingEnabled, false);
});

test("Serdes of the configuration stand in where none is known", () => {
  const builder = new StreamsBuilder({
    "default.key.serde": string(),
    "default.value.serde": long(),
  });
  builder.stream("numbers", {} as any).selectKey(() => "k").groupByKey({} as any).count();
  const source = builder.build().nodes.get("KSTREAM-SOURCE-0000000000");
  assertEquals(source?.kind === "source" && source.key === undefined, true);
});
