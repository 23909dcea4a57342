import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { KeyIndex } from "../../lib/state/key_index.ts";
import { type Random, seededRandom } from "../support/random.ts";

function someKey(random: Random): unknown {
  const n = random.int(0, 400);
  switch (random.int(0, 7)) {
    case 0:
      return n;
    case 1:
      return n / 7;
    case 2:
      return BigInt(n) << BigInt(random.int(0, 3) * 24);
    case 3:
      return n % 2 === 0;
    case 4:
      return random.pick([NaN, -0, 0, Infinity, -1, 2 ** 53, 1_700_000_000_000 + n]);
    default:
      return `customer-${n}`;
  }
}

test("KeyIndex finds, replaces, forgets and walks items as a Map does", () => {
  const random = seededRandom("key index");
  const index = new KeyIndex<number>();
  const expected = new Map<unknown, number>();
  for (let step = 0; step < 60_000; step++) {
    const key = someKey(random);
    const choice = random.next();
    if (choice < 0.45) {
      index.set(key, step);
      expected.set(key, step);
    } else if (choice < 0.85) assertEquals(index.delete(key), expected.delete(key));
    else assertEquals(index.get(key), expected.get(key));
    assertEquals(index.size, expected.size);
    if (step % 10_000 === 9_999) {
      const ascending = (a: number, b: number) => a - b;
      assertEquals([...index.values()].sort(ascending), [...expected.values()].sort(ascending));
      for (const [each, item] of expected) assertEquals(index.get(each), item);
    }
  }
  index.clear();
  assertEquals([index.size, [...index.values()], index.get("customer-1")], [0, [], undefined]);
});

test("KeyIndex holds many keys that differ in a few characters or bits only", () => {
  const index = new KeyIndex<number>();
  const count = 50_000;
  for (let i = 0; i < count; i++) {
    index.set(`key-${i}`, i);
    index.set(i * 60_000, i);
    index.set(BigInt(i) << 32n, i);
  }
  assertEquals(index.size, 3 * count);
  for (let i = 0; i < count; i++) {
    if (index.get(`key-${i}`) !== i) throw new Error(`key-${i} is lost`);
    if (index.get(i * 60_000) !== i) throw new Error(`${i * 60_000} is lost`);
    if (index.get(BigInt(i) << 32n) !== i) throw new Error(`${BigInt(i) << 32n}n is lost`);
  }
});
