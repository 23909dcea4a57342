import { compareBytes } from "../record/bytes.ts";
import { Windowed } from "../record/windowed.ts";
import { KeyIndex } from "./key_index.ts";
import { closed } from "./key_value_store.ts";
import { byteText } from "./lru.ts";
import { mergedRows } from "./merged_rows.ts";
import { CACHED_SEGMENT_BYTES, keyWithin, SEGMENT_BYTES } from "./segmented_rows.ts";
import { SESSION_SUFFIX_BYTES } from "./session_keys.ts";
import type { SerializedSessionStore } from "./session_store.ts";
import type {
  ByteCursor,
  CachedStateStore,
  RestoreRows,
  SessionStore,
  StoreContext,
  StoreMeter,
} from "./store.ts";
import type { Timeline } from "./timeline.ts";
import type { TimelineCursor, TimelineHolder } from "./timelines.ts";
import { CacheEntry } from "./cache_entry.ts";
import { type CachedRows, type FlushListener, isPlainKey, TypedCache } from "./typed_cache.ts";

/** The sessions of one key that are in the cache, by end, then start. */
class KeySessions<K, V> implements TimelineHolder {
  readonly identity: unknown;
  readonly key: K;
  timeline: Timeline | undefined = undefined;
  readonly entries: CacheEntry<K, V>[] = [];
  constructor(identity: unknown, key: K) {
    this.identity = identity;
    this.key = key;
  }

  /** The index of the first session that is not before (end, start). */
  indexOf(start: number, end: number): number {
    const { entries } = this;
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = entries[middle];
      if (entry.end < end || (entry.end === end && entry.start < start)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const LAST = Number.MAX_SAFE_INTEGER;

/** A cache before a session store. With a budget of 0 it is not there at all. Kafka Streams: `CachingSessionStore`. */
export class CachedSessionStore<K, V>
  implements SessionStore<K, V>, CachedStateStore<Windowed<K>, V>, CachedRows<K, V, Windowed<K>> {
  readonly name: string;
  readonly kind = "session";
  readonly persistent: boolean;
  readonly retentionMs: number;
  readonly #inner: SerializedSessionStore<K, V>;
  readonly #keys = new KeyIndex<KeySessions<K, V>>();
  #cache: TypedCache<K, V, Windowed<K>> | undefined = undefined;
  #meter: StoreMeter | undefined = undefined;

  constructor(inner: SerializedSessionStore<K, V>) {
    this.#inner = inner;
    this.name = inner.name;
    this.persistent = inner.persistent;
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
    this.#inner.close();
  }
  setFlushListener(listener: FlushListener<Windowed<K>, V>, sendOldValues: boolean): boolean {
    this.#cache?.listen(listener, sendOldValues);
    return this.#cache !== undefined;
  }

  put(session: Windowed<K>, value: V | null): void {
    const cache = this.#cache;
    if (cache === undefined) return this.#inner.put(session, value);
    if (!this.#inner.isOpen) throw closed(this.name);
    if (this.#meter !== undefined) this.#meter.puts++;
    const { key, start, end } = session;
    const known = this.#find(key, start, end);
    if (known !== undefined) return cache.update(known, value ?? null);
    const entry = new CacheEntry<K, V>(key, start, end, value ?? null, undefined, 0);
    this.#add(entry);
    cache.addWritten(entry);
  }
  remove(session: Windowed<K>): void {
    this.put(session, null);
  }

  fetchSession(key: K, start: number, end: number): V | null {
    const cache = this.#cache;
    if (cache === undefined) return this.#inner.fetchSession(key, start, end);
    const known = this.#find(key, start, end);
    if (known === undefined) {
      if (this.#meter !== undefined) this.#meter.cacheMisses++;
      return this.#inner.fetchSession(key, start, end);
    }
    if (this.#meter !== undefined) this.#meter.cacheHits++;
    cache.touch(known);
    return cache.valueOf(known);
  }

  findSessions(
    key: K,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#ofKey(key, earliestEnd, latestStart, false);
  }
  backwardFindSessions(
    key: K,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#ofKey(key, earliestEnd, latestStart, true);
  }
  findSessionsOfKeys(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#ofKeys([keyFrom, keyTo], earliestEnd, latestStart, false);
  }
  backwardFindSessionsOfKeys(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]> {
    return this.#ofKeys([keyFrom, keyTo], earliestEnd, latestStart, true);
  }

  #ofKeys(
    [keyFrom, keyTo]: readonly [K | null, K | null],
    earliestEnd: number,
    latestStart: number,
    reverse: boolean,
  ): IterableIterator<[Windowed<K>, V]> {
    const lower = this.#bound(keyFrom);
    const upper = this.#bound(keyTo);
    const cursor = this.#inner.keysCursor(lower, upper, earliestEnd, latestStart, reverse);
    const dirty: CacheEntry<K, V>[] = [];
    for (const entry of this.#counting(earliestEnd)) {
      if (entry.end < earliestEnd || entry.start > latestStart) continue;
      if (keyWithin(this.#bytesOf(entry), SESSION_SUFFIX_BYTES, lower, upper)) dirty.push(entry);
    }
    const sign = reverse ? -1 : 1;
    dirty.sort((a, b) => sign * compareBytes(a.keyBytes!, b.keyBytes!));
    return mergedRows<ByteCursor, K, V, [Windowed<K>, V]>(cursor, dirty, this.#cache, {
      compare: (stored, entry) => sign * compareBytes(stored.key, entry.keyBytes!),
      ofStored: ({ key, value }) => [this.#inner.windowedKey(key), this.decode(value)],
      ofEntry: (entry, value) => [this.outputKey(entry), value],
    });
  }
  /** Writes what is held back first: sessions that are emitted on close are not cached. */
  findSessionsByEnd(earliestEnd: number, latestEnd: number): IterableIterator<[Windowed<K>, V]> {
    this.#cache?.flush();
    return this.#inner.findSessionsByEnd(earliestEnd, latestEnd);
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
    this.#inner.restore(rows, from, to);
  }

  forget(entry: CacheEntry<K, V>): void {
    const group = entry.group as KeySessions<K, V>;
    group.entries.splice(group.indexOf(entry.start, entry.end), 1);
    if (group.entries.length === 0) this.#keys.delete(group.identity);
  }
  readStored(entry: CacheEntry<K, V>): Uint8Array | undefined {
    return this.#inner.getStored(entry.key, entry.start, entry.end, this.#groupOfEntry(entry));
  }
  isReadable(entry: CacheEntry<K, V>): boolean {
    return entry.end >= this.#inner.minReadable;
  }
  writeStored(entry: CacheEntry<K, V>, stored: Uint8Array | null): void {
    this.#inner.putStored(entry.key, entry.start, entry.end, stored, this.#groupOfEntry(entry));
  }
  readAhead(entry: CacheEntry<K, V>): number {
    const { entries, timeline } = this.#groupOfEntry(entry);
    return entries.length + (timeline?.readAhead() ?? 0);
  }
  #groupOfEntry(entry: CacheEntry<K, V>): KeySessions<K, V> {
    return entry.group as KeySessions<K, V>;
  }
  encode(value: V): Uint8Array {
    return this.#inner.values.encode(value);
  }
  decode(stored: Uint8Array): V {
    return this.#inner.values.decode(stored);
  }
  outputKey(entry: CacheEntry<K, V>): Windowed<K> {
    return new Windowed(entry.key, entry.start, entry.end);
  }
  get suffixBytes(): number {
    return CACHED_SEGMENT_BYTES + SESSION_SUFFIX_BYTES;
  }
  keySize(entry: CacheEntry<K, V>): number {
    return this.#bytesOf(entry).length - SEGMENT_BYTES + CACHED_SEGMENT_BYTES;
  }

  #find(key: K, start: number, end: number): CacheEntry<K, V> | undefined {
    const group = this.#keys.get(this.#identity(key));
    const entry = group?.entries[group.indexOf(start, end)];
    return entry !== undefined && entry.start === start && entry.end === end ? entry : undefined;
  }

  #add(entry: CacheEntry<K, V>): void {
    const identity = this.#identity(entry.key);
    let group = this.#keys.get(identity);
    if (group === undefined) {
      group = new KeySessions<K, V>(identity, entry.key);
      this.#keys.set(identity, group);
    }
    entry.group = group;
    group.entries.splice(group.indexOf(entry.start, entry.end), 0, entry);
  }

  #identity(key: K): unknown {
    return isPlainKey(key) ? key : byteText(this.#inner.keys.encode(key));
  }

  #bytesOf(entry: CacheEntry<K, V>): Uint8Array {
    return entry.keyBytes ??= this.#inner.storedKey(entry.key, entry.start, entry.end);
  }

  /** Whether an iteration has to take the entry from the cache: the store below has not got it yet, or does not show it any more, as it has expired. */
  #counts(entry: CacheEntry<K, V>): boolean {
    return this.#cache?.isExact || entry.list !== null || entry.end < this.#inner.minReadable;
  }

  /** The entries of all keys that count in an iteration of sessions which end at `earliestEnd` or later. */
  *#counting(earliestEnd: number): IterableIterator<CacheEntry<K, V>> {
    if (this.#cache?.isExact) {
      for (const { entries } of this.#keys.values()) yield* entries;
      return;
    }
    yield* this.#cache?.dirtyEntries() ?? [];
    const { minReadable } = this.#inner;
    if (earliestEnd >= minReadable) return;
    for (const { entries } of this.#keys.values()) {
      for (let i = 0; i < entries.length && entries[i].end < minReadable; i++) {
        if (entries[i].list === null) yield entries[i];
      }
    }
  }

  #bound(key: K | null): Uint8Array | undefined {
    return key === null || key === undefined ? undefined : this.#inner.keys.encode(key);
  }

  #ofKey(
    key: K,
    earliestEnd: number,
    latestStart: number,
    reverse: boolean,
  ): IterableIterator<[Windowed<K>, V]> {
    const dirty: CacheEntry<K, V>[] = [];
    const group = this.#cache === undefined ? undefined : this.#keys.get(this.#identity(key));
    if (group !== undefined) {
      const { entries } = group;
      for (let i = group.indexOf(0, earliestEnd); i < entries.length; i++) {
        const entry = entries[i];
        if (this.#cache!.isExact || (entry.start <= latestStart && this.#counts(entry))) {
          dirty.push(entry);
        }
      }
      if (reverse) dirty.reverse();
    }
    const sign = reverse ? -1 : 1;
    const cursor = this.#inner.keyCursor(key, earliestEnd, latestStart, reverse);
    return mergedRows<TimelineCursor, K, V, [Windowed<K>, V]>(cursor, dirty, this.#cache, {
      compare: ({ first, second }, entry) => sign * (first - entry.end || second - entry.start),
      ofStored: ({ first, second, value }) => [
        new Windowed(key, second, first),
        this.decode(value),
      ],
      ofEntry: (entry, value) => [this.outputKey(entry), value],
      isPassed: (entry) => entry.start > latestStart,
    });
  }
}
