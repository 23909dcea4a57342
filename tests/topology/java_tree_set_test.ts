import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { JavaTreeSet } from "../../lib/topology/java_tree_set.ts";
import { seededRandom } from "../support/random.ts";

test("JavaTreeSet gives its items sorted, each once", () => {
  const random = seededRandom("java tree set");
  for (let round = 0; round < 50; round++) {
    const items = Array.from({ length: 60 }, () => random.int(0, 40));
    const set = new JavaTreeSet<number>((a, b) => a - b);
    for (const item of items) set.add(item);
    assertEquals([...set], [...new Set(items)].sort((a, b) => a - b));
  }
});

test("JavaTreeSet compares a new item with those on its way only, by what they are then", () => {
  const a = { name: "a", size: 1 };
  const b = { name: "b", size: 2 };
  const c = { name: "c", size: 3 };
  const set = new JavaTreeSet<typeof a>((x, y) => y.size - x.size || x.name.localeCompare(y.name));
  set.add(a);
  set.add(b);
  a.size = 3;
  // The root is a, as large as c now: c goes to its right without being compared with b.
  set.add(c);
  assertEquals([...set].map((item) => item.name), ["b", "a", "c"]);
});
