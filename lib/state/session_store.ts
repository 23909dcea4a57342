import { compareBytes } from "../record/bytes.ts";
import { ByteWriter } from "../record/bytes.ts";
import { Windowed } from "../record/windowed.ts";
import type { Serde } from "../serde/serde.ts";
import { KeyCodec, type ValueCodec } from "./codecs.ts";
import { closed, NO_ROWS } from "./key_value_store.ts";
import { changelogRows, RowLogger } from "./row_logger.ts";
import {
  keyWithin,
  SEGMENT_BYTES,
  SegmentedRows,
  upperBound,
  writeSegment,
} from "./segmented_rows.ts";
import {
  appendSession,
  SESSION_SCHEMA,
  SESSION_SUFFIX_BYTES,
  sessionEnd,
  sessionStart,
} from "./session_keys.ts";
import type {
  ByteCursor,
  CachedStateStore,
  RestoreRows,
  SessionStore,
  StoreContext,
  StoreMeter,
} from "./store.ts";
import type { SessionStoreSupplier } from "./suppliers.ts";

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
  readonly #out = new ByteWriter(64);
  #keys!: KeyCodec<K>;
  #values!: ValueCodec<V>;
  #rows!: SegmentedRows;
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
    const memory = { volatile: !this.persistent };
    const { environment } = context;
    this.#context = context;
    this.#keys = new KeyCodec(keySerde, topic, this.name);
    this.#values = valueCodec(topic);
    this.#rows = new SegmentedRows({
      rows: environment.open(this.name, memory),
      byTime: supplier.order === "time" ? environment.open(`${this.name}:time`, memory) : undefined,
      schema: SESSION_SCHEMA,
      retentionMs: supplier.retentionMs,
      segmentIntervalMs: supplier.segmentIntervalMs,
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
  }
  setFlushListener(): boolean {
    return false;
  }

  put(session: Windowed<K>, value: V | null): void {
    const stored = this.storedKey(session.key, session.start, session.end);
    const gone = value === null || value === undefined;
    this.putStored(stored, session.end, gone ? null : this.#values.encode(value));
  }

  remove(session: Windowed<K>): void {
    this.put(session, null);
  }

  fetchSession(key: K, start: number, end: number): V | null {
    const stored = this.getStored(this.storedKey(key, start, end), end);
    return stored === undefined ? null : this.#values.decode(stored);
  }

  findSessions(
    key: K,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#sessions(this.keyCursor(key, earliestEnd, latestStart, false));
  }
  backwardFindSessions(
    key: K,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#sessions(this.keyCursor(key, earliestEnd, latestStart, true));
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
  *findSessionsByEnd(
    earliestEnd: number,
    latestEnd: number,
  ): IterableIterator<[Windowed<K>, V]> {
    this.#check();
    const ordered = this.#rows.inTimeOrder(earliestEnd, latestEnd, false);
    if (ordered !== undefined) return yield* this.#sessions(ordered);
    const found: [Uint8Array, Uint8Array][] = [];
    for (const row of this.#rows.rows.range(undefined, undefined)) {
      const end = sessionEnd(row[0]);
      if (end >= earliestEnd && end <= latestEnd) found.push(row);
    }
    found.sort(([a], [b]) => compareBytes(SESSION_SCHEMA.timeKey(a), SESSION_SCHEMA.timeKey(b)));
    for (const [key, value] of found) yield [this.windowedKey(key), this.#values.decode(value)];
  }
  fetch(key: K): IterableIterator<[Windowed<K>, V]> {
    return this.findSessions(key, 0, LAST);
  }
  all(): IterableIterator<[Windowed<K>, V]> {
    return this.findSessionsOfKeys(null, null, 0, LAST);
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    const restored: [Uint8Array, Uint8Array | null, number][] = [];
    for (const [key, value] of changelogRows(rows, from, to, this.#values, SEGMENT_BYTES)) {
      const end = sessionEnd(key);
      writeSegment(key, this.#rows.segmentOf(end));
      restored.push([key, value, end]);
    }
    this.#rows.restore(restored);
  }

  /** For the cache: the codecs. */
  get keys(): KeyCodec<K> {
    return this.#keys;
  }
  get values(): ValueCodec<V> {
    return this.#values;
  }
  segmentOf(time: number): number {
    return this.#rows.segmentOf(time);
  }
  get minReadable(): number {
    return this.#rows.minReadable;
  }

  /** For the cache: the stored key of a session. */
  storedKey(key: K, start: number, end: number): Uint8Array {
    const out = this.#out;
    out.length = SEGMENT_BYTES;
    this.#keys.append(key, out);
    appendSession(out, start, end);
    const stored = out.copy();
    writeSegment(stored, this.#rows.segmentOf(end));
    return stored;
  }

  /** For the cache: the stored form of a row; undefined when it is missing or too old to be read. */
  getStored(stored: Uint8Array, end: number): Uint8Array | undefined {
    this.#check();
    if (this.#meter !== undefined) this.#meter.gets++;
    return this.#rows.get(stored, end);
  }

  /** For the cache: writes and logs a session. One that has expired is counted as dropped, and logged nevertheless, as in Kafka Streams. */
  putStored(stored: Uint8Array, end: number, value: Uint8Array | null): void {
    this.#check();
    if (this.#meter !== undefined) this.#meter.puts++;
    if (this.#rows.admit(end)) this.#rows.write(stored, value);
    else if (value !== null) this.#context.dropped("expired");
    if (this.#logger.isOn) this.#logger.log(stored.subarray(SEGMENT_BYTES), value);
  }

  /** For the cache: sessions of a key with end ≥ `earliestEnd` and start ≤ `latestStart`. */
  keyCursor(key: K, earliestEnd: number, latestStart: number, reverse: boolean): ByteCursor {
    this.#check();
    if (this.#meter !== undefined) this.#meter.gets++;
    const from = Math.max(earliestEnd, this.#rows.minReadable, 0);
    const bounds = {
      from: this.storedKey(key, 0, from),
      to: this.storedKey(key, Math.max(0, latestStart), LAST),
    };
    const keyLength = bounds.from.length - SEGMENT_BYTES - SESSION_SUFFIX_BYTES;
    const rows = this.#rows.ofKey(keyLength, bounds, { from, to: LAST }, reverse);
    return new StartingBy(rows, latestStart);
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
    return this.#rows.inKeyOrder(bounds, { from, to: LAST }, reverse, within);
  }

  #bound(key: K | null): Uint8Array | undefined {
    return key === null || key === undefined ? undefined : this.#keys.encode(key);
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
class StartingBy implements ByteCursor {
  readonly #rows: ByteCursor;
  readonly #latestStart: number;
  constructor(rows: ByteCursor, latestStart: number) {
    this.#rows = rows;
    this.#latestStart = latestStart;
  }
  get key(): Uint8Array {
    return this.#rows.key;
  }
  get value(): Uint8Array {
    return this.#rows.value;
  }
  advance(): boolean {
    while (this.#rows.advance()) {
      if (sessionStart(this.#rows.key) <= this.#latestStart) return true;
    }
    return false;
  }
  close(): void {
    this.#rows.close();
  }
}
