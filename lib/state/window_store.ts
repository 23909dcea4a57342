import { Windowed } from "../record/windowed.ts";
import type { Serde } from "../serde/serde.ts";
import { KeyCodec, type ValueCodec } from "./codecs.ts";
import { closed, NO_ROWS } from "./key_value_store.ts";
import { changelogRows, RowLogger } from "./row_logger.ts";
import { keyWithin, SEGMENT_BYTES, upperBound } from "./segmented_rows.ts";
import type {
  ByteCursor,
  CachedStateStore,
  RestoreRows,
  StoreContext,
  StoreKind,
  StoreMeter,
  WindowStore,
} from "./store.ts";
import type { WindowStoreSupplier } from "./suppliers.ts";
import { TimedRows } from "./timed_rows.ts";
import type { TimelineCursor, TimelineHolder } from "./timelines.ts";
import { WINDOW_SCHEMA, WINDOW_SUFFIX_BYTES, windowEnd, windowStart } from "./window_keys.ts";

/** What a window store is made of. */
export interface WindowStoreOptions<K, V> {
  readonly supplier: WindowStoreSupplier;
  readonly keySerde: Serde<K>;
  readonly valueCodec: (topic: string) => ValueCodec<V>;
  readonly logging: boolean;
  readonly kind: StoreKind;
}

const MAX_SEQUENCE = 0x7fffffff;
const LAST = Number.MAX_SAFE_INTEGER;

/** A window store that serializes at each access. Kafka Streams: `MeteredWindowStore` over change logging over `RocksDBWindowStore`. */
export class SerializedWindowStore<K, V>
  implements WindowStore<K, V>, CachedStateStore<Windowed<K>, V> {
  readonly name: string;
  readonly kind: StoreKind;
  readonly persistent: boolean;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  readonly #options: WindowStoreOptions<K, V>;
  readonly #retainDuplicates: boolean;
  #keys!: KeyCodec<K>;
  #values!: ValueCodec<V>;
  #rows!: TimedRows<K>;
  #logger!: RowLogger;
  #context!: StoreContext;
  #meter: StoreMeter | undefined = undefined;
  #sequence = 0;
  /** Rows that start before it may have the numbers that are given out now: they are of an earlier run. */
  #mayCollideBefore = 0;
  #isOpen = false;

  constructor(options: WindowStoreOptions<K, V>) {
    const { supplier } = options;
    this.#options = options;
    this.kind = options.kind;
    this.name = supplier.name;
    this.persistent = supplier.engine === "lmdb";
    this.windowSizeMs = supplier.windowSizeMs;
    this.retentionMs = supplier.retentionMs;
    this.#retainDuplicates = supplier.retainDuplicates;
  }

  init(context: StoreContext): void {
    const { keySerde, valueCodec, logging, supplier } = this.#options;
    const topic = context.changelogTopic(this.name);
    this.#context = context;
    this.#keys = new KeyCodec(keySerde, topic, this.name);
    this.#values = valueCodec(topic);
    this.#rows = new TimedRows({
      environment: context.environment,
      name: this.name,
      volatile: !this.persistent,
      schema: WINDOW_SCHEMA,
      keys: this.#keys,
      retentionMs: supplier.retentionMs,
      segmentIntervalMs: supplier.segmentIntervalMs,
      inTimeOrder: this.inTimeOrder,
      // A window that closes just as it expires would otherwise never be emitted. Kafka Streams:
      // AbstractDualSchemaRocksDBSegmentedBytesStore.getActualFrom.
      readableLongerMs: this.inTimeOrder ? 1 : 0,
    });
    this.#logger = new RowLogger(this.name, context, { logging, codec: this.#values });
    this.#meter = context.storeMetrics;
    this.#noteRows();
    this.#isOpen = true;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }
  flush(): void {}
  close(): void {
    this.#isOpen = false;
    this.#rows?.close();
  }
  setFlushListener(): boolean {
    return false;
  }

  put(key: K, value: V | null, start: number): void {
    if (this.#meter !== undefined) this.#meter.puts++;
    const gone = value === null || value === undefined;
    if (this.#retainDuplicates) this.#nextSequence(key, start);
    // With duplicates there is no telling which row a null would delete; the changelog gets it nevertheless, as in Kafka Streams.
    if (gone && this.#retainDuplicates) {
      if (this.#logger.isOn) {
        const stored = this.#rows.storedKey(key, start, this.#sequence);
        this.#logger.log(stored.subarray(SEGMENT_BYTES), null);
      }
      return;
    }
    this.#write(key, start, this.#sequence, gone ? null : this.#values.encode(value));
  }

  #nextSequence(key: K, start: number): void {
    do {
      this.#sequence = (this.#sequence + 1) & MAX_SEQUENCE;
    } while (start < this.#mayCollideBefore && this.#rows.has(key, start, this.#sequence));
  }

  /** Notes which rows were there before this run. */
  #noteRows(): void {
    const { segments } = this.#rows;
    const newest = segments.segments[segments.segments.length - 1];
    this.#mayCollideBefore = newest === undefined ? 0 : segments.startOf(newest + 1);
  }

  fetch(key: K, start: number): V | null {
    this.#check();
    if (this.#meter !== undefined) this.#meter.gets++;
    const stored = this.#rows.get(key, start, this.#sequence);
    return stored === undefined ? null : this.#values.decode(stored);
  }

  fetchRange(key: K, from: number, to: number): IterableIterator<[number, V]> {
    return this.#starts(this.keyCursor(key, from, to, false));
  }
  backwardFetchRange(key: K, from: number, to: number): IterableIterator<[number, V]> {
    return this.#starts(this.keyCursor(key, from, to, true));
  }
  fetchKeys(
    keyFrom: K | null,
    keyTo: K | null,
    from: number,
    to: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#windows(
      this.keysCursor(this.#bound(keyFrom), this.#bound(keyTo), from, to, false),
    );
  }
  backwardFetchKeys(
    keyFrom: K | null,
    keyTo: K | null,
    from: number,
    to: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#windows(this.keysCursor(this.#bound(keyFrom), this.#bound(keyTo), from, to, true));
  }
  fetchAll(from: number, to: number): IterableIterator<[Windowed<K>, V]> {
    return this.#windows(this.timeCursor(from, to, false));
  }
  backwardFetchAll(from: number, to: number): IterableIterator<[Windowed<K>, V]> {
    return this.#windows(this.timeCursor(from, to, true));
  }
  all(): IterableIterator<[Windowed<K>, V]> {
    return this.#windows(this.timeCursor(0, LAST, false));
  }
  backwardAll(): IterableIterator<[Windowed<K>, V]> {
    return this.#windows(this.timeCursor(0, LAST, true));
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    this.#rows.restore(changelogRows(rows, from, to, this.#values, SEGMENT_BYTES));
    this.#noteRows();
  }

  /** For the cache: the codecs. */
  get keys(): KeyCodec<K> {
    return this.#keys;
  }
  get values(): ValueCodec<V> {
    return this.#values;
  }
  /** For the cache: whether all windows come in order of time. */
  get inTimeOrder(): boolean {
    return this.#options.supplier.order === "time";
  }
  get minReadable(): number {
    return this.#rows.minReadable;
  }

  /** For the cache: the stored key of a row without duplicates. */
  storedKey(key: K, start: number): Uint8Array {
    return this.#rows.storedKey(key, start, 0);
  }

  /** For the cache: the stored form of a row without duplicates; undefined when it is missing or too old to be read. */
  getStored(key: K, start: number, holder?: TimelineHolder): Uint8Array | undefined {
    this.#check();
    return this.#rows.get(key, start, 0, holder);
  }

  /** For the cache: writes and logs a row without duplicates. */
  putStored(key: K, start: number, value: Uint8Array | null, holder?: TimelineHolder): void {
    this.#write(key, start, 0, value, holder);
  }

  /** Writes and logs a row. One that has expired is counted as dropped, and logged nevertheless, as in Kafka Streams. */
  #write(
    key: K,
    start: number,
    sequence: number,
    value: Uint8Array | null,
    holder?: TimelineHolder,
  ): void {
    this.#check();
    const stored = this.#rows.lentKey(key, start, sequence);
    const isLive = this.#rows.write(key, stored, start, sequence, value, holder);
    if (!isLive) this.#context.dropped("expired");
    if (this.#logger.isOn) this.#logger.log(this.#rows.changelogKey(stored), value);
  }

  /** For the cache: windows of a key that start in [from, to]. */
  keyCursor(key: K, from: number, to: number, reverse: boolean): TimelineCursor {
    this.#check();
    if (this.#meter !== undefined) this.#meter.gets++;
    return this.#rows.ofKey(key, Math.max(from, this.#rows.minReadable, 0), to, reverse);
  }

  /** For the cache: windows of the keys in [keyFrom, keyTo] that start in [from, to], by segment and key. */
  keysCursor(
    keyFrom: Uint8Array | undefined,
    keyTo: Uint8Array | undefined,
    from: number,
    to: number,
    reverse: boolean,
  ): ByteCursor {
    this.#check();
    const first = Math.max(from, this.#rows.minReadable);
    if (to < first) return NO_ROWS;
    const within = (stored: Uint8Array) => {
      const start = windowStart(stored);
      return start >= first && start <= to &&
        keyWithin(stored, WINDOW_SUFFIX_BYTES, keyFrom, keyTo);
    };
    const bounds = {
      from: keyFrom === undefined ? undefined : withSegment(keyFrom),
      to: keyTo === undefined ? undefined : upperBound(keyTo, WINDOW_SUFFIX_BYTES),
    };
    return this.#rows.segments.inKeyOrder(bounds, { from: first, to }, reverse, within);
  }

  /** For the cache: the first instant of the segment of a time. */
  segmentStart(time: number): number {
    const { segments } = this.#rows;
    return segments.startOf(segments.segmentOf(time));
  }

  /** For the cache: all windows that start in [from, to], in the store's order. */
  timeCursor(from: number, to: number, reverse: boolean): ByteCursor {
    this.#check();
    const first = Math.max(from, this.#rows.minReadable);
    return this.#rows.segments.inTimeOrder(first, to, reverse) ??
      this.keysCursor(undefined, undefined, from, to, reverse);
  }

  #bound(key: K | null): Uint8Array | undefined {
    return key === null || key === undefined ? undefined : this.#keys.encode(key);
  }

  *#starts(cursor: TimelineCursor): IterableIterator<[number, V]> {
    try {
      while (cursor.advance()) yield [cursor.first, this.#values.decode(cursor.value)];
    } finally {
      cursor.close();
    }
  }

  *#windows(cursor: ByteCursor): IterableIterator<[Windowed<K>, V]> {
    try {
      while (cursor.advance()) {
        yield [this.windowedKey(cursor.key), this.#values.decode(cursor.value)];
      }
    } finally {
      cursor.close();
    }
  }

  /** For the cache: key and window of a stored key. */
  windowedKey(stored: Uint8Array): Windowed<K> {
    const start = windowStart(stored);
    const key = this.#keys.decode(stored, SEGMENT_BYTES, stored.length - WINDOW_SUFFIX_BYTES);
    return new Windowed(key, start, windowEnd(start, this.windowSizeMs));
  }

  #check(): void {
    if (!this.#isOpen) throw closed(this.name);
  }
}

function withSegment(key: Uint8Array): Uint8Array {
  const bound = new Uint8Array(SEGMENT_BYTES + key.length);
  bound.set(key, SEGMENT_BYTES);
  return bound;
}
