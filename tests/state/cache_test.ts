import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Headers } from "../../lib/record/headers.ts";
import { cacheBudget } from "../../lib/state/cache_budget.ts";
import { MemoryEnvironment } from "../../lib/state/memory_environment.ts";
import type { CachedStateStore, KeyValueStore, StoreContext } from "../../lib/state/store.ts";
import { keyValueStoreBuilder, windowStoreBuilder } from "../../lib/state/stores.ts";
import { persistentKeyValueStore, persistentWindowStore } from "../../lib/state/suppliers.ts";
import { json, type TestContext, testContext, text } from "./support.ts";

type Cached<K> = KeyValueStore<K, string> & CachedStateStore<K, string>;

function openCached(name: string, context: StoreContext): Cached<string> {
  const store = keyValueStoreBuilder(persistentKeyValueStore(name), { key: text, value: text })
    .withCachingEnabled().build() as Cached<string>;
  store.init(context);
  return store;
}

/** Opens a store and keeps what it forwards, as `key:old>new`. */
function listening(
  options: { readonly cacheBytes?: number; readonly sendOldValues?: boolean } = {},
): { readonly store: Cached<string>; readonly context: TestContext; readonly out: string[] } {
  const context = testContext(new MemoryEnvironment(), {
    cacheBytes: options.cacheBytes ?? 4_000_000,
  });
  const store = openCached("c", context);
  const out: string[] = [];
  store.setFlushListener(
    ({ key, value: { newValue, oldValue } }) => out.push(`${key}:${oldValue}>${newValue}`),
    options.sendOldValues ?? false,
  );
  return { store, context, out };
}

const keysOf = (context: TestContext) =>
  context.logged.map(({ key }) => new TextDecoder().decode(key));

test("a cache flushes in order of the last update of each key, and the intermediate values vanish", () => {
  const { store, context, out } = listening();
  for (const key of ["a", "b", "c", "a"]) store.put(key, `${key}1`);
  store.put("b", "b2");
  assertEquals([out, context.logged], [[], []]);
  store.flush();
  assertEquals(out, ["c:null>c1", "a:null>a1", "b:null>b2"]);
  assertEquals(keysOf(context), ["c", "a", "b"]);
  store.flush();
  assertEquals(out.length, 3);
});

test("a cache sends the value below as the old one when it is asked to", () => {
  const { store, out } = listening({ sendOldValues: true });
  store.put("a", "1");
  store.flush();
  store.put("a", "2");
  store.put("a", "3");
  store.flush();
  store.delete("a");
  store.flush();
  assertEquals(out, ["a:null>1", "a:1>3", "a:3>null"]);
});

test("a cache forwards and writes nothing for a row that came and went between two flushes", () => {
  const { store, context, out } = listening();
  store.put("a", "1");
  store.delete("a");
  store.put("b", null);
  store.flush();
  assertEquals([out, context.logged], [[], []]);
});

test("a cache without a listener writes and logs a deletion even so", () => {
  const context = testContext(new MemoryEnvironment(), { cacheBytes: 4_000_000 });
  const store = openCached("c", context);
  store.put("a", null);
  store.flush();
  assertEquals(keysOf(context), ["a"]);
});

test("a cache puts each entry's own context in the place of the record in hand while it forwards", () => {
  const context = testContext(new MemoryEnvironment(), { cacheBytes: 4_000_000 });
  const store = openCached("c", context);
  const seen: unknown[] = [];
  store.setFlushListener((record) => {
    const { topic, partition, offset, timestamp, headers } = context.record;
    seen.push([record.key, record.timestamp, topic, partition, offset, timestamp, headers.size]);
    assertEquals(record.headers, headers);
  }, false);
  Object.assign(context.record, { topic: "one", offset: 7, timestamp: 70 });
  context.record.headers = Headers.EMPTY.add("h", "v");
  store.put("a", "1");
  Object.assign(context.record, { topic: "two", offset: 8, timestamp: 80, headers: Headers.EMPTY });
  store.put("b", "1");
  Object.assign(context.record, { topic: "now", offset: 9, timestamp: 90 });
  store.flush();
  assertEquals(seen, [["a", 70, "one", 0, 7, 70, 1], ["b", 80, "two", 0, 8, 80, 0]]);
  assertEquals([context.record.topic, context.record.offset], ["now", 9]);
  assertEquals(context.logged.map(({ timestamp }) => timestamp), [70, 80]);
});

/** What an entry of one byte of key and one of value takes in a small cache. */
function smallEntry(): number {
  const { topic } = testContext(new MemoryEnvironment()).record;
  return 1 + 1 + 45 + (topic ?? "").length;
}

test("a small cache counts its entries as Kafka Streams does, to the byte", () => {
  const { store, context } = listening({ cacheBytes: 10_000 });
  context.record.topic = "orders";
  context.record.headers = Headers.EMPTY.add("h", "value");
  const used = () => (store as unknown as { cacheBytes: number }).cacheBytes;
  store.put("key", "12");
  const headers = "h".length + "value".length;
  assertEquals(used(), "key".length + 24 + 1 + 2 + 8 + 8 + "orders".length + 4 + headers);
  store.put("key", "1234");
  assertEquals(used(), "key".length + 24 + 1 + 4 + 8 + 8 + "orders".length + 4 + headers);
  store.get("missing");
  store.flush();
  assertEquals(used(), "key".length + 24 + 1 + 4 + 8 + 8 + "orders".length + 4 + headers);
  store.delete("key");
  store.flush();
  assertEquals(used(), 0);
});

test("a full cache evicts the least recently used entry, and with a dirty one flushes all, that one first", () => {
  const { store, context, out } = listening({ cacheBytes: 3 * smallEntry() });
  store.put("a", "1");
  store.put("b", "1");
  store.put("c", "1");
  store.get("a");
  assertEquals(out, []);
  store.put("d", "1");
  assertEquals(out, ["b:null>1", "a:null>1", "c:null>1", "d:null>1"]);
  assertEquals(keysOf(context), ["b", "a", "c", "d"]);
  assertEquals(store.get("b"), "1");
  store.flush();
  assertEquals(out.length, 4);
});

test("a full cache of a megabyte or more gives what was used since the flush a second chance, and flushes in order of last update all the same", () => {
  const context = testContext(new MemoryEnvironment(), { cacheBytes: 1 << 20 });
  const storeMetrics = { puts: 0, gets: 0, cacheHits: 0, cacheMisses: 0 };
  const store = openCached("c", Object.assign(context, { storeMetrics }));
  store.setFlushListener(() => {}, false);
  // Each is charged its size as of the last flush.
  const large = "x".repeat(300_000);
  for (const key of ["a", "b", "c"]) store.put(key, large);
  store.put("a", large);
  store.get("b");
  store.flush();
  assertEquals(keysOf(context), ["b", "c", "a"]);
  store.get("a");
  store.put("d", large);
  store.flush();
  store.put("e", "small");
  store.flush();
  assertEquals(keysOf(context).slice(3), ["d", "e"]);
  const isCached = (key: string) => {
    const before = storeMetrics.cacheMisses;
    store.get(key);
    return storeMetrics.cacheMisses === before;
  };
  assertEquals(["a", "c", "d", "e"].map(isCached), [true, true, true, true]);
  assertEquals(isCached("b"), false);
});

test("caches of one thread share the budget; a put evicts from its own cache", () => {
  const maxBytes = 2 * smallEntry() + 1;
  const budget = cacheBudget(maxBytes);
  const environment = new MemoryEnvironment();
  const contexts = [testContext(environment), testContext(environment)];
  const [one, two] = contexts.map((context, i) =>
    openCached(`s${i}`, Object.assign(context, { cache: budget }))
  );
  one.put("a", "1");
  one.put("b", "1");
  two.put("c", "1");
  assertEquals(contexts.map(({ logged }) => logged.length), [0, 1]);
  assertEquals(budget.usedBytes <= maxBytes, true);
  two.put("d", "1");
  assertEquals(contexts.map(({ logged }) => logged.length), [0, 2]);
  one.close();
  two.close();
  assertEquals(budget.usedBytes, 0);
});

test("caches whose rows are larger than was guessed hold their shares of the budget through many commits", () => {
  const budget = cacheBudget(1_200_000);
  const stores = ["a", "b", "c"].map((name) => {
    const environment = new MemoryEnvironment();
    return openCached(name, { ...testContext(environment), cache: budget });
  });
  for (let commit = 0; commit < 60; commit++) {
    for (let row = 0; row < 600; row++) {
      for (const store of stores) {
        const key = `${commit}-${row}`;
        // As an aggregation does: a row that is not there is read, and then written.
        store.put(key, (store.get(key) ?? "") + "x".repeat(100 + commit * 10));
      }
    }
    for (const store of stores) store.flush();
    assertEquals(budget.usedBytes <= budget.maxBytes, true);
  }
  for (const store of stores) {
    const share = store.cacheBytes! / budget.maxBytes;
    assertEquals(share > 0.2 && share < 0.5, true, `${store.name} has ${share}`);
  }
});

test("a listener may write to the cache that is being flushed: nothing is lost and nothing comes twice", () => {
  const context = testContext(new MemoryEnvironment(), { cacheBytes: 4_000_000 });
  const store = openCached("c", context);
  const out: string[] = [];
  store.setFlushListener(({ key, value: { newValue, oldValue } }) => {
    out.push(`${key}:${oldValue}>${newValue}`);
    if (key !== "a" || newValue !== "1") return;
    store.put("b", "changed before its turn");
    store.put("a", "2");
    store.put("new", "1");
    assertEquals([...store.all()].map(([k]) => k), ["a", "b", "new"]);
  }, true);
  store.put("a", "1");
  store.put("b", "1");
  store.flush();
  assertEquals(out, ["a:null>1", "b:null>changed before its turn"]);
  store.flush();
  assertEquals(out.slice(2), ["a:1>2", "new:null>1"]);
});

test("a listener may cause evictions in the cache that is being flushed", () => {
  const context = testContext(new MemoryEnvironment(), { cacheBytes: 450 });
  const store = openCached("c", context);
  const out = new Map<string, string | null>();
  let next = 0;
  store.setFlushListener(({ key, value: { newValue } }) => {
    out.set(key, newValue);
    if (next < 40) store.put(`n${next++}`, "1");
  }, false);
  for (const key of ["a", "b", "c"]) store.put(key, "1");
  for (let i = 0; i < 50; i++) store.flush();
  assertEquals(out.size, 43);
  assertEquals(new Set(keysOf(context)).size, 43);
  assertEquals([...store.all()].length, 43);
});

test("a listener that throws leaves the rest of the cache dirty", () => {
  const { store, context } = listening();
  store.setFlushListener(({ key }) => {
    if (key === "a") throw new TypeError("no");
  }, false);
  store.put("a", "1");
  store.put("b", "1");
  assertThrows(() => store.flush(), TypeError, "no");
  store.setFlushListener(() => {}, false);
  store.flush();
  assertEquals(keysOf(context), ["a", "b"]);
});

test("a cache finds keys that are objects by their bytes", () => {
  const context = testContext(new MemoryEnvironment(), { cacheBytes: 4_000_000 });
  type Key = { readonly id: number };
  const serdes = { key: json<Key>(), value: text };
  const store = keyValueStoreBuilder(persistentKeyValueStore("o"), serdes).withCachingEnabled()
    .build();
  store.init(context);
  store.put({ id: 1 }, "a");
  store.put({ id: 1 }, "b");
  assertEquals(store.get({ id: 1 }), "b");
  store.flush();
  assertEquals(context.logged.length, 1);
  const windows = windowStoreBuilder(
    persistentWindowStore("w", { retentionMs: 10, windowSizeMs: 10 }),
    serdes,
  ).withCachingEnabled().build();
  windows.init(context);
  windows.put({ id: 1 }, "a", 0);
  windows.put({ id: 1 }, "b", 0);
  assertEquals(windows.fetch({ id: 1 }, 0), "b");
  assertEquals([...windows.fetchRange({ id: 1 }, 0, 9)], [[0, "b"]]);
});

test("a store with caching on but no budget writes through and takes no listener", () => {
  const context = testContext(new MemoryEnvironment());
  const store = openCached("c", context);
  assertEquals(store.setFlushListener(() => {}, false), false);
  store.put("a", "1");
  assertEquals(keysOf(context), ["a"]);
  assertEquals(store.get("a"), "1");
});

test("cacheBudget refuses a negative size", () => {
  assertThrows(() => cacheBudget(-1), RangeError, "current value is -1");
});

test("stores count gets and puts where they are asked, and whether the cache knew", () => {
  for (const cacheBytes of [undefined, 4_000_000]) {
    const meter = { puts: 0, gets: 0, cacheHits: 0, cacheMisses: 0 };
    const context = Object.assign(testContext(new MemoryEnvironment(), { cacheBytes }), {
      storeMetrics: meter,
    });
    const store = openCached("c", context);
    store.put("a", "1");
    store.put("a", "2");
    store.get("a");
    store.get("b");
    store.flush();
    const [cacheHits, cacheMisses] = cacheBytes === undefined ? [0, 0] : [1, 1];
    assertEquals(meter, { puts: 2, gets: 2, cacheHits, cacheMisses });
  }
});
