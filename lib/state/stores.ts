/**
 * The builders of stores, as Kafka Streams' `Stores` has them: a supplier says where and how long, the builder adds the types.
 *
 * ```ts
 * const counts = keyValueStoreBuilder(persistentKeyValueStore("counts"), { key: string(), value: int64() });
 * topology.addStateStore(counts, "counter");
 * ```
 *
 * @module
 */
import type { Serde } from "../serde/serde.ts";
import { CachedKeyValueStore } from "./cached_key_value_store.ts";
import { ForgetfulCodec, PlainCodec, TimestampedCodec, type ValueCodec } from "./codecs.ts";
import { SerializedKeyValueStore } from "./key_value_store.ts";
import type {
  KeyValueStore,
  StoreBuilder,
  StoreKind,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
} from "./store.ts";
import { serdeList, StoreDefinition } from "./store_definition.ts";
import type { KeyValueStoreSupplier } from "./suppliers.ts";

/** The types of a store. */
export interface StoreSerdes<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
}

/** A builder of key-value stores. Kafka Streams: `Stores.keyValueStoreBuilder`. */
export function keyValueStoreBuilder<K, V>(
  supplier: KeyValueStoreSupplier,
  serdes: StoreSerdes<K, V>,
): StoreBuilder<KeyValueStore<K, V>> {
  return keyValueDefinition<K, V>(supplier, serdes, {
    kind: "keyValue",
    codec: (topic) => new PlainCodec(serdes.value, topic),
  });
}

/**
 * A builder of key-value stores whose values have timestamps. A plain persistent supplier forgets the timestamps, which are then
 * read as -1. Kafka Streams: `Stores.timestampedKeyValueStoreBuilder`.
 */
export function timestampedKeyValueStoreBuilder<K, V>(
  supplier: KeyValueStoreSupplier,
  serdes: StoreSerdes<K, V>,
): StoreBuilder<TimestampedKeyValueStore<K, V>> {
  return keyValueDefinition<K, ValueAndTimestamp<V>>(supplier, serdes, {
    kind: "timestampedKeyValue",
    codec: (topic) =>
      supplier.timestamped
        ? new TimestampedCodec(serdes.value, topic)
        : new ForgetfulCodec(serdes.value, topic),
  });
}

function keyValueDefinition<K, V>(
  supplier: KeyValueStoreSupplier,
  serdes: StoreSerdes<K, unknown>,
  form: { readonly kind: StoreKind; readonly codec: (topic: string) => ValueCodec<V> },
): StoreBuilder<KeyValueStore<K, V>> {
  return new StoreDefinition<KeyValueStore<K, V>>({
    name: supplier.name,
    kind: form.kind,
    changelogPolicy: { cleanup: "compact" },
    serdes: serdeList(serdes.key, serdes.value),
    make: ({ logging, caching }) => {
      const store = new SerializedKeyValueStore<K, V>({
        supplier,
        keySerde: serdes.key,
        valueCodec: form.codec,
        logging,
      });
      return caching ? new CachedKeyValueStore(store) : store;
    },
  });
}
