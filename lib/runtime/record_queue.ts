import { asyncFunctionError, isThenable, StreamsException } from "../errors.ts";
import { readHeaders } from "../kafka/headers.ts";
import { Headers } from "../record/headers.ts";
import type { Serde, SerdeSite } from "../serde/serde.ts";
import type { TimestampExtractor } from "../topology/processor.ts";
import { failOnInvalidTimestamp } from "../topology/timestamp_extractors.ts";
import type { BatchLease } from "./batch_lease.ts";

/** What a queue needs of its source. */
export interface QueueSource {
  readonly topic: string;
  readonly partition: number;
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
  readonly timestampExtractor: TimestampExtractor;
}

/** What a queue reports while it makes the next record ready. */
export interface QueueEvents {
  /** The bytes are no record. Returns when the record is to be left out, throws when the task is to stop. */
  undecodable(queue: RecordQueue, error: Error): void;
  /** The extractor gave a negative timestamp: the record is left out. */
  negativeTimestamp(queue: RecordQueue): void;
}

let fillings = 0;

interface Segment {
  readonly lease: BatchLease;
  row: number;
  readonly to: number;
}

/**
 * The records of one partition that wait. A record is deserialized when it becomes the head, so that a poison pill stops the task just where
 * it stands. Kafka Streams: `RecordQueue`.
 */
export class RecordQueue {
  readonly topic: string;
  readonly partition: number;
  /** Index of the source node in the task's nodes. */
  readonly sourceIndex: number;
  /** Rows that are not yet used up, the head included. */
  size = 0;
  /** The greatest timestamp of the records that are used up, -1 before the first. Survives restarts in the committed offset's metadata. */
  partitionTime = -1;
  /** When it last stopped being empty, in the order of all queues. */
  filledAt = -1;
  /** Rows were left out since this was last set to false: the offset moved though nothing was processed. */
  skipped = false;

  hasHead = false;
  headKey: unknown = null;
  headValue: unknown = null;
  headTimestamp = -1;
  headOffset = -1;
  headHeaders: Headers = Headers.EMPTY;

  readonly #source: QueueSource;
  readonly #events: QueueEvents;
  readonly #keySite: SerdeSite;
  readonly #valueSite: SerdeSite;
  readonly #segments: Segment[] = [];
  readonly #plainTime: boolean;

  constructor(source: QueueSource, sourceIndex: number, events: QueueEvents) {
    this.topic = source.topic;
    this.partition = source.partition;
    this.sourceIndex = sourceIndex;
    this.#source = source;
    this.#events = events;
    this.#keySite = Object.freeze({ topic: source.topic, isKey: true });
    this.#valueSite = Object.freeze({ topic: source.topic, isKey: false });
    this.#plainTime = source.timestampExtractor === failOnInvalidTimestamp;
  }

  /** Appends rows of a batch; the lease is told as they are used up. */
  add(lease: BatchLease, from: number, to: number): void {
    if (to <= from) return;
    if (this.size === 0) this.filledAt = fillings++;
    this.#segments.push({ lease, row: from, to });
    this.size += to - from;
  }

  /** Bytes of the keys and values that wait. */
  bytes(): number {
    let sum = 0;
    for (const { lease: { batch }, row, to } of this.#segments) {
      for (let i = row; i < to; i++) {
        sum += Math.max(0, batch.keyLengths[i]) + Math.max(0, batch.valueLengths[i]);
      }
    }
    return sum;
  }

  /** The offset of the first row that waits, ready or not; -1 when none does. */
  nextOffset(): number {
    if (this.#segments.length === 0) return -1;
    const { lease, row } = this.#segments[0];
    return lease.batch.offsets[row];
  }

  /** The greatest offset that is used up; -1 when none is known. */
  usedOffset(): number {
    const next = this.nextOffset();
    return next < 0 ? this.headOffset : next - 1;
  }

  /** Notes where reading goes on after an earlier run. */
  resumeAt(offset: number): void {
    this.headOffset = offset - 1;
  }

  /**
   * Deserializes rows until one is a record; false when none is left.
   * @throws {SchemaPending} when a schema has to be fetched; the same row is tried again by the next call
   */
  ensureHead(): boolean {
    if (this.hasHead) return true;
    while (this.#segments.length > 0) {
      const { lease, row } = this.#segments[0];
      if (this.#decode(lease, row)) return true;
      this.skipped = true;
      this.advance();
    }
    return false;
  }

  #decode(lease: BatchLease, row: number): boolean {
    const { batch } = lease;
    const source = this.#source;
    this.headOffset = batch.offsets[row];
    const recordTime = batch.timestamps[row];
    this.headTimestamp = recordTime;
    const headerLength = batch.headerLengths[row];
    try {
      this.headHeaders = headerLength > 0
        ? readHeaders(batch.slab, batch.headerStarts[row], headerLength)
        : Headers.EMPTY;
      const keyLength = batch.keyLengths[row];
      const keyStart = batch.keyStarts[row];
      this.headKey = keyLength < 0 ? null : source.key.decode(
        batch.slab,
        keyStart,
        keyStart + keyLength,
        this.#keySite,
        this.headHeaders,
      );
      const valueLength = batch.valueLengths[row];
      const valueStart = batch.valueStarts[row];
      this.headValue = valueLength < 0 ? null : source.value.decode(
        batch.slab,
        valueStart,
        valueStart + valueLength,
        this.#valueSite,
        this.headHeaders,
      );
    } catch (error) {
      if ((error as Error).name === "SchemaPending") throw error;
      this.#events.undecodable(this, error as Error);
      return false;
    }
    const timestamp = this.#plainTime && recordTime >= 0 ? recordTime : this.#extract(recordTime);
    if (timestamp < 0) {
      this.#events.negativeTimestamp(this);
      return false;
    }
    this.headTimestamp = timestamp;
    this.hasHead = true;
    return true;
  }

  #extract(recordTime: number): number {
    const record = {
      key: this.headKey,
      value: this.headValue,
      timestamp: recordTime,
      topic: this.topic,
      partition: this.partition,
      offset: this.headOffset,
      headers: this.headHeaders,
    };
    let timestamp: unknown;
    try {
      timestamp = this.#source.timestampExtractor(record, this.partitionTime);
    } catch (error) {
      if (error instanceof StreamsException) throw error;
      throw new StreamsException(
        `Fatal user code error in TimestampExtractor callback for record topic=${this.topic} partition=${this.partition} offset=${this.headOffset}`,
        { cause: error },
      );
    }
    if (Number.isSafeInteger(timestamp)) return timestamp as number;
    const what =
      `Cannot use the timestamp of topic=${this.topic} partition=${this.partition} offset=${this.headOffset} as an extractor must give whole milliseconds`;
    if (isThenable(timestamp)) {
      throw asyncFunctionError(`${what}: current value is a Promise`, timestamp);
    }
    throw new StreamsException(`${what}: current value is ${String(timestamp)}`);
  }

  /** Uses up the first row. A head that still waits has not moved the partition's time: it is committed, and would be ahead after a restart. */
  advance(): void {
    const segment = this.#segments[0];
    if (this.hasHead && this.headTimestamp > this.partitionTime) {
      this.partitionTime = this.headTimestamp;
    }
    this.hasHead = false;
    this.size--;
    segment.row++;
    if (segment.row === segment.to) this.#segments.shift();
    segment.lease.done(1);
  }

  /** A copy of the first row's raw key, for dead letters. */
  rawKey(): Uint8Array | null {
    if (this.#segments.length === 0) return null;
    const { lease: { batch }, row } = this.#segments[0];
    const start = batch.keyStarts[row];
    return batch.keyLengths[row] < 0
      ? null
      : batch.slab.slice(start, start + batch.keyLengths[row]);
  }

  /** A copy of the first row's raw value, for dead letters. */
  rawValue(): Uint8Array | null {
    if (this.#segments.length === 0) return null;
    const { lease: { batch }, row } = this.#segments[0];
    const start = batch.valueStarts[row];
    return batch.valueLengths[row] < 0
      ? null
      : batch.slab.slice(start, start + batch.valueLengths[row]);
  }

  /** Forgets all that waits. */
  clear(): void {
    for (const { lease, row, to } of this.#segments) lease.done(to - row);
    this.#segments.length = 0;
    this.size = 0;
    this.hasHead = false;
  }
}
