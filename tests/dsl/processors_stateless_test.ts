import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { AsyncFunctionError } from "../../lib/errors.ts";
import { Change } from "../../lib/record/change.ts";
import { Headers } from "../../lib/record/headers.ts";
import { StreamRecord } from "../../lib/record/record.ts";
import type { ProcessorSupplier } from "../../lib/topology/processor.ts";
import { KStreamBranch, PassThrough } from "../../lib/dsl/processors/kstream_branch.ts";
import { KStreamFilter, NullKeyFilter } from "../../lib/dsl/processors/kstream_filter.ts";
import { KStreamFlatMap, KStreamFlatMapValues } from "../../lib/dsl/processors/kstream_flat_map.ts";
import {
  KStreamMap,
  KStreamMapValues,
  KStreamSelectKey,
} from "../../lib/dsl/processors/kstream_map.ts";
import {
  KStreamForeach,
  KStreamPeek,
  KStreamPrint,
} from "../../lib/dsl/processors/kstream_peek.ts";
import { KTableToStream } from "../../lib/dsl/processors/ktable_map_values.ts";
import { KTableRepartitionMap } from "../../lib/dsl/processors/ktable_repartition_map.ts";
import { equalKeys } from "../../lib/dsl/processors/key_equality.ts";
import { FakeContext } from "./support/fake_context.ts";

function started(supplier: ProcessorSupplier<any, any, any, any>) {
  const context = new FakeContext();
  const processor = supplier.get();
  processor.init?.(context);
  const process = (key: unknown, value: unknown, timestamp = 5) => {
    processor.process(new StreamRecord(key, value, timestamp, HEADERS));
    return context.take();
  };
  return { context, processor, process };
}
const HEADERS = Headers.EMPTY.add("h", "1");

test("KStreamFilter keeps what its predicate accepts, and the record itself", () => {
  const { context, processor } = started(new KStreamFilter({ predicate: (v) => Number(v) > 1 }));
  const kept = new StreamRecord("k", 2, 5, HEADERS);
  processor.process(new StreamRecord("k", 1, 5));
  processor.process(kept);
  assertEquals(context.forwarded.length, 1);
  assertStrictEquals(context.forwarded[0], kept);
});

test("KStreamFilter keeps what its predicate refuses when it is turned round", () => {
  const { process } = started(new KStreamFilter({ predicate: (v) => Number(v) > 1, not: true }));
  assertEquals(process("k", 2), []);
  assertEquals(process("k", 1), [["k", 1, 5]]);
});

test("NullKeyFilter leaves out records without a key and counts nothing", () => {
  const { context, process } = started(new NullKeyFilter());
  assertEquals(process(null, 1), []);
  assertEquals(process("k", null), [["k", null, 5]]);
  assertEquals(context.drops, []);
});

test("map, selectKey and mapValues change their part of a record and keep the rest", () => {
  const map = started(new KStreamMap<any, any, any, any>({ mapper: (v, k) => [v, k] }));
  assertEquals(map.process("k", "v"), [["v", "k", 5]]);
  const select = started(new KStreamSelectKey<any, any, any>({ mapper: (v) => `${v}!` }));
  assertEquals(select.process("k", "v"), [["v!", "v", 5]]);
  const values = started(new KStreamMapValues<any, any, any>({ mapper: (v, k) => `${k}${v}` }));
  values.processor.process(new StreamRecord("k", null, 9, HEADERS));
  assertStrictEquals(values.context.forwarded[0].headers, HEADERS);
  assertEquals(values.context.take(), [["k", "knull", 9]]);
});

test("flatMap and flatMapValues give any number of records, from any iterable", () => {
  const pairs = started(
    new KStreamFlatMap<any, any, any, any>({ mapper: (v, k) => [[v, k], [k, v]] }),
  );
  assertEquals(pairs.process("k", "v"), [["v", "k", 5], ["k", "v", 5]]);
  const values = started(new KStreamFlatMapValues<any, any, any>({ mapper: (v) => new Set(v) }));
  assertEquals(values.process("k", "abca"), [["k", "a", 5], ["k", "b", 5], ["k", "c", 5]]);
  assertEquals(values.process("k", ""), []);
});

test("flatMap refuses null, as Kafka Streams does", () => {
  const { process } = started(
    new KStreamFlatMap<any, any, any, any>({ mapper: () => null as any }),
  );
  assertThrows(() => process("k", "v"), TypeError, "Cannot flat-map");
});

test("map refuses what is no pair", () => {
  const { process } = started(new KStreamMap<any, any, any, any>({ mapper: () => 1 as any }));
  assertThrows(() => process("k", "v"), TypeError, "must give [key, value]");
});

test("peek and foreach see value and key; only peek passes on", () => {
  const seen: unknown[] = [];
  const action = (value: unknown, key: unknown) => void seen.push([value, key]);
  assertEquals(started(new KStreamPeek({ action })).process("k", "v"), [["k", "v", 5]]);
  assertEquals(started(new KStreamForeach({ action })).process("k2", "v2"), []);
  assertEquals(seen, [["v", "k"], ["v2", "k2"]]);
});

test("print writes label, key and value, or what its mapper gives", () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  started(new KStreamPrint({ label: "P", write })).process("k", 1);
  started(new KStreamPrint<any, any>({ label: "P", write, mapper: (v, k) => `${v}<${k}` }))
    .process("k", null);
  assertEquals(lines, ["[P]: k, 1\n", "[P]: null<k\n"]);
});

test("branch gives a record to the first branch that accepts it, else to the default", () => {
  const predicates = [(v: unknown) => Number(v) > 10, (v: unknown) => Number(v) > 5];
  const all = started(new KStreamBranch({ predicates, childNames: ["a", "b", "rest"] }));
  for (const value of [11, 6, 1]) all.process("k", value);
  assertEquals(all.context.children, ["a", "b", "rest"]);
  const none = started(new KStreamBranch({ predicates, childNames: ["a", "b"] }));
  assertEquals(none.process("k", 1), []);
});

test("PassThrough passes on", () => {
  assertEquals(started(new PassThrough()).process(null, null), [[null, null, 5]]);
});

test("KTableToStream gives the new value, null for a deleted row", () => {
  const { process } = started(new KTableToStream());
  assertEquals(process("k", new Change("new", "old")), [["k", "new", 5]]);
  assertEquals(process("k", new Change(null, "old")), [["k", null, 5]]);
});

const GROUPINGS: [string, Change<any>, [unknown, Change<unknown>][]][] = [
  ["a new row", new Change("a1", null), [["a", new Change("1", null)]]],
  ["a deleted row", new Change(null, "a1"), [["a", new Change(null, "1")]]],
  ["a row that stays in its group", new Change("a2", "a1"), [["a", new Change("2", "1")]]],
  ["a row that moves", new Change("b2", "a1"), [
    ["a", new Change(null, "1")],
    ["b", new Change("2", null)],
  ]],
  ["a row without a group before", new Change("a2", "-1"), [["a", new Change("2", null)]]],
  ["a row without a value in its group", new Change("a", "b1"), [["b", new Change(null, "1")]]],
];
for (const [what, change, expected] of GROUPINGS) {
  test(`KTableRepartitionMap sends ${what} to its groups`, () => {
    const { process } = started(
      new KTableRepartitionMap<any, any, any, any>({
        mapper: (v) => [v[0] === "-" ? null : v[0], v[1] ?? null],
      }),
    );
    assertEquals(process("k", change), expected.map(([key, value]) => [key, value, 5]));
  });
}

test("KTableRepartitionMap keeps out-of-order updates of a versioned table out of the groups", () => {
  const supplier = new KTableRepartitionMap<any, any, any, any>({ mapper: (v, k) => [k, v] });
  const late = new Change("v", null, false);
  assertEquals(started(supplier).process("k", late), [["k", late, 5]]);
  supplier.useVersionedSemantics(true);
  assertEquals(started(supplier).process("k", late), []);
});

test("equalKeys compares by value", () => {
  const same: [unknown, unknown][] = [
    ["a", "a"],
    [1n, 1n],
    [NaN, NaN],
    [Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
    [{ a: 1, b: ["x"] }, { b: ["x"], a: 1 }],
    [new Date(5), new Date(5)],
  ];
  const different: [unknown, unknown][] = [
    ["a", "b"],
    [1, 1n],
    [null, {}],
    [Uint8Array.of(1), Uint8Array.of(2)],
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { a: 1, b: undefined }],
    [new Date(5), new Date(6)],
    [[1], { 0: 1 }],
  ];
  for (const [a, b] of same) assertEquals(equalKeys(a, b), true, `${a} ${b}`);
  for (const [a, b] of different) assertEquals(equalKeys(a, b), false, `${a} ${b}`);
});

const later = () => Promise.resolve(true) as any;
const thenable = () => ({ then: () => {} }) as any;
const ASYNC: [string, ProcessorSupplier<any, any, any, any>][] = [
  ["predicate", new KStreamFilter({ predicate: later })],
  ["mapper", new KStreamMap({ mapper: later })],
  ["key mapper", new KStreamSelectKey({ mapper: thenable })],
  ["value mapper", new KStreamMapValues({ mapper: thenable })],
  ["flat mapper", new KStreamFlatMap({ mapper: later })],
  ["flat mapper of values", new KStreamFlatMapValues({ mapper: thenable })],
  ["peek action", new KStreamPeek({ action: later })],
  ["foreach action", new KStreamForeach({ action: later })],
  ["branch predicate", new KStreamBranch({ predicates: [later], childNames: ["a"] })],
];
for (const [what, supplier] of ASYNC) {
  test(`a ${what} that gives a Promise raises AsyncFunctionError`, () => {
    const { process, context } = started(supplier);
    assertThrows(() => process("k", "v"), AsyncFunctionError, "asynchronous work");
    assertEquals(context.forwarded, []);
  });
}
