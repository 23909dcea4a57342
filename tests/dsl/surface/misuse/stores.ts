import {
  inMemoryKeyValueStore,
  inMemorySessionStore,
  inMemoryWindowStore,
  keyValueStoreBuilder,
  lruMap,
  persistentKeyValueStore,
  persistentSessionStore,
  persistentTimestampedKeyValueStore,
  persistentTimestampedWindowStore,
  persistentVersionedKeyValueStore,
  persistentWindowStore,
  sessionStoreBuilder,
  string,
  timestampedKeyValueStoreBuilder,
  timestampedWindowStoreBuilder,
  versionedKeyValueStoreBuilder,
  windowStoreBuilder,
} from "../../../../mod.ts";
import { nothing, versioned } from "./fixture.ts";
import type { Misuse } from "./misuse.ts";

const SERDES = { key: string(), value: string() };
const WINDOW = { retentionMs: 10, windowSizeMs: 10 };

/** Each supplier with a name of null. */
const UNNAMED = {
  persistentKeyValueStore,
  persistentTimestampedKeyValueStore,
  inMemoryKeyValueStore,
  lruMap: (name: string) => lruMap(name, 1),
  persistentVersionedKeyValueStore: (name: string) =>
    persistentVersionedKeyValueStore(name, { historyRetentionMs: 1 }),
  persistentWindowStore: (name: string) => persistentWindowStore(name, WINDOW),
  persistentTimestampedWindowStore: (name: string) =>
    persistentTimestampedWindowStore(name, WINDOW),
  inMemoryWindowStore: (name: string) => inMemoryWindowStore(name, WINDOW),
  persistentSessionStore: (name: string) => persistentSessionStore(name, { retentionMs: 1 }),
  inMemorySessionStore: (name: string) => inMemorySessionStore(name, { retentionMs: 1 }),
};

/** Each builder, what Kafka Streams says when it has no supplier, and a supplier that fits. */
const BUILDERS = {
  keyValueStoreBuilder: [
    keyValueStoreBuilder,
    "KeyValueStoreBuilder: storeSupplier can't be null",
    'persistentKeyValueStore("name")',
  ],
  timestampedKeyValueStoreBuilder: [
    timestampedKeyValueStoreBuilder,
    "TimestampedKeyValueStoreBuilder: storeSupplier can't be null",
    'persistentKeyValueStore("name")',
  ],
  versionedKeyValueStoreBuilder: [
    versionedKeyValueStoreBuilder,
    "VersionedKeyValueStoreBuilder: storeSupplier can't be null",
    'persistentVersionedKeyValueStore("name", { historyRetentionMs })',
  ],
  windowStoreBuilder: [
    windowStoreBuilder,
    "WindowStoreBuilder: storeSupplier can't be null",
    'persistentWindowStore("name", { retentionMs, windowSizeMs })',
  ],
  timestampedWindowStoreBuilder: [
    timestampedWindowStoreBuilder,
    "TimestampedWindowStoreBuilder: storeSupplier can't be null",
    'persistentWindowStore("name", { retentionMs, windowSizeMs })',
  ],
  sessionStoreBuilder: [
    sessionStoreBuilder,
    "SessionStoreBuilder: storeSupplier cannot be null",
    'persistentSessionStore("name", { retentionMs })',
  ],
} as const;

/** Suppliers and builders of stores. */
export const STORES: readonly Misuse[] = [
  ...Object.entries(UNNAMED).map(([name, make]): Misuse => ({
    that: `${name} without a name`,
    java: ["Stores: name cannot be null"],
    error: "TypeError",
    says: "Cannot make a store as its name is missing: current value is null",
    build: () => make(nothing),
  })),
  ...Object.entries(BUILDERS).map(([name, [make, java, example]]): Misuse => ({
    that: `${name} without a supplier`,
    java: ["Stores: supplier cannot be null", java],
    error: "TypeError",
    says:
      `Cannot build a store as ${name} needs a supplier such as ${example}: current value is null`,
    build: () => (make as any)(null, SERDES),
  })),
  {
    that: "keyValueStoreBuilder with the supplier of a window store",
    java: [
      "VersionedKeyValueStoreBuilder: VersionedBytesStoreSupplier.get() must return an instance of VersionedBytesStore",
    ],
    error: "TypeError",
    says:
      'Cannot build a store as keyValueStoreBuilder needs a supplier such as persistentKeyValueStore("name"): current value is window',
    build: () => keyValueStoreBuilder(inMemoryWindowStore("w", WINDOW) as any, SERDES),
  },
  {
    that: "a store without serdes",
    java: ["StateSerdes: key serde cannot be null", "StateSerdes: value serde cannot be null"],
    error: "TypeError",
    says:
      "Cannot build the store s as it needs a serde { value: … }, such as string(): current value is undefined",
    build: () => keyValueStoreBuilder(inMemoryKeyValueStore("s"), { key: string() } as any),
  },
  {
    that: "an LRU store of a negative size",
    java: ["Stores: maxCacheSize cannot be negative"],
    error: "RangeError",
    says:
      "Cannot make store s as maxEntries must be a number that is not negative: current value is -1",
    build: () => lruMap("s", -1),
  },
  {
    that: "a negative history retention",
    java: ["Stores: historyRetention cannot be negative"],
    error: "RangeError",
    says:
      "Cannot make store s as historyRetentionMs must be a number that is not negative: current value is -1",
    build: () => persistentVersionedKeyValueStore("s", { historyRetentionMs: -1 }),
  },
  {
    that: "a segment interval of nothing",
    java: ["Stores: segmentInterval cannot be zero or negative"],
    error: "RangeError",
    says: "Cannot make store s as segmentIntervalMs must be positive: current value is 0",
    build: () =>
      persistentVersionedKeyValueStore("s", { historyRetentionMs: 1, segmentIntervalMs: 0 }),
  },
  {
    that: "a negative retention of windows",
    java: ["Stores: retentionPeriod cannot be negative"],
    error: "RangeError",
    says:
      "Cannot make store s as retentionMs must be a number that is not negative: current value is -1",
    build: () => persistentWindowStore("s", { retentionMs: -1, windowSizeMs: 1 }),
  },
  {
    that: "a negative length of windows",
    java: ["Stores: windowSize cannot be negative"],
    error: "RangeError",
    says:
      "Cannot make store s as windowSizeMs must be a number that is not negative: current value is -1",
    build: () => persistentWindowStore("s", { retentionMs: 1, windowSizeMs: -1 }),
  },
  {
    that: "a retention below the windows' length",
    java: [
      "Stores: The retention period of the window store … must be no smaller than its window size. Got size=[…], retention=[…]",
    ],
    error: "RangeError",
    says:
      "Cannot make window store s as its retention must be no smaller than its window size: current value is size 2 ms, retention 1 ms",
    build: () => inMemoryWindowStore("s", { retentionMs: 1, windowSizeMs: 2 }),
  },
  {
    that: "a negative retention of sessions",
    java: ["Stores: retentionPeriod cannot be negative"],
    error: "RangeError",
    says:
      "Cannot make store s as retentionMs must be a number that is not negative: current value is -1",
    build: () => inMemorySessionStore("s", { retentionMs: -1 }),
  },
  {
    that: "a cached versioned store",
    java: ["VersionedKeyValueStoreBuilder: Versioned stores do not support caching"],
    error: "TypeError",
    says:
      "Cannot enable caching of store history as versioned stores do not support caching: current value is kind versioned",
    build: () => versionedKeyValueStoreBuilder(versioned, SERDES).withCachingEnabled(),
  },
  {
    that: "settings of a changelog that are null",
    java: ["AbstractStoreBuilder: config can't be null"],
    error: "TypeError",
    says:
      "Cannot log store s as the settings of its changelog must be an object: current value is null",
    build: () =>
      keyValueStoreBuilder(inMemoryKeyValueStore("s"), SERDES).withLoggingEnabled(nothing),
  },
];
