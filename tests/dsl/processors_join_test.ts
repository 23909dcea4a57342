import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Change } from "../../lib/record/change.ts";
import { ValueAndTimestamp } from "../../lib/state/store.ts";
import { within } from "../../lib/dsl/windows.ts";
import { reverseJoiner } from "../../lib/dsl/processors/functions.ts";
import { KStreamJoinWindow } from "../../lib/dsl/processors/kstream_join_window.ts";
import { KStreamKStreamJoin } from "../../lib/dsl/processors/kstream_kstream_join.ts";
import { KStreamKStreamSelfJoin } from "../../lib/dsl/processors/kstream_kstream_self_join.ts";
import {
  KStreamGlobalKTableJoin,
  KStreamKTableJoin,
} from "../../lib/dsl/processors/kstream_ktable_join.ts";
import {
  KTableKTableInnerJoin,
  KTableKTableLeftJoin,
  KTableKTableOuterJoin,
  KTableKTableRightJoin,
} from "../../lib/dsl/processors/ktable_ktable_join.ts";
import { KTableKTableJoinMerger } from "../../lib/dsl/processors/ktable_ktable_join_merger.ts";
import type { ParentTable } from "../../lib/dsl/processors/table.ts";
import { KTableMaterializedValueGetterSupplier } from "../../lib/dsl/processors/table_store.ts";
import {
  OUTER_JOIN_EMIT_INTERVAL_SETTING,
  TimeTrackerSupplier,
} from "../../lib/dsl/processors/time_tracker.ts";
import { Driven } from "./support/driven.ts";
import { FakeContext } from "./support/fake_context.ts";
import {
  FakeBuffer,
  fakeBuilder,
  FakeKeyValueStore,
  FakeListStore,
  FakeVersionedStore,
  FakeWindowStore,
} from "./support/fake_stores.ts";

const joiner = (left: unknown, right: unknown) => `${left}+${right}`;

function table(storeName: string): ParentTable<any, any> {
  return {
    valueGetterSupplier: () => new KTableMaterializedValueGetterSupplier(storeName),
    enableSendingOldValues: () => true,
  };
}
const thisTable = table("this");
const otherTable = table("other");

// One line per kind: without a row on the other side, with one; each for a new, a changed and a deleted row.
const TABLE_JOINS: [string, any, string[], string[]][] = [
  ["inner", KTableKTableInnerJoin, [], ["n+r@9", "n+r<o+r@9", "null<o+r@9", "null@9"]],
  [
    "left",
    KTableKTableLeftJoin,
    ["n+null@5", "n+null<o+null@5", "null<o+null@5"],
    ["n+r@9", "n+r<o+r@9", "null<o+r@9", "null@9"],
  ],
  [
    "right",
    KTableKTableRightJoin,
    [],
    ["n+r<null+r@9", "n+r<o+r@9", "null+r<o+r@9", "null+r<null+r@9"],
  ],
  [
    "outer",
    KTableKTableOuterJoin,
    ["n+null@5", "n+null<o+null@5", "null<o+null@5"],
    ["n+r<null+r@9", "n+r<o+r@9", "null+r<o+r@9", "null+r<null+r@9"],
  ],
];
for (const [kind, Join, without, withRow] of TABLE_JOINS) {
  test(`one side of a table-table join, ${kind}`, () => {
    const supplier = new Join({ thisTable, otherTable, joiner });
    supplier.enableSendingOldValues(true);
    const other = new FakeKeyValueStore();
    const driven = new Driven(supplier, { other });
    const all = () =>
      [new Change("n", null), new Change("n", "o"), new Change(null, "o"), new Change(null, null)]
        .flatMap((change) => driven.pipe("k", change, 5)).map((line) => line.slice(2));
    assertEquals(all(), without);
    other.put("k", new ValueAndTimestamp("r", 9));
    assertEquals(all(), withRow);
    driven.pipe(null, new Change("n", null), 5);
    assertEquals(driven.context.drops, ["null-key"]);
  });
}

test("a table-table join drops out-of-order updates of versioned tables", () => {
  const supplier = new KTableKTableInnerJoin({ thisTable, otherTable, joiner });
  const other = new FakeKeyValueStore();
  other.put("k", new ValueAndTimestamp("r", 1));
  const late = new Change<string>("n", null, false);
  assertEquals(new Driven(supplier, { other }).pipe("k", late, 5), ["k=n+r late@5"]);
  supplier.useVersionedSemantics(true);
  const versioned = new Driven(supplier, { other });
  assertEquals(versioned.pipe("k", late, 5), []);
  assertEquals(versioned.context.drops, ["out-of-order"]);
});

test("a joined row that is looked up is joined then, as old as its newer side", () => {
  const [mine, other] = [new FakeKeyValueStore(), new FakeKeyValueStore()];
  mine.put("both", new ValueAndTimestamp("l", 3));
  other.put("both", new ValueAndTimestamp("r", 7));
  mine.put("left", new ValueAndTimestamp("l", 3));
  other.put("right", new ValueAndTimestamp("r", 7));
  const context = new FakeContext();
  context.stores.set("this", mine as never).set("other", other as never);
  const look = (Join: any) => {
    const view = new Join({ thisTable, otherTable, joiner }).view();
    assertEquals(view.storeNames(), ["this", "other"]);
    const getter = view.get();
    getter.init(context);
    return ["both", "left", "right", "none"].map((key) => {
      const row = getter.get(key);
      return row && `${row.value}@${row.timestamp}`;
    });
  };
  assertEquals(look(KTableKTableInnerJoin), ["l+r@7", null, null, null]);
  assertEquals(look(KTableKTableLeftJoin), ["l+r@7", "l+null@3", null, null]);
  assertEquals(look(KTableKTableRightJoin), ["l+r@7", null, "null+r@7", null]);
  assertEquals(look(KTableKTableOuterJoin), ["l+r@7", "l+null@3", "null+r@7", null]);
});

test("KTableKTableJoinMerger leaves old values out unless somebody wants them, and may store", () => {
  const left = new KTableKTableInnerJoin<string, any, any, any>({ thisTable, otherTable, joiner });
  const right = new KTableKTableInnerJoin<string, any, any, any>({
    thisTable: otherTable,
    otherTable: thisTable,
    joiner: reverseJoiner(joiner),
  });
  const plain = new KTableKTableJoinMerger<string, string>({ left, right });
  assertEquals(new Driven(plain).pipe("k", new Change("n", "o"), 5), ["k=n@5"]);
  assertEquals(plain.view().storeNames(), ["other", "this"].sort().reverse());
  plain.enableSendingOldValues(false);
  assertEquals(new Driven(plain).pipe("k", new Change("n", "o"), 5), ["k=n<o@5"]);
  const storing = new KTableKTableJoinMerger<string, string>({
    left,
    right,
    store: fakeBuilder("store"),
  });
  const store = new FakeKeyValueStore();
  assertEquals(new Driven(storing, { store }).pipe("k", new Change("n", "o"), 5), ["k=n@5"]);
  assertEquals(store.get("k"), new ValueAndTimestamp("n", 5));
});

function streamTable(left: boolean) {
  const rows = new FakeKeyValueStore();
  rows.put("k", new ValueAndTimestamp("r", 99));
  const supplier = new KStreamKTableJoin<any, any, any, any>({
    table: new KTableMaterializedValueGetterSupplier("rows"),
    joiner,
    left,
  });
  return new Driven(supplier, { rows });
}

test("a stream-table join has the record's time, and drops records without key or value", () => {
  const inner = streamTable(false);
  assertEquals(inner.pipe("k", "l", 5), ["k=l+r@5"]);
  assertEquals(inner.pipe("x", "l", 5), []);
  assertEquals(inner.context.drops, []);
  inner.pipe(null, "l", 5);
  inner.pipe("k", null, 5);
  assertEquals(inner.context.drops, ["null-key", "null-value"]);
});

test("a stream-table left join keeps records without a row or a key, not those without a value", () => {
  const left = streamTable(true);
  assertEquals(left.pipe("x", "l", 5), ["x=l+null@5"]);
  assertEquals(left.pipe(null, "l", 5), ["null=l+null@5"]);
  assertEquals(left.pipe("k", null, 5), []);
  assertEquals(left.context.drops, ["null-value"]);
});

test("a stream-table join reads a versioned table as of the record's time", () => {
  const rows = new FakeVersionedStore(100);
  rows.put("k", "r10", 10);
  rows.put("k", "r20", 20);
  const supplier = new KStreamKTableJoin<any, any, any, any>({
    table: new KTableMaterializedValueGetterSupplier("rows"),
    joiner,
    left: true,
  });
  const driven = new Driven(supplier, { rows });
  const lines = [25, 15, 5].flatMap((timestamp) => driven.pipe("k", "l", timestamp));
  assertEquals(lines, ["k=l+r20@25", "k=l+r10@15", "k=l+null@5"]);
});

test("a stream-table join with a grace waits for the table, and joins late records at once", () => {
  const rows = new FakeVersionedStore(100);
  const buffer = new FakeBuffer(10);
  const supplier = new KStreamKTableJoin<any, any, any, any>({
    table: new KTableMaterializedValueGetterSupplier("rows"),
    joiner,
    left: true,
    buffer: fakeBuilder("buffer", "buffer"),
  });
  const driven = new Driven(supplier, { rows, buffer });
  assertEquals(driven.pipe("k", "1", 20), []);
  rows.put("k", "r", 15);
  assertEquals(driven.pipe("k", "2", 30), ["k=1+r@20"]);
  assertEquals(driven.pipe("k", "3", 14), ["k=3+null@14"]);
  assertEquals(driven.pipe(null, "4", 30), ["null=4+null@30"]);
  assertThrows(
    () => new Driven(supplier, { rows: new FakeKeyValueStore(), buffer }),
    TypeError,
    "must be versioned",
  );
});

test("a stream-global-table join looks up the key that its mapper gives", () => {
  const rows = new FakeKeyValueStore();
  rows.put("r1", new ValueAndTimestamp("row", 99));
  const join = (left: boolean) =>
    new Driven(
      new KStreamGlobalKTableJoin<any, any, any, any, any>({
        table: new KTableMaterializedValueGetterSupplier("rows"),
        keyMapper: (value) => value === "-" ? null : value,
        joiner: (value, row, key) => `${key}:${value}+${row}`,
        left,
      }),
      { rows },
    );
  assertEquals(join(false).pipe("k", "r1", 5), ["k=k:r1+row@5"]);
  const inner = join(false);
  assertEquals([...inner.pipe("k", "r2", 5), ...inner.pipe("k", "-", 5)], []);
  assertEquals(inner.context.drops, ["null-key"]);
  assertEquals(join(true).pipe(null, "-", 5), ["null=null:-+null@5"]);
});

/** Both sides of a stream-stream join, each with its window store. */
function streams(
  outerLeft: boolean,
  outerRight: boolean,
  windows = within({ timeDifference: 100 }),
) {
  const context = new FakeContext();
  context.settings[OUTER_JOIN_EMIT_INTERVAL_SETTING] = 0;
  const timeTracker = new TimeTrackerSupplier();
  const waiting = new FakeListStore();
  const stores = { l: new FakeWindowStore(0, true), r: new FakeWindowStore(0, true), waiting };
  const outerStore = outerLeft || outerRight ? fakeBuilder("waiting", "list") : undefined;
  const side = (which: "left" | "right", outer: boolean) =>
    new Driven(
      new KStreamKStreamJoin<any, any, any, any>({
        side: which,
        windows,
        joiner: which === "left" ? joiner : reverseJoiner(joiner),
        outer,
        timeTracker,
        otherStore: fakeBuilder(which === "left" ? "r" : "l", "window"),
        outerStore,
      }),
      stores,
      context,
    );
  const [left, right] = [side("left", outerLeft), side("right", outerRight)];
  return {
    context,
    waiting,
    left: (key: unknown, value: unknown, timestamp: number) => {
      const out = left.pipe(key, value, timestamp);
      if (key !== null && value !== null) stores.l.put(key, value, timestamp);
      return out;
    },
    right: (key: unknown, value: unknown, timestamp: number) => {
      const out = right.pipe(key, value, timestamp);
      if (key !== null && value !== null) stores.r.put(key, value, timestamp);
      return out;
    },
  };
}

test("a stream-stream join joins within its window, with the later time, in the other side's order", () => {
  const join = streams(false, false, within({ before: 10, after: 5 }));
  join.right("k", "r90", 90);
  join.right("k", "r105", 105);
  join.right("k", "r106", 106);
  join.right("k", "r90b", 90);
  assertEquals(join.left("k", "l", 100), ["k=l+r90@100", "k=l+r90b@100", "k=l+r105@105"]);
  assertEquals(join.right("k", "r", 95), ["k=l+r@100"]);
  assertEquals(join.right("k", "r", 89), []);
  join.left(null, "l", 100);
  join.right("k", null, 100);
  assertEquals(join.context.drops, ["null-key", "null-value"]);
});

// KStreamKStreamOuterJoinTest: expired records come out by either side's records.
test("an outer join emits unmatched records once their window has closed, by time", () => {
  const join = streams(true, true);
  assertEquals(
    [...join.left(0, "A0", 1), ...join.left(1, "A1", 2), ...join.left(0, "A0-0", 3)],
    [],
  );
  assertEquals(join.right(1, 11, 3), ["1=A1+11@3"]);
  assertEquals(join.left(2, "dummy", 401), ["0=A0+null@1", "0=A0-0+null@3"]);
  assertEquals(join.right(2, 100, 401), ["2=dummy+100@401"]);
  assertEquals(join.waiting.entries, []);
});

test("an outer join emits the right side before the left at equal times", () => {
  const join = streams(true, true);
  join.left("a", "L", 1);
  join.right("b", "R", 1);
  assertEquals(join.right("z", "z", 500), ["b=null+R@1", "a=L+null@1"]);
});

test("a left join keeps only left records, and a late one without a match comes out at once", () => {
  const join = streams(true, false);
  join.right("b", "R", 1);
  assertEquals(join.waiting.entries, []);
  join.left("a", "L", 300);
  assertEquals(join.left("late", "L", 100), ["late=L+null@100"]);
  assertEquals(join.left(null, "L", 300), ["null=L+null@300"]);
  assertEquals(join.right(null, "R", 300), []);
  assertEquals(join.context.drops, ["null-key"]);
});

test("unmatched records wait for the grace, on the side they are from", () => {
  const join = streams(true, true, within({ before: 10, after: 0, grace: 5 }));
  join.left("l", "L", 100);
  join.right("r", "R", 100);
  assertEquals(join.left("x", "x", 105), []);
  assertEquals(join.left("x", "x", 106), ["l=L+null@100"]);
  assertEquals(join.left("x", "x", 116), ["r=null+R@100", "x=x+null@105", "x=x+null@106"]);
});

// KStreamKStreamJoinTest.shouldThrottleEmitNonJoinedOuterRecordsEvenWhenClockDrift
test("the look for unmatched records is throttled by the wall clock", () => {
  const join = streams(false, true, within({ timeDifference: 1000 }));
  join.context.settings[OUTER_JOIN_EMIT_INTERVAL_SETTING] = 1000;
  const throttled = new Driven(
    new KStreamKStreamJoin<any, any, any, any>({
      side: "right",
      windows: within({ timeDifference: 1000 }),
      joiner,
      outer: true,
      timeTracker: new TimeTrackerSupplier(),
      otherStore: fakeBuilder("l", "window"),
      outerStore: fakeBuilder("waiting", "list"),
    }),
    { l: new FakeWindowStore(0, true), waiting: join.waiting },
    join.context,
  );
  for (const [now, timestamp] of [[1000, 10_000], [2100, 13_000], [2500, 15_000]] as const) {
    join.context.now = now;
    throttled.pipe(`key${now}`, "v", timestamp);
  }
  assertEquals(join.waiting.entries.length, 2);
  join.context.now = 4000;
  throttled.pipe("key4", "v", 17_000);
  assertEquals(join.waiting.entries.length, 1);
});

test("KStreamJoinWindow keeps a record only after it was joined", () => {
  const store = new FakeWindowStore(0, true);
  const driven = new Driven(new KStreamJoinWindow({ store: fakeBuilder("store", "window") }), {
    store,
  });
  assertEquals(driven.pipe("k", "v", 5), ["k=v@5"]);
  assertEquals(driven.pipe(null, "v", 5), ["null=v@5"]);
  assertEquals(store.rows, [{ key: "k", start: 5, value: "v" }]);
});

test("a self join gives what an inner join of two streams would, in the same order", () => {
  const windows = within({ before: 3, after: 7 });
  const store = new FakeWindowStore(0, true);
  const self = new Driven(
    new KStreamKStreamSelfJoin<any, any, any>({
      windows,
      joiner,
      store: fakeBuilder("store", "window"),
    }),
    { store },
  );
  const inner = streams(false, false, windows);
  for (const [value, timestamp] of [["a", 10], ["b", 12], ["c", 5], ["d", 12], ["e", 9]] as const) {
    const actual = self.pipe("k", value, timestamp);
    store.put("k", value, timestamp);
    const expected = [...inner.left("k", value, timestamp), ...inner.right("k", value, timestamp)];
    assertEquals(actual, expected, value);
  }
});
