import type { StreamRecord } from "../record/record.ts";
import { type BufferedRow, type BufferOptions, BufferRows } from "./buffer_rows.ts";
import {
  bufferedContext,
  type BufferValue,
  bufferValueBytes,
  decodeBufferValue,
  encodeBufferValue,
} from "./buffer_value.ts";
import { changelogRows } from "./row_logger.ts";
import { timeAt } from "./segmented_rows.ts";
import type { RestoreRows, TimeOrderedBuffer } from "./store.ts";

/** What a grace buffer is made of. */
export interface GraceBufferOptions<K, V> extends BufferOptions<K, V> {
  readonly graceMs: number;
}

/** A record that waits. The order of its stored key is that of time, key and arrival. */
interface Waiting<K, V> extends BufferedRow<K> {
  readonly value: V;
  bytes: BufferValue | undefined;
  isStored: boolean;
}

const MAX_SEQUENCE = 0x7fffffff;

/**
 * The stream records that wait until no older row of the table can come: each under its own timestamp, until the greatest one seen is more
 * than the grace beyond it. Rows are logged as they come and go, and written to the store at the commit if they are still there.
 * Kafka Streams: `RocksDBTimeOrderedKeyValueBuffer` (KIP-923).
 */
export class GraceBuffer<K, V> extends BufferRows<K, V, V, Waiting<K, V>>
  implements TimeOrderedBuffer<K, V> {
  readonly #graceMs: number;
  readonly #unstored = new Set<Waiting<K, V>>();
  /** Stored keys of rows that are gone. */
  readonly #gone: Uint8Array[] = [];
  #observedStreamTime = -1;
  #sequence = 0;
  #count = 0;

  constructor(options: GraceBufferOptions<K, V>) {
    super(options);
    this.#graceMs = options.graceMs;
  }

  override close(): void {
    super.close();
    this.#unstored.clear();
    this.#gone.length = 0;
  }

  protected override forget(): void {
    super.forget();
    this.#count = 0;
  }

  put(_time: number, record: StreamRecord<K, V>): boolean {
    this.load();
    const { key, value, timestamp } = record;
    if (this.#observedStreamTime - this.#graceMs > timestamp) return false;
    if (timestamp > this.#observedStreamTime) this.#observedStreamTime = timestamp;
    this.#sequence = (this.#sequence + 1) & MAX_SEQUENCE;
    const waiting: Waiting<K, V> = {
      key,
      value,
      time: timestamp,
      keyBytes: graceKey(this.keys.encode(key), timestamp, this.#sequence),
      context: bufferedContext(this.context.record),
      bytes: undefined,
      size: 0,
      isStored: false,
    };
    this.order.add(waiting);
    this.#unstored.add(waiting);
    this.uncounted.add(waiting);
    this.#count++;
    this.changelog?.log(waiting.keyBytes, this.#stored(waiting), this.context.record.timestamp);
    return true;
  }

  evictWhile(more: () => boolean, emit: (record: StreamRecord<K, V>) => void): void {
    this.load();
    this.emitUntil(this.#observedStreamTime - this.#graceMs, more, emit);
  }

  protected emitted(waiting: Waiting<K, V>): V {
    return waiting.value;
  }

  protected remove(waiting: Waiting<K, V>): void {
    this.drop(waiting);
    this.#unstored.delete(waiting);
    this.#count--;
    if (waiting.isStored) this.#gone.push(waiting.keyBytes);
    this.changelog?.log(waiting.keyBytes, null, this.context.record.timestamp);
  }

  /** Records do not replace each other, so there is no row that downstream knows. */
  priorValue(): undefined {
    return undefined;
  }

  get recordCount(): number {
    this.load();
    return this.#count;
  }

  protected sizeOf(waiting: Waiting<K, V>): number {
    return waiting.keyBytes.length + bufferValueBytes(this.#serialized(waiting));
  }

  flush(): void {
    for (const key of this.#gone) this.rows.delete(key);
    this.#gone.length = 0;
    for (const waiting of this.#unstored) {
      this.rows.put(waiting.keyBytes, this.#stored(waiting));
      waiting.isStored = true;
    }
    this.#unstored.clear();
  }

  /** The time stands in the key; Java writes a 0 after the value. */
  #stored(waiting: Waiting<K, V>): Uint8Array {
    return encodeBufferValue(this.#serialized(waiting), 0);
  }

  #serialized(waiting: Waiting<K, V>): BufferValue {
    return waiting.bytes ??= {
      context: waiting.context,
      prior: null,
      old: null,
      new: this.values.encode(waiting.value),
    };
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    this.rows.bulk(changelogRows(rows, from, to, this.values));
    // Rows are not found by their keys otherwise, and restores are rare: the order is built anew.
    this.forget();
  }

  protected take(keyBytes: Uint8Array, stored: Uint8Array): void {
    const { value } = decodeBufferValue(stored);
    const time = timeAt(keyBytes, keyBytes.length - 1);
    const waiting: Waiting<K, V> = {
      key: this.keys.decode(keyBytes, 9, keyBytes.length - 4),
      value: this.values.decode(value.new!),
      time,
      keyBytes,
      context: value.context,
      bytes: value,
      size: 0,
      isStored: true,
    };
    if (time > this.#observedStreamTime) this.#observedStreamTime = time;
    const sequence = new DataView(keyBytes.buffer, keyBytes.byteOffset).getInt32(
      keyBytes.length - 4,
    );
    // Numbers go on after those that are there: two records of one key and time must not share one.
    if (sequence > this.#sequence) this.#sequence = sequence;
    this.order.add(waiting);
    this.uncounted.add(waiting);
    this.#count++;
  }
}

/** A 0, int64 time, key, int32 sequence: byte order is order of time. Kafka Streams: `TimeFirstWindowKeySchema`. */
export function graceKey(key: Uint8Array, time: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(13 + key.length);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(1, BigInt(time));
  bytes.set(key, 9);
  view.setInt32(9 + key.length, sequence);
  return bytes;
}
