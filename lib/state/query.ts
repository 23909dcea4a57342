/**
 * Questions to a store from outside its processors: the query kinds and failure reasons of Kafka Streams' IQv2 (KIP-796), as data. The runtime finds
 * the store and calls `queryStore` on its thread.
 *
 * ```ts
 * const answer = queryStore(store, windowKeyQuery<string, number>("anna", from, to));
 * if (answer.ok) for (const [start, count] of answer.result) console.log(start, count);
 * ```
 *
 * @module
 */
import type { Windowed } from "../record/windowed.ts";
import {
  type KeyValueStore,
  type SessionStore,
  type StateStore,
  type StoreKind,
  ValueAndTimestamp,
  type VersionedKeyValueStore,
  type VersionedRecord,
  type WindowStore,
} from "./store.ts";

/** In which order rows come: that of their serialized keys, or the reverse. Kafka Streams: `ResultOrder`. */
export type ResultOrder = "ascending" | "descending";

/** What is asked. `R` is the type of the answer; made by the functions below. Kafka Streams: `Query`. */
export type Query<R> = QueryForm & {
  /** Carries the answer's type; never there. */
  readonly answers?: R;
};

type QueryForm =
  | { readonly kind: "key" | "timestampedKey"; readonly key: unknown }
  | {
    readonly kind: "range" | "timestampedRange";
    readonly from: unknown;
    readonly to: unknown;
    readonly order: ResultOrder;
  }
  | { readonly kind: "versionedKey"; readonly key: unknown; readonly asOf: number | undefined }
  | {
    readonly kind: "multiVersionedKey";
    readonly key: unknown;
    readonly from: number;
    readonly to: number;
    readonly order: ResultOrder;
  }
  | {
    readonly kind: "windowKey";
    readonly key: unknown;
    readonly from: number;
    readonly to: number;
  }
  | { readonly kind: "windowRange"; readonly from: number; readonly to: number }
  | { readonly kind: "sessionsOfKey"; readonly key: unknown };

/** Why a query has no answer. Kafka Streams: `FailureReason`. */
export type FailureReason =
  /** The store cannot answer this kind of question. */
  | "unknown-query-type"
  /** The task is not running, or a standby or restoring one where an active one is asked for. */
  | "not-active"
  /** The state has not reached the position that is asked for. */
  | "not-up-to-bound"
  /** The partition is not on this instance. */
  | "not-present"
  /** There is no such partition of the store. */
  | "does-not-exist"
  /** The store threw. */
  | "store-exception";

/**
 * How far a store has come, or has to have come: the offset of the last record of each partition, by topic. Kafka Streams: `Position`.
 *
 * ```ts
 * { "orders-input": { 0: 41, 1: 17 } }
 * ```
 */
export type Position = Readonly<Record<string, Readonly<Record<number, number>>>>;

/**
 * Whether a store that has come to `position` has passed the bound in its own partition; other partitions are those of other tasks.
 * Kafka Streams: `StoreQueryUtils.isPermitted`.
 */
export function isPermitted(position: Position, bound: Position, partition: number): boolean {
  for (const [topic, offsets] of Object.entries(bound)) {
    const wanted = offsets[partition];
    if (wanted === undefined) continue;
    const seen = position[topic]?.[partition];
    if (seen === undefined || seen < wanted) return false;
  }
  return true;
}

/** A query's answer or the reason why there is none. Kafka Streams: `QueryResult`. */
export type QueryResult<R> =
  | {
    readonly ok: true;
    readonly result: R;
    /** How far the store had come; undefined where nobody knows, as with global stores. */
    readonly position?: Position;
  }
  | {
    readonly ok: false;
    readonly reason: FailureReason;
    readonly message: string;
    readonly position?: Position;
    readonly cause?: unknown;
  };

/** A key's value, without its timestamp. This and all queries of a key throw a TypeError when it is null. Kafka Streams: `KeyQuery`. */
export function keyQuery<K, V>(key: K): Query<V | null> {
  return { kind: "key", key: given(key) };
}

/** A key's value with its timestamp. Kafka Streams: `TimestampedKeyQuery`. */
export function timestampedKeyQuery<K, V>(key: K): Query<ValueAndTimestamp<V> | null> {
  return { kind: "timestampedKey", key: given(key) };
}

/** The bounds of a range of keys, both inclusive; a missing one is open-ended. */
export interface KeyRange<K> {
  readonly from?: K | null;
  readonly to?: K | null;
  /** Default: ascending. */
  readonly order?: ResultOrder;
}

/** Values of a range of keys, without timestamps. Kafka Streams: `RangeQuery`. */
export function rangeQuery<K, V>(range: KeyRange<K> = {}): Query<IterableIterator<[K, V]>> {
  return { kind: "range", ...bounds(range) };
}

/** Values of a range of keys with their timestamps. Kafka Streams: `TimestampedRangeQuery`. */
export function timestampedRangeQuery<K, V>(
  range: KeyRange<K> = {},
): Query<IterableIterator<[K, ValueAndTimestamp<V>]>> {
  return { kind: "timestampedRange", ...bounds(range) };
}

function bounds<K>(
  { from = null, to = null, order = "ascending" }: KeyRange<K>,
): { readonly from: K | null; readonly to: K | null; readonly order: ResultOrder } {
  return { from, to, order };
}

/** The version of a row that was valid at `asOf` (epoch ms), or the latest. Kafka Streams: `VersionedKeyQuery`. */
export function versionedKeyQuery<K, V>(key: K, asOf?: number): Query<VersionedRecord<V> | null> {
  return { kind: "versionedKey", key: given(key), asOf };
}

/** The versions of a row that were valid in [from, to] (epoch ms), newest first by default. Kafka Streams: `MultiVersionedKeyQuery`. */
export function multiVersionedKeyQuery<K, V>(
  key: K,
  times: { readonly from?: number; readonly to?: number; readonly order?: ResultOrder } = {},
): Query<IterableIterator<VersionedRecord<V>>> {
  const { from = 0, to = Number.MAX_SAFE_INTEGER, order = "descending" } = times;
  return { kind: "multiVersionedKey", key: given(key), from, to, order };
}

/** The windows of a key that start in [from, to] (epoch ms): start and value. Kafka Streams: `WindowKeyQuery`. */
export function windowKeyQuery<K, V>(
  key: K,
  from: number,
  to: number,
): Query<IterableIterator<[number, V]>> {
  return { kind: "windowKey", key: given(key), from, to };
}

/** The windows of all keys that start in [from, to] (epoch ms). Kafka Streams: `WindowRangeQuery.withWindowStartRange`. */
export function windowRangeQuery<K, V>(
  from: number,
  to: number,
): Query<IterableIterator<[Windowed<K>, V]>> {
  return { kind: "windowRange", from, to };
}

/** The sessions of a key. Kafka Streams: `WindowRangeQuery.withKey`. */
export function sessionsOfKeyQuery<K, V>(key: K): Query<IterableIterator<[Windowed<K>, V]>> {
  return { kind: "sessionsOfKey", key: given(key) };
}

function given<K>(key: K): K {
  if (key === null || key === undefined) {
    throw new TypeError(`Cannot make a query as it needs a key: current value is ${key}`);
  }
  return key;
}

/** Asks an open store. Windows give what they store: with timestamps when they have them. Never throws. */
export function queryStore<R>(store: StateStore, query: Query<R>): QueryResult<R> {
  try {
    const answer = ask(store, query);
    if (answer === UNANSWERABLE) return unknownQueryType(store, query.kind);
    return { ok: true, result: answer as R };
  } catch (cause) {
    const message = `Cannot query store ${store.name} as it failed: ${(cause as Error).message}`;
    return { ok: false, reason: "store-exception", message, cause };
  }
}

const UNANSWERABLE = Symbol("unanswerable");

function ask(store: StateStore, query: QueryForm): unknown {
  switch (query.kind) {
    case "key":
      return onStore(store, KEY_VALUE, (rows) => plain(rows.get(query.key)));
    case "timestampedKey":
      return onStore(store, TIMESTAMPED, (rows) => rows.get(query.key));
    case "range":
      return onStore(store, KEY_VALUE, (rows) => plainRows(scan(rows, query)));
    case "timestampedRange":
      return onStore(store, TIMESTAMPED, (rows) => scan(rows, query));
    case "versionedKey":
      return onStore(store, VERSIONED, (rows) => rows.get(query.key, query.asOf));
    case "multiVersionedKey": {
      const { key, from, to, order } = query;
      return onStore(
        store,
        VERSIONED,
        (rows) => rows.history(key, from, to, order === "ascending"),
      );
    }
    case "windowKey":
      return onStore(store, WINDOW, (rows) => rows.fetchRange(query.key, query.from, query.to));
    case "windowRange":
      return onStore(store, WINDOW, (rows) => rows.fetchAll(query.from, query.to));
    case "sessionsOfKey":
      return onStore(store, SESSION, (rows) => rows.fetch(query.key));
    default:
      return query satisfies never;
  }
}

/** The kinds of store that have an interface. `S` is that interface. */
interface Answering<S> {
  readonly kinds: readonly StoreKind[];
  /** Carries the type; never there. */
  readonly store?: S;
}
const KEY_VALUE: Answering<KeyValueStore<unknown, unknown>> = {
  kinds: ["keyValue", "timestampedKeyValue"],
};
const TIMESTAMPED: Answering<KeyValueStore<unknown, unknown>> = { kinds: ["timestampedKeyValue"] };
const VERSIONED: Answering<VersionedKeyValueStore<unknown, unknown>> = { kinds: ["versioned"] };
const WINDOW: Answering<WindowStore<unknown, unknown>> = { kinds: ["window", "timestampedWindow"] };
const SESSION: Answering<SessionStore<unknown, unknown>> = { kinds: ["session"] };

function onStore<S>(
  store: StateStore,
  { kinds }: Answering<S>,
  answer: (store: S) => unknown,
): unknown {
  return store.kind !== undefined && kinds.includes(store.kind)
    ? answer(store as unknown as S)
    : UNANSWERABLE;
}

function scan(
  rows: KeyValueStore<unknown, unknown>,
  { from, to, order }: Extract<QueryForm, { readonly order: ResultOrder; readonly from: unknown }>,
): IterableIterator<[unknown, unknown]> {
  return order === "ascending" ? rows.range(from, to) : rows.reverseRange(from, to);
}

function plain(value: unknown): unknown {
  return value instanceof ValueAndTimestamp ? value.value : value;
}

function* plainRows(
  rows: IterableIterator<[unknown, unknown]>,
): IterableIterator<[unknown, unknown]> {
  for (const [key, value] of rows) yield [key, plain(value)];
}

function unknownQueryType(store: StateStore, kind: string): QueryResult<never> {
  return {
    ok: false,
    reason: "unknown-query-type",
    message: `Cannot answer the query as store ${store.name} is of kind ${
      store.kind ?? "unknown"
    }: current value is a query of kind ${kind}`,
  };
}
