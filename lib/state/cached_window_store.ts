import { compareBytes } from "../record/bytes.ts";
import { Windowed } from "../record/windowed.ts";
import { KeyIndex } from "./key_index.ts";
import { closed } from "./key_value_store.ts";
import { byteText } from "./lru.ts";
import { mergedRows } from "./merged_rows.ts";
import { CACHED_SEGMENT_BYTES, keyWithin, SEGMENT_BYTES } from "./segmented_rows.ts";
import type {
  ByteCursor,
  CachedStateStore,
  RestoreRows,
  StoreContext,
  StoreKind,
  StoreMeter,
  WindowStore,
} from "./store.ts";
import { CacheEntry } from "./cache_entry.ts";
import { type CachedRows, type FlushListener, isPlainKey, TypedCache } from "./typed_cache.ts";
import { compareTimeFirst, WINDOW_SUFFIX_BYTES, windowEnd } from "./window_keys.ts";
import type { Timeline } from "./timeline.ts";
import type { TimelineCursor, TimelineHolder } from "./timelines.ts";
import type { SerializedWindowStore } from "./window_store.ts";

/** The windows of one key that are in the cache, by start. */
class KeyWindows<K, V> implements TimelineHolder {
  readonly identity: unknown;
  readonly key: K;
  timeline: Timeline | undefined = undefined;
  readonly entries: CacheEntry<K, V>[] = [];
  /** The entry found last: most records of a key fall in the window of the one before, and every step to it is a cache miss of the machine. */
  #recent: CacheEntry<K, V> | undefined = undefined;
  /** Its start in two numbers that are small: V8 keeps a greater one in an object of its own, which would be one more miss. */
  #recentHigh = 0;
  #recentLow = 0;
  constructor(identity: unknown, key: K) {
    this.identity = identity;
    this.key = key;
  }

  /** The entry found last, when it is the window that starts at `start`. */
  recentAt(start: number): CacheEntry<K, V> | undefined {
    const high = Math.floor(start / HALF);
    return high === this.#recentHigh && start - high * HALF === this.#recentLow
      ? this.#recent
      : undefined;
  }

  noteRecent(entry: CacheEntry<K, V>): void {
    const { start } = entry;
    this.#recent = entry;
    this.#recentHigh = Math.floor(start / HALF);
    this.#recentLow = start - this.#recentHigh * HALF;
  }

  /** Takes an entry out. Mostly the oldest goes. */
  remove(entry: CacheEntry<K, V>): void {
    if (this.entries[0] === entry) this.entries.shift();
    else this.entries.splice(this.indexOf(entry.start), 1);
    if (this.#recent === entry) this.#recent = undefined;
  }

  /** The index of the first window that starts at `start` or later. The newest windows are looked at first: they are hit most. */
  indexOf(start: number): number {
    const { entries } = this;
    let high = entries.length;
    if (high === 0 || entries[high - 1].start < start) return high;
    if (high === 1 || entries[high - 2].start < start) return high - 1;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries[middle].start < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const LAST = Number.MAX_SAFE_INTEGER;
/** What the lower half of an instant counts up to. */
const HALF = 2 ** 30;

/** A cache before a window store. With a budget of 0 it is not there at all. Kafka Streams: `CachingWindowStore`. */
export class CachedWindowStore<K, V>
  implements WindowStore<K, V>, CachedStateStore<Windowed<K>, V>, CachedRows<K, V, Windowed<K>> {
  readonly name: string;
  readonly kind: StoreKind;
  readonly persistent: boolean;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  readonly #inner: SerializedWindowStore<K, V>;
  readonly #keys = new KeyIndex<KeyWindows<K, V>>();
  #cache: TypedCache<K, V, Windowed<K>> | undefined = undefined;
  #meter: StoreMeter | undefined = undefined;
  /** The key and entry found last: a put mostly follows the fetch of the same window. */
  #lastKey: KeyWindows<K, V> | undefined = undefined;
  #lastEntry: CacheEntry<K, V> | undefined = undefined;

  constructor(inner: SerializedWindowStore<K, V>) {
    this.#inner = inner;
    this.name = inner.name;
    this.kind = inner.kind;
    this.persistent = inner.persistent;
    this.windowSizeMs = inner.windowSizeMs;
    this.retentionMs = inner.retentionMs;
  }

  init(context: StoreContext): void {
    this.#inner.init(context);
    this.#meter = context.storeMetrics;
    if (context.cache !== undefined) this.#cache = new TypedCache(this, context.cache, context);
  }

  get cacheBytes(): number {
    return this.#cache?.usedBytes ?? 0;
  }
  get isOpen(): boolean {
    return this.#inner.isOpen;
  }
  flush(): void {
    this.#cache?.flush();
  }
  close(): void {
    this.#cache?.close();
    this.#keys.clear();
    this.#lastKey = undefined;
    this.#lastEntry = undefined;
    this.#inner.close();
  }
  setFlushListener(listener: FlushListener<Windowed<K>, V>, sendOldValues: boolean): boolean {
    this.#cache?.listen(listener, sendOldValues);
    return this.#cache !== undefined;
  }

  fetch(key: K, start: number): V | null {
    const cache = this.#cache;
    if (cache === undefined) return this.#inner.fetch(key, start);
    const known = this.#find(key, start);
    if (this.#meter !== undefined) this.#meter.gets++;
    if (known !== undefined) {
      if (this.#meter !== undefined) this.#meter.cacheHits++;
      cache.touch(known);
      return cache.valueOf(known);
    }
    if (this.#meter !== undefined) this.#meter.cacheMisses++;
    const stored = this.#inner.getStored(key, start, this.#groupPassed(key));
    // An exact cache holds what is written, as in Kafka Streams.
    if (cache.isExact) return stored === undefined ? null : this.decode(stored);
    if (stored === undefined && start < this.#inner.minReadable) return null;
    const entry = new CacheEntry<K, V>(key, start, 0, undefined, stored ?? null, 0);
    this.#add(entry);
    const value = cache.valueOf(entry);
    cache.addRead(entry);
    return value;
  }

  put(key: K, value: V | null, start: number): void {
    const cache = this.#cache;
    if (cache === undefined) return this.#inner.put(key, value, start);
    if (!this.#inner.isOpen) throw closed(this.name);
    if (this.#meter !== undefined) this.#meter.puts++;
    const known = this.#find(key, start);
    if (known !== undefined) return cache.update(known, value ?? null);
    const entry = new CacheEntry<K, V>(key, start, 0, value ?? null, undefined, 0);
    this.#add(entry);
    cache.addWritten(entry);
  }

  fetchRange(key: K, from: number, to: number): IterableIterator<[number, V]> {
    return this.#ofKey(key, from, to, false);
  }
  backwardFetchRange(key: K, from: number, to: number): IterableIterator<[number, V]> {
    return this.#ofKey(key, from, to, true);
  }
  fetchKeys(
    keyFrom: K | null,
    keyTo: K | null,
    from: number,
    to: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#ofKeys(keyFrom, keyTo, from, to, false);
  }
  backwardFetchKeys(
    keyFrom: K | null,
    keyTo: K | null,
    from: number,
    to: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#ofKeys(keyFrom, keyTo, from, to, true);
  }
  fetchAll(from: number, to: number): IterableIterator<[Windowed<K>, V]> {
    return this.#ofAll(from, to, false);
  }
  backwardFetchAll(from: number, to: number): IterableIterator<[Windowed<K>, V]> {
    return this.#ofAll(from, to, true);
  }
  all(): IterableIterator<[Windowed<K>, V]> {
    return this.#ofAll(0, LAST, false);
  }
  backwardAll(): IterableIterator<[Windowed<K>, V]> {
    return this.#ofAll(0, LAST, true);
  }
  restore(rows: RestoreRows, from: number, to: number): void {
    this.#inner.restore(rows, from, to);
  }

  forget(entry: CacheEntry<K, V>): void {
    const group = entry.group as KeyWindows<K, V>;
    group.remove(entry);
    if (group.entries.length === 0) {
      this.#keys.delete(group.identity);
      if (this.#lastKey === group) this.#lastKey = undefined;
    }
    if (this.#lastEntry === entry) this.#lastEntry = undefined;
  }
  readStored(entry: CacheEntry<K, V>): Uint8Array | undefined {
    return this.#inner.getStored(entry.key, entry.start, this.#groupOfEntry(entry));
  }
  isReadable(entry: CacheEntry<K, V>): boolean {
    return entry.start >= this.#inner.minReadable;
  }
  writeStored(entry: CacheEntry<K, V>, stored: Uint8Array | null): void {
    this.#inner.putStored(entry.key, entry.start, stored, this.#groupOfEntry(entry));
  }
  encode(value: V): Uint8Array {
    return this.#inner.values.encode(value);
  }
  decode(stored: Uint8Array): V {
    return this.#inner.values.decode(stored);
  }
  outputKey(entry: CacheEntry<K, V>): Windowed<K> {
    return new Windowed(entry.key, entry.start, windowEnd(entry.start, this.windowSizeMs));
  }
  get suffixBytes(): number {
    return CACHED_SEGMENT_BYTES + WINDOW_SUFFIX_BYTES;
  }
  keySize(entry: CacheEntry<K, V>): number {
    return this.#bytesOf(entry).length - SEGMENT_BYTES + CACHED_SEGMENT_BYTES;
  }

  #find(key: K, start: number): CacheEntry<K, V> | undefined {
    const last = this.#lastEntry;
    if (last !== undefined && last.start === start && last.key === key) return last;
    const group = this.#groupOf(key);
    if (group === undefined) return undefined;
    const recent = group.recentAt(start);
    if (recent !== undefined) return this.#lastEntry = recent;
    const entry = group.entries[group.indexOf(start)];
    if (entry === undefined || entry.start !== start) return undefined;
    group.noteRecent(entry);
    this.#lastEntry = entry;
    return entry;
  }

  #groupOf(key: K): KeyWindows<K, V> | undefined {
    const last = this.#lastKey;
    if (last !== undefined && last.key === key) return last;
    const group = this.#keys.get(isPlainKey(key) ? key : byteText(this.#inner.keys.encode(key)));
    if (group !== undefined) this.#lastKey = group;
    return group;
  }

  /** The group of a key whose window `#find` has just looked for in vain, where it came past one: it is not looked up again. */
  #groupPassed(key: K): KeyWindows<K, V> | undefined {
    const last = this.#lastKey;
    return last !== undefined && last.key === key ? last : undefined;
  }

  #add(entry: CacheEntry<K, V>): void {
    let group = this.#groupOf(entry.key);
    if (group === undefined) {
      const { key } = entry;
      const identity = isPlainKey(key) ? key : byteText(this.#inner.keys.encode(key));
      group = new KeyWindows<K, V>(identity, key);
      this.#keys.set(identity, group);
      this.#lastKey = group;
    }
    entry.group = group;
    const at = group.indexOf(entry.start);
    if (at === group.entries.length) group.entries.push(entry);
    else group.entries.splice(at, 0, entry);
    group.noteRecent(entry);
    this.#lastEntry = entry;
  }

  /** Whether an iteration has to take the entry from the cache: the store below has not got it yet, or does not show it any more, as it has expired. */
  #counts(entry: CacheEntry<K, V>): boolean {
    return this.#cache?.isExact || entry.list !== null || entry.start < this.#inner.minReadable;
  }

  /** The entries of all keys that start in [from, to] and count in an iteration. */
  *#counting(from: number, to: number): IterableIterator<CacheEntry<K, V>> {
    if (this.#cache?.isExact) {
      for (const { entries } of this.#keys.values()) {
        for (const entry of entries) if (entry.start >= from && entry.start <= to) yield entry;
      }
      return;
    }
    for (const entry of this.#cache?.dirtyEntries() ?? []) {
      if (entry.start >= from && entry.start <= to) yield entry;
    }
    const { minReadable } = this.#inner;
    if (from >= minReadable) return;
    for (const { entries } of this.#keys.values()) {
      for (let i = 0; i < entries.length && entries[i].start < minReadable; i++) {
        const entry = entries[i];
        if (entry.list === null && entry.start >= from && entry.start <= to) yield entry;
      }
    }
  }

  readAhead(entry: CacheEntry<K, V>): number {
    const { entries, timeline } = this.#groupOfEntry(entry);
    return entries.length + (timeline?.readAhead() ?? 0);
  }
  #groupOfEntry(entry: CacheEntry<K, V>): KeyWindows<K, V> {
    return entry.group as KeyWindows<K, V>;
  }

  #bytesOf(entry: CacheEntry<K, V>): Uint8Array {
    return entry.keyBytes ??= this.#inner.storedKey(entry.key, entry.start);
  }

  #ofKey(
    key: K,
    from: number,
    to: number,
    reverse: boolean,
  ): IterableIterator<[number, V]> {
    const dirty: CacheEntry<K, V>[] = [];
    const group = this.#cache === undefined ? undefined : this.#groupOf(key);
    if (group !== undefined) {
      const { entries } = group;
      // Backwards, Kafka Streams walks a cache to the beginning of the segment.
      const isLonger = reverse && this.#cache!.isExact;
      const least = isLonger ? this.#inner.segmentStart(from) : from;
      for (let i = group.indexOf(least); i < entries.length && entries[i].start <= to; i++) {
        if (this.#counts(entries[i])) dirty.push(entries[i]);
      }
      if (reverse) dirty.reverse();
    }
    const sign = reverse ? -1 : 1;
    const cursor = this.#inner.keyCursor(key, from, to, reverse);
    return mergedRows<TimelineCursor, K, V, [number, V]>(cursor, dirty, this.#cache, {
      compare: ({ first }, entry) => sign * (first - entry.start),
      ofStored: ({ first, value }) => [first, this.decode(value)],
      ofEntry: (entry, value) => [entry.start, value],
      isPassed: (entry) => entry.start < from,
    });
  }

  #ofKeys(
    keyFrom: K | null,
    keyTo: K | null,
    from: number,
    to: number,
    reverse: boolean,
  ): IterableIterator<[Windowed<K>, V]> {
    const lower = this.#bound(keyFrom);
    const upper = this.#bound(keyTo);
    const cursor = this.#inner.keysCursor(lower, upper, from, to, reverse);
    return this.#merged(cursor, from, to, {
      reverse,
      compare: compareBytes,
      within: (stored) => keyWithin(stored, WINDOW_SUFFIX_BYTES, lower, upper),
    });
  }

  #ofAll(from: number, to: number, reverse: boolean): IterableIterator<[Windowed<K>, V]> {
    const cursor = this.#inner.timeCursor(from, to, reverse);
    const compare = this.#inner.inTimeOrder ? compareTimeFirst : compareBytes;
    return this.#merged(cursor, from, to, { reverse, compare, within: () => true });
  }

  #merged(
    cursor: ByteCursor,
    from: number,
    to: number,
    order: {
      readonly reverse: boolean;
      /** The order of stored keys. */
      readonly compare: (a: Uint8Array, b: Uint8Array) => number;
      readonly within: (stored: Uint8Array) => boolean;
    },
  ): IterableIterator<[Windowed<K>, V]> {
    const { compare } = order;
    const sign = order.reverse ? -1 : 1;
    const dirty: CacheEntry<K, V>[] = [];
    for (const entry of this.#counting(from, to)) {
      if (order.within(this.#bytesOf(entry))) dirty.push(entry);
    }
    dirty.sort((a, b) => sign * compare(a.keyBytes!, b.keyBytes!));
    return mergedRows<ByteCursor, K, V, [Windowed<K>, V]>(cursor, dirty, this.#cache, {
      compare: (stored, entry) => sign * compare(stored.key, entry.keyBytes!),
      ofStored: ({ key, value }) => [this.#inner.windowedKey(key), this.decode(value)],
      ofEntry: (entry, value) => [this.outputKey(entry), value],
    });
  }

  #bound(key: K | null): Uint8Array | undefined {
    return key === null || key === undefined ? undefined : this.#inner.keys.encode(key);
  }
}
