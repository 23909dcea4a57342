import { InvalidStateStoreException } from "../../errors.ts";
import {
  type CachedStateStore,
  NOT_PUT,
  type StateStore,
  type TimestampedKeyValueStore,
  ValueAndTimestamp,
  type VersionedKeyValueStore,
} from "../../state/store.ts";
import type { ProcessingContext } from "../../topology/processor.ts";
import type { KTableValueGetter, KTableValueGetterSupplier } from "./table.ts";

/** What `put` gives for the newest version of a row, and always for stores without versions. Java: `PUT_RETURN_CODE_IS_LATEST`. */
export const IS_LATEST = -1;
export { NOT_PUT };

/**
 * The store of a table: rows with timestamps, or rows with their history, behind one face.
 * Kafka Streams: `KeyValueStoreWrapper`.
 */
export interface TableStore<K, V> {
  readonly store: StateStore & Partial<CachedStateStore<K, ValueAndTimestamp<V>>>;
  readonly isVersioned: boolean;
  get(key: K): ValueAndTimestamp<V> | null;
  /** @throws {InvalidStateStoreException} when the store has no versions */
  getAsOf(key: K, timestamp: number): ValueAndTimestamp<V> | null;
  /** Null deletes. Gives `IS_LATEST`, `NOT_PUT`, or the timestamp (epoch ms) of the version after it. */
  put(key: K, value: V | null, timestamp: number): number;
}

/** The store of that name as a table's store. */
export function tableStore<K, V>(context: ProcessingContext, name: string): TableStore<K, V> {
  const store = context.getStateStore(name);
  return "historyRetentionMs" in store
    ? new VersionedTableStore(store as VersionedKeyValueStore<K, V>)
    : new TimestampedTableStore(store as TimestampedKeyValueStore<K, V>);
}

class TimestampedTableStore<K, V> implements TableStore<K, V> {
  readonly store: TimestampedKeyValueStore<K, V>;
  readonly isVersioned = false;
  constructor(store: TimestampedKeyValueStore<K, V>) {
    this.store = store;
  }
  get(key: K): ValueAndTimestamp<V> | null {
    return this.store.get(key);
  }
  getAsOf(_key: K, timestamp: number): ValueAndTimestamp<V> | null {
    throw new InvalidStateStoreException(
      `Cannot read ${this.store.name} as of ${timestamp} as only a versioned store keeps history: current value is a timestamped store`,
    );
  }
  put(key: K, value: V | null, timestamp: number): number {
    this.store.put(
      key,
      value === null || value === undefined ? null : new ValueAndTimestamp(value, timestamp),
    );
    return IS_LATEST;
  }
}

class VersionedTableStore<K, V> implements TableStore<K, V> {
  readonly store: VersionedKeyValueStore<K, V>;
  readonly isVersioned = true;
  constructor(store: VersionedKeyValueStore<K, V>) {
    this.store = store;
  }
  get(key: K): ValueAndTimestamp<V> | null {
    const version = this.store.get(key);
    return version === null ? null : new ValueAndTimestamp(version.value, version.timestamp);
  }
  getAsOf(key: K, timestamp: number): ValueAndTimestamp<V> | null {
    const version = this.store.get(key, timestamp);
    return version === null ? null : new ValueAndTimestamp(version.value, version.timestamp);
  }
  put(key: K, value: V | null, timestamp: number): number {
    return this.store.put(key, value === undefined ? null : value, timestamp);
  }
}

/** Reads a materialized table. Kafka Streams: `KTableMaterializedValueGetterSupplier`, `KTableSourceValueGetterSupplier`. */
export class KTableMaterializedValueGetterSupplier<K, V>
  implements KTableValueGetterSupplier<K, V> {
  readonly #storeName: string;
  constructor(storeName: string) {
    this.#storeName = storeName;
  }
  get(): KTableValueGetter<K, V> {
    return new MaterializedValueGetter(this.#storeName);
  }
  storeNames(): readonly string[] {
    return [this.#storeName];
  }
}

class MaterializedValueGetter<K, V> implements KTableValueGetter<K, V> {
  readonly #storeName: string;
  #store!: TableStore<K, V>;
  constructor(storeName: string) {
    this.#storeName = storeName;
  }
  init(context: ProcessingContext): void {
    this.#store = tableStore(context, this.#storeName);
  }
  get(key: K): ValueAndTimestamp<V> | null {
    return this.#store.get(key);
  }
  getAsOf(key: K, timestamp: number): ValueAndTimestamp<V> | null {
    return this.#store.getAsOf(key, timestamp);
  }
  isVersioned(): boolean {
    return this.#store.isVersioned;
  }
}
