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
 * Kafka Streams: `PunctuationQueue`, `PunctuationSchedule`.
 */
export class PunctuationQueue {
  readonly #entries: ScheduleEntry[] = [];
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
    this.#insert(entry);
    return entry;
  }

  /** Fires what is due at `timestamp`; true when anything fired. */
  punctuate(timestamp: number, fire: (schedule: Schedule, timestamp: number) => void): boolean {
    let fired = false;
    while (timestamp >= this.nextDue) {
      const entry = this.#entries.shift()!;
      this.#updateNextDue();
      if (entry.cancelled) continue;
      fire(entry, timestamp);
      fired = true;
      if (!entry.cancelled) {
        // One call for all that was missed, aligned to the schedule's own beat.
        entry.due += (Math.floor((timestamp - entry.due) / entry.intervalMs) + 1) *
          entry.intervalMs;
        this.#insert(entry);
      }
    }
    return fired;
  }

  #insert(entry: ScheduleEntry): void {
    let at = this.#entries.length;
    while (at > 0 && this.#entries[at - 1].due > entry.due) at--;
    this.#entries.splice(at, 0, entry);
    this.#updateNextDue();
  }

  #updateNextDue(): void {
    this.nextDue = this.#entries.length > 0 ? this.#entries[0].due : Number.POSITIVE_INFINITY;
  }
}
