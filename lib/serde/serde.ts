/**
 * The contract between values and bytes. Null never reaches a serde: a null value is a null in Kafka, and the engine
 * passes it by. Both directions are synchronous; what has to be fetched first (a schema) is announced by `prepare`,
 * or by throwing `SchemaPending` while decoding.
 *
 * @module
 */
import type { ByteWriter } from "../record/bytes.ts";
import type { Headers } from "../record/headers.ts";
import type { Clock } from "../record/time.ts";
import type { SchemaRegistry } from "./registry.ts";

/** Where bytes come from or go to: it names registry subjects and is part of error messages. One object per place, made once. */
export interface SerdeSite {
  /** The topic; for a store its changelog topic. */
  readonly topic: string;
  /** Whether this is the record's key. */
  readonly isKey: boolean;
  /** No headers travel with these bytes: they lie in a store, or within a list. What would go into a header is written into the bytes. */
  readonly headerless?: boolean;
}

/** What a running application offers to its serdes. */
export interface SerdeEnvironment {
  /** The registry that the configuration names (`schema.registry.url`), if it does. */
  readonly registry: SchemaRegistry | undefined;
  /** The application's clock; the system's when none is given. */
  readonly clock?: Clock;
}

/** What a serde does at a site. Where it only reads, nothing may be registered: the subject belongs to those who write. */
export type SerdePurpose = "read" | "write";

/** Bytes to values and back. Kafka: `Serde`. */
export interface Serde<T> {
  /** What it is, for messages and descriptions: `string`, `int64`, `avro(Order)`. */
  readonly name: string;

  /** Appends the value's bytes to `out`. @throws {SerializationException} when the value does not fit. */
  encode(value: T, out: ByteWriter, site: SerdeSite): void;

  /**
   * The value in `bytes[start, end)`. The bytes are lent: what is kept must be copied.
   * @throws {SerializationException} when the bytes are no such value
   * @throws {SchemaPending} when a schema has to be fetched first
   */
  decode(bytes: Uint8Array, start: number, end: number, site: SerdeSite, headers?: Headers): T;

  /** Gives the serde what the application offers; called once, before `prepare` and the first record. */
  bind?(environment: SerdeEnvironment): void;

  /**
   * Fetches what reading and, unless it is only read there, fetches or registers what writing at that site will need; called before the first
   * record.
   */
  prepare?(site: SerdeSite, purpose?: SerdePurpose): Promise<void>;

  /** The size of every encoded value in bytes, where all have one: lists of it carry no lengths (KIP-466). */
  readonly fixedSize?: number;

  /**
   * How many leading bytes of an encoded key of that length choose the partition; the whole key when this is absent.
   * Windowed keys are partitioned by their inner key. Kafka Streams: `WindowedStreamPartitioner`.
   */
  partitionPrefix?(length: number): number;

  /** The headers of a record that was encoded by this serde: with what it adds (schema ids in headers), without what no longer holds. */
  headersOf?(value: T, site: SerdeSite, headers: Headers): Headers;
}

/** The value type of a serde: `Infer<typeof orderSerde>`. */
export type Infer<S> = S extends Serde<infer T> ? T : never;
