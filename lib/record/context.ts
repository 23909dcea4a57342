import { Headers } from "./headers.ts";

/** Where the record in hand came from. Kafka Streams: `RecordMetadata`. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * The record that a task has in hand: one object per task, changed in place before each record, punctuation and
 * flushed cache entry. Whoever keeps something of it copies the fields. Kafka Streams: `ProcessorRecordContext`.
 */
export class RecordContext {
  /** Undefined within punctuation and when nothing was processed yet. */
  topic: string | undefined = undefined;
  partition = -1;
  offset = -1;
  /** Epoch ms of the source record; in punctuation the punctuation's time. */
  timestamp = 0;
  headers: Headers = Headers.EMPTY;
  /** The raw bytes of the source record's key and value, for the dead letter queue; null where there were none or they are gone. */
  rawKey: Uint8Array | null = null;
  rawValue: Uint8Array | null = null;
}
