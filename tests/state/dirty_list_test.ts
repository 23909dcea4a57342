import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { CacheEntry } from "../../lib/state/cache_entry.ts";
import { DirtyList } from "../../lib/state/dirty_list.ts";
import { seededRandom } from "../support/random.ts";

const newEntry = (key: number) => new CacheEntry<number, number>(key, 0, 0, key, null, 0);
const keysOf = (list: DirtyList<number, number>) => [...list.entries()].map(({ key }) => key);

test("DirtyList keeps entries in order of their last update, as a list that moves them does", () => {
  const random = seededRandom("dirty list");
  for (let round = 0; round < 20; round++) {
    const entries = Array.from({ length: random.pick([1, 3, 40, 400]) }, (_, key) => newEntry(key));
    const list = new DirtyList<number, number>();
    const expected = new Set<number>();
    for (let step = 0; step < 6_000; step++) {
      const entry = random.pick(entries);
      const action = random.next();
      if (action < 0.8) {
        list.append(entry);
        expected.delete(entry.key);
        expected.add(entry.key);
      } else if (action < 0.9) {
        if (expected.delete(entry.key)) list.remove(entry);
      } else {
        const [first] = expected;
        assertEquals(list.take()?.key, first);
        if (first !== undefined) expected.delete(first);
      }
      assertEquals(list.isEmpty, expected.size === 0);
      assertEquals(entry.list === list, expected.has(entry.key));
      if (step % 500 === 0) assertEquals(keysOf(list), [...expected]);
    }
    const taken: number[] = [];
    for (let entry = list.take(); entry !== undefined; entry = list.take()) taken.push(entry.key);
    assertEquals(taken, [...expected]);
    assertEquals([list.isEmpty, keysOf(list)], [true, []]);
  }
});

test("DirtyList leaves an entry that went into another list to that list", () => {
  const [one, other] = [new DirtyList<number, number>(), new DirtyList<number, number>()];
  const [a, b] = [newEntry(1), newEntry(2)];
  one.append(a);
  one.append(b);
  one.remove(a);
  other.append(a);
  assertEquals([keysOf(one), keysOf(other)], [[2], [1]]);
  assertEquals([one.take(), one.take(), other.take()], [b, undefined, a]);
});
