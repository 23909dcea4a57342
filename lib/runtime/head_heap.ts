import type { RecordQueue } from "./record_queue.ts";

/**
 * Queues by the timestamp of their head, lowest first. A binary heap with the steps of Java's PriorityQueue: of heads with one timestamp
 * it gives the one that Kafka Streams gives, which decides what records that a record caused at once do to each other.
 */
export class HeadHeap {
  readonly #heap: RecordQueue[] = [];

  has(queue: RecordQueue): boolean {
    return this.#heap.includes(queue);
  }

  /** Adds a queue that has a head. */
  offer(queue: RecordQueue): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(queue);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (queue.headTimestamp >= heap[parent].headTimestamp) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = queue;
  }

  /** Takes the queue with the lowest head out. */
  poll(): RecordQueue | undefined {
    const heap = this.#heap;
    const lowest = heap[0];
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return lowest;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && heap[child].headTimestamp > heap[right].headTimestamp) {
        child = right;
      }
      if (moved.headTimestamp <= heap[child].headTimestamp) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
    return lowest;
  }

  clear(): void {
    this.#heap.length = 0;
  }
}
