import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { ProcessorStateException } from "../../lib/errors.ts";
import { Change } from "../../lib/record/change.ts";
import { Headers } from "../../lib/record/headers.ts";
import { StreamRecord } from "../../lib/record/record.ts";
import {
  graceBufferBuilder,
  listStoreBuilder,
  suppressBufferBuilder,
} from "../../lib/state/buffers.ts";
import { decodeBufferValue } from "../../lib/state/buffer_value.ts";
import { persistentKeyValueStore } from "../../lib/state/suppliers.ts";
import type { StateEnvironment, TimeOrderedBuffer } from "../../lib/state/store.ts";
import { ValueAndTimestamp } from "../../lib/state/store.ts";
import { seededRandom } from "../support/random.ts";
import {
  fromHex,
  hex,
  restoreRows,
  type TestContext,
  testContext,
  testEnvironments,
  text,
  utf8,
} from "./support.ts";

type Suppressed = TimeOrderedBuffer<string, Change<string>, string>;

function openSuppress(
  environment: StateEnvironment,
): { readonly buffer: Suppressed; readonly context: TestContext } {
  const buffer = suppressBufferBuilder("b", { key: text, value: text }).build();
  const context = testContext(environment);
  buffer.init(context);
  return { buffer, context };
}

const change = (key: string, newValue: string | null, oldValue: string | null = null, at = 0) =>
  new StreamRecord(key, new Change(newValue, oldValue), at);

function evicted(buffer: Suppressed, context: TestContext, until = Infinity): string[] {
  const out: string[] = [];
  buffer.evictWhile(() => buffer.minTimestamp <= until, (record) => {
    const { newValue, oldValue } = record.value;
    out.push(`${record.key}: ${oldValue} -> ${newValue} @${record.timestamp}`);
    assertEquals(context.record.timestamp, record.timestamp);
  });
  return out;
}

for (const { name, open, isDurable, remove } of testEnvironments()) {
  test(`suppress buffer (${name}) keeps the first time and the newest value of a key, and gives out by time and key`, () => {
    const environment = open();
    environment.wipe();
    const { buffer, context } = openSuppress(environment);
    const put = (time: number, record: StreamRecord<string, Change<string>>) => {
      context.record.timestamp = record.timestamp;
      buffer.put(time, record);
    };
    put(5, change("b", "1", "0", 50));
    put(5, change("a", "1", null, 51));
    put(1, change("c", "1", null, 52));
    put(9, change("b", "2", "1", 53));
    assertEquals(buffer.recordCount, 3);
    assertEquals(buffer.minTimestamp, 1);
    assertEquals(buffer.priorValue("b"), new ValueAndTimestamp("0", -1));
    assertEquals(buffer.priorValue("a"), null);
    assertEquals(buffer.priorValue("x"), undefined);
    context.record.timestamp = 77;
    assertEquals(evicted(buffer, context, 4), ["c: null -> 1 @52"]);
    assertEquals(context.record.timestamp, 77);
    assertEquals(evicted(buffer, context), ["a: null -> 1 @51", "b: 1 -> 2 @53"]);
    assertEquals([buffer.recordCount, buffer.byteSize, buffer.minTimestamp], [0, 0, Infinity]);
    environment.close({ clean: true });
  });

  test(`suppress buffer (${name}) counts bytes as Kafka Streams does`, () => {
    const environment = open();
    environment.wipe();
    const { buffer, context } = openSuppress(environment);
    // Time 8, key 3, old 2 (prior is the same), new 3, context 8 + 8 + 4 and the topic "in".
    buffer.put(5, change("key", "new", "ol"));
    assertEquals(buffer.byteSize, 8 + 3 + 2 + 3 + 22);
    // Another old value counts beside the prior one, headers by name and value.
    context.record.headers = Headers.of([{ name: "h", value: Uint8Array.of(1, 2) }]);
    buffer.put(6, change("key", "newer", "old"));
    assertEquals(buffer.byteSize, 8 + 3 + 2 + 3 + 5 + 22 + 3);
    environment.close({ clean: true });
  });

  test(`suppress buffer (${name}) writes at a flush what changed since the last, and is there again after it`, () => {
    const environment = open();
    environment.wipe();
    const { buffer, context } = openSuppress(environment);
    context.record.timestamp = 3;
    context.record.offset = 4;
    context.record.headers = Headers.of([{ name: "h", value: null }]);
    buffer.put(7, change("k", "n", "o", 3));
    buffer.put(9, change("gone", "x"));
    evicted(buffer, context, 8);
    buffer.put(8, change("k", "n", "o", 3));
    evictedKey(buffer, "gone");
    assertEquals(context.logged, []);
    buffer.flush();
    environment.commit(new Map([["b", 1]]));
    const [row, gone, ...others] = context.logged;
    assertEquals([hex(gone.key), gone.value, others], [hex(utf8("gone")), null, []]);
    assertEquals(hex(row.key), hex(utf8("k")));
    assertEquals(
      hex(row.value),
      "0000000000000003" + "0000000000000004" + "00000002" + hex(utf8("in")) + "00000000" +
        "00000001" + "00000001" + hex(utf8("h")) + "ffffffff" +
        "00000001" + hex(utf8("o")) + "fffffffe" + "00000001" + hex(utf8("n")) +
        "0000000000000008",
    );
    assertEquals([...row.headers].map(({ name, value }) => `${name}=${hex(value)}`), ["v=03"]);

    environment.rollback();
    const again = openSuppress(environment);
    assertEquals(again.buffer.recordCount, 1);
    assertEquals(evicted(again.buffer, again.context), ["k: o -> n @3"]);
    again.buffer.flush();
    assertEquals(again.context.logged.map(({ value }) => value), [null]);
    environment.commit(new Map());
    assertEquals(openSuppress(environment).buffer.recordCount, 0);
    assertEquals(isDurable, name !== "memory");

    const restored = suppressBufferBuilder("r", { key: text, value: text, engine: "memory" })
      .build();
    restored.init(testContext(environment));
    const rows = restoreRows([row, { ...row, key: utf8("z") }, {
      key: utf8("z"),
      value: null,
      timestamp: 0,
    }]);
    restored.restore(rows, 0, 3);
    assertEquals(restored.recordCount, 1);
    assertEquals(restored.minTimestamp, 8);
    restored.flush();
    environment.close({ clean: true });
  });

  test(`suppress buffer (${name}) does as a sorted list does`, () => {
    const random = seededRandom(`suppress buffer (${name})`);
    const environment = open();
    environment.wipe();
    let { buffer, context } = openSuppress(environment);
    let model = new Map<string, { time: number; value: string }>();
    let committed = new Map(model);
    for (let step = 0; step < 2_000; step++) {
      const action = random.int(0, 10);
      if (action < 6) {
        const key = random.word(1);
        const isThere = model.has(key);
        const time = model.get(key)?.time ?? random.int(0, 50);
        model.set(key, { time, value: `${step}` });
        // A key that is there keeps its time, whatever the new one is.
        buffer.put(isThere ? random.int(0, 50) : time, change(key, `${step}`));
      } else if (action < 8) {
        const until = random.int(0, 50);
        const expected = [...model].filter(([, { time }]) => time <= until)
          .sort(([a, x], [b, y]) => x.time - y.time || (a < b ? -1 : 1));
        for (const [key] of expected) model.delete(key);
        assertEquals(
          evicted(buffer, context, until),
          expected.map(([key, { value }]) => `${key}: null -> ${value} @0`),
        );
      } else if (action < 9) {
        buffer.flush();
        environment.commit(new Map());
        committed = new Map(model);
      } else if (random.chance(0.3)) {
        environment.rollback();
        buffer.close();
        ({ buffer, context } = openSuppress(environment));
        model = new Map(committed);
      }
      assertEquals(buffer.recordCount, model.size, `step ${step}`);
    }
    environment.close({ clean: true });
  });

  test(`grace buffer (${name}) holds each record until the grace beyond it has passed`, () => {
    const environment = open();
    environment.wipe();
    const build = () => {
      const buffer = graceBufferBuilder("g", { key: text, value: text, graceMs: 10 }).build();
      const context = testContext(environment);
      buffer.init(context);
      return { buffer, context };
    };
    const { buffer, context } = build();
    const put = (key: string, value: string, timestamp: number) => {
      context.record.timestamp = timestamp;
      return buffer.put(timestamp, new StreamRecord(key, value, timestamp));
    };
    const out = (from: TimeOrderedBuffer<string, string>) => {
      const rows: string[] = [];
      from.evictWhile(
        () => true,
        ({ key, value, timestamp }) => rows.push(`${key}=${value}@${timestamp}`),
      );
      return rows;
    };
    assertEquals(put("b", "1", 20), true);
    assertEquals(put("a", "2", 20), true);
    assertEquals(put("b", "3", 20), true);
    assertEquals(put("a", "4", 10), true);
    assertEquals(put("a", "late", 9), false);
    assertEquals(buffer.byteSize, 4 * (1 + 8 + 1 + 4 + 1 + 22));
    assertEquals(out(buffer), ["a=4@10"]);
    assertEquals(buffer.minTimestamp, 20);
    buffer.flush();
    environment.commit(new Map());
    assertEquals(context.logged.map(({ value }) => value === null), [
      false,
      false,
      false,
      false,
      true,
    ]);
    const { value, key } = context.logged[0];
    assertEquals(hex(key), "00" + "0000000000000014" + hex(utf8("b")) + "00000001");
    assertEquals(hex(decodeBufferValue(value!).value.new), hex(utf8("1")));

    const { buffer: again, context: fresh } = build();
    assertEquals(again.recordCount, 3);
    fresh.record.timestamp = 30;
    again.put(30, new StreamRecord("c", "5", 30));
    assertEquals(out(again), ["a=2@20", "b=1@20", "b=3@20"]);
    again.flush();
    assertEquals(fresh.logged.map(({ value }) => value === null), [false, true, true, true]);
    environment.commit(new Map());
    assertEquals(build().buffer.recordCount, 1);

    const restored = graceBufferBuilder("h", { key: text, value: text, graceMs: 0 }).build();
    restored.init(testContext(environment));
    restored.restore(restoreRows(context.logged), 0, 5);
    assertEquals(out(restored), ["a=2@20", "b=1@20", "b=3@20"]);
    environment.close({ clean: true });
  });

  test(`list store (${name}) adds to the list of a key, removes it whole and gives all in order`, () => {
    const environment = open();
    environment.wipe();
    const store = listStoreBuilder(persistentKeyValueStore("l"), { key: text, value: text })
      .build();
    const context = testContext(environment);
    store.init(context);
    store.put("b", "1");
    store.put("a", "2");
    store.put("b", "3");
    assertEquals(store.putIfAbsent("none", null), null);
    assertEquals([...store.all()], [["a", "2"], ["b", "1"], ["b", "3"]]);
    store.putIfAbsent("a", null);
    assertEquals([...store.all()], [["b", "1"], ["b", "3"]]);
    assertEquals(context.logged.map(({ key, value }) => `${hex(key)}=${hex(value)}`), [
      "62=01000000010000000131",
      "61=01000000010000000132",
      "62=010000000200000001310000000133",
      "61=null",
    ]);
    assertThrows(() => store.get("b"), TypeError, "put, putIfAbsent and all only");
    for (const [key] of store.all()) store.put(key, null);
    assertEquals([...store.all()], []);
    environment.commit(new Map());
    store.restore(restoreRows(context.logged), 0, 3);
    assertEquals([...store.all()], [["a", "2"], ["b", "1"], ["b", "3"]]);
    environment.close({ clean: true });
  });
  test(`${name} is removed`, remove);
}

/** Evicts up to the key, and puts back what came before it. */
function evictedKey(buffer: Suppressed, key: string): void {
  const before: StreamRecord<string, Change<string>>[] = [];
  let isFound = false;
  buffer.evictWhile(() => !isFound, (record) => {
    if (record.key === key) isFound = true;
    else before.push(record);
  });
  for (const record of before) buffer.put(8, record);
}

test("decodeBufferValue refuses rows of another form", () => {
  assertThrows(() => decodeBufferValue(fromHex("00")), ProcessorStateException, "version 3");
  assertThrows(
    () => decodeBufferValue(new Uint8Array(60)),
    ProcessorStateException,
    "current value is 60 bytes",
  );
});

test("buffers do not hold what was wiped after they were opened", () => {
  const [memory] = testEnvironments();
  const environment = memory.open();
  const build = () => {
    const held = openSuppress(environment).buffer;
    const waiting = graceBufferBuilder("g", { key: text, value: text, graceMs: 0 }).build();
    waiting.init(testContext(environment));
    return { held, waiting };
  };
  const before = build();
  before.held.put(1, change("k", "v"));
  before.waiting.put(1, new StreamRecord("k", "v", 1));
  before.held.flush();
  before.waiting.flush();
  environment.commit(new Map());
  const { held, waiting } = build();
  environment.wipe();
  assertEquals([held.recordCount, waiting.recordCount], [0, 0]);
  assertEquals([held.minTimestamp, waiting.minTimestamp], [Infinity, Infinity]);
});
