import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { murmur2, murmur2Partition } from "../../lib/kafka/murmur2.ts";
import { bytes } from "./subject.ts";

// Kafka's own vectors: org.apache.kafka.common.utils.UtilsTest.testMurmur2.
const VECTORS: readonly [string, number][] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

for (const [text, hash] of VECTORS) {
  test(`murmur2 of "${text}" is Java's`, () => {
    assertEquals(murmur2(bytes(text)), hash);
    const within = bytes(`xx${text}yyy`);
    assertEquals(murmur2(within, 2, within.length - 3), hash);
  });
}

test("murmur2Partition makes the hash positive by dropping its sign bit", () => {
  assertEquals(murmur2Partition(bytes("21"), 7), (-973932308 & 0x7fffffff) % 7);
  assertEquals(murmur2Partition(bytes("abc"), 7), 479470107 % 7);
});
