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
import { CachedSessionStore } from "./cached_session_store.ts";
import { CachedWindowStore } from "./cached_window_store.ts";
import { ForgetfulCodec, PlainCodec, TimestampedCodec, type ValueCodec } from "./codecs.ts";
import { SerializedKeyValueStore } from "./key_value_store.ts";
import { SerializedSessionStore } from "./session_store.ts";
import type {
  KeyValueStore,
  SessionStore,
  StoreBuilder,
  StoreKind,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  ValueAndTimestamp,
  VersionedKeyValueStore,
  WindowStore,
} from "./store.ts";
import { serdeList, StoreDefinition } from "./store_definition.ts";
import type {
  KeyValueStoreSupplier,
  SessionStoreSupplier,
  VersionedStoreSupplier,
  WindowStoreSupplier,
} from "./suppliers.ts";
import { SerializedVersionedStore } from "./versioned_store.ts";
import { SerializedWindowStore } from "./window_store.ts";

/** The types of a store. */
export interface StoreSerdes<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
}

const EXAMPLES = {
  keyValue: 'persistentKeyValueStore("name")',
  versioned: 'persistentVersionedKeyValueStore("name", { historyRetentionMs })',
  window: 'persistentWindowStore("name", { retentionMs, windowSizeMs })',
  session: 'persistentSessionStore("name", { retentionMs })',
} as const;

/** @throws {TypeError} when the supplier is of another kind, or a serde is missing */
function check(
  builder: string,
  supplier: { readonly kind: string; readonly name: string },
  kind: keyof typeof EXAMPLES,
  serdes: StoreSerdes<any, any>,
): void {
  if (supplier?.kind !== kind) {
    throw new TypeError(
      `Cannot build a store as ${builder} needs a supplier such as ${
        EXAMPLES[kind]
      }: current value is ${supplier?.kind ?? supplier}`,
    );
  }
  for (const part of ["key", "value"] as const) {
    if (typeof serdes?.[part]?.decode === "function") continue;
    throw new TypeError(
      `Cannot build the store ${supplier.name} as it needs a serde { ${part}: … }, such as string(): current value is ${
        serdes?.[part]
      }`,
    );
  }
}

/** A builder of key-value stores. Kafka Streams: `Stores.keyValueStoreBuilder`. @throws {TypeError} without a fitting supplier or a serde, as all builders */
export function keyValueStoreBuilder<K, V>(
  supplier: KeyValueStoreSupplier,
  serdes: StoreSerdes<K, V>,
): StoreBuilder<KeyValueStore<K, V>> {
  check("keyValueStoreBuilder", supplier, "keyValue", serdes);
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
  check("timestampedKeyValueStoreBuilder", supplier, "keyValue", serdes);
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
        kind: form.kind,
        logging,
      });
      return caching ? new CachedKeyValueStore(store) : store;
    },
  });
}

/** A builder of window stores. One that retains duplicates never caches. Kafka Streams: `Stores.windowStoreBuilder`. */
export function windowStoreBuilder<K, V>(
  supplier: WindowStoreSupplier,
  serdes: StoreSerdes<K, V>,
): StoreBuilder<WindowStore<K, V>> {
  check("windowStoreBuilder", supplier, "window", serdes);
  return windowDefinition<K, V>(supplier, serdes, {
    kind: "window",
    codec: (topic) => new PlainCodec(serdes.value, topic),
  });
}

/**
 * A builder of window stores whose values have timestamps. A plain persistent supplier forgets the timestamps, which are then read
 * as -1. Kafka Streams: `Stores.timestampedWindowStoreBuilder`.
 */
export function timestampedWindowStoreBuilder<K, V>(
  supplier: WindowStoreSupplier,
  serdes: StoreSerdes<K, V>,
): StoreBuilder<TimestampedWindowStore<K, V>> {
  check("timestampedWindowStoreBuilder", supplier, "window", serdes);
  return windowDefinition<K, ValueAndTimestamp<V>>(supplier, serdes, {
    kind: "timestampedWindow",
    codec: (topic) =>
      supplier.timestamped
        ? new TimestampedCodec(serdes.value, topic)
        : new ForgetfulCodec(serdes.value, topic),
  });
}

function windowDefinition<K, V>(
  supplier: WindowStoreSupplier,
  serdes: StoreSerdes<K, unknown>,
  form: { readonly kind: StoreKind; readonly codec: (topic: string) => ValueCodec<V> },
): StoreBuilder<WindowStore<K, V>> {
  return new StoreDefinition<WindowStore<K, V>>({
    name: supplier.name,
    kind: form.kind,
    changelogPolicy: { cleanup: "compact,delete", retentionMs: supplier.retentionMs },
    serdes: serdeList(serdes.key, serdes.value),
    uncacheable: supplier.retainDuplicates
      ? { why: "it retains duplicates", reaction: "ignored" }
      : undefined,
    make: ({ logging, caching }) => {
      const store = new SerializedWindowStore<K, V>({
        supplier,
        keySerde: serdes.key,
        valueCodec: form.codec,
        kind: form.kind,
        logging,
      });
      return caching ? new CachedWindowStore(store) : store;
    },
  });
}

/** A builder of session stores. Kafka Streams: `Stores.sessionStoreBuilder`. */
export function sessionStoreBuilder<K, V>(
  supplier: SessionStoreSupplier,
  serdes: StoreSerdes<K, V>,
): StoreBuilder<SessionStore<K, V>> {
  check("sessionStoreBuilder", supplier, "session", serdes);
  return new StoreDefinition<SessionStore<K, V>>({
    name: supplier.name,
    kind: "session",
    changelogPolicy: { cleanup: "compact,delete", retentionMs: supplier.retentionMs },
    serdes: serdeList(serdes.key, serdes.value),
    make: ({ logging, caching }) => {
      const store = new SerializedSessionStore<K, V>({
        supplier,
        keySerde: serdes.key,
        valueCodec: (topic) => new PlainCodec(serdes.value, topic),
        logging,
      });
      return caching ? new CachedSessionStore(store) : store;
    },
  });
}

/** Beyond the history retention, so that a changelog keeps what a restore needs. Kafka Streams: `VERSIONED_STORE_CHANGE_LOG_ADDITIONAL_COMPACTION_LAG_MS`. */
const ADDITIONAL_COMPACTION_LAG_MS = 86_400_000;

/** A builder of versioned stores. They never cache. Kafka Streams: `Stores.versionedKeyValueStoreBuilder` (KIP-889). */
export function versionedKeyValueStoreBuilder<K, V>(
  supplier: VersionedStoreSupplier,
  serdes: StoreSerdes<K, V>,
): StoreBuilder<VersionedKeyValueStore<K, V>> {
  check("versionedKeyValueStoreBuilder", supplier, "versioned", serdes);
  return new StoreDefinition<VersionedKeyValueStore<K, V>>({
    name: supplier.name,
    kind: "versioned",
    changelogPolicy: {
      cleanup: "compact",
      minCompactionLagMs: supplier.historyRetentionMs + ADDITIONAL_COMPACTION_LAG_MS,
    },
    serdes: serdeList(serdes.key, serdes.value),
    uncacheable: { why: "versioned stores do not support caching", reaction: "throws" },
    make: ({ logging }) =>
      new SerializedVersionedStore<K, V>({
        supplier,
        keySerde: serdes.key,
        valueSerde: serdes.value,
        logging,
      }),
  });
}
