import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Windowed } from "../../lib/record/windowed.ts";
import { MemoryEnvironment } from "../../lib/state/memory_environment.ts";
import {
  isPermitted,
  keyQuery,
  multiVersionedKeyQuery,
  type Query,
  queryStore,
  rangeQuery,
  sessionsOfKeyQuery,
  timestampedKeyQuery,
  timestampedRangeQuery,
  versionedKeyQuery,
  windowKeyQuery,
  windowRangeQuery,
} from "../../lib/state/query.ts";
import { type StateStore, ValueAndTimestamp } from "../../lib/state/store.ts";
import {
  keyValueStoreBuilder,
  sessionStoreBuilder,
  timestampedKeyValueStoreBuilder,
  timestampedWindowStoreBuilder,
  versionedKeyValueStoreBuilder,
  windowStoreBuilder,
} from "../../lib/state/stores.ts";
import {
  inMemoryKeyValueStore,
  inMemorySessionStore,
  inMemoryVersionedKeyValueStore,
  inMemoryWindowStore,
} from "../../lib/state/suppliers.ts";
import { testContext, text } from "./support.ts";

const SERDES = { key: text, value: text };
const WINDOWS = { retentionMs: 1_000, windowSizeMs: 10 };

function opened<S extends StateStore>(store: S, cacheBytes?: number): S {
  store.init(testContext(new MemoryEnvironment(), { cacheBytes }));
  return store;
}

/** The answer, with rows as an array; a failure's reason. */
function asked<R>(store: StateStore, query: Query<R>): unknown {
  const answer = queryStore(store, query);
  if (!answer.ok) return answer.reason;
  const { result } = answer;
  return typeof result === "object" && result !== null && Symbol.iterator in result
    ? [...result as Iterable<unknown>]
    : result;
}

test("queryStore answers key and range queries of plain and timestamped stores, cached or not", () => {
  const plain = opened(keyValueStoreBuilder(inMemoryKeyValueStore("p"), SERDES).build());
  const timestamped = opened(
    timestampedKeyValueStoreBuilder(inMemoryKeyValueStore("t"), SERDES).withCachingEnabled()
      .build(),
    10_000,
  );
  for (const key of ["a", "b", "c"]) {
    plain.put(key, key.toUpperCase());
    timestamped.put(key, new ValueAndTimestamp(key.toUpperCase(), 7));
  }
  for (const store of [plain, timestamped]) {
    assertEquals(asked(store, keyQuery("b")), "B");
    assertEquals(asked(store, keyQuery("x")), null);
    assertEquals(asked(store, rangeQuery({ from: "b" })), [["b", "B"], ["c", "C"]]);
    assertEquals(asked(store, rangeQuery({ to: "b", order: "descending" })), [["b", "B"], [
      "a",
      "A",
    ]]);
    assertEquals(asked(store, windowKeyQuery("a", 0, 1)), "unknown-query-type");
  }
  assertEquals(asked(timestamped, timestampedKeyQuery("a")), new ValueAndTimestamp("A", 7));
  assertEquals(asked(timestamped, timestampedRangeQuery({ from: "c" })), [
    ["c", new ValueAndTimestamp("C", 7)],
  ]);
  assertEquals(asked(plain, timestampedKeyQuery("a")), "unknown-query-type");
  assertEquals(asked(plain, timestampedRangeQuery()), "unknown-query-type");
});

test("queryStore answers window and session queries", () => {
  const window = opened(windowStoreBuilder(inMemoryWindowStore("w", WINDOWS), SERDES).build());
  window.put("a", "1", 0);
  window.put("b", "2", 10);
  window.put("a", "3", 20);
  assertEquals(asked(window, windowKeyQuery("a", 0, 19)), [[0, "1"]]);
  assertEquals(asked(window, windowRangeQuery(10, 20)), [
    [new Windowed("a", 20, 30), "3"],
    [new Windowed("b", 10, 20), "2"],
  ]);
  assertEquals(asked(window, sessionsOfKeyQuery("a")), "unknown-query-type");
  const timestamped = opened(
    timestampedWindowStoreBuilder(inMemoryWindowStore("tw", WINDOWS), SERDES)
      .withCachingEnabled().build(),
    10_000,
  );
  timestamped.put("a", new ValueAndTimestamp("1", 5), 0);
  assertEquals(asked(timestamped, windowKeyQuery("a", 0, 0)), [[0, new ValueAndTimestamp("1", 5)]]);

  const session = opened(
    sessionStoreBuilder(inMemorySessionStore("s", { retentionMs: 100 }), SERDES).build(),
  );
  session.put(new Windowed("a", 1, 2), "1");
  session.put(new Windowed("b", 1, 2), "2");
  assertEquals(asked(session, sessionsOfKeyQuery("a")), [[new Windowed("a", 1, 2), "1"]]);
  assertEquals(asked(session, windowRangeQuery(0, 9)), "unknown-query-type");
});

test("queryStore answers versioned queries", () => {
  const store = opened(
    versionedKeyValueStoreBuilder(
      inMemoryVersionedKeyValueStore("v", { historyRetentionMs: 1_000 }),
      SERDES,
    ).build(),
  );
  store.put("a", "1", 10);
  store.put("a", "2", 20);
  const [old, latest] = [
    { value: "1", timestamp: 10, validTo: 20 },
    { value: "2", timestamp: 20, validTo: undefined },
  ];
  assertEquals(asked(store, versionedKeyQuery("a")), latest);
  assertEquals(asked(store, versionedKeyQuery("a", 15)), old);
  assertEquals(asked(store, multiVersionedKeyQuery("a")), [latest, old]);
  assertEquals(asked(store, multiVersionedKeyQuery("a", { to: 19, order: "ascending" })), [old]);
  assertEquals(asked(store, keyQuery("a")), "unknown-query-type");
});

test("queryStore turns what a store throws into a failure", () => {
  const store = opened(keyValueStoreBuilder(inMemoryKeyValueStore("c"), SERDES).build());
  store.close();
  const answer = queryStore(store, keyQuery("a"));
  assertEquals(answer.ok ? "ok" : answer.reason, "store-exception");
  assertEquals(
    answer.ok ? "" : answer.message,
    "Cannot query store c as it failed: Cannot use store c as it must be open: current value is closed",
  );
});

test("Queries of a key refuse null", () => {
  const queries = [
    keyQuery,
    timestampedKeyQuery,
    versionedKeyQuery,
    multiVersionedKeyQuery,
    sessionsOfKeyQuery,
    (key: unknown) => windowKeyQuery(key, 0, 1),
  ];
  for (const query of queries) {
    assertThrows(
      () => query(null),
      TypeError,
      "Cannot make a query as it needs a key: current value is null",
    );
  }
});

test("isPermitted compares the store's own partition, topic by topic", () => {
  const position = { a: { 0: 5, 1: 9 }, b: { 0: 3 } };
  assertEquals(isPermitted(position, {}, 0), true);
  assertEquals(isPermitted(position, { a: { 0: 5 }, b: { 0: 3 } }, 0), true);
  assertEquals(isPermitted(position, { a: { 0: 6 } }, 0), false);
  assertEquals(isPermitted(position, { a: { 0: 6 } }, 1), true);
  assertEquals(isPermitted(position, { c: { 0: 0 } }, 0), false);
});
