import {
  inMemoryKeyValueStore,
  inMemorySessionStore,
  inMemoryWindowStore,
  type KeyValueStoreSupplier,
  persistentKeyValueStore,
  persistentSessionStore,
  persistentTimestampedKeyValueStore,
  persistentTimestampedWindowStore,
  persistentWindowStore,
  type SessionStoreSupplier,
  type WindowStoreSupplier,
} from "./suppliers.ts";

/** What the DSL asks of a key-value store. Kafka Streams: `DslKeyValueParams`. */
export interface DslKeyValueParams {
  readonly name: string;
  readonly timestamped: boolean;
}

/** What the DSL asks of a window store. Kafka Streams: `DslWindowParams`. */
export interface DslWindowParams {
  readonly name: string;
  readonly retentionMs: number;
  readonly windowSizeMs: number;
  readonly retainDuplicates: boolean;
  /** Windows are given out when they close: the store keeps them in order of time. */
  readonly emitOnClose: boolean;
  readonly timestamped: boolean;
}

/** What the DSL asks of a session store. Kafka Streams: `DslSessionParams`. */
export interface DslSessionParams {
  readonly name: string;
  readonly retentionMs: number;
  readonly emitOnClose: boolean;
}

/** Chooses the stores of DSL operators that name none. Kafka Streams: `DslStoreSuppliers` (KIP-954). */
export interface DslStoreSuppliers {
  keyValueStore(params: DslKeyValueParams): KeyValueStoreSupplier;
  windowStore(params: DslWindowParams): WindowStoreSupplier;
  sessionStore(params: DslSessionParams): SessionStoreSupplier;
}

/** Stores on disk, the default. Kafka Streams: `RocksDBDslStoreSuppliers`. */
export const lmdbStores: DslStoreSuppliers = Object.freeze({
  keyValueStore: ({ name, timestamped }: DslKeyValueParams) =>
    timestamped ? persistentTimestampedKeyValueStore(name) : persistentKeyValueStore(name),
  windowStore: (params: DslWindowParams) => {
    const order = params.emitOnClose ? "time" as const : "key" as const;
    // A store for emit on close is timestamped whatever is asked, as the one of Kafka Streams is.
    return params.timestamped || params.emitOnClose
      ? persistentTimestampedWindowStore(params.name, { ...params, order })
      : persistentWindowStore(params.name, { ...params, order });
  },
  sessionStore: ({ name, retentionMs, emitOnClose }: DslSessionParams) =>
    persistentSessionStore(name, { retentionMs, order: emitOnClose ? "time" : "key" }),
});

/** Stores in memory. Kafka Streams: `InMemoryDslStoreSuppliers`. */
export const inMemoryStores: DslStoreSuppliers = Object.freeze({
  keyValueStore: ({ name }: DslKeyValueParams) => inMemoryKeyValueStore(name),
  windowStore: (params: DslWindowParams) =>
    inMemoryWindowStore(params.name, { ...params, order: params.emitOnClose ? "time" : "key" }),
  sessionStore: ({ name, retentionMs, emitOnClose }: DslSessionParams) =>
    inMemorySessionStore(name, { retentionMs, order: emitOnClose ? "time" : "key" }),
});

/** The stores of configuration `default.dsl.store`: `lmdb` (also `rocksDB`, its name in Kafka Streams) or `in_memory`. @throws {TypeError} for another name */
export function dslStoreSuppliers(name: string): DslStoreSuppliers {
  switch (name) {
    case "lmdb":
    case "rocksDB":
      return lmdbStores;
    case "in_memory":
      return inMemoryStores;
    default:
      throw new TypeError(
        `Cannot choose the default store as default.dsl.store must be lmdb or in_memory: current value is ${name}`,
      );
  }
}
