import type { Cancellable } from "../topology/processor.ts";

/** A callback that is due again and again. */
export interface Schedule extends Cancellable {
  readonly callback: (timestamp: number) => void;
  readonly intervalMs: number;
  /** The name of the processor that made it. */
  readonly processorName: string;
}

class ScheduleEntry implements Schedule {
  readonly callback: (timestamp: number) => void;
  readonly intervalMs: number;
  readonly processorName: string;
  due: number;
  cancelled = false;
  constructor(
    processorName: string,
    due: number,
    intervalMs: number,
    callback: (timestamp: number) => void,
  ) {
    this.processorName = processorName;
    this.due = due;
    this.intervalMs = intervalMs;
    this.callback = callback;
  }
  cancel(): void {
    this.cancelled = true;
  }
}

/**
 * The schedules of one kind of time, soonest first. A missed run of firings becomes one; the next one is due at the first multiple after now.
 *
 * It is the same binary heap as `java.util.PriorityQueue`, since that decides which of those due at one time fires first.
 * Kafka Streams: `PunctuationQueue`, `PunctuationSchedule`.
 */
export class PunctuationQueue {
  readonly #heap: ScheduleEntry[] = [];
  /** When the first schedule is due; infinite when there is none. One comparison for each record. */
  nextDue = Number.POSITIVE_INFINITY;

  /** Adds a schedule that first fires at `start`. */
  schedule(
    processorName: string,
    start: number,
    intervalMs: number,
    callback: (timestamp: number) => void,
  ): Cancellable {
    const entry = new ScheduleEntry(processorName, start, intervalMs, callback);
    this.#add(entry);
    return entry;
  }

  /** Fires what is due at `timestamp`; true when anything fired. */
  punctuate(timestamp: number, fire: (schedule: Schedule, timestamp: number) => void): boolean {
    let fired = false;
    while (timestamp >= this.nextDue) {
      const entry = this.#poll();
      if (entry.cancelled) continue;
      fire(entry, timestamp);
      fired = true;
      if (!entry.cancelled) {
        // One call for all that was missed, aligned to the schedule's own beat.
        entry.due += (Math.floor((timestamp - entry.due) / entry.intervalMs) + 1) *
          entry.intervalMs;
        this.#add(entry);
      }
    }
    return fired;
  }

  /** `PriorityQueue.offer`: it rises above those that are due later, not above its equals. */
  #add(entry: ScheduleEntry): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (entry.due >= heap[parent].due) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
    this.nextDue = heap[0].due;
  }

  /** `PriorityQueue.poll`: the last one takes the first one's place and sinks below those that are due sooner. */
  #poll(): ScheduleEntry {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop()!;
    const size = heap.length;
    if (size > 0) {
      let at = 0;
      for (let child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && heap[child].due > heap[child + 1].due) child++;
        if (last.due <= heap[child].due) break;
        heap[at] = heap[child];
        at = child;
      }
      heap[at] = last;
    }
    this.nextDue = size > 0 ? heap[0].due : Number.POSITIVE_INFINITY;
    return first;
  }
}
