import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { PunctuationQueue } from "../../lib/runtime/punctuation.ts";

function run(queue: PunctuationQueue, timestamps: number[]): number[] {
  const fired: number[] = [];
  for (const at of timestamps) {
    queue.punctuate(at, (schedule, timestamp) => {
      fired.push(timestamp);
      schedule.callback(timestamp);
    });
  }
  return fired;
}

test("PunctuationQueue collapses missed firings into one and keeps to the schedule's beat", () => {
  const queue = new PunctuationQueue();
  queue.schedule("p", 0, 100, () => {});
  // As PunctuationQueueTest: due 0, then the first multiple of 100 after the time at which it fired.
  assertEquals(run(queue, [-1, 0, 99, 100, 352, 399, 400]), [0, 100, 352, 400]);
});

test("PunctuationQueue fires schedules in the order in which they are due", () => {
  const queue = new PunctuationQueue();
  const order: string[] = [];
  queue.schedule("late", 20, 100, () => order.push("late"));
  queue.schedule("early", 10, 100, () => order.push("early"));
  run(queue, [30]);
  assertEquals(order, ["early", "late"]);
});

test("PunctuationQueue lets a callback cancel itself", () => {
  const queue = new PunctuationQueue();
  let count = 0;
  const schedule = queue.schedule("p", 0, 10, () => {
    if (++count === 2) schedule.cancel();
  });
  run(queue, [0, 10, 20, 30]);
  assertEquals(count, 2);
  assertEquals(queue.nextDue, Infinity);
});

test("PunctuationQueue fires nothing that was cancelled before it was due", () => {
  const queue = new PunctuationQueue();
  queue.schedule("p", 0, 10, () => {}).cancel();
  assertEquals(run(queue, [100]), []);
});

test("PunctuationQueue fires those due at one time in the order of Java's PriorityQueue", () => {
  // Printed by java.util.PriorityQueue for the same entries: one that fired goes behind by the heap's rules, not at the end.
  const queue = new PunctuationQueue();
  const order: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) {
    queue.schedule(name, 0, 10, () => order.push(name));
  }
  run(queue, [0, 10]);
  assertEquals(order.join(""), "aebdcdceab");
});
