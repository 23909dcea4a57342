import { Headers } from "./headers.ts";

/** Where the record in hand came from. Kafka Streams: `RecordMetadata`. */
export interface RecordMetadata {
  /** Null within a punctuation, where the partition and the offset are -1. */
  readonly topic: string | null;
  readonly partition: number;
  readonly offset: number;
}

/**
 * The record that a task has in hand: one object per task, changed in place before each record, punctuation and
 * flushed cache entry. Whoever keeps something of it copies the fields. Kafka Streams: `ProcessorRecordContext`.
 */
export class RecordContext {
  /** Null within a punctuation, undefined when nothing was processed yet. */
  topic: string | null | undefined = undefined;
  partition = -1;
  offset = -1;
  /** Epoch ms of the source record; in punctuation the punctuation's time. */
  timestamp = 0;
  headers: Headers = Headers.EMPTY;
  /** The raw bytes of the source record's key and value, for the dead letter queue; null where there were none or they are gone. */
  rawKey: Uint8Array | null = null;
  rawValue: Uint8Array | null = null;
  /** Where those bytes still are, when the record is the one that is being processed. */
  rawSource: RawSource | undefined = undefined;

  /** Copies of the source record's raw key and value, where they are still there. */
  raw(): { readonly key: Uint8Array | null; readonly value: Uint8Array | null } {
    const { rawSource: source } = this;
    const isInHand = source !== undefined && source.topic === this.topic &&
      source.partition === this.partition && source.headOffset === this.offset;
    return isInHand
      ? { key: source.rawKey(), value: source.rawValue() }
      : { key: this.rawKey, value: this.rawValue };
  }
}

/** What holds the raw bytes of the record at its head. */
export interface RawSource {
  readonly topic: string;
  readonly partition: number;
  readonly headOffset: number;
  rawKey(): Uint8Array | null;
  rawValue(): Uint8Array | null;
}
