import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { InvalidStateStoreException } from "../../lib/errors.ts";
import type { Change } from "../../lib/record/change.ts";
import {
  type CachedStateStore,
  type KeyValueStore,
  type StateEnvironment,
  type TimestampedKeyValueStore,
  ValueAndTimestamp,
} from "../../lib/state/store.ts";
import { keyValueStoreBuilder, timestampedKeyValueStoreBuilder } from "../../lib/state/stores.ts";
import {
  inMemoryKeyValueStore,
  lruMap,
  persistentKeyValueStore,
  persistentTimestampedKeyValueStore,
} from "../../lib/state/suppliers.ts";
import { type Random, seededRandom } from "../support/random.ts";
import {
  hex,
  json,
  restoreRows,
  type TestContext,
  testContext,
  testEnvironments,
  text,
  utf8,
} from "./support.ts";

const SERDES = { key: text, value: text };
const CACHES = [undefined, 1_000_000, 900] as const;

function openStore(
  environment: StateEnvironment,
  cacheBytes: number | undefined,
): { store: KeyValueStore<string, string>; context: TestContext } {
  const builder = keyValueStoreBuilder(persistentKeyValueStore("kv"), SERDES);
  const store = (cacheBytes === undefined ? builder : builder.withCachingEnabled()).build();
  const context = testContext(environment, { cacheBytes });
  store.init(context);
  return { store, context };
}

for (const { name, open, remove } of testEnvironments()) {
  for (const cacheBytes of CACHES) {
    const title = `key-value store (${name}, cache ${cacheBytes ?? "off"})`;

    test(`${title} gives back what was put, absent, replaced and deleted`, () => {
      const environment = open();
      environment.wipe();
      const { store } = openStore(environment, cacheBytes);
      assertEquals(store.get("a"), null);
      store.put("a", "1");
      assertEquals(store.putIfAbsent("a", "2"), "1");
      assertEquals(store.putIfAbsent("b", "2"), null);
      assertEquals(store.get("b"), "2");
      store.putAll([["c", "3"], ["a", null]]);
      assertEquals(store.get("a"), null);
      assertEquals(store.delete("c"), "3");
      assertEquals(store.delete("c"), null);
      store.put("", "empty key");
      assertEquals([...store.all()], [["", "empty key"], ["b", "2"]]);
      assertThrows(() => store.put(null as never, "x"), TypeError, "a key must not be null");
      assertThrows(() => store.get(null as never), TypeError, "a key must not be null");
      store.close();
      assertThrows(() => store.get("b"), InvalidStateStoreException, "current value is closed");
      assertThrows(() => store.put("b", "1"), InvalidStateStoreException);
      assertThrows(() => [...store.all()], InvalidStateStoreException);
      environment.close({ clean: true });
    });

    test(`${title} scans ranges with both ends included, and prefixes`, () => {
      const environment = open();
      environment.wipe();
      const { store } = openStore(environment, cacheBytes);
      for (const key of ["b", "bb", "a", "c", "é"]) store.put(key, key.toUpperCase());
      const keys = (rows: Iterable<[string, string]>) => [...rows].map(([key]) => key);
      assertEquals(keys(store.range("a", "b")), ["a", "b"]);
      assertEquals(keys(store.range("b", null)), ["b", "bb", "c", "é"]);
      assertEquals(keys(store.range(null, "bb")), ["a", "b", "bb"]);
      assertEquals(keys(store.reverseRange("a", "bb")), ["bb", "b", "a"]);
      assertEquals(keys(store.reverseAll()), ["é", "c", "bb", "b", "a"]);
      assertEquals(keys(store.range("c", "a")), []);
      assertEquals(keys(store.prefixScan(utf8("b"))), ["b", "bb"]);
      assertEquals(keys(store.prefixScan("b", text)), ["b", "bb"]);
      assertThrows(() => store.prefixScan("b" as unknown as Uint8Array), TypeError, "its serde");
      environment.close({ clean: true });
    });

    test(`${title} does as a map does`, () => {
      const random = seededRandom(title);
      const environment = open();
      environment.wipe();
      const { store, context } = openStore(environment, cacheBytes);
      const forwarded = new Map<string, string>();
      (store as unknown as CachedStateStore<string, string>).setFlushListener(
        ({ key, value: { newValue, oldValue } }) => {
          assertEquals(oldValue, forwarded.get(key) ?? null, `old value of ${key}`);
          if (newValue === null) assertEquals(forwarded.delete(key), true, "a deletion of nothing");
          else forwarded.set(key, newValue);
        },
        true,
      );
      const model = againstMap(store, environment, random);
      store.flush();
      assertEquals(replayed(context), model);
      if (cacheBytes !== undefined) assertEquals(forwarded, model);
      environment.close({ clean: true });
    });
  }
  test(`${name} is removed`, remove);
}

function againstMap(
  store: KeyValueStore<string, string>,
  environment: StateEnvironment,
  random: Random,
): Map<string, string> {
  const model = new Map<string, string>();
  const key = () => random.pick(["a", "b", "c", "aa", "ab", "z", "é", ""]);
  const sorted = () => [...model].sort(([a], [b]) => hex(utf8(a)) < hex(utf8(b)) ? -1 : 1);
  for (let step = 0; step < 2_000; step++) {
    const action = random.int(0, 24);
    const k = key();
    if (action < 9) {
      model.set(k, `${step}`);
      store.put(k, `${step}`);
    } else if (action < 13) {
      assertEquals(store.delete(k), model.get(k) ?? null, `step ${step}`);
      model.delete(k);
    } else if (action < 14) store.flush();
    else if (action < 15) {
      store.flush();
      environment.commit(new Map());
    } else if (action < 20) assertEquals(store.get(k), model.get(k) ?? null, `step ${step}`);
    else if (action < 22) assertEquals([...store.all()], sorted(), `step ${step}`);
    else {
      const [from, to] = [k, key()];
      const expected = sorted().filter(([each]) =>
        hex(utf8(each)) >= hex(utf8(from)) && hex(utf8(each)) <= hex(utf8(to))
      );
      assertEquals([...store.range(from, to)], expected, `step ${step}`);
      assertEquals([...store.reverseRange(from, to)], expected.reverse(), `step ${step}`);
    }
  }
  return model;
}

function replayed(context: TestContext): Map<string, string> {
  const rows = new Map<string, string>();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  for (const { key, value } of context.logged) {
    if (value === null) rows.delete(decode(key));
    else rows.set(decode(key), decode(value));
  }
  return rows;
}

test("timestamped key-value store logs the raw value under the value's own timestamp, and a deletion under the record's", () => {
  const [memory] = testEnvironments();
  const context = testContext(memory.open());
  const store = timestampedKeyValueStoreBuilder(persistentTimestampedKeyValueStore("t"), SERDES)
    .build();
  store.init(context);
  context.record.timestamp = 70;
  store.put("k", new ValueAndTimestamp("v", 5));
  store.put("k", null);
  assertEquals(
    context.logged.map(({ key, value, timestamp }) => [hex(key), hex(value), timestamp]),
    [["6b", "76", 5], ["6b", "null", 70]],
  );
});

test("plain key-value store logs under the record's timestamp", () => {
  const [memory] = testEnvironments();
  const context = testContext(memory.open());
  const store = keyValueStoreBuilder(inMemoryKeyValueStore("p"), SERDES).build();
  store.init(context);
  context.record.timestamp = 70;
  store.put("k", "v");
  assertEquals(context.logged.map(({ timestamp }) => timestamp), [70]);
  assertEquals(store.persistent, false);
});

test("key-value stores restore rows of the changelog, the last of a key winning", () => {
  for (const { open, remove } of testEnvironments()) {
    const environment = open();
    const store = timestampedKeyValueStoreBuilder(persistentTimestampedKeyValueStore("r"), SERDES)
      .build();
    const context = testContext(environment);
    store.init(context);
    const rows = restoreRows([
      { key: utf8("skipped"), value: utf8("x"), timestamp: 1 },
      { key: utf8("a"), value: utf8("1"), timestamp: 10 },
      { key: utf8("b"), value: utf8("2"), timestamp: 20 },
      { key: null, value: utf8("2"), timestamp: 20 },
      { key: utf8("a"), value: utf8("3"), timestamp: 30 },
      { key: utf8("b"), value: null, timestamp: 40 },
      { key: utf8("skipped"), value: utf8("x"), timestamp: 1 },
    ]);
    store.restore(rows, 1, 6);
    assertEquals([...store.all()], [["a", new ValueAndTimestamp("3", 30)]]);
    assertEquals(context.logged, []);
    environment.close({ clean: true });
    remove();
  }
});

test("a plain persistent supplier under a timestamped store forgets timestamps, but logs them", () => {
  const [memory] = testEnvironments();
  const context = testContext(memory.open());
  const store = timestampedKeyValueStoreBuilder(persistentKeyValueStore("f"), SERDES).build();
  store.init(context);
  store.put("k", new ValueAndTimestamp("v", 5));
  assertEquals(store.get("k"), new ValueAndTimestamp("v", -1));
  assertEquals(context.logged.map(({ value, timestamp }) => [hex(value), timestamp]), [["76", 5]]);
});

test("lruMap forgets the least recently used row and logs its deletion", () => {
  const [memory] = testEnvironments();
  const context = testContext(memory.open());
  const store = keyValueStoreBuilder(lruMap("l", 2), SERDES).build();
  store.init(context);
  store.put("a", "1");
  store.put("b", "2");
  store.get("a");
  store.put("c", "3");
  assertEquals([...store.all()], [["a", "1"], ["c", "3"]]);
  assertEquals(
    context.logged.map(({ key, value }) => `${hex(key)}=${hex(value)}`),
    ["61=31", "62=32", "63=33", "62=null"],
  );
});

test("logging can be switched off", () => {
  const [memory] = testEnvironments();
  const context = testContext(memory.open());
  const builder = keyValueStoreBuilder(inMemoryKeyValueStore("q"), SERDES).withLoggingDisabled();
  const store = builder.build();
  store.init(context);
  store.put("k", "v");
  assertEquals(context.logged, []);
  assertEquals(builder.loggingEnabled, false);
});

test("a cached object that is changed in place does not change what was already flushed", () => {
  const [memory] = testEnvironments();
  const context = testContext(memory.open(), { cacheBytes: 1_000_000 });
  type Count = { n: number };
  const store = timestampedKeyValueStoreBuilder(persistentTimestampedKeyValueStore("m"), {
    key: text,
    value: json<Count>(),
  }).withCachingEnabled().build() as
    & TimestampedKeyValueStore<string, Count>
    & CachedStateStore<string, ValueAndTimestamp<Count>>;
  store.init(context);
  const changes: Change<ValueAndTimestamp<Count>>[] = [];
  store.setFlushListener(({ value }) => changes.push(value), true);
  const increment = () => {
    const row = store.get("k");
    const count = row?.value ?? { n: 0 };
    count.n++;
    store.put("k", new ValueAndTimestamp(count, 0));
  };
  increment();
  store.flush();
  increment();
  increment();
  store.flush();
  assertEquals(
    changes.map(({ newValue, oldValue }) => [oldValue?.value.n, newValue?.value.n]),
    [[undefined, 1], [1, 3]],
  );
});
