import { ByteWriter, readInt64 } from "../record/bytes.ts";
import type { Serde, SerdeSite } from "../serde/serde.ts";
import { rowBytes, rowCopy, writeInt64 } from "./row_bytes.ts";
import { type RestoreRows, ValueAndTimestamp } from "./store.ts";

/** Keys of a store to bytes and back. */
export class KeyCodec<K> {
  readonly #serde: Serde<K>;
  readonly #site: SerdeSite;
  readonly #storeName: string;
  readonly #out = new ByteWriter(64);

  constructor(serde: Serde<K>, topic: string, storeName: string) {
    this.#serde = serde;
    this.#site = { topic, isKey: true, headerless: true };
    this.#storeName = storeName;
  }

  /** The key's bytes in an array of their own. @throws {TypeError} when the key is null */
  encode(key: K): Uint8Array {
    const out = this.#out;
    out.length = 0;
    this.append(key, out);
    return rowCopy(out.bytes, 0, out.length);
  }

  /** Appends the key's bytes to `out`. @throws {TypeError} when the key is null */
  append(key: K, out: ByteWriter): void {
    if (key === null || key === undefined) {
      throw new TypeError(
        `Cannot use store ${this.#storeName} as a key must not be null: current value is ${key}`,
      );
    }
    this.#serde.encode(key, out, this.#site);
  }

  /** A prefix of keys as bytes, by a serde of its own where one is given. */
  prefix<P>(prefix: P, serde: Serde<P> | undefined): Uint8Array {
    if (serde === undefined && prefix instanceof Uint8Array) return prefix;
    if (serde === undefined || prefix === null || prefix === undefined) {
      throw new TypeError(
        `Cannot scan store ${this.#storeName} as a prefix must be bytes, or a value with its serde: current value is ${prefix}`,
      );
    }
    const out = this.#out;
    out.length = 0;
    serde.encode(prefix, out, this.#site);
    return rowCopy(out.bytes, 0, out.length);
  }

  decode(bytes: Uint8Array, start = 0, end: number = bytes.length): K {
    return this.#serde.decode(bytes, start, end, this.#site);
  }
}

/**
 * Values of a store to their stored bytes and back, and what of those bytes goes to the changelog: of a timestamped value only the
 * value, its timestamp rides as the record's (KIP-258).
 */
export interface ValueCodec<V> {
  /** The stored form, in an array of its own. */
  encode(value: V): Uint8Array;
  decode(stored: Uint8Array): V;
  /** Where the changelog's value begins in the stored form. */
  readonly logStart: number;
  /** The changelog record's timestamp (epoch ms) for what was encoded last; `current` is that of the record in hand. */
  logTimestamp(stored: Uint8Array, current: number): number;
  /** The stored form of a changelog row with a value. */
  restored(rows: RestoreRows, row: number): Uint8Array;
}

/** Plain values. */
export class PlainCodec<V> implements ValueCodec<V> {
  readonly logStart = 0;
  readonly #serde: Serde<V>;
  readonly #site: SerdeSite;
  readonly #out = new ByteWriter(256);
  constructor(serde: Serde<V>, topic: string) {
    this.#serde = serde;
    this.#site = { topic, isKey: false, headerless: true };
  }
  encode(value: V): Uint8Array {
    const out = this.#out;
    out.length = 0;
    this.#serde.encode(value, out, this.#site);
    return rowCopy(out.bytes, 0, out.length);
  }
  decode(stored: Uint8Array): V {
    return this.#serde.decode(stored, 0, stored.length, this.#site);
  }
  logTimestamp(_stored: Uint8Array, current: number): number {
    return current;
  }
  restored(rows: RestoreRows, row: number): Uint8Array {
    const start = rows.valueStarts[row];
    return rowCopy(rows.slab, start, start + rows.valueLengths[row]);
  }
}

/** Values with timestamps: int64 timestamp, then the value. Kafka Streams: `ValueAndTimestampSerializer`. */
export class TimestampedCodec<V> implements ValueCodec<ValueAndTimestamp<V>> {
  readonly logStart = 8;
  readonly #serde: Serde<V>;
  readonly #site: SerdeSite;
  readonly #out = new ByteWriter(256);
  constructor(serde: Serde<V>, topic: string) {
    this.#serde = serde;
    this.#site = { topic, isKey: false, headerless: true };
  }
  encode(row: ValueAndTimestamp<V>): Uint8Array {
    const out = this.#out;
    out.length = 0;
    out.int64(row.timestamp);
    this.#serde.encode(row.value, out, this.#site);
    return rowCopy(out.bytes, 0, out.length);
  }
  decode(stored: Uint8Array): ValueAndTimestamp<V> {
    const value = this.#serde.decode(stored, 8, stored.length, this.#site);
    return new ValueAndTimestamp(value, readInt64(stored, 0));
  }
  logTimestamp(stored: Uint8Array): number {
    return readInt64(stored, 0);
  }
  restored(rows: RestoreRows, row: number): Uint8Array {
    const start = rows.valueStarts[row];
    const length = rows.valueLengths[row];
    const stored = rowBytes(8 + length);
    writeInt64(stored, 0, rows.timestamps[row]);
    stored.set(rows.slab.subarray(start, start + length), 8);
    return stored;
  }
}

/**
 * Values with timestamps in a store that keeps none: they are read back with -1. It is what Kafka Streams gives when a plain
 * persistent supplier is used for a timestamped store (`KeyValueToTimestampedKeyValueByteStoreAdapter`).
 */
export class ForgetfulCodec<V> implements ValueCodec<ValueAndTimestamp<V>> {
  readonly logStart = 0;
  readonly #plain: PlainCodec<V>;
  #lastTimestamp = -1;
  constructor(serde: Serde<V>, topic: string) {
    this.#plain = new PlainCodec(serde, topic);
  }
  encode(row: ValueAndTimestamp<V>): Uint8Array {
    this.#lastTimestamp = row.timestamp;
    return this.#plain.encode(row.value);
  }
  decode(stored: Uint8Array): ValueAndTimestamp<V> {
    return new ValueAndTimestamp(this.#plain.decode(stored), -1);
  }
  logTimestamp(): number {
    return this.#lastTimestamp;
  }
  restored(rows: RestoreRows, row: number): Uint8Array {
    return this.#plain.restored(rows, row);
  }
}
