import { SchemaPending } from "../errors.ts";
import { ByteWriter } from "../record/bytes.ts";
import type { RecordContext } from "../record/context.ts";
import type { Headers } from "../record/headers.ts";
import type { DeadLetter, Destination, RecordCollector } from "../runtime/record_collector.ts";
import type { ExceptionHandlers } from "../runtime/exception_handlers.ts";
import { serializationFailed } from "../runtime/serialization_failure.ts";
import type { Serde } from "../serde/serde.ts";

/** A record as it would lie in the topic. */
export interface CapturedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Headers;
}

/** Keeps in memory what a task writes, in order. Kafka Streams' driver uses a `MockProducer` for this. */
export class CapturingCollector implements RecordCollector {
  /** What was written since the last `take`. */
  #captured: CapturedRecord[] = [];
  readonly #handlers: ExceptionHandlers;
  readonly #destinations = new Map<string, Destination>();
  readonly #scratch = new ByteWriter();
  /** Records that the production handler let go. */
  dropped = 0;

  constructor(handlers: ExceptionHandlers) {
    this.#handlers = handlers;
  }

  destination(topic: string): Destination {
    let made = this.#destinations.get(topic);
    if (made === undefined) {
      made = Object.freeze({
        topic,
        index: this.#destinations.size,
        keySite: Object.freeze({ topic, isKey: true }),
        valueSite: Object.freeze({ topic, isKey: false }),
      });
      this.#destinations.set(topic, made);
    }
    return made;
  }

  /** The driver's topics have one partition. */
  partitionCount(): number {
    return 1;
  }

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
  ): void {
    const { topic, keySite, valueSite } = destination;
    let keyBytes: Uint8Array | null;
    let valueBytes: Uint8Array | null;
    let sent = headers;
    try {
      keyBytes = this.#encode(key, keySerde, keySite);
      valueBytes = this.#encode(value, valueSerde, valueSite);
      if (key !== null && keySerde.headersOf) sent = keySerde.headersOf(key, keySite, sent);
      if (value !== null && valueSerde.headersOf) {
        sent = valueSerde.headersOf(value, valueSite, sent);
      }
    } catch (error) {
      if (error instanceof SchemaPending) throw error;
      serializationFailed(
        error as Error,
        { topic, partition, timestamp, nodeName, taskId, context },
        this.#handlers,
        this,
      );
      this.dropped++;
      return;
    }
    this.#captured.push({
      topic,
      partition: Math.max(0, partition),
      key: keyBytes,
      value: valueBytes,
      timestamp,
      headers: sent,
    });
  }

  #encode<T>(value: T | null, serde: Serde<T>, site: Destination["keySite"]): Uint8Array | null {
    if (value === null || value === undefined) return null;
    this.#scratch.reset();
    serde.encode(value, this.#scratch, site);
    return this.#scratch.copy();
  }

  log(
    { topic }: Destination,
    partition: number,
    key: Uint8Array,
    value: Uint8Array | null,
    timestamp: number,
    headers: Headers,
    valueStart: number,
  ): void {
    const copy = value === null ? null : value.slice(valueStart);
    this.#captured.push({ topic, partition, key: key.slice(), value: copy, timestamp, headers });
  }

  deadLetter({ topic, key, value, timestamp, headers }: DeadLetter): void {
    this.#captured.push({ topic, partition: 0, key, value, timestamp, headers });
  }

  /** What was written since the last call. */
  take(): CapturedRecord[] {
    const taken = this.#captured;
    this.#captured = [];
    return taken;
  }
}
