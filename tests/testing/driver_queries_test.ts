// Queries of a topology's stores in the test driver: every kind, on stores that the DSL made.
import { after, test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import {
  defineTopology,
  inMemoryKeyValueStore,
  keyQuery,
  lruMap,
  minutes,
  multiVersionedKeyQuery,
  onlyAnswer,
  persistentVersionedKeyValueStore,
  type Query,
  rangeQuery,
  session,
  sessionsOfKeyQuery,
  sliding,
  string,
  timestampedKeyQuery,
  timestampedRangeQuery,
  topic,
  TopologyTestDriver,
  tumbling,
  UnknownStateStoreException,
  ValueAndTimestamp,
  versionedKeyQuery,
  Windowed,
  windowKeyQuery,
  windowRangeQuery,
} from "../../mod.ts";

const rows = topic("rows", { key: string(), value: string() });
const history = topic("history", { key: string(), value: string() });
const names = topic("names", { key: string(), value: string() });
const MINUTE = minutes(1);

const driver = new TopologyTestDriver(
  defineTopology((builder) => {
    const grouped = builder.stream(rows).groupByKey();
    grouped.count({ store: "counts" });
    grouped.count({ store: lruMap("newest", 2), caching: false });
    grouped.windowedBy(tumbling({ size: MINUTE })).count({ store: "windows" });
    grouped.windowedBy(sliding({ timeDifference: 10 })).count({ store: "sliding" });
    grouped.windowedBy(session({ gap: 10 })).count({ store: "sessions" });
    builder.table(history, {
      store: persistentVersionedKeyValueStore("versions", { historyRetentionMs: MINUTE }),
    });
    builder.globalTable(names, { store: inMemoryKeyValueStore("names") });
  }),
);
after(() => driver.close());

const input = driver.createInputTopic("rows", rows);
for (const [key, timestamp] of [["a", 0], ["b", 5], ["a", 20], ["c", MINUTE]] as const) {
  input.pipe(key, "v", { timestamp });
}
const versions = driver.createInputTopic("history", history);
versions.pipe("a", "1", { timestamp: 10 });
versions.pipe("a", "2", { timestamp: 20 });
driver.createInputTopic("names", names).pipe("a", "Anna");

function answer<R>(store: string, query: Query<R>): unknown {
  const result = driver.query({ store, query }).get(0)!;
  return result.ok ? result.result : result.reason;
}
const at = <V>(value: V, timestamp: number) => new ValueAndTimestamp(value, timestamp);

const CASES: readonly (readonly [string, string, Query<unknown>, unknown])[] = [
  ["a key", "counts", keyQuery("a"), 2],
  ["a key that is not there", "counts", keyQuery("x"), null],
  ["a key with its timestamp", "counts", timestampedKeyQuery("a"), at(2, 20)],
  ["all keys", "counts", rangeQuery(), [["a", 2], ["b", 1], ["c", 1]]],
  ["keys from", "counts", rangeQuery({ from: "b" }), [["b", 1], ["c", 1]]],
  ["keys to", "counts", rangeQuery({ to: "b" }), [["a", 2], ["b", 1]]],
  ["keys between", "counts", rangeQuery({ from: "b", to: "b" }), [["b", 1]]],
  ["keys backwards", "counts", rangeQuery({ from: "b", order: "descending" }), [
    ["c", 1],
    ["b", 1],
  ]],
  ["keys with timestamps", "counts", timestampedRangeQuery({ to: "a" }), [["a", at(2, 20)]]],
  ["keys with timestamps, backwards", "counts", timestampedRangeQuery({ order: "descending" }), [
    ["c", at(1, MINUTE)],
    ["b", at(1, 5)],
    ["a", at(2, 20)],
  ]],
  ["an LRU store", "newest", keyQuery("b"), null],
  ["an LRU store's newest", "newest", keyQuery("a"), 2],
  ["a key of a global store", "names", keyQuery("a"), "Anna"],
  ["the windows of a key", "windows", windowKeyQuery("a", 0, MINUTE), [[0, at(2, 20)]]],
  ["no windows of a key", "windows", windowKeyQuery("a", 1, MINUTE), []],
  ["the windows of all keys", "windows", windowRangeQuery(0, MINUTE), [
    [new Windowed("a", 0, MINUTE), at(2, 20)],
    [new Windowed("b", 0, MINUTE), at(1, 5)],
    [new Windowed("c", MINUTE, 2 * MINUTE), at(1, MINUTE)],
  ]],
  ["sliding windows", "sliding", windowKeyQuery("a", 0, 20), [[0, at(1, 0)], [10, at(1, 20)]]],
  ["the sessions of a key", "sessions", sessionsOfKeyQuery("a"), [
    [new Windowed("a", 0, 0), 1],
    [new Windowed("a", 20, 20), 1],
  ]],
  ["the latest version", "versions", versionedKeyQuery("a"), {
    value: "2",
    timestamp: 20,
    validTo: undefined,
  }],
  ["an older version", "versions", versionedKeyQuery("a", 19), {
    value: "1",
    timestamp: 10,
    validTo: 20,
  }],
  ["no version yet", "versions", versionedKeyQuery("a", 9), null],
  ["all versions", "versions", multiVersionedKeyQuery("a", { order: "ascending" }), [
    { value: "1", timestamp: 10, validTo: 20 },
    { value: "2", timestamp: 20, validTo: undefined },
  ]],
  ["versions up to a time", "versions", multiVersionedKeyQuery("a", { to: 19 }), [
    { value: "1", timestamp: 10, validTo: 20 },
  ]],
  ["a window of a key-value store", "counts", windowKeyQuery("a", 0, 1), "unknown-query-type"],
  ["a key of a window store", "windows", keyQuery("a"), "unknown-query-type"],
  ["a key of a versioned store", "versions", keyQuery("a"), "unknown-query-type"],
  ["a version of a plain store", "counts", versionedKeyQuery("a"), "unknown-query-type"],
  ["the sessions of a window store", "windows", sessionsOfKeyQuery("a"), "unknown-query-type"],
];

for (const [what, store, query, expected] of CASES) {
  test(`TopologyTestDriver.query answers ${what}`, () => {
    assertEquals(answer(store, query), expected);
  });
}

test("TopologyTestDriver.query says how far the store has come, and refuses a bound beyond it", () => {
  const query = keyQuery<string, number>("a");
  const known = driver.query({ store: "counts", query, bound: { rows: { 0: 3 } } }).get(0)!;
  assertEquals(known, { ok: true, result: 2, position: { rows: { 0: 3 }, history: { 0: 1 } } });
  const behind = driver.query({ store: "counts", query, bound: { rows: { 0: 4 } } }).get(0)!;
  assertEquals(behind, {
    ok: false,
    reason: "not-up-to-bound",
    message:
      'Cannot query partition 0 of store counts as it has not come to the bound {"rows":{"0":4}}: ' +
      'current value is {"history":{"0":1},"rows":{"0":3}}',
    position: { rows: { 0: 3 }, history: { 0: 1 } },
  });
});

test("TopologyTestDriver.query names what is not there", () => {
  const query = keyQuery<string, number>("a");
  const result = driver.query({ store: "counts", query, partitions: [0, 4] });
  const missing = result.get(4)!;
  assertEquals(missing.ok ? "" : missing.reason, "does-not-exist");
  assertEquals(onlyAnswer(result), 2);
  assertThrows(
    () => driver.query({ store: "nothing", query }),
    UnknownStateStoreException,
    "Cannot get state store nothing because no such store is registered in the topology.",
  );
});

test("onlyAnswer finds the one partition that knows the key, or none", () => {
  const ok = (result: number | null) => ({ ok: true, result } as const);
  assertEquals(onlyAnswer<number | null>(new Map([[0, ok(null)], [1, ok(7)]])), 7);
  assertEquals(onlyAnswer<number | null>(new Map([[0, ok(null)]])), undefined);
  assertThrows(
    () => onlyAnswer<number | null>(new Map([[0, ok(1)], [1, ok(2)]])),
    RangeError,
    "several partitions have one",
  );
});
