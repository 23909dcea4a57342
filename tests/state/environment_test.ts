import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { compareBytes } from "../../lib/record/bytes.ts";
import { StreamsException } from "../../lib/errors.ts";
import type { ByteStore } from "../../lib/state/store.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { hex, testEnvironments, utf8 } from "./support.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const rows = (entries: Iterable<readonly [Uint8Array, Uint8Array]>) =>
  [...entries].map(([key, value]) => `${hex(key)}=${hex(value)}`);
const NO_OFFSETS = new Map<string, number>();

for (const { name, open, isDurable, remove } of testEnvironments()) {
  test(`${name} environment gives back ranges in unsigned byte order, committed or not`, () => {
    const environment = open();
    environment.wipe();
    const store = environment.open("order");
    const put = (...key: number[]) => store.put(bytes(...key), bytes(key.length));
    put();
    put(5);
    put(255);
    put(0);
    environment.commit(NO_OFFSETS);
    put(5, 0);
    put(128);
    store.delete(bytes(0));
    const check = () => {
      assertEquals(rows(store.range(undefined, undefined)), [
        "=00",
        "05=01",
        "0500=02",
        "80=01",
        "ff=01",
      ]);
      assertEquals(rows(store.range(undefined, undefined, true)), [
        "ff=01",
        "80=01",
        "0500=02",
        "05=01",
        "=00",
      ]);
      assertEquals(rows(store.range(bytes(5), bytes(128))), ["05=01", "0500=02"]);
      assertEquals(rows(store.range(bytes(5), bytes(128), true)), ["0500=02", "05=01"]);
      assertEquals(rows(store.range(bytes(), bytes(5, 0), true)), ["05=01", "=00"]);
      assertEquals(rows(store.range(bytes(6), bytes(6))), []);
      assertEquals(store.get(bytes(0)), undefined);
      assertEquals(hex(store.get(bytes(5, 0)) ?? null), "02");
    };
    check();
    environment.commit(NO_OFFSETS);
    check();
    environment.close({ clean: true });
  });

  test(`${name} environment forgets writes and trims on rollback, and keeps what was committed`, () => {
    const environment = open();
    environment.wipe();
    const store = environment.open("tx");
    store.put(bytes(1), bytes(1));
    environment.commit(new Map([["tx", 7]]));
    store.put(bytes(1), bytes(2));
    store.put(bytes(2), bytes(2));
    store.trim(bytes(9));
    assertEquals(environment.uncommittedBytes > 0, true);
    environment.rollback();
    assertEquals(environment.uncommittedBytes, 0);
    assertEquals(rows(store.range(undefined, undefined)), ["01=01"]);
    environment.commit(NO_OFFSETS);
    assertEquals(rows(store.range(undefined, undefined)), ["01=01"]);
    assertEquals(environment.committedOffset("tx"), 7);
    environment.close({ clean: true });
  });

  test(`${name} environment removes what was trimmed with later saves`, () => {
    const environment = open();
    environment.wipe();
    const store = environment.open("trim");
    for (let i = 0; i < 5_000; i++) store.put(bytes(i >> 8, i & 255), bytes(1));
    environment.commit(NO_OFFSETS);
    store.trim(bytes(19, 0));
    for (let i = 0; i < 10; i++) {
      environment.commit(NO_OFFSETS);
      environment.save();
    }
    assertEquals(store.approximateCount(), 5_000 - 19 * 256);
    assertEquals(rows(store.range(undefined, bytes(19, 0))), []);
    environment.close({ clean: true });
  });

  test(`${name} environment keeps nothing of a lean store that was given up before it was saved`, () => {
    const environment = open();
    environment.wipe();
    const store = environment.open("lean", { lean: true });
    store.put(bytes(1), bytes(1));
    store.put(bytes(4), bytes(1));
    environment.commit(NO_OFFSETS);
    for (const key of [1, 2, 3, 4, 5]) store.put(bytes(key), bytes(2));
    store.trim(bytes(3));
    environment.rollback();
    environment.commit(NO_OFFSETS);
    assertEquals(rows(store.range(undefined, undefined)), ["01=01", "04=01"]);
    for (const key of [5, 2, 3, 1]) store.put(bytes(key), bytes(3));
    store.trim(bytes(3));
    store.delete(bytes(4));
    environment.commit(NO_OFFSETS);
    environment.save();
    assertEquals(rows(store.range(undefined, undefined)), ["03=03", "05=03"]);
    assertEquals(store.approximateCount(), 2);
    environment.close({ clean: true });
  });

  test(`${name} environment wipes contents and positions, and works on after it`, () => {
    const environment = open();
    environment.wipe();
    const store = environment.open("wipe");
    store.put(bytes(1), bytes(1));
    environment.commit(new Map([["wipe", 3]]));
    store.put(bytes(2), bytes(2));
    environment.wipe();
    assertEquals(rows(store.range(undefined, undefined)), []);
    assertEquals(environment.committedOffset("wipe"), undefined);
    store.put(bytes(3), bytes(3));
    environment.commit(new Map([["wipe", 9]]));
    assertEquals(rows(store.range(undefined, undefined)), ["03=03"]);
    environment.close({ clean: true });
    const again = open();
    assertEquals(rows(again.open("wipe").range(undefined, undefined)), isDurable ? ["03=03"] : []);
    assertEquals(again.committedOffset("wipe"), isDurable ? 9 : undefined);
    again.close({ clean: true });
  });

  test(`${name} environment keeps rows and position of a volatile store only while it is open`, () => {
    const environment = open();
    environment.wipe();
    const store = environment.open("volatile", { volatile: true });
    store.put(bytes(1), bytes(1));
    environment.commit(new Map([["volatile", 3]]));
    assertEquals(rows(store.range(undefined, undefined)), ["01=01"]);
    assertEquals(environment.committedOffset("volatile"), 3);
    environment.close({ clean: true });
    const again = open();
    const reopened = again.open("volatile", { volatile: true });
    assertEquals(rows(reopened.range(undefined, undefined)), []);
    assertEquals(again.committedOffset("volatile"), undefined);
    again.close({ clean: true });
  });

  test(`${name} environment takes bulk rows, the last of a key winning`, () => {
    const environment = open();
    environment.wipe();
    const store = environment.open("bulk");
    store.bulk([[bytes(2), bytes(1)], [bytes(1), bytes(1)], [bytes(2), bytes(9)]]);
    store.bulk([[bytes(1), null]]);
    assertEquals(rows(store.range(undefined, undefined)), ["02=09"]);
    // So many that they do not wait for the commit.
    const many = (value: number) =>
      Array.from(
        { length: 1_000 },
        (_, i) => [bytes(i >> 8, i & 255), new Uint8Array(40_000).fill(value)] as const,
      );
    store.bulk(many(1));
    store.bulk(many(2));
    environment.commit(NO_OFFSETS);
    assertEquals(environment.uncommittedBytes, 0);
    assertEquals(store.get(bytes(3, 4))?.[39_999], 2);
    assertEquals(store.approximateCount(), 1_001);
    environment.close({ clean: true });
  });

  test(`${name} environment gives values that stay as they are through later reads`, () => {
    const environment = open();
    environment.wipe();
    const store = environment.open("lent");
    store.put(bytes(1), utf8("first"));
    store.put(bytes(2), utf8("second, and longer"));
    environment.commit(NO_OFFSETS);
    const first = store.get(bytes(1))!;
    store.get(bytes(2));
    const cursor = store.cursor(undefined, undefined);
    cursor.advance();
    const value = cursor.value;
    cursor.advance();
    assertEquals(hex(value), hex(utf8("first")));
    assertEquals(hex(first), hex(utf8("first")));
    cursor.close();
    environment.close({ clean: true });
  });

  for (const lean of [false, true]) {
    test(
      `${name} environment (${
        lean ? "lean" : "resident"
      } store) does as a sorted array does, whatever the order of writes, commits and rollbacks`,
      () => {
        const random = seededRandom(`${name} environment`);
        const environment = open();
        environment.wipe();
        againstModel(environment.open(lean ? "lean model" : "model", { lean }), {
          commit: () => environment.commit(NO_OFFSETS),
          rollback: () => environment.rollback(),
        }, random);
        environment.close({ clean: true });
        if (lean) remove();
      },
    );
  }
}

function againstModel(
  store: ByteStore,
  transaction: { commit(): void; rollback(): void },
  random: Random,
): void {
  let committed = new Map<string, string>();
  let current = new Map(committed);
  const key = () =>
    Uint8Array.from({ length: random.int(0, 4) }, () => random.pick([0, 1, 7, 255]));
  const bound = () => random.int(0, 4) === 0 ? undefined : key();
  for (let step = 0; step < 3_000; step++) {
    const action = random.int(0, 20);
    if (action < 9) {
      const k = key();
      const v = bytes(random.int(0, 256));
      current.set(hex(k), hex(v));
      store.put(k, v);
    } else if (action < 13) {
      const k = key();
      current.delete(hex(k));
      store.delete(k);
    } else if (action < 14) {
      transaction.commit();
      committed = new Map(current);
    } else if (action < 15 && random.int(0, 3) === 0) {
      transaction.rollback();
      current = new Map(committed);
    } else if (action < 17) {
      const k = key();
      assertEquals(hex(store.get(k) ?? null), current.get(hex(k)) ?? "null", `step ${step}`);
    } else {
      const [from, to, reverse] = [bound(), bound(), random.int(0, 2) === 0];
      const expected = [...current].filter(([k]) =>
        (from === undefined || compare(k, hex(from)) >= 0) &&
        (to === undefined || compare(k, hex(to)) < 0)
      ).sort(([a], [b]) => compare(a, b)).map(([k, v]) => `${k}=${v}`);
      if (reverse) expected.reverse();
      assertEquals(rows(store.range(from, to, reverse)), expected, `step ${step}`);
    }
  }
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

test("LmdbEnvironment refuses a key that LMDB cannot hold when it is put", () => {
  const [, lmdb] = testEnvironments();
  const environment = lmdb.open();
  const store = environment.open("long");
  const longest = new Uint8Array(1977).fill(1);
  store.put(longest, bytes(1));
  environment.commit(NO_OFFSETS);
  assertEquals(hex(store.get(longest) ?? null), "01");
  assertThrows(
    () => store.put(new Uint8Array(1978), bytes(1)),
    StreamsException,
    "keys of at most 1977 bytes: current value is 1978 bytes",
  );
  assertEquals(store.get(new Uint8Array(9000)), undefined);
  assertEquals(compareBytes(bytes(1), bytes(1)), 0);
  environment.close({ clean: true });
  lmdb.remove();
});
