import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { PartitionGroup } from "../../lib/runtime/partition_group.ts";
import { RecordQueue } from "../../lib/runtime/record_queue.ts";
import { failOnInvalidTimestamp } from "../../lib/topology/timestamp_extractors.ts";
import { addRow, row, text } from "./task_fixture.ts";

function queue(topic: string): RecordQueue {
  return new RecordQueue(
    { topic, partition: 0, key: text, value: text, timestampExtractor: failOnInvalidTimestamp },
    0,
    {
      undecodable: (_, error) => {
        throw error;
      },
      negativeTimestamp: () => {},
    },
  );
}

function drain(group: PartitionGroup): string[] {
  const taken: string[] = [];
  for (let next = group.next(); next !== undefined; next = group.next()) {
    taken.push(`${next.topic}@${next.headTimestamp}`);
    next.advance();
  }
  return taken;
}

test("PartitionGroup takes the lowest head timestamp and keeps each partition's order", () => {
  const [a, b] = [queue("a"), queue("b")];
  for (const [offset, timestamp] of [5, 1, 9].entries()) {
    addRow(a, row({ topic: "a", offset, timestamp }));
  }
  for (const [offset, timestamp] of [3, 4, 8].entries()) {
    addRow(b, row({ topic: "b", offset, timestamp }));
  }
  assertEquals(drain(new PartitionGroup([a, b], 0, undefined)), [
    "b@3",
    "b@4",
    "a@5",
    "a@1",
    "b@8",
    "a@9",
  ]);
});

test("PartitionGroup with idle time 0 waits for an empty partition whose lag is unknown or not zero", () => {
  const [a, b] = [queue("a"), queue("b")];
  let lag: number | undefined;
  const group = new PartitionGroup([a, b], 0, { lag: () => lag });
  assert(!group.readyToProcess(0), "nothing is buffered");
  addRow(a, row({ topic: "a" }));
  assert(!group.readyToProcess(0), "the lag of b is unknown");
  lag = 7;
  assert(!group.readyToProcess(1e9), "b has records on the broker");
  lag = 0;
  assert(group.readyToProcess(0), "b is caught up");
  lag = 7;
  addRow(b, row({ topic: "b" }));
  assert(group.readyToProcess(0), "both have records");
});

test("PartitionGroup with a positive idle time also waits that long for a partition that is caught up", () => {
  const [a, b] = [queue("a"), queue("b")];
  const group = new PartitionGroup([a, b], 100, { lag: () => 0 });
  addRow(a, row({ topic: "a" }));
  assert(!group.readyToProcess(1_000));
  assert(!group.readyToProcess(1_099));
  assert(group.readyToProcess(1_100));
});

test("PartitionGroup with idle time -1 takes whatever is buffered", () => {
  const [a, b] = [queue("a"), queue("b")];
  const group = new PartitionGroup([a, b], -1, { lag: () => 7 });
  addRow(a, row({ topic: "a" }));
  assert(group.readyToProcess(0));
});

test("PartitionGroup waits for a partition whose rows are all left out as for an empty one", () => {
  const a = queue("a");
  const leftOut: number[] = [];
  const b = new RecordQueue(
    {
      topic: "b",
      partition: 0,
      key: text,
      value: text,
      timestampExtractor: ({ offset }) => offset < 2 ? -1 : 3,
    },
    0,
    {
      undecodable: (_, error) => {
        throw error;
      },
      negativeTimestamp: ({ headOffset }) => leftOut.push(headOffset),
    },
  );
  const group = new PartitionGroup([a, b], 100, { lag: () => 0 });
  addRow(a, row({ topic: "a", timestamp: 5 }));
  addRow(b, row({ topic: "b", offset: 0, timestamp: 1 }));
  addRow(b, row({ topic: "b", offset: 1, timestamp: 2 }));
  assert(!group.readyToProcess(1_000), "b has nothing");
  assertEquals(leftOut, [0, 1]);
  addRow(b, row({ topic: "b", offset: 2, timestamp: 3 }));
  assert(group.readyToProcess(1_050), "b has a record");
  assertEquals(drain(group), ["b@3", "a@5"]);
});
