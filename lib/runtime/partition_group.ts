import { HeadHeap } from "./head_heap.ts";
import type { RecordQueue } from "./record_queue.ts";

/** What is known of a partition whose queue is empty. */
export interface FetchState {
  /**
   * How many records the broker has beyond those that were fetched; undefined when that is not known yet.
   */
  lag(topic: string, partition: number): number | undefined;
}

/**
 * The queues of a task's partitions. The next record is the one with the lowest timestamp among the heads; within a partition the order
 * stays. Kafka Streams: `PartitionGroup`.
 */
export class PartitionGroup {
  readonly queues: readonly RecordQueue[];
  readonly #heads = new HeadHeap();
  /** The queue that was given last; it goes back among the others with its next record. */
  #taken: RecordQueue | undefined;
  #takenFilledAt = -1;
  /** The greatest timestamp of the records taken so far, -1 before the first. */
  streamTime = -1;
  readonly #maxTaskIdleMs: number;
  readonly #fetchState: FetchState | undefined;
  /** When the wait for an empty partition whose lag is 0 began, by queue. */
  readonly #idleSince: number[];

  constructor(
    queues: readonly RecordQueue[],
    maxTaskIdleMs: number,
    fetchState: FetchState | undefined,
  ) {
    this.queues = queues;
    this.#maxTaskIdleMs = maxTaskIdleMs;
    this.#fetchState = fetchState;
    this.#idleSince = queues.map(() => -1);
  }

  /** Records that wait, over all partitions. */
  get buffered(): number {
    let sum = 0;
    for (const queue of this.queues) sum += queue.size;
    return sum;
  }

  /**
   * Whether a record may be taken now. With `max.task.idle.ms` -1 any buffered record will do; with 0 an empty partition that has, or may have,
   * records on the broker is waited for without limit; with more, one that is caught up is also waited for that long. Rows that are left out,
   * as they cannot be deserialized, are no records: a partition that has no others is empty.
   * @throws {SchemaPending} when a schema has to be fetched for a head; the same one is tried again by the next call
   */
  readyToProcess(now: number): boolean {
    const { queues } = this;
    const waits = this.#maxTaskIdleMs >= 0 && this.#fetchState !== undefined && queues.length > 1;
    if (waits) this.#makeHeads();
    let any = false;
    let allHave = true;
    for (let i = 0; i < queues.length; i++) {
      if (queues[i].size > 0) {
        any = true;
        this.#idleSince[i] = -1;
      } else allHave = false;
    }
    if (!any || allHave || !waits) return any;
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[i];
      if (queue.size > 0) continue;
      const lag = this.#fetchState!.lag(queue.topic, queue.partition);
      if (lag === undefined || lag > 0) {
        this.#idleSince[i] = -1;
        return false;
      }
      if (this.#maxTaskIdleMs === 0) continue;
      if (this.#idleSince[i] < 0) this.#idleSince[i] = now;
      if (now - this.#idleSince[i] < this.#maxTaskIdleMs) return false;
    }
    return true;
  }

  /**
   * The queue whose head is next; undefined when none has one. Heads are made ready on the way.
   * @throws {SchemaPending} when a schema has to be fetched for a head; the same one is tried again by the next call
   */
  next(): RecordQueue | undefined {
    this.#makeHeads();
    const best = this.#heads.poll();
    if (best === undefined) return undefined;
    this.#taken = best;
    this.#takenFilledAt = best.filledAt;
    return best;
  }

  #makeHeads(): void {
    const taken = this.#taken;
    if (taken !== undefined) {
      // What was filled again meanwhile lines up behind the queues that were filled before it.
      if (taken.filledAt === this.#takenFilledAt && taken.ensureHead()) this.#heads.offer(taken);
      this.#taken = undefined;
    }
    for (;;) {
      let first: RecordQueue | undefined;
      for (const queue of this.queues) {
        if (queue.size === 0 || this.#heads.has(queue)) continue;
        if (first === undefined || queue.filledAt < first.filledAt) first = queue;
      }
      if (first === undefined) return;
      if (first.ensureHead()) this.#heads.offer(first);
    }
  }

  /** Forgets all that waits. */
  clear(): void {
    for (const queue of this.queues) queue.clear();
    this.#heads.clear();
    this.#taken = undefined;
  }
}
