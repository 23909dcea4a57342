/**
 * The contracts of state: what processors see of a store, and what a store sees of its task. Instants and durations are
 * epoch ms and ms. Iteration is lazy and in unsigned byte order of the serialized keys, as in Kafka Streams; a store may be written while it is
 * iterated, and the iteration then may or may not show the change.
 *
 * @module
 */
import type { RecordContext } from "../record/context.ts";
import type { Change } from "../record/change.ts";
import type { Headers } from "../record/headers.ts";
import type { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import type { Windowed } from "../record/windowed.ts";
import type { ResidentBudget } from "./resident_budget.ts";

/** What all stores have in common. Kafka Streams: `StateStore`. */
export interface StateStore {
  readonly name: string;
  /** What questions it can answer; a store of the user's own making needs none. */
  readonly kind?: StoreKind;
  /** Whether the contents survive the process. */
  readonly persistent: boolean;
  /** What its record cache holds, in bytes. */
  readonly cacheBytes?: number;
  /** Opens the store for a task. Called once, before the processors' `init`. */
  init(context: StoreContext): void;
  /** Empties the cache: writes and forwards what it holds back. The first step of a commit. */
  flush(): void;
  close(): void;
  readonly isOpen: boolean;
  /** Applies rows of the changelog, without logging or forwarding them. */
  restore(rows: RestoreRows, from: number, to: number): void;
}

/** Rows read from a changelog; a `ConsumedBatch` is one. Lengths of -1 are null. */
export interface RestoreRows {
  readonly slab: Uint8Array;
  readonly offsets: Float64Array;
  readonly timestamps: Float64Array;
  readonly keyStarts: Int32Array;
  readonly keyLengths: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueLengths: Int32Array;
  readonly headerStarts: Int32Array;
  readonly headerLengths: Int32Array;
}

/** Writes to a store's changelog topic. The bytes are copied before it returns. */
export interface ChangelogWriter {
  log(
    key: Uint8Array,
    value: Uint8Array | null,
    timestamp: number,
    headers?: Headers,
    /** The part of `value` that counts, when it is a slice of a larger buffer. */
    valueStart?: number,
  ): void;
}

/** What a store gets of the task it lives in. */
export interface StoreContext {
  readonly applicationId: string;
  readonly taskId: string;
  readonly partition: number;
  /** Where byte stores are opened: the task's LMDB environment, or memory. */
  readonly environment: StateEnvironment;
  /** The record in hand. A cached entry that is flushed puts its own context there for the time of the forward. */
  readonly record: RecordContext;
  /** The writer of that store's changelog; undefined when logging is off. */
  changelog(storeName: string): ChangelogWriter | undefined;
  /** The changelog topic of a store (also the serdes' topic when logging is off). */
  changelogTopic(storeName: string): string;
  /** The memory that the caches of a thread share; undefined when caching is off (size 0). */
  readonly cache: CacheBudget | undefined;
  /** The greatest timestamp that the task has processed, -1 before the first. */
  streamTime(): number;
  /** Counts a record that a store or operator drops. */
  dropped(reason: DropReason): void;
  /** Holds values for metrics; names are Kafka Streams' store metrics. */
  readonly storeMetrics?: StoreMeter;
}

/** Why a record was left out. Each counts into `dropped-records`. */
export type DropReason =
  | "null-key"
  | "null-value"
  | "late"
  | "expired"
  | "deserialization"
  | "processing"
  | "production"
  | "timestamp"
  | "stale-response"
  | "out-of-order";

/** Counters a store updates; one object per store, plain fields. */
export interface StoreMeter {
  puts: number;
  gets: number;
  cacheHits: number;
  cacheMisses: number;
  /** Told of each flush. */
  flushed?(elapsedMs: number): void;
}

/** The bytes that all caches of a stream thread may hold together, and the eviction when they hold more. Kafka Streams: `ThreadCache`. */
export interface CacheBudget {
  readonly maxBytes: number;
  usedBytes: number;
  /** Registers a cache that can be asked to evict; called at store init. */
  register(cache: EvictableCache): void;
  unregister(cache: EvictableCache): void;
  /** Called after a put that may have exceeded the budget. */
  evictIfNeeded(cache: EvictableCache): void;
}

/** A cache that gives memory back. */
export interface EvictableCache {
  readonly usedBytes: number;
  /** Drops the least recently used entry; if it is dirty, all dirty entries are flushed, that one first. */
  evictOne(): boolean;
}

/**
 * The bytes of a task's stores, and the offsets of the changelogs that they correspond to. Writes are held in memory until
 * `commit`; `rollback` forgets them. Two implementations: memory and LMDB.
 */
export interface StateEnvironment {
  /**
   * Opens (or makes) an ordered byte store of that name. A `volatile` one lives in memory even where the environment is on disk:
   * it takes part in commit and rollback, but neither its rows nor its position outlive the environment. A `lean` one need not keep committed
   * rows in memory: its user does.
   */
  open(
    name: string,
    options?: { readonly volatile?: boolean; readonly lean?: boolean },
  ): ByteStore;
  /** Changelog position per store name: the next offset to restore from. Undefined: nothing is known, restore from the beginning. */
  committedOffset(storeName: string): number | undefined;
  /**
   * Commits all that was held back, with these positions (next offset per store): a rollback keeps it from now on. It reaches the disk together with them, now
   * or with a later commit. When the process is killed before, its rows and positions are those of an earlier commit.
   */
  commit(offsets: ReadonlyMap<string, number>): void;
  /** Brings to the disk what is committed, in one transaction. To be called only when nothing has been written since the commit. */
  save(): void;
  /** `save`, when what waits is too much, or has waited too long. */
  saveIfDue(): void;
  /** Forgets all writes since the last commit. */
  rollback(): void;
  /** Bytes of writes that are not committed. */
  readonly uncommittedBytes: number;
  /** Forgets everything: contents and positions, on disk too. */
  wipe(): void;
  close(options: { clean: boolean }): void;
}

/**
 * Walks rows in order without an allocation for each. The arrays belong to the store and stay as they are: they may be kept, not
 * written. A cursor that is not walked to its end must be closed.
 */
export interface ByteCursor {
  /** Moves to the next row; false after the last, and the cursor is then closed. */
  advance(): boolean;
  /** The row in hand. Only valid after an `advance` that gave true. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  close(): void;
}

/** An ordered map of bytes to bytes. What `get` and iteration give must not be written. */
export interface ByteStore {
  readonly name: string;
  /** The memory that copies of its rows are to count against; undefined: all rows are in memory anyway. */
  readonly residentBudget: ResidentBudget | undefined;
  /** Whether `put` and `delete` copy what they are given. */
  readonly copies: boolean;
  get(key: Uint8Array): Uint8Array | undefined;
  /** The arrays belong to the store from now on, unless it `copies`. */
  put(key: Uint8Array, value: Uint8Array): void;
  delete(key: Uint8Array): void;
  /** Entries from `from` (inclusive) to `to` (exclusive) in unsigned byte order, or backwards; undefined is open-ended. */
  range(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse?: boolean,
  ): IterableIterator<[Uint8Array, Uint8Array]>;
  /** The same rows as `range`, by a cursor. */
  cursor(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse?: boolean,
  ): ByteCursor;
  /** Rows of a changelog; later entries of the same key win. Many of them may reach the disk before the commit: a restore can be done again. */
  bulk(entries: Iterable<readonly [Uint8Array, Uint8Array | null]>): void;
  /**
   * Gives up all rows below `floor`: with the next save they are removed a bounded number at a time, so that expiry never stalls
   * a commit. Until they are gone they can still be read.
   */
  trim(floor: Uint8Array): void;
  approximateCount(): number;
}

/** Key-value store as processors see it. Kafka Streams: `KeyValueStore`. */
export interface KeyValueStore<K, V> extends StateStore {
  get(key: K): V | null;
  /** Null deletes. */
  put(key: K, value: V | null): void;
  putIfAbsent(key: K, value: V | null): V | null;
  putAll(entries: Iterable<readonly [K, V | null]>): void;
  /** Gives the value that was there. */
  delete(key: K): V | null;
  /** From and to inclusive; null is open-ended. */
  range(from: K | null, to: K | null): IterableIterator<[K, V]>;
  reverseRange(from: K | null, to: K | null): IterableIterator<[K, V]>;
  all(): IterableIterator<[K, V]>;
  reverseAll(): IterableIterator<[K, V]>;
  /** Rows whose serialized key begins with the prefix: bytes, or what the serde makes bytes of. */
  prefixScan(prefix: Uint8Array): IterableIterator<[K, V]>;
  prefixScan<P>(prefix: P, serde: Serde<P>): IterableIterator<[K, V]>;
  approximateNumEntries(): number;
}

/** A value with the timestamp (epoch ms) of its last update. Kafka Streams: `ValueAndTimestamp`. */
export class ValueAndTimestamp<V> {
  readonly value: V;
  readonly timestamp: number;
  constructor(value: V, timestamp: number) {
    this.value = value;
    this.timestamp = timestamp;
  }
}

/** Kafka Streams: `TimestampedKeyValueStore`. */
export interface TimestampedKeyValueStore<K, V> extends KeyValueStore<K, ValueAndTimestamp<V>> {}

/** A version of a row. `validTo` undefined: it is the latest. Kafka Streams: `VersionedRecord`. */
export interface VersionedRecord<V> {
  readonly value: V;
  readonly timestamp: number;
  readonly validTo: number | undefined;
}

/** Rows with their history. Kafka Streams: `VersionedKeyValueStore` (KIP-889). */
export interface VersionedKeyValueStore<K, V> extends StateStore {
  readonly historyRetentionMs: number;
  /** The `validTo` of what was put: -1 when it is the latest (Java's PUT_RETURN_CODE_VALID_TO_UNDEFINED), NOT_PUT when it is too old, else the timestamp of the next version. */
  put(key: K, value: V | null, timestamp: number): number;
  delete(key: K, timestamp: number): VersionedRecord<V> | null;
  get(key: K, asOf?: number): VersionedRecord<V> | null;
  /** Versions valid in [from, to], newest first unless `ascending`. */
  history(
    key: K,
    from: number,
    to: number,
    ascending?: boolean,
  ): IterableIterator<VersionedRecord<V>>;
}
/** `put` gave this: the version is older than the history retention and was not kept. Java: `Long.MIN_VALUE`. */
export const NOT_PUT: number = Number.MIN_SAFE_INTEGER;

/** Kafka Streams: `WindowStore`. Windows are named by their start. */
export interface WindowStore<K, V> extends StateStore {
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  put(key: K, value: V | null, windowStart: number): void;
  fetch(key: K, windowStart: number): V | null;
  /** Windows of a key that start in [from, to], by start. */
  fetchRange(key: K, from: number, to: number): IterableIterator<[number, V]>;
  backwardFetchRange(key: K, from: number, to: number): IterableIterator<[number, V]>;
  /** Windows of the keys in [keyFrom, keyTo] (null is open-ended) that start in [from, to]. */
  fetchKeys(
    keyFrom: K | null,
    keyTo: K | null,
    from: number,
    to: number,
  ): IterableIterator<[Windowed<K>, V]>;
  backwardFetchKeys(
    keyFrom: K | null,
    keyTo: K | null,
    from: number,
    to: number,
  ): IterableIterator<[Windowed<K>, V]>;
  /** Windows of all keys that start in [from, to]. */
  fetchAll(from: number, to: number): IterableIterator<[Windowed<K>, V]>;
  backwardFetchAll(from: number, to: number): IterableIterator<[Windowed<K>, V]>;
  all(): IterableIterator<[Windowed<K>, V]>;
  backwardAll(): IterableIterator<[Windowed<K>, V]>;
}

/** Kafka Streams: `TimestampedWindowStore`. */
export interface TimestampedWindowStore<K, V> extends WindowStore<K, ValueAndTimestamp<V>> {}

/** Kafka Streams: `SessionStore`. */
export interface SessionStore<K, V> extends StateStore {
  readonly retentionMs: number;
  put(session: Windowed<K>, value: V | null): void;
  remove(session: Windowed<K>): void;
  fetchSession(key: K, start: number, end: number): V | null;
  /** Sessions of a key with end ≥ `earliestEnd` and start ≤ `latestStart`, in the store's order. */
  findSessions(
    key: K,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]>;
  backwardFindSessions(
    key: K,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]>;
  /** Sessions of the keys in [keyFrom, keyTo]. */
  findSessionsOfKeys(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]>;
  /** Sessions of all keys with end in [earliestEnd, latestEnd], by end: for emit on close. */
  findSessionsByEnd(earliestEnd: number, latestEnd: number): IterableIterator<[Windowed<K>, V]>;
  backwardFindSessionsOfKeys(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): IterableIterator<[Windowed<K>, V]>;
  /** All sessions of a key. */
  fetch(key: K): IterableIterator<[Windowed<K>, V]>;
  backwardFetch(key: K): IterableIterator<[Windowed<K>, V]>;
  /** All sessions of the keys in [keyFrom, keyTo] (null is open-ended). */
  fetchKeys(keyFrom: K | null, keyTo: K | null): IterableIterator<[Windowed<K>, V]>;
  backwardFetchKeys(keyFrom: K | null, keyTo: K | null): IterableIterator<[Windowed<K>, V]>;
  all(): IterableIterator<[Windowed<K>, V]>;
}

/**
 * A store that may hold updates back. `setFlushListener` gives false when it does not cache: then the processor forwards itself.
 * The record in the listener has the entry's own timestamp and headers. Kafka Streams: `CachedStateStore`.
 */
export interface CachedStateStore<K, V> {
  setFlushListener(
    listener: (record: StreamRecord<K, Change<V>>) => void,
    sendOldValues: boolean,
  ): boolean;
}

/**
 * Records held back in order of time, then of serialized key. Two kinds: one entry per key that keeps its first time and its
 * newest value (suppress, `T` is a `Change<V>`), or every record by its own timestamp with a grace (stream-table join).
 * An entry keeps the record context it came with. Kafka Streams: `TimeOrderedKeyValueBuffer`.
 */
export interface TimeOrderedBuffer<K, T, V = T> extends StateStore {
  /** Holds a record back under `time` (epoch ms). False: it is older than the grace allows and was not taken. */
  put(time: number, record: StreamRecord<K, T>): boolean;
  /**
   * Removes the oldest entries, as far as the grace allows, while `more()` says so, and gives each to `emit` with its own timestamp and
   * headers. For the time of `emit` the task's record context is the entry's.
   */
  evictWhile(more: () => boolean, emit: (record: StreamRecord<K, T>) => void): void;
  /** The row as downstream knows it while the key is held here (null: no row); undefined when the key is not held. */
  priorValue(key: K): ValueAndTimestamp<V> | null | undefined;
  readonly recordCount: number;
  /** What the entries take, in bytes, as Kafka Streams counts it. */
  readonly byteSize: number;
  /** The time of the oldest entry, `Infinity` when there is none. */
  readonly minTimestamp: number;
}

/** The kinds of store, as `describe` and the conformance files name them. */
export type StoreKind =
  | "keyValue"
  | "timestampedKeyValue"
  | "versioned"
  | "window"
  | "timestampedWindow"
  | "session"
  | "list"
  | "buffer";

/** Makes a store for each task. Immutable: `with…` give a changed builder. Kafka Streams: `StoreBuilder`. */
export interface StoreBuilder<S extends StateStore = StateStore> {
  readonly name: string;
  readonly kind: StoreKind;
  readonly loggingEnabled: boolean;
  readonly cachingEnabled: boolean;
  /** Topic settings of the changelog, over the defaults of its kind. */
  readonly logConfig: Readonly<Record<string, string>>;
  /** The changelog's default policy. `retentionMs` is the store's; the additional retention is the runtime's business. */
  readonly changelogPolicy: ChangelogPolicy;
  withLoggingEnabled(config?: Readonly<Record<string, string>>): StoreBuilder<S>;
  withLoggingDisabled(): StoreBuilder<S>;
  withCachingEnabled(): StoreBuilder<S>;
  withCachingDisabled(): StoreBuilder<S>;
  /** The serdes that have to be bound and prepared before the first record. */
  readonly serdes: readonly { readonly serde: unknown; readonly isKey: boolean }[];
  build(): S;
}

/** What a changelog topic is made with. */
export interface ChangelogPolicy {
  readonly cleanup: "compact" | "compact,delete";
  readonly retentionMs?: number;
  readonly minCompactionLagMs?: number;
}
