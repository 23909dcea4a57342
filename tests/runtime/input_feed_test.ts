// What is known of partitions between two polls.
import { test } from "node:test";
import { assertEquals } from "@std/assert";
import type { Consumer, PartitionOffset } from "../../lib/kafka/client.ts";
import { InputFeed } from "../../lib/runtime/input_feed.ts";
import type { StreamTask } from "../../lib/runtime/task.ts";

test("InputFeed does not take the watermarks of an earlier assignment for what the broker has", () => {
  const partition = { topic: "t", partition: 0 };
  const ends: PartitionOffset[] = [];
  const consumer = {
    poll: () => undefined,
    takePartitionEnds: () => ends.splice(0),
    // As they were when the partition was read last: others have written since.
    cachedWatermarks: () => ({ low: 0, high: 5 }),
  } as unknown as Consumer;
  const task = { taskId: "0_0", inputPartitions: [partition] } as unknown as StreamTask;
  const counts = { recordsConsumed: 0, bytesConsumed: 0 };
  const feed = new InputFeed(consumer, { maxPollRecords: 1, bufferLimit: 1 }, () => counts);
  const lag = () => {
    feed.poll();
    return feed.lag("t", 0);
  };
  feed.attach(task, partition, 5, false);
  assertEquals(lag(), undefined);
  ends.push({ ...partition, offset: 5 });
  assertEquals(lag(), 0);
  feed.detach(task);
  feed.attach(task, partition, 5, false);
  assertEquals(lag(), undefined);
  ends.push({ ...partition, offset: 5 });
  assertEquals(lag(), 0);
  feed.restart(partition, -2);
  assertEquals(lag(), undefined);
});
