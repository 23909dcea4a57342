import { compareBytes } from "../record/bytes.ts";
import { Windowed } from "../record/windowed.ts";
import type { Serde } from "../serde/serde.ts";
import { KeyCodec, type ValueCodec } from "./codecs.ts";
import { closed, NO_ROWS } from "./key_value_store.ts";
import { changelogRows, RowLogger } from "./row_logger.ts";
import { keyWithin, SEGMENT_BYTES, upperBound } from "./segmented_rows.ts";
import { SESSION_SCHEMA, SESSION_SUFFIX_BYTES, sessionEnd, sessionStart } from "./session_keys.ts";
import type {
  ByteCursor,
  CachedStateStore,
  RestoreRows,
  SessionStore,
  StoreContext,
  StoreMeter,
} from "./store.ts";
import type { SessionStoreSupplier } from "./suppliers.ts";
import { TimedRows } from "./timed_rows.ts";
import type { TimelineCursor, TimelineHolder } from "./timelines.ts";

/** What a session store is made of. */
export interface SessionStoreOptions<K, V> {
  readonly supplier: SessionStoreSupplier;
  readonly keySerde: Serde<K>;
  readonly valueCodec: (topic: string) => ValueCodec<V>;
  readonly logging: boolean;
}

const LAST = Number.MAX_SAFE_INTEGER;

/** A session store that serializes at each access. Kafka Streams: `MeteredSessionStore` over change logging over `RocksDBSessionStore`. */
export class SerializedSessionStore<K, V>
  implements SessionStore<K, V>, CachedStateStore<Windowed<K>, V> {
  readonly name: string;
  readonly kind = "session";
  readonly persistent: boolean;
  readonly retentionMs: number;
  readonly #options: SessionStoreOptions<K, V>;
  #keys!: KeyCodec<K>;
  #values!: ValueCodec<V>;
  #rows!: TimedRows<K>;
  #logger!: RowLogger;
  #context!: StoreContext;
  #meter: StoreMeter | undefined = undefined;
  #isOpen = false;

  constructor(options: SessionStoreOptions<K, V>) {
    this.#options = options;
    this.name = options.supplier.name;
    this.persistent = options.supplier.engine === "lmdb";
    this.retentionMs = options.supplier.retentionMs;
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
      schema: SESSION_SCHEMA,
      keys: this.#keys,
      retentionMs: supplier.retentionMs,
      segmentIntervalMs: supplier.segmentIntervalMs,
      inTimeOrder: supplier.order === "time",
    });
    this.#logger = new RowLogger(this.name, context, { logging, codec: this.#values });
    this.#meter = context.storeMetrics;
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

  put(session: Windowed<K>, value: V | null): void {
    if (this.#meter !== undefined) this.#meter.puts++;
    const { key, start, end } = session;
    const gone = value === null || value === undefined;
    this.putStored(key, start, end, gone ? null : this.#values.encode(value));
  }

  remove(session: Windowed<K>): void {
    this.put(session, null);
  }

  fetchSession(key: K, start: number, end: number): V | null {
    if (this.#meter !== undefined) this.#meter.gets++;
    const stored = this.getStored(key, start, end);
    return stored === undefined ? null : this.#values.decode(stored);
  }

  findSessions(
    key: K,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#ofKey(key, this.keyCursor(key, earliestEnd, latestStart, false));
  }
  backwardFindSessions(
    key: K,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#ofKey(key, this.keyCursor(key, earliestEnd, latestStart, true));
  }
  findSessionsOfKeys(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#sessions(
      this.keysCursor(this.#bound(keyFrom), this.#bound(keyTo), earliestEnd, latestStart, false),
    );
  }
  backwardFindSessionsOfKeys(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#sessions(
      this.keysCursor(this.#bound(keyFrom), this.#bound(keyTo), earliestEnd, latestStart, true),
    );
  }
  *findSessionsByEnd(
    earliestEnd: number,
    latestEnd: number,
  ): IterableIterator<[Windowed<K>, V]> {
    this.#check();
    const ordered = this.#rows.segments.inTimeOrder(earliestEnd, latestEnd, false);
    if (ordered !== undefined) return yield* this.#sessions(ordered);
    const found: [Uint8Array, Uint8Array][] = [];
    const { segments } = this.#rows;
    // Rows of expired segments stay where they are until the next save.
    const earliest = Math.max(earliestEnd, segments.startOf(segments.segments[0] ?? 0));
    for (const row of segments.rows.range(undefined, undefined)) {
      const end = sessionEnd(row[0]);
      if (end >= earliest && end <= latestEnd) found.push(row);
    }
    found.sort(([a], [b]) => compareBytes(SESSION_SCHEMA.timeKey(a), SESSION_SCHEMA.timeKey(b)));
    for (const [key, value] of found) yield [this.windowedKey(key), this.#values.decode(value)];
  }
  fetch(key: K): IterableIterator<[Windowed<K>, V]> {
    return this.findSessions(key, 0, LAST);
  }
  backwardFetch(key: K): IterableIterator<[Windowed<K>, V]> {
    return this.backwardFindSessions(key, 0, LAST);
  }
  fetchKeys(keyFrom: K | null, keyTo: K | null): IterableIterator<[Windowed<K>, V]> {
    return this.findSessionsOfKeys(keyFrom, keyTo, 0, LAST);
  }
  backwardFetchKeys(keyFrom: K | null, keyTo: K | null): IterableIterator<[Windowed<K>, V]> {
    return this.backwardFindSessionsOfKeys(keyFrom, keyTo, 0, LAST);
  }
  all(): IterableIterator<[Windowed<K>, V]> {
    return this.findSessionsOfKeys(null, null, 0, LAST);
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    this.#rows.restore(changelogRows(rows, from, to, this.#values, SEGMENT_BYTES));
  }

  /** For the cache: the codecs. */
  get keys(): KeyCodec<K> {
    return this.#keys;
  }
  get values(): ValueCodec<V> {
    return this.#values;
  }
  get minReadable(): number {
    return this.#rows.minReadable;
  }

  /** For the cache: the stored key of a session. */
  storedKey(key: K, start: number, end: number): Uint8Array {
    return this.#rows.storedKey(key, end, start);
  }

  /** For the cache: the stored form of a row; undefined when it is missing or too old to be read. */
  getStored(
    key: K,
    start: number,
    end: number,
    holder?: TimelineHolder,
  ): Uint8Array | undefined {
    this.#check();
    return this.#rows.get(key, end, start, holder);
  }

  /** For the cache: writes and logs a session. One that has expired is counted as dropped, and logged nevertheless, as in Kafka Streams. */
  putStored(
    key: K,
    start: number,
    end: number,
    value: Uint8Array | null,
    holder?: TimelineHolder,
  ): void {
    this.#check();
    const stored = this.#rows.lentKey(key, end, start);
    const isLive = this.#rows.write(key, stored, end, start, value, holder);
    if (!isLive && value !== null) this.#context.dropped("expired");
    if (this.#logger.isOn) this.#logger.log(this.#rows.changelogKey(stored), value);
  }

  /** For the cache: sessions of a key with end ≥ `earliestEnd` and start ≤ `latestStart`. */
  keyCursor(key: K, earliestEnd: number, latestStart: number, reverse: boolean): TimelineCursor {
    this.#check();
    if (this.#meter !== undefined) this.#meter.gets++;
    const from = Math.max(earliestEnd, this.#rows.minReadable, 0);
    return new StartingBy(this.#rows.ofKey(key, from, LAST, reverse), latestStart);
  }

  /** For the cache: sessions of the keys in [keyFrom, keyTo], by segment and key. */
  keysCursor(
    keyFrom: Uint8Array | undefined,
    keyTo: Uint8Array | undefined,
    earliestEnd: number,
    latestStart: number,
    reverse: boolean,
  ): ByteCursor {
    this.#check();
    if (keyFrom !== undefined && keyTo !== undefined && compareBytes(keyFrom, keyTo) > 0) {
      return NO_ROWS;
    }
    const from = Math.max(earliestEnd, this.#rows.minReadable);
    const within = (stored: Uint8Array) =>
      sessionEnd(stored) >= from && sessionStart(stored) <= latestStart &&
      keyWithin(stored, SESSION_SUFFIX_BYTES, keyFrom, keyTo);
    const bounds = {
      from: undefined,
      to: keyTo === undefined ? undefined : upperBound(keyTo, SESSION_SUFFIX_BYTES),
    };
    return this.#rows.segments.inKeyOrder(bounds, { from, to: LAST }, reverse, within);
  }

  #bound(key: K | null): Uint8Array | undefined {
    return key === null || key === undefined ? undefined : this.#keys.encode(key);
  }

  *#ofKey(key: K, cursor: TimelineCursor): IterableIterator<[Windowed<K>, V]> {
    try {
      while (cursor.advance()) {
        yield [new Windowed(key, cursor.second, cursor.first), this.#values.decode(cursor.value)];
      }
    } finally {
      cursor.close();
    }
  }

  *#sessions(cursor: ByteCursor): IterableIterator<[Windowed<K>, V]> {
    try {
      while (cursor.advance()) {
        yield [this.windowedKey(cursor.key), this.#values.decode(cursor.value)];
      }
    } finally {
      cursor.close();
    }
  }

  /** For the cache: key and bounds of a stored key. */
  windowedKey(stored: Uint8Array): Windowed<K> {
    const key = this.#keys.decode(stored, SEGMENT_BYTES, stored.length - SESSION_SUFFIX_BYTES);
    return new Windowed(key, sessionStart(stored), sessionEnd(stored));
  }

  #check(): void {
    if (!this.#isOpen) throw closed(this.name);
  }
}

/** Leaves out sessions that start too late. */
class StartingBy implements TimelineCursor {
  readonly #rows: TimelineCursor;
  readonly #latestStart: number;
  constructor(rows: TimelineCursor, latestStart: number) {
    this.#rows = rows;
    this.#latestStart = latestStart;
  }
  get first(): number {
    return this.#rows.first;
  }
  get second(): number {
    return this.#rows.second;
  }
  get value(): Uint8Array {
    return this.#rows.value;
  }
  advance(): boolean {
    while (this.#rows.advance()) if (this.#rows.second <= this.#latestStart) return true;
    return false;
  }
  close(): void {
    this.#rows?.close();
  }
}
