// What is refused while a topology is built, family by family; and that nothing is missing of what Kafka Streams refuses.
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "@std/assert";
import { GRAPH } from "./misuse/graph.ts";
import { GROUPS } from "./misuse/groups.ts";
import { JOINS } from "./misuse/joins.ts";
import { testMisuses } from "./misuse/misuse.ts";
import { NAMES } from "./misuse/names.ts";
import { NOT_HERE } from "./misuse/not_here.ts";
import { SOURCES } from "./misuse/sources.ts";
import { STEPS } from "./misuse/steps.ts";
import { STORES } from "./misuse/stores.ts";
import { TABLES } from "./misuse/tables.ts";
import { WINDOWS } from "./misuse/windows.ts";

const FAMILIES = { SOURCES, NAMES, STEPS, GROUPS, WINDOWS, JOINS, TABLES, STORES, GRAPH };
for (const cases of Object.values(FAMILIES)) testMisuses(cases);

/**
 * Every TopologyException, IllegalArgumentException, NullPointerException (by requireNonNull too), StreamsException, IllegalStateException and
 * UnsupportedOperationException of Kafka Streams 4.1.0's user API and of the classes behind it. An `…` stands between the parts of a
 * message that is put together.
 */
const JAVA_CASES = readFileSync(
  fileURLToPath(new URL("./misuse/java_cases.txt", import.meta.url)),
  "utf8",
).trimEnd().split("\n");

const claimed = new Set(
  Object.values(FAMILIES).flatMap((cases) => cases.flatMap(({ java = [] }) => java)),
);

test("Each case that Kafka Streams refuses has a misuse test, or a reason why not", () => {
  assertEquals(JAVA_CASES.length > 300, true);
  const open = JAVA_CASES.filter((each) =>
    !claimed.has(each) && !NOT_HERE.some(([cases]) => cases.test(each))
  );
  assertEquals(open, []);
});

test("Each misuse test names cases that Kafka Streams has, and each reason is one for something", () => {
  const known = new Set(JAVA_CASES);
  assertEquals([...claimed].filter((each) => !known.has(each)), []);
  for (const [cases, reason] of NOT_HERE) {
    assert(JAVA_CASES.some((each) => cases.test(each) && !claimed.has(each)), reason);
  }
});

test("Each message says what must be, and what is", () => {
  for (const { says } of Object.values(FAMILIES).flat()) {
    const isWeirs = says.includes("Cannot ") && /current value is |do the asynchronous/.test(says);
    // Kafka Streams' own sentence, with what to do behind it.
    const isJavas = says.startsWith("Invalid topology: ") &&
      /\. [A-Z][a-z]+ /.test(says);
    assert(isWeirs || isJavas, says);
  }
});
