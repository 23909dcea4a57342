import { Change } from "../record/change.ts";
import type { RecordContext } from "../record/context.ts";
import { StreamRecord } from "../record/record.ts";
import type { CacheEntry } from "./cache_entry.ts";
import { DirtyList } from "./dirty_list.ts";
import {
  type CacheBudget,
  type EvictableCache,
  type StoreContext,
  ValueAndTimestamp,
} from "./store.ts";

/**
 * Caches that are smaller count each entry as Kafka Streams does, to the byte, and keep in its order of use: what they evict, and so
 * forward, between two commits is then the same. A larger one guesses, which spares it serializing every update.
 */
const EXACT_BELOW = 1 << 20;
/** Links, flag, timestamp, offset and partition of an entry, as Kafka Streams counts them: `LRUNode`, `LRUCacheEntry`. */
const ENTRY_BYTES = 45;
/** What a key is taken for that is no text. */
const TYPICAL_KEY_BYTES = 16;
/** A value that is larger counts as no more for the mean. */
const MOST_TYPICAL_BYTES = 1 << 20;
/** Entries that are read ahead of their flush. */
const READ_AHEAD = 16;

/** Gets the entries of a cache that were flushed, before the cache forgets that they were dirty. */
export type FlushListener<KOut, V> = (record: StreamRecord<KOut, Change<V>>) => void;

/** What a cache needs of the kind of store that it stands before. `KOut` is the key that goes downstream. */
export interface CachedRows<K, V, KOut> {
  /** Takes the entry out of the index by key. */
  forget(entry: CacheEntry<K, V>): void;
  readStored(entry: CacheEntry<K, V>): Uint8Array | undefined;
  /** Whether the store below would still show the entry's row: one that has expired counts as missing, even if it is known. */
  isReadable(entry: CacheEntry<K, V>): boolean;
  writeStored(entry: CacheEntry<K, V>, stored: Uint8Array | null): void;
  encode(value: V): Uint8Array;
  decode(stored: Uint8Array): V;
  outputKey(entry: CacheEntry<K, V>): KOut;
  /** The bytes of the key that Kafka Streams' cache has for the entry. */
  keySize(entry: CacheEntry<K, V>): number;
  /** The bytes in it beside those of the row's key. */
  readonly suffixBytes: number;
  /** Reads what the write of the entry will read beside it; gives a number made of that, as a read of which nothing comes is left out. */
  readAhead(entry: CacheEntry<K, V>): number;
}

/**
 * Holds updates back in their typed form and serializes each row once, when it is flushed. Rows are flushed in order of their last
 * update: all of them at a commit, or when one that is dirty has to make room, that one first.
 * Kafka Streams: `NamedCache` and the `Caching…Store` classes.
 *
 * A listener may write to this and other caches. A row that is still to be flushed then goes out with its newest value; one that
 * is already out becomes dirty again.
 */
export class TypedCache<K, V, KOut> implements EvictableCache {
  usedBytes = 0;
  /** Whether entries are counted, kept and used as in Kafka Streams' caches, exactly. */
  readonly isExact: boolean;
  /** What an eviction frees counts only when all that it led to is done, as in Kafka Streams' `ThreadCache`. */
  #isEvicting = false;
  readonly #rows: CachedRows<K, V, KOut>;
  readonly #budget: CacheBudget;
  readonly #record: RecordContext;
  #listener: FlushListener<KOut, V> | undefined = undefined;
  #sendOldValues = false;
  #oldest: CacheEntry<K, V> | null = null;
  #newest: CacheEntry<K, V> | null = null;
  #dirty = new DirtyList<K, V>();
  /** Lists that are being flushed now, outermost first. */
  readonly #flushing: DirtyList<K, V>[] = [];
  /** The object that was put into a row last. */
  #lastPut: unknown = undefined;
  /** Evictions since the oldest were read ahead. */
  #evictions = 0;
  /** Made of what was read ahead. */
  #seen = 0;
  /**
   * Sixteen times the mean size of values, for those that were never serialized. Whole numbers here and in `usedBytes`: the first that is none gives all caches
   * another layout, and V8 throws away the code that was compiled for the one before.
   */
  #typicalBytes = 16 * 64;

  constructor(rows: CachedRows<K, V, KOut>, budget: CacheBudget, context: StoreContext) {
    this.#rows = rows;
    this.#budget = budget;
    this.isExact = budget.maxBytes < EXACT_BELOW;
    this.#record = context.record;
    budget.register(this);
  }

  listen(listener: FlushListener<KOut, V>, sendOldValues: boolean): void {
    this.#listener = listener;
    this.#sendOldValues = sendOldValues;
  }

  close(): void {
    this.#lastPut = undefined;
    this.#budget.unregister(this);
    this.usedBytes = 0;
    this.#oldest = this.#newest = null;
    this.#dirty = new DirtyList();
  }

  /** Adds an entry that was read from below: clean. A row that is not there is mostly written next. */
  addRead(entry: CacheEntry<K, V>): void {
    const bytes = entry.below?.length ?? 0;
    entry.size = this.isExact
      ? this.#rows.keySize(entry) + ENTRY_BYTES + bytes
      : this.#guessedSize(entry.key, bytes || this.#typicalBytes >> 4, this.#record.topic);
    this.#charge(entry.size);
    this.#linkNewest(entry);
    if (this.#budget.usedBytes > this.#budget.maxBytes) this.#budget.evictIfNeeded(this);
  }

  /** Adds an entry that was not in the cache and is written now. */
  addWritten(entry: CacheEntry<K, V>): void {
    if (entry.value === null && this.#isNothing(entry)) return this.#rows.forget(entry);
    entry.value = this.#own(entry.value as V | null, undefined);
    entry.size = this.isExact
      ? this.#exactSize(entry)
      : this.#guessedSize(entry.key, this.#typicalBytes >> 4, this.#record.topic);
    this.#charge(entry.size);
    this.#linkNewest(entry);
    this.#written(entry);
  }

  /**
   * The value for a row that had `before`. An object that has just been put into another row, as the first value of a reduce is into all of its hopping
   * windows, becomes a copy: rows that share one would change together when an aggregator changes it in place.
   */
  #own(value: V | null, before: V | null | undefined): V | null {
    const object = value instanceof ValueAndTimestamp ? value.value : value;
    if (typeof object !== "object" || object === null) return value;
    if (object === (before instanceof ValueAndTimestamp ? before.value : before)) return value;
    if (object === this.#lastPut) return this.#rows.decode(this.#rows.encode(value!));
    this.#lastPut = object;
    return value;
  }

  /**
   * Notes that the entry was used. An exact cache moves it to the end of the order of use, as Kafka Streams' do, which reads both its neighbours; in
   * any other it gets a second chance when its turn to be evicted comes.
   */
  touch(entry: CacheEntry<K, V>): void {
    if (!this.isExact) entry.isUsed = true;
    else if (entry.newer !== null) this.#makeNewest(entry);
  }

  /** Gives an entry a new value (null: the row is deleted), with the context of the record in hand. */
  update(entry: CacheEntry<K, V>, value: V | null): void {
    entry.value = this.#own(value, entry.value);
    if (value === null && this.#isNothing(entry)) {
      entry.list?.remove(entry);
      return this.#drop(entry);
    }
    if (this.isExact) {
      const size = this.#exactSize(entry);
      this.#charge(size - entry.size);
      entry.size = size;
    }
    this.touch(entry);
    this.#written(entry);
  }

  /** As Kafka Streams counts it, but for the key, which is not serialized for that, and headers. */
  #guessedSize(key: K, valueBytes: number, topic: string | null | undefined): number {
    const keyBytes = typeof key === "string" ? key.length : TYPICAL_KEY_BYTES;
    return keyBytes + this.#rows.suffixBytes + ENTRY_BYTES + (topic?.length ?? 0) + valueBytes;
  }

  /** The size of an entry that is written now. Kafka Streams: `NamedCache.LRUNode.size`. */
  #exactSize(entry: CacheEntry<K, V>): number {
    const { topic, headers } = this.#record;
    const { value } = entry;
    let size = this.#rows.keySize(entry) + ENTRY_BYTES + (topic?.length ?? 0);
    if (value !== null) size += this.#rows.encode(value as V).length;
    for (const header of headers) size += header.name.length + (header.value?.length ?? 0);
    return size;
  }

  /**
   * Whether the deletion of a row would come to nothing at the flush, as the store below has none either. It is then forgotten at
   * once: sessions that grow leave a deleted one behind with every record.
   */
  #isNothing(entry: CacheEntry<K, V>): boolean {
    if (this.#listener === undefined || this.isExact) return false;
    return this.#belowOf(entry) === null;
  }

  #belowOf(entry: CacheEntry<K, V>): Uint8Array | null {
    if (entry.below === undefined) entry.below = this.#rows.readStored(entry) ?? null;
    return this.#rows.isReadable(entry) ? entry.below : null;
  }

  #written(entry: CacheEntry<K, V>): void {
    const record = this.#record;
    entry.topic = record.topic;
    entry.partition = record.partition;
    entry.offset = record.offset;
    entry.timestamp = record.timestamp;
    entry.headers = record.headers;
    // One that is being flushed keeps its place.
    if (entry.list === null || entry.list === this.#dirty) this.#dirty.append(entry);
    if (this.#budget.usedBytes > this.#budget.maxBytes) this.#budget.evictIfNeeded(this);
  }

  /** The entry's value, decoded when only its bytes are there. */
  valueOf(entry: CacheEntry<K, V>): V | null {
    if (entry.value === undefined) {
      entry.value = entry.below ? this.#rows.decode(entry.below) : null;
    }
    return entry.value;
  }

  /** The entries that the store below does not know of, in order of their last update. */
  *dirtyEntries(): IterableIterator<CacheEntry<K, V>> {
    for (const list of [...this.#flushing, this.#dirty]) yield* list.entries();
  }

  get hasDirtyEntries(): boolean {
    return !this.#dirty.isEmpty || this.#flushing.length > 0;
  }

  flush(): void {
    if (!this.#dirty.isEmpty) this.#flushAll(null);
    // Guesses that were too low are paid for here: else by whichever cache is written first after the commit, each time the same, until it holds nothing.
    if (!this.isExact) this.#budget.evictIfNeeded(this);
  }

  /** Flushes what is dirty, after an entry that was evicted. */
  #flushAll(evicted: CacheEntry<K, V> | null): void {
    const list = this.#dirty;
    this.#dirty = new DirtyList();
    this.#flushing.push(list);
    const deleted: CacheEntry<K, V>[] = [];
    const saved = saveContext(this.#record);
    try {
      if (evicted !== null) this.#flushOne(evicted);
      let count = 0;
      for (let entry = list.take(); entry !== undefined; entry = list.take()) {
        if (count++ % READ_AHEAD === 0) this.#readAhead(list);
        this.#flushOne(entry);
        if (entry.value === null) deleted.push(entry);
      }
      // Deleted rows are not kept, unless a listener wrote them anew.
      for (const entry of deleted) {
        if (entry.value === null && entry.list === null && this.#isLinked(entry)) this.#drop(entry);
      }
    } finally {
      restoreContext(this.#record, saved);
      this.#flushing.splice(this.#flushing.indexOf(list), 1);
      // After an error the rest stays dirty: the task is closed without a commit, and nothing of it may look written.
      for (let entry = list.take(); entry !== undefined; entry = list.take()) {
        this.#dirty.append(entry);
      }
    }
  }

  /**
   * Reads what the next entries lead to. It lies anywhere in memory and has long left the machine's caches: in one short loop it waits for many of these reads
   * at a time, where the flush of an entry waits for one after the other. An eighth of a flush of 80,000 rows.
   */
  #readAhead(list: DirtyList<K, V>): void {
    let sum = 0;
    for (let i = 0; i < READ_AHEAD; i++) {
      const entry = list.peek(i);
      if (entry === undefined) break;
      const { key, value } = entry;
      sum += entry.place + entry.start + entry.timestamp + this.#rows.readAhead(entry);
      if (typeof key === "string") sum += key.length;
      if (value instanceof ValueAndTimestamp) sum += value.timestamp;
    }
    this.#seen = sum > 0 ? 1 : 0;
  }

  /** As `#readAhead`, for those that are evicted next. */
  #readAheadOldest(): void {
    let sum = 0;
    let entry = this.#oldest;
    for (let i = 0; i < READ_AHEAD && entry !== null; i++) {
      sum += this.#rows.readAhead(entry);
      entry = entry.newer;
    }
    this.#seen = sum > 0 ? 1 : 0;
  }

  evictOne(): boolean {
    if (this.#evictions === 0) this.#readAheadOldest();
    this.#evictions = (this.#evictions + 1) % READ_AHEAD;
    let entry = this.#oldest;
    while (entry !== null && entry.isUsed) {
      entry.isUsed = false;
      this.#makeNewest(entry);
      entry = this.#oldest;
    }
    if (entry === null) return false;
    const { list } = entry;
    const isOutermost = this.isExact && !this.#isEvicting;
    const before = this.usedBytes;
    if (isOutermost) this.#isEvicting = true;
    try {
      this.#drop(entry);
      // What is being flushed already counts as clean in Kafka Streams: its turn comes.
      if (list === null || (this.isExact && list !== this.#dirty)) return true;
      list.remove(entry);
      if (list === this.#dirty) this.#flushAll(entry);
      else this.#flushAlone(entry);
      return true;
    } finally {
      if (isOutermost) {
        this.#isEvicting = false;
        this.#budget.usedBytes += this.usedBytes - before;
      }
    }
  }

  /** Flushes an entry that is in no list. */
  #flushAlone(entry: CacheEntry<K, V>): void {
    const saved = saveContext(this.#record);
    try {
      this.#flushOne(entry);
    } finally {
      restoreContext(this.#record, saved);
    }
  }

  /** The context of the record in hand becomes the entry's: whoever calls brings it back. */
  #flushOne(entry: CacheEntry<K, V>): void {
    const rows = this.#rows;
    const record = this.#record;
    record.topic = entry.topic;
    record.partition = entry.partition;
    record.offset = entry.offset;
    record.timestamp = entry.timestamp;
    record.headers = entry.headers!;
    record.rawKey = null;
    record.rawValue = null;
    const value = this.valueOf(entry);
    const stored = value === null ? null : rows.encode(value);
    const listener = this.#listener;
    let old: Uint8Array | null = null;
    if (listener !== undefined && (stored === null || this.#sendOldValues)) {
      old = this.#belowOf(entry);
      if (stored === null && old === null) {
        entry.below = null;
        return;
      }
    }
    rows.writeStored(entry, stored);
    entry.below = stored;
    // A second chance is for those that are used between two flushes: each row of a window is used while it is written, and most never again.
    entry.isUsed = false;
    this.#resize(entry, stored);
    // An aggregator may change this very object later: the cache goes on with a copy, decoded when it is asked for.
    if (typeof value === "object" && value !== null) entry.value = undefined;
    if (listener === undefined) return;
    const oldValue = this.#sendOldValues && old !== null ? rows.decode(old) : null;
    listener(
      new StreamRecord(
        rows.outputKey(entry),
        new Change(value, oldValue),
        entry.timestamp,
        entry.headers,
      ),
    );
  }

  #resize(entry: CacheEntry<K, V>, stored: Uint8Array | null): void {
    const bytes = stored === null ? 0 : stored.length;
    this.#typicalBytes += Math.min(bytes, MOST_TYPICAL_BYTES) - (this.#typicalBytes >> 4);
    if (this.isExact || !this.#isLinked(entry)) return;
    const size = this.#guessedSize(entry.key, bytes, entry.topic);
    this.#charge(size - entry.size);
    entry.size = size;
  }

  #drop(entry: CacheEntry<K, V>): void {
    this.#unlink(entry);
    this.#charge(-entry.size);
    this.#rows.forget(entry);
  }

  #charge(bytes: number): void {
    this.usedBytes += bytes;
    if (!this.#isEvicting) this.#budget.usedBytes += bytes;
  }

  #isLinked(entry: CacheEntry<K, V>): boolean {
    return entry.newer !== null || this.#newest === entry;
  }

  #makeNewest(entry: CacheEntry<K, V>): void {
    this.#unlink(entry);
    this.#linkNewest(entry);
  }

  #linkNewest(entry: CacheEntry<K, V>): void {
    entry.older = this.#newest;
    entry.newer = null;
    if (this.#newest === null) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: CacheEntry<K, V>): void {
    if (entry.older === null) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = null;
    entry.newer = null;
  }
}

type SavedContext = Omit<RecordContext, "raw" | "rawSource">;

function saveContext(record: RecordContext): SavedContext {
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    timestamp: record.timestamp,
    headers: record.headers,
    rawKey: record.rawKey,
    rawValue: record.rawValue,
  };
}

function restoreContext(record: RecordContext, saved: SavedContext): void {
  record.topic = saved.topic;
  record.partition = saved.partition;
  record.offset = saved.offset;
  record.timestamp = saved.timestamp;
  record.headers = saved.headers;
  record.rawKey = saved.rawKey;
  record.rawValue = saved.rawValue;
}

/**
 * What a `Map` finds a key by: the key itself where equal keys are equal values, else its bytes as text. Text of bytes begins with a
 * character that no other key begins with.
 */
export function isPlainKey(key: unknown): boolean {
  const type = typeof key;
  return type === "string" || type === "number" || type === "bigint" || type === "boolean";
}
