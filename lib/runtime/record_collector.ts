import type { RecordContext } from "../record/context.ts";
import type { Headers } from "../record/headers.ts";
import type { Serde, SerdeSite } from "../serde/serde.ts";

/** A record for the dead letter queue. The bytes are copies. */
export interface DeadLetter {
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Headers;
}

/** Where an outgoing record goes: made once by a sink, used for every record. */
export interface Destination {
  readonly topic: string;
  /** The collector's number for the topic. */
  readonly index: number;
  readonly keySite: SerdeSite;
  readonly valueSite: SerdeSite;
}

/**
 * Takes what tasks write: sink records, changelog entries, dead letters. Serialization happens here, straight into the batch
 * that goes to the producer. Two stand behind it: the thread's producer, and the test driver's memory. Kafka Streams: `RecordCollector`.
 */
export interface RecordCollector {
  /** The destination of a topic; made once and kept. */
  destination(topic: string): Destination;
  /** How many partitions the topic has; asked only for a custom partitioner. */
  partitionCount(destination: Destination): number;
  /**
   * Writes a record. `partition` -1 leaves it to the key.
   * @throws {StreamsException} when it cannot be serialized and the production handler says to fail
   */
  send<K, V>(
    destination: Destination,
    key: K | null,
    value: V | null,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    timestamp: number,
    headers: Headers,
    partition: number,
    context: RecordContext,
    nodeName: string,
    taskId: string,
  ): void;
  /** Writes a changelog entry; the bytes are copied. */
  log(
    destination: Destination,
    partition: number,
    key: Uint8Array,
    value: Uint8Array | null,
    timestamp: number,
    headers: Headers,
    valueStart: number,
  ): void;
  /** Writes a dead letter. */
  deadLetter(letter: DeadLetter): void;
}
