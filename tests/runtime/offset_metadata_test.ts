import { test } from "node:test";
import { assertEquals } from "@std/assert";
import {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  mergeProcessorMetadata,
  NO_OFFSET_METADATA,
} from "../../lib/runtime/offset_metadata.ts";

// Made by Kafka Streams' TopicPartitionMetadata: version 2, time 1, and { "key1": 1 }.
const OF_KAFKA_STREAMS = btoa(
  String.fromCharCode(
    ...[2, 0, 0, 0, 0, 0, 0, 0, 1],
    ...[0, 0, 0, 1],
    ...[0, 0, 0, 4, 0x6b, 0x65, 0x79, 0x31],
    ...[0, 0, 0, 0, 0, 0, 0, 1],
  ),
);

test("encodeOffsetMetadata writes the bytes of Kafka Streams", () => {
  const metadata = { partitionTime: 1, processorMetadata: new Map([["key1", 1]]) };
  assertEquals(encodeOffsetMetadata(metadata), OF_KAFKA_STREAMS);
  assertEquals(decodeOffsetMetadata(OF_KAFKA_STREAMS), metadata);
});

test("encodeOffsetMetadata leaves the processors' part out when there is none", () => {
  const text = encodeOffsetMetadata({ partitionTime: -1, processorMetadata: new Map() });
  assertEquals(atob(text).length, 9);
  assertEquals(decodeOffsetMetadata(text).partitionTime, -1);
});

test("encodeOffsetMetadata keeps names that are no ASCII, and large times", () => {
  const metadata = {
    partitionTime: 1_795_461_111_351,
    processorMetadata: new Map([["größe", 5], ["", -1]]),
  };
  assertEquals(decodeOffsetMetadata(encodeOffsetMetadata(metadata)), metadata);
});

test("decodeOffsetMetadata reads version 1, which is the time alone", () => {
  const text = btoa(String.fromCharCode(1, 0, 0, 0, 0, 0, 0, 0, 7));
  assertEquals(decodeOffsetMetadata(text), { partitionTime: 7, processorMetadata: new Map() });
});

for (
  const [what, text] of [
    ["nothing", undefined],
    ["an empty text", ""],
    ["a text of another program", "hello world!"],
    ["an unknown version", btoa(String.fromCharCode(9, 0, 0, 0, 0, 0, 0, 0, 7))],
    ["a text that is cut off", btoa(String.fromCharCode(2, 0, 0))],
  ] as const
) {
  test(`decodeOffsetMetadata takes ${what} for nothing known`, () =>
    assertEquals(decodeOffsetMetadata(text), NO_OFFSET_METADATA));
}

test("decodeOffsetMetadata keeps the time when the processors' part is damaged", () => {
  const damaged = atob(OF_KAFKA_STREAMS).slice(0, -3);
  assertEquals(decodeOffsetMetadata(btoa(damaged)), {
    partitionTime: 1,
    processorMetadata: new Map(),
  });
});

test("mergeProcessorMetadata takes the greatest value of each key", () => {
  const of = (entries: [string, number][]) => ({
    partitionTime: 0,
    processorMetadata: new Map(entries),
  });
  assertEquals(
    mergeProcessorMetadata([of([["a", 1], ["b", 5]]), of([["a", 3], ["b", 2], ["c", 0]])]),
    new Map([["a", 3], ["b", 5], ["c", 0]]),
  );
});
