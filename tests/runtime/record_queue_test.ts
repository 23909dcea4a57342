import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SchemaPending, StreamsException } from "../../lib/errors.ts";
import { Headers } from "../../lib/record/headers.ts";
import { BatchLease } from "../../lib/runtime/batch_lease.ts";
import { type QueueSource, RecordQueue } from "../../lib/runtime/record_queue.ts";
import { singleRowBatch } from "../../lib/testing/row_batch.ts";
import {
  failOnInvalidTimestamp,
  logAndSkipOnInvalidTimestamp,
  usePartitionTimeOnInvalidTimestamp,
} from "../../lib/topology/timestamp_extractors.ts";
import { addRow, row, text } from "./task_fixture.ts";

function made(changes: Partial<QueueSource> = {}) {
  const events: string[] = [];
  const queue = new RecordQueue(
    {
      topic: "in",
      partition: 0,
      key: text,
      value: text,
      timestampExtractor: failOnInvalidTimestamp,
      ...changes,
    },
    0,
    {
      undecodable: (q, error) => events.push(`undecodable@${q.headOffset}: ${error.message}`),
      negativeTimestamp: (q) => events.push(`negative@${q.headOffset}`),
    },
  );
  return { queue, events };
}

test("RecordQueue makes a record of key, value, timestamp and headers when it becomes the head", () => {
  const { queue } = made();
  const headers = Headers.EMPTY.add("a", "1").add("a", null);
  addRow(queue, row({ key: "k", value: null, timestamp: 7, offset: 3, headers }));
  assert(!queue.hasHead);
  assert(queue.ensureHead());
  assertEquals([queue.headKey, queue.headValue, queue.headTimestamp, queue.headOffset], [
    "k",
    null,
    7,
    3,
  ]);
  assertEquals(
    [...queue.headHeaders].map((h) => [h.name, h.value && new TextDecoder().decode(h.value)]),
    [
      ["a", "1"],
      ["a", null],
    ],
  );
  assertEquals(queue.partitionTime, -1);
  queue.advance();
  assertEquals(queue.partitionTime, 7);
});

test("RecordQueue leaves undecodable records out and notes that the offset moved", () => {
  const { queue, events } = made();
  addRow(queue, row({ value: "bad", offset: 0 }));
  addRow(queue, row({ value: "good", offset: 1 }));
  assert(queue.ensureHead());
  assertEquals([queue.headValue, queue.nextOffset(), queue.skipped], ["good", 1, true]);
  assertEquals(events, ["undecodable@0: Cannot read it"]);
});

test("RecordQueue stops at a negative timestamp by default, with Kafka Streams' words", () => {
  const { queue } = made();
  addRow(queue, row({ timestamp: -1 }));
  assertThrows(() => queue.ensureHead(), StreamsException, "has invalid (negative) timestamp");
});

test("RecordQueue drops a record whose extractor gives a negative timestamp", () => {
  const { queue, events } = made({ timestampExtractor: logAndSkipOnInvalidTimestamp });
  addRow(queue, row({ timestamp: -1, offset: 4 }));
  assert(!queue.ensureHead());
  assertEquals(events, ["negative@4"]);
});

test("RecordQueue gives the extractor the partition's time", () => {
  const { queue } = made({ timestampExtractor: usePartitionTimeOnInvalidTimestamp });
  addRow(queue, row({ timestamp: 50 }));
  addRow(queue, row({ timestamp: -1 }));
  queue.ensureHead();
  queue.advance();
  queue.ensureHead();
  assertEquals(queue.headTimestamp, 50);
});

test("RecordQueue wraps an error of the extractor", () => {
  const { queue } = made({
    timestampExtractor: () => {
      throw new Error("no");
    },
  });
  addRow(queue, row({}));
  assertThrows(
    () => queue.ensureHead(),
    StreamsException,
    "Fatal user code error in TimestampExtractor callback",
  );
});

test("RecordQueue tries the same record again after a schema was awaited", () => {
  let ready = false;
  const { queue } = made({
    value: {
      ...text,
      decode(...args) {
        if (!ready) throw new SchemaPending("schema 7", Promise.resolve());
        return text.decode(...args);
      },
    },
  });
  addRow(queue, row({ value: "v" }));
  assertThrows(() => queue.ensureHead(), SchemaPending);
  assertEquals(queue.size, 1);
  ready = true;
  assert(queue.ensureHead());
  assertEquals(queue.headValue, "v");
});

test("RecordQueue keeps the raw bytes of its first row until it is used up", () => {
  const { queue } = made();
  let released = 0;
  const batch = { ...singleRowBatch(row({ key: "k", value: "v" })), release: () => released++ };
  queue.add(new BatchLease(batch), 0, 1);
  queue.ensureHead();
  assertEquals(new TextDecoder().decode(queue.rawValue()!), "v");
  assertEquals(released, 0);
  queue.advance();
  assertEquals(released, 1);
  assertEquals(queue.rawValue(), null);
});
