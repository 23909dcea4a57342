/**
 * Random scenarios of the operators with what Apache Kafka Streams 4.1.0 gave for them: nulls, ties, records out of order, caches on and
 * off. `scenarios/<family>.jsonl` holds one scenario a line, in the form of `tests/conformance/README.md`.
 */
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { firstDifference } from "../conformance/compare.ts";
import { runScenario } from "../conformance/run_scenario.ts";
import type { Scenario } from "../conformance/scenario.ts";

const FAMILIES: [string, string][] = [
  ["cogroup", "cogrouped aggregates"],
  ["fk", "foreign-key joins"],
  ["keyed", "aggregates by key"],
  ["ss", "stream-stream joins"],
  ["st", "stream-table joins"],
  ["table", "table operators and grouped tables"],
  ["ttjoin", "table-table joins"],
  ["window", "windowed aggregates, suppressed or emitted on close"],
];

for (const [family, what] of FAMILIES) {
  const lines = readFileSync(new URL(`scenarios/${family}.jsonl`, import.meta.url), "utf8")
    .trim().split("\n");
  test(`${what} give what Kafka Streams gives in ${lines.length} random scenarios`, () => {
    for (const line of lines) {
      const scenario = JSON.parse(line) as Scenario & { name: string };
      const difference = firstDifference(scenario.expected, runScenario(scenario));
      assertEquals(difference, undefined, `${scenario.name}: ${difference}`);
    }
  });
}
