import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { Windowed } from "../../lib/record/windowed.ts";
import {
  type CachedStateStore,
  type StateEnvironment,
  ValueAndTimestamp,
  type WindowStore,
} from "../../lib/state/store.ts";
import { timestampedWindowStoreBuilder, windowStoreBuilder } from "../../lib/state/stores.ts";
import {
  persistentTimestampedWindowStore,
  persistentWindowStore,
  type WindowOrder,
} from "../../lib/state/suppliers.ts";
import { type Random, seededRandom } from "../support/random.ts";
import {
  hex,
  restoreRows,
  type TestContext,
  testContext,
  testEnvironments,
  text,
  utf8,
} from "./support.ts";

const SERDES = { key: text, value: text };
const MINUTE = 60_000;
const SIZE = 10_000;
/** Segments are a minute long, so rows expire two segments and more behind. */
const RETENTION = 2 * MINUTE;

interface Opened {
  readonly store: WindowStore<string, string>;
  readonly context: TestContext;
}

function openStore(
  environment: StateEnvironment,
  options: { readonly cacheBytes?: number; readonly order?: WindowOrder; readonly name?: string } =
    {},
): Opened {
  const { cacheBytes, order, name = "w" } = options;
  const supplier = persistentWindowStore(name, {
    retentionMs: RETENTION,
    windowSizeMs: SIZE,
    order,
  });
  const builder = windowStoreBuilder(supplier, SERDES);
  const store = (cacheBytes === undefined ? builder : builder.withCachingEnabled()).build();
  const context = testContext(environment, { cacheBytes });
  store.init(context);
  return { store, context };
}

const showAll = (rows: Iterable<[Windowed<string>, string]>) =>
  [...rows].map(([{ key, start }, value]) => `${key}@${start}=${value}`);

for (const { name, open, remove } of testEnvironments()) {
  for (const cacheBytes of [undefined, 1_000_000, 900]) {
    for (const order of ["key", "time"] as const) {
      const title = `window store (${name}, cache ${cacheBytes ?? "off"}, by ${order})`;

      test(`${title} gives back windows of a key by start, in both directions`, () => {
        const environment = open();
        environment.wipe();
        const { store } = openStore(environment, { cacheBytes, order });
        store.put("a", "1", 0);
        store.put("a", "2", 10_000);
        store.put("aa", "3", 10_000);
        store.put("a", "4", 70_000);
        store.put("a", "5", 20_000);
        store.put("a", null, 20_000);
        assertEquals(store.fetch("a", 10_000), "2");
        assertEquals(store.fetch("a", 20_000), null);
        assertEquals(store.fetch("b", 10_000), null);
        assertEquals([...store.fetchRange("a", 0, 70_000)], [[0, "1"], [10_000, "2"], [
          70_000,
          "4",
        ]]);
        assertEquals([...store.backwardFetchRange("a", 1, 69_999)], [[10_000, "2"]]);
        assertEquals([...store.backwardFetchRange("a", 0, 70_000)].map(([start]) => start), [
          70_000,
          10_000,
          0,
        ]);
        assertEquals([...store.fetchKeys("a", "aa", 0, 70_000)][0][0], new Windowed("a", 0, SIZE));
        environment.close({ clean: true });
      });

      test(`${title} does as a list of rows does`, () => {
        const random = seededRandom(title);
        const environment = open();
        environment.wipe();
        const opened = openStore(environment, { cacheBytes, order });
        againstModel(opened, environment, order, random);
        environment.close({ clean: true });
      });
    }
  }

  test(`window store (${name}) drops and counts rows whose segment has expired, and reads by exact retention`, () => {
    const environment = open();
    environment.wipe();
    const { store, context } = openStore(environment);
    store.put("k", "old", 0);
    store.put("k", "new", RETENTION);
    // Observed 120000: readable from 1 on, and the segment of 0 is still live.
    assertEquals(store.fetch("k", 0), null);
    store.put("k", "late", 1);
    assertEquals(store.fetch("k", 1), "late");
    assertEquals(context.drops, []);
    store.put("k", "newest", RETENTION + MINUTE);
    store.put("k", "too late", MINUTE - 1);
    assertEquals(context.drops, ["expired"]);
    store.put("k", "just live", MINUTE);
    assertEquals(store.fetch("k", MINUTE), null);
    assertEquals(context.drops, ["expired"]);
    assertEquals(showAll(store.all()), [`k@${RETENTION}=new`, `k@${RETENTION + MINUTE}=newest`]);
    // What was dropped is logged all the same, as in Kafka Streams.
    assertEquals(context.logged.length, 6);
    environment.commit(new Map());
    environment.save();
    assertEquals(environment.open("w").approximateCount(), 3);
    environment.close({ clean: true });
  });

  test(`window store (${name}) keeps duplicates in order of arrival, over a restart too`, () => {
    const environment = open();
    environment.wipe();
    const supplier = persistentWindowStore("dup", {
      retentionMs: RETENTION,
      windowSizeMs: SIZE,
      retainDuplicates: true,
    });
    const builder = windowStoreBuilder(supplier, SERDES).withCachingEnabled();
    assertEquals(builder.cachingEnabled, false);
    const store = builder.build();
    const context = testContext(environment, { cacheBytes: 1_000 });
    store.init(context);
    store.put("k", "1", 5);
    store.put("k", "2", 5);
    store.put("k", null, 5);
    store.put("k", "3", 4);
    assertEquals([...store.fetchRange("k", 0, 10)], [[4, "3"], [5, "1"], [5, "2"]]);
    assertEquals(context.logged.map(({ key }) => hex(key).slice(-8)), [
      "00000001",
      "00000002",
      "00000003",
      "00000004",
    ]);
    assertEquals(context.logged[2].value, null);
    environment.commit(new Map());
    store.close();
    const again = builder.build();
    again.init(testContext(environment));
    again.put("k", "4", 5);
    assertEquals([...again.fetchRange("k", 5, 5)], [[5, "1"], [5, "2"], [5, "4"]]);
    environment.close({ clean: true });
  });

  test(`window store (${name}) reads the same after it was opened again`, () => {
    const random = seededRandom(`reopened window store (${name})`);
    const environment = open();
    environment.wipe();
    const supplier = persistentWindowStore("again", {
      retentionMs: 1_000 * MINUTE,
      windowSizeMs: SIZE,
    });
    const builder = windowStoreBuilder(supplier, SERDES);
    const build = () => {
      const store = builder.build();
      store.init(testContext(environment));
      return store;
    };
    let store = build();
    const model = new Map<string, string>();
    for (let step = 0; step < 2_000; step++) {
      const key = random.pick(["a", "aa", "b"]);
      const start = random.int(0, 20) * 60 * SIZE + random.int(0, 30) * SIZE;
      if (random.chance(0.2)) {
        store.put(key, null, start);
        model.delete(`${key}@${start}`);
      } else {
        store.put(key, `${step}`, start);
        model.set(`${key}@${start}`, `${step}`);
      }
      if (random.chance(0.01)) environment.commit(new Map());
      if (random.chance(0.005)) {
        environment.commit(new Map());
        store.close();
        store = build();
      }
      const [from, to] = [random.int(0, 6_000_000), random.int(0, 12_000_000)];
      const expected = [...model].filter(([id]) => {
        const [k, at] = id.split("@");
        return k === key && Number(at) >= from && Number(at) <= to;
      }).map(([id, value]): [number, string] => [Number(id.split("@")[1]), value])
        .sort(([a], [b]) => a - b);
      assertEquals([...store.fetchRange(key, from, to)], expected, `step ${step}`);
      assertEquals(store.fetch(key, start), model.get(`${key}@${start}`) ?? null, `step ${step}`);
    }
    environment.close({ clean: true });
  });

  test(`window store (${name}) restores rows of its changelog, without those that expire by the end`, () => {
    const environment = open();
    environment.wipe();
    const { store, context } = openStore(environment, { name: "source" });
    for (let i = 0; i < 8; i++) store.put("k", `${i}`, i * 40_000);
    const { store: target, context: fresh } = openStore(environment, {
      name: "target",
      order: "time",
    });
    const rows = restoreRows(context.logged);
    target.restore(rows, 0, context.logged.length);
    assertEquals(showAll(target.all()).slice(1), showAll(store.all()));
    assertEquals(showAll(target.fetchAll(200_000, 240_000)), ["k@200000=5", "k@240000=6"]);
    // The segments of 0 and 60000 are not live at 280000.
    assertEquals(environment.open("target").approximateCount(), 5);
    assertEquals(fresh.logged, []);
    environment.close({ clean: true });
  });
  test(`${name} is removed`, remove);
}

/** What the store must show, by a list of all rows. */
function againstModel(
  { store, context }: Opened,
  environment: StateEnvironment,
  order: WindowOrder,
  random: Random,
): void {
  const rows = new Map<string, { key: string; start: number; value: string }>();
  let observed = -1;
  let dropped = 0;
  const forwarded = new Map<string, string>();
  const isCached = (store as unknown as CachedStateStore<Windowed<string>, string>)
    .setFlushListener(({ key: { key, start }, value: { newValue, oldValue } }) => {
      const id = `${key}@${start}`;
      // What has expired below can no longer be read as an old value.
      if (isReadable(start)) {
        assertEquals(oldValue, forwarded.get(id) ?? null, `old value of ${id}`);
      }
      if (newValue === null) assertEquals(forwarded.delete(id), true, "a deletion of nothing");
      else forwarded.set(id, newValue);
    }, true);
  // In order of time one instant more is shown.
  const isReadable = (start: number) =>
    order === "time" ? start >= observed - RETENTION : start > observed - RETENTION;
  // A cache may still show what has expired below it.
  const isSettled = (start: number) => !isCached || isReadable(start);
  const segment = (time: number) => Math.trunc(time / MINUTE);
  const place = ({ key, start }: { key: string; start: number }, byTime: boolean) => {
    const time = start.toString(16).padStart(16, "0");
    return byTime
      ? `${time}${hex(utf8(key))}`
      : `${segment(start).toString().padStart(8, "0")}${hex(utf8(key))}${time}`;
  };
  const expected = (
    byTime: boolean,
    keep: (row: { key: string; start: number }) => boolean,
  ) =>
    [...rows.values()].filter((row) => isReadable(row.start) && keep(row))
      .sort((a, b) => place(a, byTime) < place(b, byTime) ? -1 : 1)
      .map(({ key, start, value }) => `${key}@${start}=${value}`);
  const key = () => random.pick(["a", "b", "aa", "ab", "é", "x"]);
  let now = 0;
  const flush = () => {
    store.flush();
    environment.commit(new Map());
  };
  for (let step = 0; step < 1_500; step++) {
    const action = random.int(0, 24);
    const k = key();
    const start = Math.max(0, now - SIZE * random.int(0, 20));
    if (action < 12) {
      now += random.int(0, 3) * 5_000;
      const value = action < 11 ? `${step}` : null;
      // A cached row expires when it is flushed; the model knows no cache, so nothing late is left in it.
      store.put(k, value, start);
      if (isCached) store.flush();
      // The deletion of a row that is not there, or not readable, ends in the cache and moves no time.
      const isThere = rows.has(`${k}@${start}`) && isReadable(start);
      if (isCached && value === null && !isThere) continue;
      observed = Math.max(observed, start);
      if (segment(start) < segment(observed - RETENTION)) dropped++;
      else if (value === null) rows.delete(`${k}@${start}`);
      else rows.set(`${k}@${start}`, { key: k, start, value });
    } else if (action < 14) flush();
    else if (action < 18) {
      const row = rows.get(`${k}@${start}`);
      const visible = row !== undefined && isReadable(start) ? row.value : null;
      if (isSettled(start)) assertEquals(store.fetch(k, start), visible);
    } else {
      const [from, to] = [start, start + SIZE * random.int(0, 20)];
      const inTime = (row: { start: number }) => row.start >= from && row.start <= to;
      const message = `step ${step}, observed ${observed}`;
      const single = expected(true, (row) => row.key === k && inTime(row));
      const starts = (found: Iterable<[number, string]>) =>
        [...found].filter(([at]) => isSettled(at)).map(([at, value]) => `${k}@${at}=${value}`);
      const shown = (found: Iterable<[Windowed<string>, string]>) =>
        showAll([...found].filter(([{ start }]) => isSettled(start)));
      assertEquals(starts(store.fetchRange(k, from, to)), single, message);
      assertEquals(starts(store.backwardFetchRange(k, from, to)), single.reverse(), message);
      const all = expected(order === "time", inTime);
      assertEquals(shown(store.fetchAll(from, to)), all, message);
      assertEquals(shown(store.backwardFetchAll(from, to)), all.reverse(), message);
      assertEquals(shown(store.all()), expected(order === "time", () => true), message);
      const [lower, upper] = [k, key()];
      const between = expected(
        false,
        (row) =>
          inTime(row) && hex(utf8(row.key)) >= hex(utf8(lower)) &&
          hex(utf8(row.key)) <= hex(utf8(upper)),
      );
      assertEquals(shown(store.fetchKeys(lower, upper, from, to)), between, message);
      assertEquals(shown(store.backwardFetchKeys(lower, upper, from, to)), between.reverse());
    }
  }
  assertEquals(context.drops.length, dropped);
}

test("a cached window store shows dirty rows and rows below in one order", () => {
  const [memory] = testEnvironments();
  const { store } = openStore(memory.open(), { cacheBytes: 1_000_000 });
  store.put("b", "stored", 0);
  store.put("a", "stored", 20_000);
  store.put("gone", "stored", 0);
  store.flush();
  store.put("a", "dirty", 0);
  store.put("b", "dirty", 70_000);
  store.put("a", "newer", 20_000);
  store.put("gone", null, 0);
  assertEquals(showAll(store.all()), ["a@0=dirty", "a@20000=newer", "b@0=stored", "b@70000=dirty"]);
  assertEquals([...store.backwardFetchRange("a", 0, 30_000)], [[20_000, "newer"], [0, "dirty"]]);
});

test("timestamped window store logs key, start and sequence, and the raw value under its own timestamp", () => {
  const [memory] = testEnvironments();
  const context = testContext(memory.open(), { cacheBytes: 1_000 });
  const store = timestampedWindowStoreBuilder(
    persistentTimestampedWindowStore("t", { retentionMs: RETENTION, windowSizeMs: SIZE }),
    SERDES,
  ).withCachingEnabled().build();
  store.init(context);
  store.put("k", new ValueAndTimestamp("v", 77), 10_000);
  store.flush();
  assertEquals(store.fetch("k", 10_000), new ValueAndTimestamp("v", 77));
  assertEquals(
    context.logged.map(({ key, value, timestamp }) => [hex(key), hex(value), timestamp]),
    [["6b000000000000271000000000", "76", 77]],
  );
});
