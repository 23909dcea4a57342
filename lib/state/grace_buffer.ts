import { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import {
  type BufferedContext,
  bufferedContext,
  type BufferValue,
  bufferValueBytes,
  decodeBufferValue,
  encodeBufferValue,
  restoreContext,
} from "./buffer_value.ts";
import { KeyCodec, PlainCodec } from "./codecs.ts";
import { changelogRows } from "./row_logger.ts";
import { timeAt } from "./segmented_rows.ts";
import type {
  ByteStore,
  ChangelogWriter,
  RestoreRows,
  StoreContext,
  TimeOrderedBuffer,
} from "./store.ts";
import { TimeOrder } from "./time_order.ts";

/** What a grace buffer is made of. */
export interface GraceBufferOptions<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly graceMs: number;
  readonly persistent: boolean;
  readonly logging: boolean;
}

/** A record that waits. */
interface Waiting<K, V> {
  readonly key: K;
  readonly value: V;
  readonly time: number;
  /** The stored key; its order is that of time, key and arrival. */
  readonly keyBytes: Uint8Array;
  readonly context: BufferedContext;
  bytes: BufferValue | undefined;
  size: number;
  isStored: boolean;
}

const MAX_SEQUENCE = 0x7fffffff;

/**
 * The stream records that wait until no older row of the table can come: each under its own timestamp, until the greatest one seen is more
 * than the grace beyond it. Rows are logged as they come and go, and written to the store at the commit if they are still there.
 * Kafka Streams: `RocksDBTimeOrderedKeyValueBuffer` (KIP-923).
 */
export class GraceBuffer<K, V> implements TimeOrderedBuffer<K, V> {
  readonly name: string;
  readonly kind = "buffer";
  readonly persistent: boolean;
  readonly #options: GraceBufferOptions<K, V>;
  readonly #order = new TimeOrder<Waiting<K, V>>();
  readonly #unstored = new Set<Waiting<K, V>>();
  /** Stored keys of rows that are gone. */
  readonly #gone: Uint8Array[] = [];
  #observedStreamTime = -1;
  #sequence = 0;
  #count = 0;
  #countedBytes = 0;
  readonly #uncounted = new Set<Waiting<K, V>>();
  #keys!: KeyCodec<K>;
  #values!: PlainCodec<V>;
  #rows!: ByteStore;
  #changelog: ChangelogWriter | undefined = undefined;
  #context!: StoreContext;
  #isOpen = false;
  #isLoaded = false;

  constructor(options: GraceBufferOptions<K, V>) {
    this.#options = options;
    this.name = options.name;
    this.persistent = options.persistent;
  }

  init(context: StoreContext): void {
    const { keySerde, valueSerde, logging } = this.#options;
    const topic = context.changelogTopic(this.name);
    this.#context = context;
    this.#keys = new KeyCodec(keySerde, topic, this.name);
    this.#values = new PlainCodec(valueSerde, topic);
    this.#rows = context.environment.open(this.name, { volatile: !this.persistent });
    this.#changelog = logging ? context.changelog(this.name) : undefined;
    this.#isOpen = true;
  }

  /**
   * Reads the rows that are there with the first use, not when the store is opened: until then the state may be emptied or restored, and the
   * serdes may lack their schemas.
   */
  #load(): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    for (const [key, value] of this.#rows.range(undefined, undefined)) this.#take(key, value);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
    this.#isLoaded = false;
    this.#order.clear();
    this.#unstored.clear();
    this.#uncounted.clear();
    this.#gone.length = 0;
    this.#count = 0;
    this.#countedBytes = 0;
  }

  put(_time: number, record: StreamRecord<K, V>): boolean {
    this.#load();
    const { key, value, timestamp } = record;
    if (this.#observedStreamTime - this.#options.graceMs > timestamp) return false;
    if (timestamp > this.#observedStreamTime) this.#observedStreamTime = timestamp;
    this.#sequence = (this.#sequence + 1) & MAX_SEQUENCE;
    const waiting: Waiting<K, V> = {
      key,
      value,
      time: timestamp,
      keyBytes: graceKey(this.#keys.encode(key), timestamp, this.#sequence),
      context: bufferedContext(this.#context.record),
      bytes: undefined,
      size: 0,
      isStored: false,
    };
    this.#order.add(waiting);
    this.#unstored.add(waiting);
    this.#uncounted.add(waiting);
    this.#count++;
    this.#changelog?.log(waiting.keyBytes, this.#stored(waiting), this.#context.record.timestamp);
    return true;
  }

  evictWhile(more: () => boolean, emit: (record: StreamRecord<K, V>) => void): void {
    this.#load();
    const limit = this.#observedStreamTime - this.#options.graceMs;
    if (this.#order.firstTime > limit || !more()) return;
    const { record } = this.#context;
    const saved = { ...record };
    try {
      for (let waiting = this.#order.first(); waiting !== undefined;) {
        if (waiting.time > limit || !more()) break;
        restoreContext(record, waiting.context);
        const { timestamp, headers } = waiting.context;
        emit(new StreamRecord(waiting.key, waiting.value, timestamp, headers));
        this.#remove(waiting);
        waiting = this.#order.first();
      }
    } finally {
      Object.assign(record, saved);
    }
  }

  #remove(waiting: Waiting<K, V>): void {
    this.#order.remove(waiting);
    this.#unstored.delete(waiting);
    this.#uncounted.delete(waiting);
    this.#count--;
    this.#countedBytes -= waiting.size;
    if (waiting.isStored) this.#gone.push(waiting.keyBytes);
    this.#changelog?.log(waiting.keyBytes, null, this.#context.record.timestamp);
  }

  /** Records do not replace each other, so there is no row that downstream knows. */
  priorValue(): undefined {
    return undefined;
  }

  get recordCount(): number {
    this.#load();
    return this.#count;
  }

  get byteSize(): number {
    this.#load();
    for (const waiting of this.#uncounted) {
      waiting.size = waiting.keyBytes.length + bufferValueBytes(this.#serialized(waiting));
      this.#countedBytes += waiting.size;
    }
    this.#uncounted.clear();
    return this.#countedBytes;
  }

  get minTimestamp(): number {
    this.#load();
    return this.#order.firstTime;
  }

  flush(): void {
    for (const key of this.#gone) this.#rows.delete(key);
    this.#gone.length = 0;
    for (const waiting of this.#unstored) {
      this.#rows.put(waiting.keyBytes, this.#stored(waiting));
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
      new: this.#values.encode(waiting.value),
    };
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    this.#rows.bulk(changelogRows(rows, from, to, this.#values));
    // Rows are not found by their keys otherwise, and restores are rare: the order is built anew.
    this.#isLoaded = false;
    this.#order.clear();
    this.#uncounted.clear();
    this.#count = 0;
    this.#countedBytes = 0;
  }

  #take(keyBytes: Uint8Array, stored: Uint8Array): void {
    const { value } = decodeBufferValue(stored);
    const time = timeAt(keyBytes, keyBytes.length - 1);
    const waiting: Waiting<K, V> = {
      key: this.#keys.decode(keyBytes, 9, keyBytes.length - 4),
      value: this.#values.decode(value.new!),
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
    this.#order.add(waiting);
    this.#uncounted.add(waiting);
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
