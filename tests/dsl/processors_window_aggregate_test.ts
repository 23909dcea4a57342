import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { AsyncFunctionError } from "../../lib/errors.ts";
import { KStreamSessionWindowAggregate } from "../../lib/dsl/processors/kstream_session_window_aggregate.ts";
import { KStreamSlidingWindowAggregate } from "../../lib/dsl/processors/kstream_sliding_window_aggregate.ts";
import { KStreamWindowAggregate } from "../../lib/dsl/processors/kstream_window_aggregate.ts";
import { EMIT_INTERVAL_SETTING } from "../../lib/dsl/processors/window_closing.ts";
import {
  type EmitStrategy,
  type EnumerableWindows,
  hopping,
  session,
  sliding,
  tumbling,
  unlimited,
} from "../../lib/dsl/windows.ts";
import { Headers } from "../../lib/record/headers.ts";
import { Driven, seeded } from "./support/driven.ts";
import { FakeContext } from "./support/fake_context.ts";
import { fakeBuilder, FakeSessionStore, FakeWindowStore } from "./support/fake_stores.ts";

const store = fakeBuilder("store");
const initializer = () => "0";
const aggregator = (aggregate: string, value: string) => `${aggregate}+${value}`;

function time(windows: EnumerableWindows, emit?: EmitStrategy, context = new FakeContext()) {
  const supplier = new KStreamWindowAggregate({ windows, store, initializer, aggregator, emit });
  supplier.enableSendingOldValues();
  const windowStore = new FakeWindowStore(windows.kind === "time" ? windows.sizeMs : 0);
  return {
    supplier,
    windowStore,
    context,
    driven: new Driven(supplier, { store: windowStore }, context),
  };
}

test("a tumbling aggregate forwards each update, with the initial value as the first old one", () => {
  const { driven } = time(tumbling({ size: 10 }));
  assertEquals(driven.pipe("A", "1", 3), ["A[0,10]=0+1<0@3"]);
  assertEquals(driven.pipe("A", "2", 1), ["A[0,10]=0+1+2<0+1@3"]);
  assertEquals(driven.pipe("A", null, 12), ["A[10,20]=0+null<0@12"]);
});

test("a hopping aggregate judges each window's lateness for itself", () => {
  const { driven, context } = time(hopping({ size: 10, advance: 5, grace: 2 }));
  assertEquals(driven.pipe("A", "1", 7), ["A[0,10]=0+1<0@7", "A[5,15]=0+1<0@7"]);
  driven.pipe("B", "x", 13);
  // [0,10) closes when the stream time passes 12: only the other window takes it.
  assertEquals(driven.pipe("A", "2", 8), ["A[5,15]=0+1+2<0+1@8"]);
  assertEquals(context.drops, ["late"]);
});

test("a window without grace closes when stream time reaches its end", () => {
  const { driven, context } = time(tumbling({ size: 10 }));
  driven.pipe("A", "1", 10);
  assertEquals(driven.pipe("A", "2", 9), []);
  assertEquals(driven.pipe(null, "3", 9), []);
  assertEquals(context.drops, ["late", "null-key"]);
});

test("an unlimited aggregate has one window from its start on", () => {
  const { driven, context } = time(unlimited({ start: 5 }));
  assertEquals(driven.pipe("A", "1", 4), []);
  assertEquals(driven.pipe("A", "2", 900), [`A[5,${Number.MAX_SAFE_INTEGER}]=0+2<0@900`]);
  assertEquals(context.drops, []);
});

test("an aggregate that becomes null deletes its window and says so", () => {
  const supplier = new KStreamWindowAggregate<string, string, string>({
    windows: tumbling({ size: 10 }),
    store,
    initializer,
    aggregator: (_aggregate, value) => value === "gone" ? null : value,
  });
  const windowStore = new FakeWindowStore(10);
  const driven = new Driven(supplier, { store: windowStore });
  assertEquals(driven.pipe("A", "1", 1), ["A[0,10]=1@1"]);
  assertEquals(driven.pipe("A", "gone", 2), ["A[0,10]=null@2"]);
  assertEquals(windowStore.rows, []);
});

test("a cached tumbling aggregate does one fetch and one put and forwards nothing itself", () => {
  const windowStore = new FakeWindowStore(10);
  windowStore.caches = true;
  const { supplier } = time(tumbling({ size: 10 }));
  const driven = new Driven(supplier, { store: windowStore });
  assertEquals(driven.pipe("A", "1", 3), []);
  assertEquals(windowStore.calls, ["fetch", "put"]);
  assertEquals(windowStore.sendOldValues, true);
});

test("an asynchronous initializer or aggregator raises AsyncFunctionError", () => {
  const windows = tumbling({ size: 10 });
  const late = (): any => Promise.resolve("0");
  for (
    const functions of [{ initializer: late, aggregator }, { initializer, aggregator: late }]
  ) {
    const supplier = new KStreamWindowAggregate({ windows, store, ...functions });
    const driven = new Driven(supplier, { store: new FakeWindowStore(10) });
    assertThrows(() => driven.pipe("A", "1", 3), AsyncFunctionError);
  }
});

test("unlimited windows cannot be emitted on close", () => {
  assertThrows(() => time(unlimited(), "onWindowClose"), RangeError, "Cannot emit on window close");
});

// KStreamWindowAggregateTest's cases of emit final.
const closing = hopping({ size: 10, advance: 5, grace: 5 });
function closingContext(interval: number): FakeContext {
  const context = new FakeContext();
  context.settings[EMIT_INTERVAL_SETTING] = interval;
  return context;
}

test("emit on close gives nothing when time has not moved past a further window", () => {
  const { driven } = time(closing, "onWindowClose", closingContext(0));
  driven.pipe("A", "1", 0);
  driven.pipe("B", "2", 5);
  assertEquals(driven.pipe("C", "3", 15), ["A[0,10]=0+1@0", "B[0,10]=0+2@5"]);
  assertEquals(driven.pipe("D", "4", 15), []);
  assertEquals(driven.pipe("E", "5", 19), []);
});

test("emit on close gives windows by start, then key, each once", () => {
  const { driven } = time(closing, "onWindowClose", closingContext(0));
  const out =
    ([["A", "1", 0], ["A", "1", 5], ["B", "2", 10], ["C", "3", 15], ["D", "4", 20]] as const)
      .map(([key, value, timestamp]) => driven.pipe(key, value, timestamp));
  assertEquals(out, [[], [], [], ["A[0,10]=0+1+1@5"], ["A[5,15]=0+1@5", "B[5,15]=0+2@10"]]);
});

test("emit on close is throttled by the wall clock", () => {
  const context = closingContext(1000);
  const { driven } = time(closing, "onWindowClose", context);
  for (const [key, timestamp] of [["A", 0], ["A", 5], ["B", 10], ["C", 15]] as const) {
    assertEquals(driven.pipe(key, key, timestamp), []);
  }
  context.now = 10_000;
  assertEquals(driven.pipe("D", "4", 20), [
    "A[0,10]=0+A+A@5",
    "A[5,15]=0+A@5",
    "B[5,15]=0+B@10",
  ]);
  context.now = 10_100;
  assertEquals(driven.pipe("E", "5", 40), []);
});

test("emit on close goes on from the last close time after a restart", () => {
  const context = closingContext(0);
  const first = time(closing, "onWindowClose", context);
  first.driven.pipe("A", "1", 0);
  first.driven.pipe("B", "2", 5);
  first.driven.pipe("C", "3", 15);
  assertEquals(context.metadata.get("store"), 10);
  const again = new Driven(first.supplier, { store: first.windowStore }, context);
  assertEquals(again.pipe("D", "4", 25), ["B[5,15]=0+2@5", "C[10,20]=0+3@15"]);
});

function sliding10(grace: number, difference = 10, emit?: EmitStrategy) {
  const windows = sliding({ timeDifference: difference, grace });
  const supplier = new KStreamSlidingWindowAggregate({
    windows,
    store,
    initializer,
    aggregator,
    emit,
  });
  const windowStore = new FakeWindowStore(difference);
  const context = closingContext(0);
  return { windowStore, context, driven: new Driven(supplier, { store: windowStore }, context) };
}

// KStreamSlidingWindowAggregateTest.testAggregateSmallInput, newest window first.
test("a sliding aggregate makes left and right windows and updates those in between", () => {
  const { driven } = sliding10(5);
  const inputs: [string, number][] = [
    ["1", 10],
    ["2", 10],
    ["3", 14],
    ["4", 15],
    ["5", 20],
    ["6", 22],
    ["7", 30],
  ];
  assertEquals(inputs.map(([value, timestamp]) => driven.pipe("A", value, timestamp)), [
    ["A[0,10]=0+1@10"],
    ["A[0,10]=0+1+2@10"],
    ["A[11,21]=0+3@14", "A[4,14]=0+1+2+3@14"],
    ["A[11,21]=0+3+4@15", "A[15,25]=0+4@15", "A[5,15]=0+1+2+3+4@15"],
    ["A[15,25]=0+4+5@20", "A[11,21]=0+3+4+5@20", "A[16,26]=0+5@20", "A[10,20]=0+1+2+3+4+5@20"],
    ["A[16,26]=0+5+6@22", "A[15,25]=0+4+5+6@22", "A[21,31]=0+6@22", "A[12,22]=0+3+4+5+6@22"],
    ["A[21,31]=0+6+7@30", "A[23,33]=0+7@30", "A[20,30]=0+5+6+7@30"],
  ]);
});

// testEarlyRecordsSmallInput: the last state of each window.
test("sliding records earlier than the time difference share the window from zero", () => {
  const { driven, windowStore } = sliding10(0, 50);
  const inputs: [string, number][] = [
    ["1", 0],
    ["2", 5],
    ["3", 6],
    ["4", 3],
    ["5", 13],
    ["6", 10],
    ["7", 70],
  ];
  for (const [value, timestamp] of inputs) driven.pipe("A", value, timestamp);
  assertEquals(windowStore.rows.map((row) => [row.start, row.value.value, row.value.timestamp]), [
    [0, "0+1+2+3+4+5+6", 13],
    [1, "0+2+3+4+5+6", 13],
    [4, "0+2+3+5+6", 13],
    [6, "0+3+5+6", 13],
    [7, "0+5+6", 13],
    [11, "0+5", 13],
    [20, "0+7", 70],
  ]);
});

test("a sliding aggregate drops nulls and records whose last window has closed", () => {
  const { driven, context } = sliding10(5);
  driven.pipe("A", "1", 100);
  assertEquals(driven.pipe("A", "2", 84), []);
  assertEquals(driven.pipe("A", null, 100), []);
  assertEquals(driven.pipe(null, "3", 100), []);
  assertEquals(context.drops, ["late", "null-value", "null-key"]);
});

test("a sliding aggregate emits a window once its end lies before the close time", () => {
  const { driven } = sliding10(5, 10, "onWindowClose");
  const inputs: [string, number][] = [
    ["1", 10],
    ["2", 10],
    ["3", 14],
    ["4", 15],
    ["5", 20],
    ["6", 22],
    ["7", 30],
  ];
  assertEquals(
    inputs.map(([value, timestamp]) => driven.pipe("A", value, timestamp)),
    [
      [],
      [],
      [],
      [],
      ["A[0,10]=0+1+2@10", "A[4,14]=0+1+2+3@14"],
      ["A[5,15]=0+1+2+3+4@15"],
      ["A[10,20]=0+1+2+3+4+5@20", "A[11,21]=0+3+4+5@20", "A[12,22]=0+3+4+5+6@22"],
    ],
  );
});

test("sliding windows hold just the records in them, whatever the order of arrival", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const difference = random(12);
    const { driven, windowStore } = sliding10(1_000_000, difference);
    const inputs = Array.from({ length: 1 + random(25) }, (_, i) => ({ t: random(60), v: `${i}` }));
    for (const { t, v } of inputs) driven.pipe("A", v, t);
    const inWindow = (start: number) =>
      inputs.filter(({ t }) => t >= start && t <= start + difference).map(({ v }) => v);
    const starts = new Set<number>();
    for (const { t } of inputs) {
      starts.add(Math.max(0, t - difference));
      if (inWindow(t + 1).length > 0) starts.add(t + 1);
    }
    const expected = [...starts].sort((a, b) => a - b)
      .map((start) => [start, inWindow(start).sort().join()]);
    const actual = windowStore.rows.map((row) => [
      row.start,
      row.value.value.split("+").slice(1).sort().join(),
    ]);
    assertEquals(actual, expected, `seed ${seed}, difference ${difference}`);
  }
});

function sessions(gap: number, grace: number, emit?: EmitStrategy) {
  const supplier = new KStreamSessionWindowAggregate<string, string, string>({
    windows: session({ gap, grace }),
    store,
    initializer: () => "",
    aggregator: (aggregate, value) => `${aggregate}${value}`,
    merger: (left, right) => `${left}(${right})`,
    emit,
  });
  supplier.enableSendingOldValues();
  const sessionStore = new FakeSessionStore();
  const context = closingContext(0);
  return { sessionStore, context, driven: new Driven(supplier, { store: sessionStore }, context) };
}

test("a session aggregate merges in the store's order, removes what it merged, adds the record last", () => {
  const { driven, sessionStore } = sessions(5, 1000);
  assertEquals(driven.pipe("A", "1", 10), ["A[10,10]=1@10"]);
  assertEquals(driven.pipe("A", "2", 20), ["A[20,20]=2@20"]);
  assertEquals(driven.pipe("A", "3", 15), [
    "A[10,10]=null<1@10",
    "A[20,20]=null<2@20",
    "A[10,20]=(1)(2)3@20",
  ]);
  assertEquals(sessionStore.rows.length, 1);
});

test("a session that keeps its single instant is updated in place", () => {
  const { driven } = sessions(5, 0);
  driven.pipe("A", "1", 10);
  assertEquals(driven.pipe("A", "2", 10), ["A[10,10]=(1)2@10"]);
});

test("a record within its session replaces the session by itself", () => {
  const { driven } = sessions(5, 1000);
  driven.pipe("A", "1", 10);
  driven.pipe("A", "2", 14);
  assertEquals(driven.pipe("A", "3", 12), ["A[10,14]=null<(1)2@14", "A[10,14]=((1)2)3@14"]);
});

test("a session is late when the merged one has closed, and saved by one that has not", () => {
  const { driven, context } = sessions(5, 10);
  driven.pipe("A", "1", 0);
  driven.pipe("B", "x", 20);
  assertEquals(driven.pipe("A", "2", 4), []);
  assertEquals(context.drops, ["late"]);
  driven.pipe("A", "3", 8);
  assertEquals(driven.pipe("A", "4", 4), [
    "A[0,0]=null<1@0",
    "A[8,8]=null<3@8",
    "A[0,8]=(1)(3)4@8",
  ]);
  driven.pipe(null, "5", 30);
  assertEquals(context.drops, ["late", "null-key"]);
});

test("a session aggregate forwards without the record's headers", () => {
  const { driven, context } = sessions(5, 10);
  driven.processor.process(
    { key: "A", value: "1", timestamp: 5, headers: Headers.EMPTY.add("h", "1") } as never,
  );
  assertEquals(context.forwarded[0].headers.size, 0);
});

test("a session aggregate emits sessions that have closed, by end", () => {
  const { driven } = sessions(5, 0, "onWindowClose");
  assertEquals(driven.pipe("A", "1", 0), []);
  assertEquals(driven.pipe("B", "2", 3), []);
  assertEquals(driven.pipe("A", "3", 6), ["A[0,0]=1@0"]);
  assertEquals(driven.pipe("C", "4", 20), ["B[3,3]=2@3", "A[6,6]=3@6"]);
});
