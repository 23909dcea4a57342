import { test } from "node:test";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Random } from "./random.ts";
import { RingLog } from "./ring_log.ts";

test("Random gives the same numbers for the same seed and others for another", () => {
  const numbers = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => random.uint32());
  };
  assertEquals(numbers(7), numbers(7));
  assertNotEquals(numbers(7), numbers(8));
});

test("Random stays within its bounds and reaches all of them", () => {
  const random = new Random(1);
  const seen = new Set(Array.from({ length: 1_000 }, () => random.int(-2, 3)));
  assertEquals([...seen].sort((a, b) => a - b), [-2, -1, 0, 1, 2]);
  assertEquals(random.shuffle([1, 2, 3, 4, 5]).sort(), [1, 2, 3, 4, 5]);
  assert(!random.chance(0) && random.chance(1));
});

test("RingLog keeps the last lines in order", () => {
  const log = new RingLog(3);
  for (let i = 0; i < 5; i++) log.write(`line ${i}`);
  assertEquals(log.lines().map((line) => line.split(" ").slice(1).join(" ")), [
    "line 2",
    "line 3",
    "line 4",
  ]);
});
