import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { readHeaders, writeHeaders } from "../../lib/kafka/headers.ts";
import { ByteWriter } from "../../lib/record/bytes.ts";
import { Headers } from "../../lib/record/headers.ts";
import { bytes } from "./subject.ts";

test("headers read as they were written, at any place of a slab", () => {
  const headers = Headers.EMPTY.add("a", "1").add("a", null).add("", "").add("ümlaut", "ß")
    .add("a-name-that-is-longer-than-thirty-two-bytes", bytes("x"));
  const writer = new ByteWriter(4);
  writer.utf8("before");
  const length = writeHeaders(writer, headers);
  writer.utf8("behind");
  assertEquals([...readHeaders(writer.bytes, 6, length)], [...headers]);
});

test("headers have the form [u32le name length, name, i32le value length, value]", () => {
  const writer = new ByteWriter();
  writeHeaders(writer, Headers.EMPTY.add("ab", "c").add("d", null));
  assertEquals(
    [...writer.copy()],
    [2, 0, 0, 0, 97, 98, 1, 0, 0, 0, 99, 1, 0, 0, 0, 100, 255, 255, 255, 255],
  );
});

test("no headers take no bytes, and a length of -1 or 0 reads as none", () => {
  const writer = new ByteWriter();
  assertEquals(writeHeaders(writer, Headers.EMPTY), 0);
  assertEquals(readHeaders(writer.bytes, 0, -1), Headers.EMPTY);
  assertEquals(readHeaders(writer.bytes, 0, 0), Headers.EMPTY);
});
