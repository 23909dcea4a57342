import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import { Headers } from "../../lib/record/headers.ts";
import { bytes } from "./subject.ts";

test("ProduceBatch lays rows out in one slab and grows with them", () => {
  const batch = new ProduceBatch(1, 4);
  const a = batch.topic("a");
  const b = batch.topic("b");
  assertEquals([a, b, batch.topic("a")], [0, 1, 0]);
  for (let i = 0; i < 5; i++) {
    batch.add(
      i % 2 === 0 ? a : b,
      i,
      100 + i,
      bytes(`k${i}`),
      bytes(`value${i}`),
      undefined,
      10 - i,
    );
  }
  const text = new TextDecoder();
  for (let i = 0; i < 5; i++) {
    const at = (start: number, length: number) =>
      text.decode(batch.slab.subarray(start, start + length));
    assertEquals(at(batch.keyStarts[i], batch.keyLengths[i]), `k${i}`);
    assertEquals(at(batch.valueStarts[i], batch.valueLengths[i]), `value${i}`);
    assertEquals(
      [batch.topicIndexes[i], batch.partitions[i], batch.timestamps[i], batch.tags[i]],
      [i % 2, i, 100 + i, 10 - i],
    );
    assertEquals(batch.headerLengths[i], -1);
  }
});

test("ProduceBatch tells null from empty", () => {
  const batch = new ProduceBatch();
  batch.add(batch.topic("t"), 0, 0, null, null);
  batch.add(batch.topic("t"), 0, 0, bytes(""), bytes(""));
  assertEquals([batch.keyLengths[0], batch.valueLengths[0]], [-1, -1]);
  assertEquals([batch.keyLengths[1], batch.valueLengths[1]], [0, 0]);
});

test("ProduceBatch forgets a cancelled row, and everything but its topics at reset", () => {
  const batch = new ProduceBatch();
  const topic = batch.topic("t");
  batch.add(topic, 0, 0, bytes("a"), bytes("b"));
  batch.beginRow(topic, 0, 0, 0);
  batch.writer.utf8("half");
  batch.cancelRow();
  assertEquals([batch.count, batch.slabLength], [1, 2]);
  batch.add(topic, 0, 0, null, bytes("c"));
  assertEquals(batch.valueStarts[1], 2);
  batch.reset();
  assertEquals([batch.count, batch.slabLength, batch.topics.length], [0, 0, 1]);
});

test("ProduceBatch takes a partition once the key is known, and headers as bytes", () => {
  const batch = new ProduceBatch();
  batch.beginRow(batch.topic("t"), -1, 0, 0);
  batch.writer.utf8("key");
  batch.endKey();
  assertEquals(batch.keyRange(), { start: 0, end: 3 });
  batch.setPartition(6);
  batch.endValue();
  batch.endRowWithHeaderBytes(new Uint8Array([1, 2, 3]));
  batch.add(batch.topic("t"), 0, 0, null, null, Headers.EMPTY.add("h", "v"));
  assertEquals([batch.partitions[0], batch.valueLengths[0], batch.headerLengths[0]], [6, 0, 3]);
  assertEquals(batch.headerStarts[0], 3);
  assertEquals(batch.headerLengths[1], 10);
});
