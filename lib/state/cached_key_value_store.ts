import type { Serde } from "../serde/serde.ts";
import { compareBytes } from "../record/bytes.ts";
import { afterPrefix, closed, type SerializedKeyValueStore } from "./key_value_store.ts";
import { KeyIndex } from "./key_index.ts";
import { byteText } from "./lru.ts";
import { mergedRows } from "./merged_rows.ts";
import type {
  ByteCursor,
  CachedStateStore,
  KeyValueStore,
  RestoreRows,
  StoreContext,
  StoreKind,
  StoreMeter,
} from "./store.ts";
import { CacheEntry } from "./cache_entry.ts";
import { type CachedRows, type FlushListener, isPlainKey, TypedCache } from "./typed_cache.ts";

/** A cache before a key-value store. With a budget of 0 it is not there at all. Kafka Streams: `CachingKeyValueStore`. */
export class CachedKeyValueStore<K, V>
  implements KeyValueStore<K, V>, CachedStateStore<K, V>, CachedRows<K, V, K> {
  readonly name: string;
  readonly kind: StoreKind;
  readonly persistent: boolean;
  readonly #inner: SerializedKeyValueStore<K, V>;
  readonly #entries = new KeyIndex<CacheEntry<K, V>>();
  #cache: TypedCache<K, V, K> | undefined = undefined;
  #meter: StoreMeter | undefined = undefined;
  /** The entry found last: a put mostly follows the get of the same key. */
  #last: CacheEntry<K, V> | undefined = undefined;

  constructor(inner: SerializedKeyValueStore<K, V>) {
    this.#inner = inner;
    this.name = inner.name;
    this.kind = inner.kind;
    this.persistent = inner.persistent;
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
    this.#entries.clear();
    this.#last = undefined;
    this.#inner.close();
  }
  setFlushListener(listener: FlushListener<K, V>, sendOldValues: boolean): boolean {
    this.#cache?.listen(listener, sendOldValues);
    return this.#cache !== undefined;
  }

  get(key: K): V | null {
    const cache = this.#cache;
    if (cache === undefined) return this.#inner.get(key);
    const known = this.#find(key);
    if (this.#meter !== undefined) this.#meter.gets++;
    if (known !== undefined) {
      if (this.#meter !== undefined) this.#meter.cacheHits++;
      cache.touch(known);
      return cache.valueOf(known);
    }
    if (this.#meter !== undefined) this.#meter.cacheMisses++;
    const keyBytes = this.#inner.keys.encode(key);
    const stored = this.#inner.getStored(keyBytes) ?? null;
    if (stored === null && cache.isExact) return null;
    const entry = new CacheEntry<K, V>(key, 0, 0, undefined, stored, 0);
    entry.keyBytes = keyBytes;
    this.#add(entry);
    const value = cache.valueOf(entry);
    cache.addRead(entry);
    return value;
  }

  put(key: K, value: V | null): void {
    const cache = this.#cache;
    if (cache === undefined) return this.#inner.put(key, value);
    if (!this.#inner.isOpen) throw closed(this.name);
    if (this.#meter !== undefined) this.#meter.puts++;
    const known = this.#find(key);
    if (known !== undefined) return cache.update(known, value ?? null);
    const entry = new CacheEntry<K, V>(key, 0, 0, value ?? null, undefined, 0);
    this.#add(entry);
    cache.addWritten(entry);
  }

  putIfAbsent(key: K, value: V | null): V | null {
    const previous = this.get(key);
    if (previous === null) this.put(key, value);
    return previous;
  }
  putAll(entries: Iterable<readonly [K, V | null]>): void {
    for (const [key, value] of entries) this.put(key, value);
  }
  delete(key: K): V | null {
    const previous = this.get(key);
    this.put(key, null);
    return previous;
  }

  range(from: K | null, to: K | null): IterableIterator<[K, V]> {
    return this.#range(this.#bound(from), this.#bound(to), false);
  }
  reverseRange(from: K | null, to: K | null): IterableIterator<[K, V]> {
    return this.#range(this.#bound(from), this.#bound(to), true);
  }
  all(): IterableIterator<[K, V]> {
    return this.#range(undefined, undefined, false);
  }
  reverseAll(): IterableIterator<[K, V]> {
    return this.#range(undefined, undefined, true);
  }
  prefixScan<P>(of: P, serde?: Serde<P>): IterableIterator<[K, V]> {
    const prefix = this.#inner.keys.prefix(of, serde);
    if (!this.#cache?.hasDirtyEntries) return this.#inner.prefixScan(prefix);
    const after = afterPrefix(prefix);
    const within = (key: Uint8Array) =>
      compareBytes(key, prefix) >= 0 && (after === undefined || compareBytes(key, after) < 0);
    return this.#merged(this.#inner.prefixCursor(prefix), within, false);
  }
  approximateNumEntries(): number {
    return this.#inner.approximateNumEntries();
  }
  restore(rows: RestoreRows, from: number, to: number): void {
    this.#inner.restore(rows, from, to);
  }

  forget(entry: CacheEntry<K, V>): void {
    this.#entries.delete(this.#identity(entry.key, entry.keyBytes));
    if (this.#last === entry) this.#last = undefined;
  }
  readStored(entry: CacheEntry<K, V>): Uint8Array | undefined {
    return this.#inner.getStored(this.#bytesOf(entry));
  }
  isReadable(): boolean {
    return true;
  }
  writeStored(entry: CacheEntry<K, V>, stored: Uint8Array | null): void {
    this.#inner.putStored(this.#bytesOf(entry), stored);
  }
  encode(value: V): Uint8Array {
    return this.#inner.values.encode(value);
  }
  decode(stored: Uint8Array): V {
    return this.#inner.values.decode(stored);
  }
  outputKey(entry: CacheEntry<K, V>): K {
    return entry.key;
  }
  readAhead(entry: CacheEntry<K, V>): number {
    return entry.keyBytes?.[0] ?? 0;
  }
  get suffixBytes(): number {
    return 0;
  }
  keySize(entry: CacheEntry<K, V>): number {
    return this.#bytesOf(entry).length;
  }

  #find(key: K): CacheEntry<K, V> | undefined {
    const last = this.#last;
    if (last !== undefined && last.key === key) return last;
    const entry = this.#entries.get(isPlainKey(key) ? key : this.#identity(key, undefined));
    if (entry !== undefined) this.#last = entry;
    return entry;
  }

  #add(entry: CacheEntry<K, V>): void {
    this.#entries.set(this.#identity(entry.key, entry.keyBytes), entry);
    this.#last = entry;
  }

  #identity(key: K, keyBytes: Uint8Array | undefined): unknown {
    return isPlainKey(key) ? key : byteText(keyBytes ?? this.#inner.keys.encode(key));
  }

  #bytesOf(entry: CacheEntry<K, V>): Uint8Array {
    return entry.keyBytes ??= this.#inner.keys.encode(entry.key);
  }

  #bound(key: K | null): Uint8Array | undefined {
    return key === null || key === undefined ? undefined : this.#inner.keys.encode(key);
  }

  #range(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse: boolean,
  ): IterableIterator<[K, V]> {
    const within = (key: Uint8Array) =>
      (from === undefined || compareBytes(key, from) >= 0) &&
      (to === undefined || compareBytes(key, to) <= 0);
    return this.#merged(this.#inner.cursor(from, to, reverse), within, reverse);
  }

  /** Dirty entries over the rows below; clean ones are the same in both. */
  #merged(
    cursor: ByteCursor,
    within: (key: Uint8Array) => boolean,
    reverse: boolean,
  ): IterableIterator<[K, V]> {
    const sign = reverse ? -1 : 1;
    const dirty: CacheEntry<K, V>[] = [];
    // An exact cache notes that its entries are used, clean ones too.
    const entries = this.#cache?.isExact
      ? this.#entries.values()
      : this.#cache?.dirtyEntries() ?? [];
    for (const entry of entries) {
      if (within(this.#bytesOf(entry))) dirty.push(entry);
    }
    dirty.sort((a, b) => sign * compareBytes(a.keyBytes!, b.keyBytes!));
    return mergedRows<ByteCursor, K, V, [K, V]>(cursor, dirty, this.#cache, {
      compare: ({ key }, entry) => sign * compareBytes(key, entry.keyBytes!),
      ofStored: ({ key, value }) => [this.#inner.keys.decode(key), this.decode(value)],
      ofEntry: (entry, value) => [entry.key, value],
    });
  }
}
