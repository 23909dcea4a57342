import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { StreamsException } from "../../lib/errors.ts";
import {
  ByteWriter,
  compareBytes,
  equalBytes,
  readInt32,
  readInt64,
} from "../../lib/record/bytes.ts";
import { Headers } from "../../lib/record/headers.ts";
import { StreamRecord } from "../../lib/record/record.ts";
import { parseTaskId, taskId } from "../../lib/record/task_id.ts";
import { Windowed } from "../../lib/record/windowed.ts";

test("StreamRecord gives changed copies and leaves itself alone", () => {
  const record = new StreamRecord("k", 1, 5, Headers.EMPTY.add("h", "x"));
  const changed = record.withKey("l").withValue(2).withTimestamp(6).withHeaders(Headers.EMPTY);
  assertEquals([record.key, record.value, record.timestamp, record.headers.lastText("h")], [
    "k",
    1,
    5,
    "x",
  ]);
  assertEquals([changed.key, changed.value, changed.timestamp, changed.headers.size], [
    "l",
    2,
    6,
    0,
  ]);
});

test("StreamRecord refuses a negative timestamp and one that is no number", () => {
  for (const timestamp of [-1, NaN]) {
    assertThrows(
      () => new StreamRecord("k", "v", timestamp),
      StreamsException,
      `current value is ${timestamp}`,
    );
  }
});

test("Headers keep order and repeated names, and the last of a name wins", () => {
  const headers = Headers.EMPTY.add("a", "1").add("b", null).add("a", Uint8Array.of(50));
  assertEquals([...headers].map((h) => h.name), ["a", "b", "a"]);
  assertEquals(headers.lastText("a"), "2");
  assertStrictEquals(headers.last("b"), null);
  assertStrictEquals(headers.last("c"), undefined);
  assertStrictEquals(headers.remove("a").remove("b"), Headers.EMPTY);
});

test("ByteWriter grows and writes integers big-endian", () => {
  const out = new ByteWriter(1);
  out.int32(-2);
  out.int64(-3);
  out.int64(2 ** 53 - 1);
  out.bigInt64(-4n);
  out.utf8("é");
  const view = new DataView(out.copy().buffer);
  assertEquals(view.getInt32(0), -2);
  assertEquals(view.getBigInt64(4), -3n);
  assertEquals(view.getBigInt64(12), 2n ** 53n - 1n);
  assertEquals(view.getBigInt64(20), -4n);
  assertEquals([...out.copy(28)], [0xc3, 0xa9]);
  assertEquals([readInt32(out.bytes, 0), readInt64(out.bytes, 4), readInt64(out.bytes, 12)], [
    -2,
    -3,
    2 ** 53 - 1,
  ]);
});

test("ByteWriter writes text of every plane as TextEncoder does", () => {
  for (const text of ["", "plain", "naïve", "漢字", "a😀b", "x".repeat(300) + "ü"]) {
    const out = new ByteWriter(2);
    out.uint8(7);
    out.utf8(text);
    assertEquals(out.copy(1), new TextEncoder().encode(text));
  }
});

test("ByteWriter copies long and short ranges of another array", () => {
  const source = Uint8Array.from({ length: 100 }, (_, i) => i);
  const out = new ByteWriter(4);
  out.raw(source, 10, 20);
  out.raw(source, 20, 90);
  assertEquals(out.copy(), source.slice(10, 90));
});

test("compareBytes orders unsigned, shorter first", () => {
  const sorted = [[], [0], [0, 0], [1], [127], [128], [255], [255, 0]].map((b) =>
    Uint8Array.from(b)
  );
  for (let i = 0; i < sorted.length; i++) {
    for (let j = 0; j < sorted.length; j++) {
      assertEquals(Math.sign(compareBytes(sorted[i], sorted[j])), Math.sign(i - j));
    }
  }
});

test("equalBytes tells null from empty", () => {
  assert(equalBytes(null, null));
  assert(!equalBytes(null, new Uint8Array()));
  assert(equalBytes(Uint8Array.of(1), Uint8Array.of(1)));
  assert(!equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2)));
});

test("TaskId is written and read as subtopology and partition", () => {
  assertEquals(taskId(3, 14), "3_14");
  assertEquals(parseTaskId("3_14"), { subtopology: 3, partition: 14 });
  assertThrows(() => parseTaskId("3-14"), TypeError, 'current value is "3-14"');
});

test("Windowed prints as Kafka Streams' does", () => {
  assertEquals(String(new Windowed("k", 0, 60_000)), "[k@0/60000]");
});
