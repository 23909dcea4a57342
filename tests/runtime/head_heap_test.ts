import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { HeadHeap } from "../../lib/runtime/head_heap.ts";
import type { RecordQueue } from "../../lib/runtime/record_queue.ts";

function head(topic: string, headTimestamp: number): RecordQueue {
  return { topic, headTimestamp } as RecordQueue;
}

function drain(heap: HeadHeap): string {
  const topics: string[] = [];
  for (let next = heap.poll(); next !== undefined; next = heap.poll()) topics.push(next.topic);
  return topics.join("");
}

test("HeadHeap gives the lowest timestamp first", () => {
  const heap = new HeadHeap();
  for (const [topic, time] of [["a", 5], ["b", 1], ["c", 9], ["d", 0], ["e", 7]] as const) {
    heap.offer(head(topic, time));
  }
  assertEquals(drain(heap), "dbaec");
});

test("HeadHeap gives heads of one timestamp in the order of Java's PriorityQueue", () => {
  const heap = new HeadHeap();
  for (const topic of "abcde") heap.offer(head(topic, 1));
  assertEquals(drain(heap), "aedcb");
  for (const [topic, time] of [["a", 2], ["b", 1], ["c", 1], ["d", 2]] as const) {
    heap.offer(head(topic, time));
  }
  assertEquals(drain(heap), "bcda");
});

test("HeadHeap knows what it holds until it is emptied", () => {
  const heap = new HeadHeap();
  const queue = head("a", 1);
  heap.offer(queue);
  assert(heap.has(queue));
  heap.clear();
  assert(!heap.has(queue));
  assertEquals(heap.poll(), undefined);
});
