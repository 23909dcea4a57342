import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { StreamsException } from "../../lib/errors.ts";
import { Change } from "../../lib/record/change.ts";
import { Headers } from "../../lib/record/headers.ts";
import { StreamRecord } from "../../lib/record/record.ts";
import { Windowed } from "../../lib/record/windowed.ts";
import { ValueAndTimestamp } from "../../lib/state/store.ts";
import { KStreamAggregate, KStreamReduce } from "../../lib/dsl/processors/kstream_aggregate.ts";
import { KTableAggregate, KTableReduce } from "../../lib/dsl/processors/ktable_aggregate.ts";
import { KTableFilter } from "../../lib/dsl/processors/ktable_filter.ts";
import { KTableMapValues } from "../../lib/dsl/processors/ktable_map_values.ts";
import { KTablePassThrough } from "../../lib/dsl/processors/ktable_pass_through.ts";
import { KTableSource } from "../../lib/dsl/processors/ktable_source.ts";
import { KTableSuppress, type SuppressRule } from "../../lib/dsl/processors/ktable_suppress.ts";
import { KTableTransformValues } from "../../lib/dsl/processors/ktable_transform_values.ts";
import type { ParentTable } from "../../lib/dsl/processors/table.ts";
import { KTableMaterializedValueGetterSupplier } from "../../lib/dsl/processors/table_store.ts";
import { Driven } from "./support/driven.ts";
import { FakeContext } from "./support/fake_context.ts";
import {
  FakeBuffer,
  fakeBuilder,
  FakeKeyValueStore,
  FakeVersionedStore,
} from "./support/fake_stores.ts";

const store = fakeBuilder("store");

/** A materialized parent whose rows are in the store named `parent`. */
function parentTable(givesOldValues = true): ParentTable<any, any> & { asked: boolean[] } {
  const asked: boolean[] = [];
  return {
    asked,
    valueGetterSupplier: () => new KTableMaterializedValueGetterSupplier("parent"),
    enableSendingOldValues: (force) => {
      asked.push(force);
      return givesOldValues;
    },
  };
}

test("KStreamAggregate starts from the initializer, keeps the later timestamp, drops nulls", () => {
  const supplier = new KStreamAggregate<string, string, string>({
    store,
    initializer: () => "0",
    aggregator: (aggregate, value) => value === "x" ? null : `${aggregate}+${value}`,
  });
  supplier.enableSendingOldValues();
  const driven = new Driven(supplier, { store: new FakeKeyValueStore() });
  assertEquals(driven.pipe("a", "1", 5), ["a=0+1<0@5"]);
  assertEquals(driven.pipe("a", "2", 3), ["a=0+1+2<0+1@5"]);
  assertEquals(driven.pipe("a", "x", 9), ["a=null<0+1+2@9"]);
  assertEquals(driven.pipe("a", "3", 2), ["a=0+3<0@2"]);
  driven.pipe(null, "4", 1);
  driven.pipe("a", null, 1);
  assertEquals(driven.context.drops, ["null-key", "null-value"]);
});

test("KStreamReduce takes the first value as it is, without an old one", () => {
  const supplier = new KStreamReduce<string, number>({ store, reducer: (a, v) => a + v });
  const plain = new Driven(supplier, { store: new FakeKeyValueStore() });
  plain.pipe("a", 1, 5);
  assertEquals(plain.pipe("a", 2, 7), ["a=3@7"]);
  supplier.enableSendingOldValues();
  const driven = new Driven(supplier, { store: new FakeKeyValueStore() });
  assertEquals(driven.pipe("a", 1, 5), ["a=1@5"]);
  assertEquals(driven.pipe("a", 2, 3), ["a=3<1@5"]);
});

test("an aggregate into a versioned store tells late updates apart and drops those too old", () => {
  const supplier = new KStreamReduce<string, string>({ store, reducer: (_a, v) => v });
  const driven = new Driven(supplier, { store: new FakeVersionedStore(10) });
  driven.pipe("a", "1", 50);
  driven.pipe("b", "1", 100);
  assertEquals(driven.pipe("a", "2", 60), []);
  assertEquals(driven.pipe("b", "2", 95), ["b=2@100"]);
});

test("a cached aggregate leaves forwarding to the flush, which gives the entry's time and headers", () => {
  const cached = new FakeKeyValueStore();
  cached.caches = true;
  const supplier = new KStreamAggregate<string, string, string>({
    store,
    initializer: () => "0",
    aggregator: (aggregate, value) => aggregate + value,
  });
  supplier.enableSendingOldValues();
  const driven = new Driven(supplier, { store: cached });
  assertEquals(driven.pipe("a", "1", 5), []);
  const headers = Headers.EMPTY.add("h", "1");
  const flush = (change: Change<ValueAndTimestamp<string>>) =>
    cached.listener!(new StreamRecord("a", change, 9, headers));
  flush(new Change(new ValueAndTimestamp("01", 5), new ValueAndTimestamp("00", 2)));
  flush(new Change<ValueAndTimestamp<string>>(null, new ValueAndTimestamp("01", 5), true));
  assertEquals(driven.context.forwarded.map((r) => r.headers), [headers, headers]);
  assertEquals(driven.context.take(), [
    ["a", new Change("01", "00"), 5],
    ["a", new Change(null, "01"), 9],
  ]);
});

test("KTableSource is materialized only when somebody needs it", () => {
  const supplier = new KTableSource<string, string>({ store, materialized: false });
  assertEquals(supplier.stores(), []);
  const direct = new Driven(supplier);
  assertEquals(direct.pipe("a", "1", 5), ["a=1@5"]);
  assertEquals(direct.pipe("a", null, 6), ["a=null@6"]);
  direct.pipe(null, "1", 7);
  assertEquals(direct.context.drops, ["null-key"]);
  supplier.enableSendingOldValues();
  assertEquals(supplier.materialized, true);
  assertEquals(supplier.stores(), [store]);
  const driven = new Driven(supplier, { store: new FakeKeyValueStore() });
  driven.pipe("a", "1", 5);
  assertEquals(driven.pipe("a", "2", 3), ["a=2<1@3"]);
  assertEquals(driven.pipe("a", null, 4), ["a=null<2@4"]);
});

test("KTableSource over a versioned store marks out-of-order updates and forwards none that is too old", () => {
  const supplier = new KTableSource<string, string>({ store, materialized: true });
  const driven = new Driven(supplier, { store: new FakeVersionedStore(10) });
  assertEquals(driven.pipe("a", "1", 20), ["a=1@20"]);
  assertEquals(driven.pipe("a", "0", 15), ["a=0 late@15"]);
  assertEquals(driven.pipe("a", "-", 5), []);
});

const FILTERS: [string, boolean, Change<any>, string[]][] = [
  ["forwards a row that is in", true, new Change(2, null), ["a=2@5"]],
  ["forwards a row that leaves as deleted", true, new Change(1, 2), ["a=null<2@5"]],
  ["forwards nothing of a row that was never in", true, new Change(1, -1), []],
  ["forwards nothing of a deleted row that was never in", true, new Change(null, 1), []],
  ["knows no better than to delete without old values", false, new Change(1, null), ["a=null@5"]],
];
for (const [what, givesOldValues, change, expected] of FILTERS) {
  test(`KTableFilter ${what}`, () => {
    const parent = parentTable(givesOldValues);
    const driven = new Driven(new KTableFilter({ parent, predicate: (v) => v > 1 }));
    assertEquals(driven.pipe("a", change, 5), expected);
    assertEquals(parent.asked, [false]);
  });
}

test("KTableFilter over a versioned table forwards needless deletions: each is a version", () => {
  const supplier = new KTableFilter({ parent: parentTable(), predicate: (v) => v > 1 });
  supplier.useVersionedSemantics(true);
  assertEquals(new Driven(supplier).pipe("a", new Change(1, 1), 5), ["a=null@5"]);
});

test("KTableFilter with a store takes its old values from it", () => {
  const supplier = new KTableFilter({ parent: parentTable(), predicate: (v) => v > 1, store });
  const driven = new Driven(supplier, { store: new FakeKeyValueStore() });
  assertEquals(driven.pipe("a", new Change(2, 9), 5), ["a=2@5"]);
  assertEquals(driven.pipe("a", new Change(1, 9), 6), ["a=null<2@6"]);
  assertEquals(driven.pipe("a", new Change(0, 9), 7), []);
});

test("a view without a store is computed from the parent's rows", () => {
  const context = new FakeContext();
  const rows = new FakeKeyValueStore();
  rows.put("a", new ValueAndTimestamp(1, 5));
  rows.put("b", new ValueAndTimestamp(2, 6));
  context.stores.set("parent", rows as never);
  const parent = parentTable();
  const filtered = new KTableFilter({ parent, predicate: (v) => v > 1 }).view();
  const mapped = new KTableMapValues({ parent, mapper: (v) => v * 10 }).view();
  assertEquals(filtered.storeNames(), ["parent"]);
  const [filter, map] = [filtered.get(), mapped.get()];
  filter.init(context);
  map.init(context);
  assertEquals([filter.get("a"), filter.get("b")], [null, new ValueAndTimestamp(2, 6)]);
  assertEquals([map.get("a"), map.get("c")], [new ValueAndTimestamp(10, 5), null]);
});

test("KTableMapValues does not ask its mapper about deleted rows", () => {
  const supplier = new KTableMapValues<string, number, string>({
    parent: parentTable(),
    mapper: (v, k) => `${k}${v}`,
  });
  assertEquals(new Driven(supplier).pipe("a", new Change(1, 2), 5), ["a=a1@5"]);
  supplier.enableSendingOldValues(false);
  const driven = new Driven(supplier);
  assertEquals(driven.pipe("a", new Change(1, 2), 5), ["a=a1<a2@5"]);
  assertEquals(driven.pipe("a", new Change<number>(null, 1), 6), ["a=null<a1@6"]);
});

test("KTableTransformValues asks about deleted rows too, and cannot forward", () => {
  let context: any;
  const supplier = new KTableTransformValues<string, number, string>({
    parent: parentTable(),
    transformer: () => ({
      init: (given) => void (context = given),
      transform: (value, key) => `${key}${value}`,
    }),
  });
  const driven = new Driven(supplier);
  assertEquals(driven.pipe("a", new Change<number>(null, 1), 5), ["a=anull@5"]);
  assertThrows(() => context.forward(), StreamsException, "Cannot forward");
  assertEquals(context.recordMetadata(), { topic: "in", partition: 4, offset: 7 });
});

test("a transformer that looks a row up has no record in hand", () => {
  const seen: unknown[] = [];
  const view = new KTableTransformValues<string, number, string>({
    parent: parentTable(),
    transformer: () => {
      let context: any;
      return {
        init: (given) => void (context = given),
        transform: (value) => {
          seen.push(context.recordMetadata());
          return value === null ? null : `<${value}>`;
        },
      };
    },
  }).view();
  const context = new FakeContext();
  const rows = new FakeKeyValueStore();
  rows.put("a", new ValueAndTimestamp(1, 5));
  context.stores.set("parent", rows as never);
  const getter = view.get();
  getter.init(context);
  assertEquals([getter.get("a"), getter.get("b")], [new ValueAndTimestamp("<1>", 5), null]);
  assertEquals(seen, [undefined, undefined]);
});

test("KTableAggregate subtracts the old value, then adds the new one", () => {
  const supplier = new KTableAggregate<string, string, string>({
    store,
    initializer: () => "0",
    adder: (aggregate, value) => `${aggregate}+${value}`,
    subtractor: (aggregate, value) => `${aggregate}-${value}`,
  });
  supplier.enableSendingOldValues(true);
  const driven = new Driven(supplier, { store: new FakeKeyValueStore() });
  assertEquals(driven.pipe("g", new Change<string>(null, "a"), 9), ["g=null@9"]);
  assertEquals(driven.pipe("g", new Change("a", "b"), 5), ["g=0+a@5"]);
  assertEquals(driven.pipe("g", new Change("b", "a"), 3), ["g=0+a-a+b<0+a@5"]);
  assertThrows(() => driven.pipe(null, new Change("b", "a"), 3), StreamsException, "needs a key");
});

test("KTableReduce starts with the first value and may end with none", () => {
  const supplier = new KTableReduce<string, number>({
    store,
    adder: (a, v) => a + v,
    subtractor: (a, v) => a - v === 0 ? null : a - v,
  });
  const driven = new Driven(supplier, { store: new FakeKeyValueStore() });
  assertEquals(driven.pipe("g", new Change(1, 7), 5), ["g=1@5"]);
  assertEquals(driven.pipe("g", new Change(2, null), 6), ["g=3@6"]);
  assertEquals(driven.pipe("g", new Change<number>(null, 3), 4), ["g=null@6"]);
});

test("KTablePassThrough reads the aggregates' shared store and asks all for old values", () => {
  const parents = [1, 2].map(() =>
    new KStreamReduce<never, string>({ store, reducer: (_a, v) => v })
  );
  const supplier = new KTablePassThrough<any, string>({ parents });
  assertEquals(supplier.view().storeNames(), ["store"]);
  supplier.enableSendingOldValues(false);
  const driven = new Driven(parents[1], { store: new FakeKeyValueStore() });
  driven.pipe("a", "1", 1);
  assertEquals(driven.pipe("a", "2", 2), ["a=2<1@2"]);
  assertEquals(new Driven(supplier).pipe("a", new Change("2", "1"), 2), ["a=2<1@2"]);
});

function suppressing(rule: Partial<SuppressRule>) {
  const parent = parentTable();
  const supplier = new KTableSuppress<any, any>({
    parent,
    store,
    rule: {
      time: "recordTime",
      waitMs: 10,
      whenFull: "emitEarly",
      dropTombstones: false,
      ...rule,
    },
  });
  const buffer = new FakeBuffer();
  return { parent, supplier, buffer, driven: new Driven(supplier, { store: buffer }) };
}

test("KTableSuppress holds a row from its first update on and emits the newest value with its time", () => {
  const { driven, parent } = suppressing({});
  assertEquals(driven.pipe("a", new Change("1", null), 0), []);
  assertEquals(driven.pipe("a", new Change("2", "1"), 7), []);
  assertEquals(driven.pipe("b", new Change<string>(null, "x"), 9), []);
  assertEquals(driven.pipe("c", new Change("3", null), 10), ["a=2<1@7"]);
  assertEquals(driven.pipe("c", new Change("4", "3"), 25), ["b=null<x@9", "c=4<3@25"]);
  assertEquals(parent.asked, [true]);
});

test("KTableSuppress emits windows by their end and leaves deleted ones out", () => {
  const { driven } = suppressing({ time: "windowEnd", waitMs: 5, dropTombstones: true });
  const key = (start: number) => new Windowed("k", start, start + 10);
  driven.pipe(key(0), new Change("1", null), 3);
  driven.pipe(key(10), new Change<string>(null, "x"), 12);
  assertEquals(driven.pipe(key(20), new Change("2", null), 15), ["k[0,10]=1@3"]);
  assertEquals(driven.pipe(key(20), new Change("3", null), 26), []);
  assertEquals(driven.pipe(key(40), new Change("4", null), 40), ["k[20,30]=3@26"]);
});

test("a full KTableSuppress emits the oldest rows early", () => {
  const { driven } = suppressing({ maxRecords: 1 });
  driven.pipe("a", new Change("1", null), 0);
  assertEquals(driven.pipe("b", new Change("2", null), 1), ["a=1@0"]);
});

test("a full KTableSuppress that must not emit early fails", () => {
  const { driven } = suppressing({ maxBytes: 15, whenFull: "shutDown" });
  driven.pipe("a", new Change("1", null), 0);
  assertThrows(
    () => driven.pipe("b", new Change("2", null), 1),
    StreamsException,
    "PROCESSOR buffer exceeded its max capacity. Currently [2/Infinity] records and [20/15] bytes.",
  );
});

test("a suppressed table shows a held-back row as it was before", () => {
  const { supplier, buffer } = suppressing({});
  const context = new FakeContext();
  const rows = new FakeKeyValueStore();
  rows.put("free", new ValueAndTimestamp("now", 3));
  rows.put("held", new ValueAndTimestamp("new", 4));
  context.stores.set("parent", rows as never).set("store", buffer as never);
  buffer.put(0, new StreamRecord("held", new Change("new", "old"), 4));
  buffer.put(0, new StreamRecord("fresh", new Change("new", null), 4));
  assertEquals(supplier.view().storeNames(), ["store", "parent"]);
  const getter = supplier.view().get();
  getter.init(context);
  assertEquals(getter.get("free"), new ValueAndTimestamp("now", 3));
  assertEquals(getter.get("held")?.value, "old");
  assertEquals(getter.get("fresh"), null);
});
