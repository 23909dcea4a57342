import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { dslStoreSuppliers } from "../../lib/state/dsl_suppliers.ts";
import { sessionKey } from "../../lib/state/session_keys.ts";
import { sessionStoreBuilder, windowStoreBuilder } from "../../lib/state/stores.ts";
import {
  inMemoryWindowStore,
  lruMap,
  persistentKeyValueStore,
  persistentSessionStore,
  persistentVersionedKeyValueStore,
  persistentWindowStore,
} from "../../lib/state/suppliers.ts";
import { windowEnd, windowKey } from "../../lib/state/window_keys.ts";
import { hex, text, utf8 } from "./support.ts";

test("suppliers refuse what Kafka Streams' Stores refuses", () => {
  const cases: [() => unknown, typeof Error, string][] = [
    [() => persistentKeyValueStore(""), TypeError, "its name is missing"],
    [() => lruMap("l", -1), RangeError, "maxEntries must be a number that is not negative"],
    [
      () => persistentWindowStore("w", { retentionMs: 9, windowSizeMs: 10 }),
      RangeError,
      "its retention must be no smaller than its window size",
    ],
    [
      () => inMemoryWindowStore("w", { retentionMs: -1, windowSizeMs: 0 }),
      RangeError,
      "retentionMs",
    ],
    [
      () => inMemoryWindowStore("w", { retentionMs: 1, windowSizeMs: -1 }),
      RangeError,
      "windowSizeMs",
    ],
    [() => persistentSessionStore("s", { retentionMs: NaN }), RangeError, "current value is NaN"],
    [
      () => persistentVersionedKeyValueStore("v", { historyRetentionMs: -1 }),
      RangeError,
      "historyRetentionMs",
    ],
    [
      () => persistentVersionedKeyValueStore("v", { historyRetentionMs: 1, segmentIntervalMs: 0 }),
      RangeError,
      "segmentIntervalMs must be positive",
    ],
    [() => dslStoreSuppliers("redis"), TypeError, "current value is redis"],
  ];
  for (const [make, kind, message] of cases) assertThrows(make, kind, message);
});

test("segments have the length that Kafka Streams gives them", () => {
  const window = (retentionMs: number) =>
    persistentWindowStore("w", { retentionMs, windowSizeMs: 0 }).segmentIntervalMs;
  assertEquals([0, 119_999, 200_001].map(window), [60_000, 60_000, 100_000]);
  const versioned = (historyRetentionMs: number) =>
    persistentVersionedKeyValueStore("v", { historyRetentionMs }).segmentIntervalMs;
  assertEquals([0, 60_000, 300_000, 3_600_000, 86_400_000].map(versioned), [
    2_000,
    20_000,
    60_000,
    300_000,
    3_600_000,
  ]);
});

test("windowed stores ask for a changelog that is compacted and deleted after their retention", () => {
  const serdes = { key: text, value: text };
  const window = windowStoreBuilder(
    persistentWindowStore("w", { retentionMs: 10, windowSizeMs: 1 }),
    serdes,
  );
  const session = sessionStoreBuilder(persistentSessionStore("s", { retentionMs: 11 }), serdes);
  assertEquals([window, session].map(({ changelogPolicy }) => changelogPolicy), [
    { cleanup: "compact,delete", retentionMs: 10 },
    { cleanup: "compact,delete", retentionMs: 11 },
  ]);
});

test("builders are immutable", () => {
  const builder = windowStoreBuilder(
    persistentWindowStore("w", { retentionMs: 10, windowSizeMs: 1 }),
    { key: text, value: text },
  );
  const changed = builder.withCachingEnabled().withLoggingEnabled({ "segment.bytes": "1" });
  assertEquals([builder.cachingEnabled, changed.cachingEnabled], [false, true]);
  assertEquals([builder.logConfig, changed.logConfig], [{}, { "segment.bytes": "1" }]);
  assertEquals(changed.withLoggingDisabled().loggingEnabled, false);
});

test("dslStoreSuppliers gives stores in order of time for emit on close", () => {
  for (const name of ["lmdb", "in_memory"]) {
    const suppliers = dslStoreSuppliers(name);
    const window = { name: "w", retentionMs: 5, windowSizeMs: 5, retainDuplicates: false };
    assertEquals(
      suppliers.windowStore({ ...window, emitOnClose: true, timestamped: true }).order,
      "time",
    );
    assertEquals(
      suppliers.sessionStore({ name: "s", retentionMs: 1, emitOnClose: false }).order,
      "key",
    );
  }
});

// Bytes that WindowKeySchema and SessionKeySchema of Kafka Streams give.
test("window and session keys have Kafka Streams' bytes", () => {
  assertEquals(hex(windowKey(utf8("key"), 1, 2)), "6b6579" + "0000000000000001" + "00000002");
  assertEquals(
    hex(windowKey(utf8("k"), 1_700_000_000_000, 0)),
    "6b" + "0000018bcfe56800" + "00000000",
  );
  assertEquals(
    hex(sessionKey(utf8("key"), 50, 100)),
    "6b6579" + "0000000000000064" + "0000000000000032",
  );
  assertEquals(windowEnd(Number.MAX_SAFE_INTEGER - 1, 10), Number.MAX_SAFE_INTEGER);
});
