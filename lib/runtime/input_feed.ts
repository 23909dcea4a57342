import type { ConsumedBatch, Consumer, TopicPartition } from "../kafka/client.ts";
import { BatchLease } from "./batch_lease.ts";
import type { FetchState } from "./partition_group.ts";
import type { StreamTask } from "./task.ts";
import { partitionKey } from "./task_assignment.ts";

/** How much is read ahead. */
export interface InputFeedSettings {
  /** `max.poll.records` */
  readonly maxPollRecords: number;
  /** `buffered.records.per.partition` */
  readonly bufferLimit: number;
}

/** What was read from a topic. */
export interface ReadCounts {
  recordsConsumed: number;
  bytesConsumed: number;
}

/** A partition that feeds a task. */
interface Input {
  readonly counts: ReadCounts;
  readonly partition: TopicPartition;
  readonly task: StreamTask;
  /** Where reading began: an offset, or -2 for the beginning and -1 for the end. */
  start: number;
  /** The next offset to be polled, as far as it is known: behind the last row, or behind the markers at the end; -1 before. */
  next: number;
  /** Its queue is longer than the limit. */
  full: boolean;
  /** The task is not ready for it: it restores, or the application is paused. */
  blocked: boolean;
  /** Rows or an end have come since it was taken up: before, the watermarks may be those of an earlier assignment. */
  isSeen: boolean;
  /** Records that the broker has beyond those polled, as of the last poll; undefined when unknown, -1 when not looked up since. */
  lag: number | undefined;
}

const NOT_LOOKED_UP = -1;

/**
 * Hands polled batches to the queues of the tasks, and holds partitions back whose queues are long enough. What is held stays fetched in the
 * consumer, so nothing is read twice.
 */
export class InputFeed implements FetchState {
  readonly #consumer: Consumer;
  readonly #settings: InputFeedSettings;
  readonly #countsOf: (taskId: string, topic: string) => ReadCounts;
  readonly #inputs = new Map<string, Input>();
  #full = 0;
  /** Records polled so far. */
  polled = 0;

  /** @param countsOf the counters of what a task reads from a topic */
  constructor(
    consumer: Consumer,
    settings: InputFeedSettings,
    countsOf: (taskId: string, topic: string) => ReadCounts,
  ) {
    this.#consumer = consumer;
    this.#settings = settings;
    this.#countsOf = countsOf;
  }

  /** Takes up a task's partition that is read from `start` on. */
  attach(task: StreamTask, partition: TopicPartition, start: number, blocked: boolean): void {
    // An end that was seen before the partition was given up or sought says nothing about it now.
    this.#takeEnds();
    const input: Input = {
      counts: this.#countsOf(task.taskId, partition.topic),
      partition,
      task,
      start,
      next: start >= 0 ? start : -1,
      full: false,
      blocked,
      isSeen: false,
      lag: NOT_LOOKED_UP,
    };
    this.#inputs.set(partitionKey(partition), input);
    if (blocked) this.#consumer.hold([partition]);
  }

  /** A partition is read from `start` on, whatever was polled of it before. */
  restart(partition: TopicPartition, start: number): void {
    this.#takeEnds();
    const input = this.#inputs.get(partitionKey(partition));
    if (input === undefined) return;
    input.start = start;
    input.next = start >= 0 ? start : -1;
    input.isSeen = false;
    input.lag = NOT_LOOKED_UP;
  }

  /** Forgets a task's partitions. */
  detach(task: StreamTask): void {
    for (const partition of task.inputPartitions) {
      const input = this.#inputs.get(partitionKey(partition));
      if (input?.task !== task) continue;
      if (input.full) this.#full--;
      this.#inputs.delete(partitionKey(partition));
    }
  }

  /** Lets a task's partitions flow, or holds them back. */
  setBlocked(task: StreamTask, blocked: boolean): void {
    for (const partition of task.inputPartitions) {
      const input = this.#inputs.get(partitionKey(partition));
      if (input === undefined || input.blocked === blocked) continue;
      input.blocked = blocked;
      if (blocked) this.#consumer.hold([partition]);
      else if (!input.full) this.#consumer.release([partition]);
    }
  }

  /** Polls once and queues what came; gives how many records. */
  poll(): number {
    if (this.#full > 0) this.#releaseDrained();
    const batch = this.#consumer.poll(this.#settings.maxPollRecords);
    if (batch !== undefined) this.#distribute(batch);
    this.#takeEnds();
    for (const input of this.#inputs.values()) input.lag = NOT_LOOKED_UP;
    return batch?.count ?? 0;
  }

  #distribute(batch: ConsumedBatch): void {
    const lease = new BatchLease(batch);
    for (const run of batch.runs) {
      const input = this.#inputs.get(partitionKey(run));
      // Rows of a partition that was given up in between: whoever owns it reads them again.
      if (input === undefined) {
        lease.done(run.to - run.from);
        continue;
      }
      const last = run.to - 1;
      input.isSeen = true;
      input.next = batch.offsets[last] + 1;
      input.counts.recordsConsumed += run.to - run.from;
      input.counts.bytesConsumed += batch.valueStarts[last] +
        Math.max(0, batch.valueLengths[last]) -
        batch.keyStarts[run.from];
      if (input.task.addBatch(lease, run) > this.#settings.bufferLimit && !input.full) {
        input.full = true;
        this.#full++;
        if (!input.blocked) this.#consumer.hold([input.partition]);
      }
    }
    this.polled += batch.count;
  }

  /** An end comes after the rows before it were polled; it lies behind markers and aborted records, of which no row tells. */
  #takeEnds(): void {
    for (const end of this.#consumer.takePartitionEnds()) {
      const input = this.#inputs.get(partitionKey(end));
      if (input === undefined) continue;
      input.isSeen = true;
      if (end.offset > input.next) input.next = end.offset;
    }
  }

  #releaseDrained(): void {
    for (const input of this.#inputs.values()) {
      if (!input.full) continue;
      if (input.task.bufferedRecords(input.partition) > this.#settings.bufferLimit) continue;
      input.full = false;
      this.#full--;
      if (!input.blocked) this.#consumer.release([input.partition]);
    }
  }

  /** The next offset that will be polled; undefined when it is not known yet. */
  position(partition: TopicPartition): number | undefined {
    const next = this.#inputs.get(partitionKey(partition))?.next ?? -1;
    return next < 0 ? undefined : next;
  }

  lag(topic: string, partition: number): number | undefined {
    const input = this.#inputs.get(`${topic}-${partition}`);
    if (input === undefined) return undefined;
    if (input.lag === NOT_LOOKED_UP) input.lag = this.#lookUpLag(input);
    return input.lag;
  }

  #lookUpLag({ partition, start, isSeen }: Input): number | undefined {
    if (!isSeen) return undefined;
    const { low, high } = this.#consumer.cachedWatermarks(partition);
    if (high < 0) return undefined;
    const position = this.position(partition) ?? (start === -1 ? high : low);
    return position < 0 ? undefined : Math.max(0, high - position);
  }
}
