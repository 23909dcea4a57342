// Aggregators that change the aggregate they are given, and give it back, come to the same as those that make new ones: with and without caching,
// within one commit and over several.
import { test } from "node:test";
import { assertEquals } from "@std/assert";
import {
  defineTopology,
  hopping,
  json,
  type KGroupedStream,
  session,
  string,
  topic,
  TopologyTestDriver,
  tumbling,
  type Windowed,
} from "../../mod.ts";

interface Sum {
  total: number;
}
type Adding = (sum: Sum, next: Sum) => Sum;
type Aggregating = (
  grouped: KGroupedStream<string, Sum, "value">,
  add: Adding,
) => void;

const input = topic("in", { key: string(), value: json<Sum[]>() });
const output = topic("out", { key: string(), value: json<Sum>(), nullable: true });

const pure: Adding = (sum, next) => ({ total: sum.total + next.total });
const inPlace: Adding = (sum, next) => {
  sum.total += next.total;
  return sum;
};

const named = (_: unknown, { key, start, end }: Windowed<string>) => `${key}@${start}-${end}`;
const AGGREGATIONS: Record<string, Aggregating> = {
  reduce: (grouped, add) => grouped.reduce(add).toStream().to(output),
  aggregate: (grouped, add) =>
    grouped.aggregate(() => ({ total: 0 }), add, { value: json<Sum>() }).toStream().to(output),
  "reduce in tumbling windows": (grouped, add) =>
    grouped.windowedBy(tumbling({ size: 10, grace: 100 })).reduce(add).toStream(named).to(output),
  "reduce in hopping windows": (grouped, add) =>
    grouped.windowedBy(hopping({ size: 10, advance: 2, grace: 100 })).reduce(add).toStream(named)
      .to(output),
  "aggregate in hopping windows": (grouped, add) =>
    grouped.windowedBy(hopping({ size: 10, advance: 2, grace: 100 }))
      .aggregate(() => ({ total: 0 }), add, { value: json<Sum>() }).toStream(named).to(output),
  "aggregate that keeps a record's value in hopping windows": (grouped, add) =>
    grouped.windowedBy(hopping({ size: 10, advance: 2, grace: 100 }))
      .aggregate(
        (): Sum | null => null,
        (sum, next) => sum === null ? next : add(sum, next),
        { value: json<Sum>() },
      ).toStream(named).to(output),
  "reduce in sessions": (grouped, add) =>
    grouped.windowedBy(session({ gap: 3, grace: 100 })).reduce(add).toStream(named).to(output),
};

/** The outputs of several records in one commit, and of further commits. */
function outputs(aggregating: Aggregating, add: Adding, cacheBytes: number): unknown {
  const topology = defineTopology((builder) => {
    const grouped = builder.stream(input).flatMapValues((sums) => sums)
      .groupByKey({ key: string(), value: json<Sum>() });
    aggregating(grouped, add);
  });
  using driver = new TopologyTestDriver(topology, { "statestore.cache.max.bytes": cacheBytes });
  const records = driver.createInputTopic("in", input);
  records.pipe("a", [{ total: 1 }, { total: 2 }, { total: 4 }], { timestamp: 6 });
  records.pipe("a", [{ total: 8 }, { total: 16 }], { timestamp: 7 });
  records.pipe("b", [{ total: 32 }], { timestamp: 8 });
  records.pipe("a", [{ total: 64 }, { total: 128 }], { timestamp: 12 });
  return driver.createOutputTopic("out", output).readKeyValues();
}

for (const [name, aggregating] of Object.entries(AGGREGATIONS)) {
  for (const cacheBytes of [0, 500_000, 10_485_760]) {
    test(`An aggregate may be changed in place: ${name}, cache of ${cacheBytes} bytes`, () => {
      const expected = outputs(aggregating, pure, cacheBytes);
      assertEquals(outputs(aggregating, inPlace, cacheBytes), expected);
    });
  }
}

test("What becomes of a result downstream does not change the row that it is of", () => {
  const topology = defineTopology((builder) => {
    builder.stream(input).flatMapValues((sums) => sums)
      .groupByKey({ key: string(), value: json<Sum>() })
      .reduce(pure)
      .toStream()
      .peek((sum) => void (sum!.total = -1_000))
      .to(output);
  });
  using driver = new TopologyTestDriver(topology, { "statestore.cache.max.bytes": 10_485_760 });
  const records = driver.createInputTopic("in", input);
  for (const total of [1, 2]) records.pipe("a", [{ total }]);
  const [name] = driver.getAllStateStores().keys();
  assertEquals(driver.getTimestampedKeyValueStore<string, Sum>(name)!.get("a")!.value.total, 3);
});
