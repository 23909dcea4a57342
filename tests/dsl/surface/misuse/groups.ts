import { long, session, sliding, type StreamsBuilder, string, tumbling } from "../../../../mod.ts";
import { both, identity, lines, nothing, other } from "./fixture.ts";
import type { Misuse } from "./misuse.ts";

const grouped = (b: StreamsBuilder) => b.stream(lines).groupByKey();
const value = long();
const zero = () => 0;
const count = (n: number) => n + 1;
const add = (a: number, b: number) => a + b;
const texts = { key: string(), value: string() };
const groupedTable = (b: StreamsBuilder) =>
  b.table(lines).groupBy((text, key) => [text, key] as const, texts);

/** What Weir calls otherwise. */
const WEIR: Readonly<Record<string, string>> = { sessionMerger: "merger", selector: "mapper" };

/** A row for each place where Kafka Streams asks for that function. */
function row(
  where: string,
  what: string,
  java: readonly string[],
  build: (b: StreamsBuilder) => unknown,
): Misuse {
  const name = what.split(" ").at(-1)!;
  return {
    that: `${where} without ${what}`,
    java: java.map((type) => `${type}: ${name} can't be null`),
    error: "TypeError",
    says: `Cannot add the step ${where.split(" ")[0]} as it needs the function ${
      WEIR[name] ?? name
    }: current value is null`,
    build,
  };
}

/** Grouping and aggregating without the functions that it takes. */
export const GROUPS: readonly Misuse[] = [
  row("reduce", "a reducer", ["KGroupedStreamImpl"], (b) => grouped(b).reduce(nothing)),
  row(
    "aggregate",
    "an initializer",
    ["KGroupedStreamImpl"],
    (b) => grouped(b).aggregate(nothing, count, { value }),
  ),
  row(
    "aggregate",
    "an aggregator",
    ["KGroupedStreamImpl"],
    (b) => grouped(b).aggregate(zero, nothing, { value }),
  ),
  row("cogroup", "an aggregator", ["KGroupedStreamImpl"], (b) => grouped(b).cogroup(nothing)),
  row(
    "cogroup of two streams",
    "an aggregator",
    ["CogroupedKStreamImpl"],
    (b) => grouped(b).cogroup(count).cogroup(b.stream(other).groupByKey(), nothing),
  ),
  row(
    "aggregate of cogrouped streams",
    "an initializer",
    ["CogroupedKStreamImpl"],
    (b) => grouped(b).cogroup(count).aggregate(nothing, { value }),
  ),
  {
    that: "a cogroup with nothing",
    java: ["CogroupedKStreamImpl: groupedStream can't be null"],
    error: "TypeError",
    says: "Cannot cogroup as the other side must be a KGroupedStream: current value is null",
    build: (b) => grouped(b).cogroup(count).cogroup(nothing, count),
  },
  row(
    "reduce in tumbling windows",
    "a reducer",
    ["TimeWindowedKStreamImpl"],
    (b) => grouped(b).windowedBy(tumbling({ size: 1 })).reduce(nothing),
  ),
  row(
    "aggregate in tumbling windows",
    "an initializer",
    ["TimeWindowedKStreamImpl"],
    (b) => grouped(b).windowedBy(tumbling({ size: 1 })).aggregate(nothing, count, { value }),
  ),
  row(
    "aggregate in tumbling windows",
    "an aggregator",
    ["TimeWindowedKStreamImpl"],
    (b) => grouped(b).windowedBy(tumbling({ size: 1 })).aggregate(zero, nothing, { value }),
  ),
  row(
    "reduce in sliding windows",
    "a reducer",
    ["SlidingWindowedKStreamImpl"],
    (b) => grouped(b).windowedBy(sliding({ timeDifference: 1 })).reduce(nothing),
  ),
  row(
    "aggregate in sliding windows",
    "an initializer",
    ["SlidingWindowedKStreamImpl"],
    (b) =>
      grouped(b).windowedBy(sliding({ timeDifference: 1 })).aggregate(nothing, count, { value }),
  ),
  row(
    "aggregate in sliding windows",
    "an aggregator",
    ["SlidingWindowedKStreamImpl"],
    (b) =>
      grouped(b).windowedBy(sliding({ timeDifference: 1 })).aggregate(zero, nothing, { value }),
  ),
  row(
    "reduce in sessions",
    "a reducer",
    ["SessionWindowedKStreamImpl"],
    (b) => grouped(b).windowedBy(session({ gap: 1 })).reduce(nothing),
  ),
  row(
    "aggregate in sessions",
    "an initializer",
    ["SessionWindowedKStreamImpl"],
    (b) => grouped(b).windowedBy(session({ gap: 1 })).aggregate(nothing, count, add, { value }),
  ),
  row(
    "aggregate in sessions",
    "an aggregator",
    ["SessionWindowedKStreamImpl"],
    (b) => grouped(b).windowedBy(session({ gap: 1 })).aggregate(zero, nothing, add, { value }),
  ),
  row(
    "aggregate in sessions",
    "a sessionMerger",
    ["SessionWindowedKStreamImpl"],
    (b) => grouped(b).windowedBy(session({ gap: 1 })).aggregate(zero, count, nothing, { value }),
  ),
  row(
    "aggregate of cogrouped windows",
    "an initializer",
    ["TimeWindowedCogroupedKStreamImpl"],
    (b) =>
      grouped(b).cogroup(count).windowedBy(tumbling({ size: 1 })).aggregate(nothing, { value }),
  ),
  row(
    "aggregate of cogrouped sliding windows",
    "an initializer",
    ["SlidingWindowedCogroupedKStreamImpl"],
    (b) =>
      grouped(b).cogroup(count).windowedBy(sliding({ timeDifference: 1 }))
        .aggregate(nothing, { value }),
  ),
  row(
    "aggregate of cogrouped sessions",
    "an initializer",
    ["SessionWindowedCogroupedKStreamImpl"],
    (b) =>
      grouped(b).cogroup(count).windowedBy(session({ gap: 1 })).aggregate(nothing, add, { value }),
  ),
  row(
    "aggregate of cogrouped sessions",
    "a sessionMerger",
    ["SessionWindowedCogroupedKStreamImpl"],
    (b) =>
      grouped(b).cogroup(count).windowedBy(session({ gap: 1 })).aggregate(zero, nothing, { value }),
  ),
  row(
    "groupBy of a table",
    "a selector",
    ["KTableImpl"],
    (b) => b.table(lines).groupBy(nothing, texts),
  ),
  row(
    "reduce of a grouped table",
    "an adder",
    ["KGroupedTableImpl"],
    (b) => groupedTable(b).reduce(nothing, identity),
  ),
  row(
    "reduce of a grouped table",
    "a subtractor",
    ["KGroupedTableImpl"],
    (b) => groupedTable(b).reduce(identity, nothing),
  ),
  row(
    "aggregate of a grouped table",
    "an initializer",
    ["KGroupedTableImpl"],
    (b) => groupedTable(b).aggregate(nothing, count, count, { value }),
  ),
  row(
    "aggregate of a grouped table",
    "an adder",
    ["KGroupedTableImpl"],
    (b) => groupedTable(b).aggregate(zero, nothing, count, { value }),
  ),
  row(
    "aggregate of a grouped table",
    "a subtractor",
    ["KGroupedTableImpl"],
    (b) => groupedTable(b).aggregate(zero, count, nothing, { value }),
  ),
  {
    that: "a grouped table without serdes",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build the grouping of a table as its key has to be written and no serde is known for it: current value is undefined. Give { key: … } there, or withSerdes({ … }) before it",
    build: (b) =>
      b.table(lines).groupBy((text, key) => [text, key] as const, {} as any).reduce(both, both),
  },
  {
    that: "an aggregate of cogrouped streams without a serde",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build the cogrouped aggregate as its value has to be written and no serde is known for it: current value is undefined. Give { value: … } there, or withSerdes({ … }) before it",
    build: (b) => grouped(b).cogroup(count).aggregate(zero, {} as any),
  },
];
