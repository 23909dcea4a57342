// Processors that are wrapped, limiters, and declared topics.
import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  defineTopology,
  long,
  type Processor,
  type ProcessorWrapper,
  RateLimiter,
  string,
  topic,
  Topology,
  TopologyException,
  TopologyTestDriver,
} from "../../mod.ts";

const words = topic("words", { key: string(), value: string() });
const counts = topic("counts", { key: string(), value: long() });

function recording(seen: string[]): ProcessorWrapper {
  return {
    wrap: (name, supplier) => ({
      get() {
        const inner = supplier.get() as Processor<any, any, any, any>;
        return {
          init: (context) => inner.init?.(context),
          process(record) {
            seen.push(name);
            inner.process(record);
          },
          close: () => inner.close?.(),
        };
      },
    }),
  };
}

test("processor.wrapper stands around every processor of a topology, and leaves results and stores alone", () => {
  const topology = defineTopology((builder) => {
    builder.stream(words).filter(() => true, { name: "all" })
      .groupByKey().count({ store: "counts", name: "count" })
      .toStream({ name: "changes" }).to(counts);
  });
  const seen: string[] = [];
  using driver = new TopologyTestDriver(topology, { "processor.wrapper": recording(seen) });
  driver.createInputTopic("words", words).pipe("a", "x");
  assertEquals(driver.createOutputTopic("counts", counts).readKeyValues(), [["a", 1]]);
  assertEquals(seen, ["all", "count", "changes"]);
  assertEquals(driver.getTimestampedKeyValueStore<string, number>("counts")?.get("a")?.value, 1);
  assertEquals(
    String(topology.build({ "processor.wrapper": recording([]) }).describe()),
    String(topology.build().describe()),
  );
});

test("A wrapper that gives one processor twice is refused", () => {
  const processor = { process() {} };
  const topology = new Topology({ processorWrapper: { wrap: () => ({ get: () => processor }) } });
  assertThrows(
    () => topology.addSource("s", "in").addProcessor("p", () => ({ process() {} }), "s"),
    RangeError,
    'Cannot add the processor "p" as its supplier must give a new object on each call',
  );
});

test("RateLimiter holds the sources until there is a permit again, and fills with the clock", () => {
  const limiter = new RateLimiter({ recordsPerSecond: 10, burst: 2 });
  let now = 1_000;
  const pauses: number[] = [];
  const context = {
    currentSystemTimeMs: () => now,
    pauseSources: (until: number) => void pauses.push(until - now),
  };
  limiter.take(context);
  assertEquals(pauses, []);
  limiter.take(context);
  assertEquals(pauses, [100]);
  now += 50;
  limiter.take(context, 2);
  assertEquals(pauses, [100, 250]);
  now += 10_000;
  limiter.take(context);
  assertEquals(pauses, [100, 250], "no more than a burst is saved up");
  limiter.take(context);
  assertEquals(pauses, [100, 250, 100]);
});

for (
  const rate of [{ recordsPerSecond: 0 }, { recordsPerSecond: NaN }, {
    recordsPerSecond: 1,
    burst: -1,
  }]
) {
  test(`RateLimiter refuses ${JSON.stringify(rate)}`, () => {
    assertThrows(() => new RateLimiter(rate), RangeError, "must be a positive number");
  });
}

test("Topology keeps the declarations of topics, from typed topics and by themselves", () => {
  const settings = { "retention.ms": 1000, "cleanup.policy": "compact" };
  const declared = topic("in", { ...words, partitions: 3, settings });
  const built = defineTopology((builder) => {
    builder.stream([declared, topic("plain", words)]).to(
      topic("out", { ...words, replicationFactor: 2 }),
    );
    builder.table(topic("table", { ...words, partitions: 3 }));
    builder.globalTable(topic("global", { ...words, partitions: 1 }));
    builder.stream("named", { ...words, partitions: 4 });
    builder.declareTopic("dlq", { partitions: 6 });
    builder.declareTopic(declared);
    builder.declareTopic(words);
  }).build();
  const shown = [...built.declaredTopics].map(([name, { partitions, replicationFactor }]) =>
    `${name} ${partitions} ${replicationFactor}`
  );
  assertEquals(shown.sort(), [
    "dlq 6 undefined",
    "global 1 undefined",
    "in 3 undefined",
    "named 4 undefined",
    "out undefined 2",
    "table 3 undefined",
  ]);
  assertEquals(built.declaredTopics.get("in")?.settings, {
    "retention.ms": "1000",
    "cleanup.policy": "compact",
  });
});

test("Topology refuses two declarations of one topic that differ, and takes equal ones", () => {
  const topology = new Topology();
  assertStrictEquals(
    topology.declareTopic("t", { partitions: 3, settings: { a: 1, b: true } }),
    topology,
  );
  topology.declareTopic("t", { settings: { b: "true", a: "1" }, partitions: 3 });
  assertThrows(
    () => topology.declareTopic("t", { partitions: 4 }),
    TopologyException,
    'Cannot declare the topic t as it must be declared alike everywhere: current value is {"partitions":3,"settings":{"a":"1","b":"true"}} and {"partitions":4,"settings":{}}',
  );
});

test("Topology refuses declarations that are none", () => {
  const refused = (given: object, says: string) =>
    assertThrows(() => new Topology().declareTopic("t", given), Error, says);
  refused({ partitions: 0 }, "partitions must be a positive whole number: current value is 0");
  refused({ replicationFactor: 1.5 }, "replicationFactor must be a positive whole number");
  refused({ settings: { a: {} } }, "a must be text, a number or a truth value");
});
