/**
 * Which engine holds a store's bytes, and for how long. Suppliers are plain data, checked when they are made; the builders of
 * `stores.ts` turn them into stores. Kafka Streams: the `…StoreSupplier` methods of `Stores`.
 *
 * @module
 */

/** Where bytes live: the task's LMDB environment, memory, or a bounded memory that forgets the least recently used rows. */
export type StoreEngine = "lmdb" | "memory" | "lru";

/** The order in which a windowed store keeps its rows: `key` (segment of time, then key) or `time` (time, then key), for emit on close. */
export type WindowOrder = "key" | "time";

/** Kafka Streams: `KeyValueBytesStoreSupplier`. */
export interface KeyValueStoreSupplier {
  readonly kind: "keyValue";
  readonly name: string;
  readonly engine: StoreEngine;
  /** Whether a timestamped store keeps timestamps in it; a plain persistent one forgets them and reads as -1, as in Kafka Streams. */
  readonly timestamped: boolean;
  /** Rows that an `lru` store holds at most. */
  readonly maxEntries?: number;
}

/** Kafka Streams: `VersionedBytesStoreSupplier`. */
export interface VersionedStoreSupplier {
  readonly kind: "versioned";
  readonly name: string;
  readonly engine: "lmdb" | "memory";
  readonly historyRetentionMs: number;
  /** Rounds the physical expiry of old versions. */
  readonly segmentIntervalMs: number;
}

/** Kafka Streams: `WindowBytesStoreSupplier`. */
export interface WindowStoreSupplier {
  readonly kind: "window";
  readonly name: string;
  readonly engine: "lmdb" | "memory";
  readonly timestamped: boolean;
  readonly retentionMs: number;
  readonly windowSizeMs: number;
  readonly retainDuplicates: boolean;
  /** Rows expire by segments of this length. */
  readonly segmentIntervalMs: number;
  readonly order: WindowOrder;
}

/** Kafka Streams: `SessionBytesStoreSupplier`. */
export interface SessionStoreSupplier {
  readonly kind: "session";
  readonly name: string;
  readonly engine: "lmdb" | "memory";
  readonly retentionMs: number;
  readonly segmentIntervalMs: number;
  readonly order: WindowOrder;
}

/** What a window store keeps: windows of that length, for that long. Durations are ms. */
export interface WindowStoreOptions {
  readonly retentionMs: number;
  readonly windowSizeMs: number;
  /** Several rows per key and window, for joins. Default: false. */
  readonly retainDuplicates?: boolean;
  /** Default: `key`. */
  readonly order?: WindowOrder;
}

/** A key-value store on disk. Kafka Streams: `Stores.persistentKeyValueStore`. */
export function persistentKeyValueStore(name: string): KeyValueStoreSupplier {
  return keyValue(name, "lmdb", false);
}

/** A key-value store on disk that keeps timestamps. Kafka Streams: `Stores.persistentTimestampedKeyValueStore`. */
export function persistentTimestampedKeyValueStore(name: string): KeyValueStoreSupplier {
  return keyValue(name, "lmdb", true);
}

/** A key-value store in memory; restored from its changelog at each start. Kafka Streams: `Stores.inMemoryKeyValueStore`. */
export function inMemoryKeyValueStore(name: string): KeyValueStoreSupplier {
  return keyValue(name, "memory", true);
}

/**
 * A key-value store in memory that forgets the least recently used row when it holds more than `maxEntries`.
 * Kafka Streams: `Stores.lruMap`.
 *
 * @throws {RangeError} when `maxEntries` is negative
 */
export function lruMap(name: string, maxEntries: number): KeyValueStoreSupplier {
  notNegative(name, "maxEntries", maxEntries);
  return Object.freeze({ ...keyValue(name, "lru", true), maxEntries });
}

/**
 * A store on disk that keeps each row's versions for `historyRetentionMs`. Kafka Streams: `Stores.persistentVersionedKeyValueStore` (KIP-889).
 *
 * @throws {RangeError} when a duration is negative, or the segment interval zero
 */
export function persistentVersionedKeyValueStore(
  name: string,
  options: { readonly historyRetentionMs: number; readonly segmentIntervalMs?: number },
): VersionedStoreSupplier {
  return versioned(name, "lmdb", options);
}

/** A versioned store in memory. Kafka Streams has none. @throws {RangeError} as for the persistent one */
export function inMemoryVersionedKeyValueStore(
  name: string,
  options: { readonly historyRetentionMs: number; readonly segmentIntervalMs?: number },
): VersionedStoreSupplier {
  return versioned(name, "memory", options);
}

/** A window store on disk. Kafka Streams: `Stores.persistentWindowStore`. @throws {RangeError} when the retention is below the window size or a duration negative */
export function persistentWindowStore(
  name: string,
  options: WindowStoreOptions,
): WindowStoreSupplier {
  return window(name, "lmdb", false, options);
}

/** A window store on disk that keeps timestamps. Kafka Streams: `Stores.persistentTimestampedWindowStore`. @throws {RangeError} as the plain one */
export function persistentTimestampedWindowStore(
  name: string,
  options: WindowStoreOptions,
): WindowStoreSupplier {
  return window(name, "lmdb", true, options);
}

/** A window store in memory. Kafka Streams: `Stores.inMemoryWindowStore`. @throws {RangeError} as the persistent one */
export function inMemoryWindowStore(
  name: string,
  options: WindowStoreOptions,
): WindowStoreSupplier {
  return window(name, "memory", true, options);
}

/** What a session store keeps. `order: "time"` is for emit on close. */
export interface SessionStoreOptions {
  readonly retentionMs: number;
  /** Default: `key`. */
  readonly order?: WindowOrder;
}

/** A session store on disk. Kafka Streams: `Stores.persistentSessionStore`. @throws {RangeError} when the retention is negative */
export function persistentSessionStore(
  name: string,
  options: SessionStoreOptions,
): SessionStoreSupplier {
  return session(name, "lmdb", options);
}

/** A session store in memory. Kafka Streams: `Stores.inMemorySessionStore`. @throws {RangeError} when the retention is negative */
export function inMemorySessionStore(
  name: string,
  options: SessionStoreOptions,
): SessionStoreSupplier {
  return session(name, "memory", options);
}

function keyValue(name: string, engine: StoreEngine, timestamped: boolean): KeyValueStoreSupplier {
  named(name);
  return Object.freeze({ kind: "keyValue", name, engine, timestamped });
}

function versioned(
  name: string,
  engine: "lmdb" | "memory",
  options: { readonly historyRetentionMs: number; readonly segmentIntervalMs?: number },
): VersionedStoreSupplier {
  named(name);
  const { historyRetentionMs } = options;
  notNegative(name, "historyRetentionMs", historyRetentionMs);
  const segmentIntervalMs = options.segmentIntervalMs ??
    versionedSegmentInterval(historyRetentionMs);
  if (segmentIntervalMs < 1) throw misuse(name, "segmentIntervalMs", "positive", segmentIntervalMs);
  return Object.freeze({ kind: "versioned", name, engine, historyRetentionMs, segmentIntervalMs });
}

/** Kafka Streams: `RocksDbVersionedKeyValueBytesStoreSupplier.defaultSegmentInterval`. */
function versionedSegmentInterval(historyRetentionMs: number): number {
  if (historyRetentionMs <= 60_000) return Math.max(Math.floor(historyRetentionMs / 3), 2_000);
  if (historyRetentionMs <= 300_000) return Math.max(Math.floor(historyRetentionMs / 5), 20_000);
  if (historyRetentionMs <= 3_600_000) return Math.max(Math.floor(historyRetentionMs / 12), 60_000);
  return Math.max(Math.floor(historyRetentionMs / 24), 300_000);
}

function window(
  name: string,
  engine: "lmdb" | "memory",
  timestamped: boolean,
  options: WindowStoreOptions,
): WindowStoreSupplier {
  named(name);
  const { retentionMs, windowSizeMs, retainDuplicates = false, order = "key" } = options;
  notNegative(name, "retentionMs", retentionMs);
  notNegative(name, "windowSizeMs", windowSizeMs);
  if (windowSizeMs > retentionMs) {
    throw new RangeError(
      `Cannot make window store ${name} as its retention must be no smaller than its window size: ` +
        `current value is size ${windowSizeMs} ms, retention ${retentionMs} ms`,
    );
  }
  return Object.freeze({
    kind: "window",
    name,
    engine,
    timestamped,
    retentionMs,
    windowSizeMs,
    retainDuplicates,
    segmentIntervalMs: windowSegmentInterval(retentionMs),
    order,
  });
}

function session(
  name: string,
  engine: "lmdb" | "memory",
  options: SessionStoreOptions,
): SessionStoreSupplier {
  named(name);
  const { retentionMs, order = "key" } = options;
  notNegative(name, "retentionMs", retentionMs);
  const segmentIntervalMs = windowSegmentInterval(retentionMs);
  return Object.freeze({ kind: "session", name, engine, retentionMs, segmentIntervalMs, order });
}

/** Kafka Streams: `Math.max(retention / 2, 60_000L)`. */
function windowSegmentInterval(retentionMs: number): number {
  return Math.max(Math.floor(retentionMs / 2), 60_000);
}

function named(name: string): void {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`Cannot make a store as its name is missing: current value is ${name}`);
  }
}

function notNegative(name: string, what: string, value: number): void {
  if (!(value >= 0)) throw misuse(name, what, "a number that is not negative", value);
}

function misuse(name: string, what: string, rule: string, value: number): RangeError {
  return new RangeError(
    `Cannot make store ${name} as ${what} must be ${rule}: current value is ${value}`,
  );
}
