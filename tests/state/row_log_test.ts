import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { compareBytes } from "../../lib/record/bytes.ts";
import { RowLog, RowLogCursor } from "../../lib/state/row_log.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { hex } from "./support.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

function someKey(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.int(0, 5) }, () => random.pick([0, 1, 2, 128, 255]));
}

function walk(
  log: RowLog,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
  reverse: boolean,
): string[] {
  const cursor = new RowLogCursor(log, from, to, reverse);
  const rows: string[] = [];
  while (cursor.advance()) rows.push(`${hex(cursor.key)}=${hex(cursor.value)}`);
  return rows;
}

test("RowLog finds and walks rows as a sorted list does, before and after it has an order", () => {
  const random = seededRandom("row log");
  const log = new RowLog();
  for (let round = 0; round < 40; round++) {
    const expected = new Map<string, [Uint8Array, Uint8Array | null]>();
    const steps = random.int(1, 600);
    const orderedFrom = random.int(0, steps * 2);
    for (let step = 0; step < steps; step++) {
      const key = someKey(random);
      const value = random.chance(0.2) ? null : random.bytes(random.pick([0, 3, 3, 3, 200]));
      log.write(key, value);
      expected.set(hex(key), [key, value]);
      assertEquals(log.size, expected.size);
      const row = log.find(key);
      assertEquals([hex(log.key(row)), hex(log.value(row))], [hex(key), hex(value)]);
      if (step < orderedFrom || step % 7 !== 0) continue;
      const [from, to] = [0, 1].map(() => random.chance(0.3) ? undefined : someKey(random));
      const reverse = random.chance(0.5);
      const within = [...expected.values()].filter(([each]) =>
        (from === undefined || compareBytes(each, from) >= 0) &&
        (to === undefined || compareBytes(each, to) < 0)
      ).sort(([a], [b]) => compareBytes(a, b)).map(([each, v]) => `${hex(each)}=${hex(v)}`);
      assertEquals(walk(log, from, to, reverse), reverse ? within.reverse() : within);
    }
    const all = [...expected.values()].sort(([a], [b]) => compareBytes(a, b));
    assertEquals(log.sorted().map((row) => hex(log.key(row))), all.map(([key]) => hex(key)));
    const from = someKey(random);
    assertEquals(
      log.sorted(from).map((row) => hex(log.key(row))),
      all.filter(([key]) => compareBytes(key, from) >= 0).map(([key]) => hex(key)),
    );
    log.clear();
    assertEquals([log.size, log.find(bytes(1)), walk(log, undefined, undefined, false)], [
      0,
      -1,
      [],
    ]);
  }
});

test("RowLog keeps a walk's place when rows are added and deleted under it", () => {
  const random = seededRandom("row log walk");
  for (let round = 0; round < 30; round++) {
    const log = new RowLog();
    const there = new Set<string>();
    const reverse = round % 2 === 1;
    for (let i = 0; i < 1_500; i++) {
      const key = bytes(random.int(0, 256), random.int(0, 256), 7);
      there.add(hex(key));
      log.write(key, key);
    }
    const cursor = new RowLogCursor(log, undefined, undefined, reverse);
    const seen: string[] = [];
    while (cursor.advance()) {
      const key = hex(cursor.key);
      if (seen.length > 0) {
        assert(reverse ? key < seen.at(-1)! : key > seen.at(-1)!, "the walk went back");
      }
      seen.push(key);
      if (random.chance(0.3)) log.write(bytes(random.int(0, 256), random.int(0, 256), 9), bytes(1));
      if (random.chance(0.1)) log.write(cursor.key, null);
    }
    assertEquals(seen.filter((key) => key.endsWith("07")).length, there.size);
  }
});

test("RowLog goes back to what was sealed, and lets go of what is below a floor", () => {
  const random = seededRandom("row log seal");
  for (let round = 0; round < 60; round++) {
    const log = new RowLog();
    let sealed = new Map<string, [Uint8Array, Uint8Array | null]>();
    const show = () => log.sorted().map((row) => `${hex(log.key(row))}=${hex(log.value(row))}`);
    const shown = (rows: typeof sealed) =>
      [...rows.values()].sort(([a], [b]) => compareBytes(a, b))
        .map(([key, value]) => `${hex(key)}=${hex(value)}`);
    for (let commit = 0; commit < 12; commit++) {
      const current = new Map(sealed);
      const isAsked = random.chance(0.3);
      for (let i = random.int(0, 60); i > 0; i--) {
        const key = someKey(random);
        const value = random.chance(0.2) ? null : random.bytes(random.pick([0, 3, 3, 70]));
        log.write(key, value);
        current.set(hex(key), [key, value]);
        if (isAsked) assertEquals(hex(log.value(log.find(key))), hex(value));
      }
      if (random.chance(0.2)) assertEquals(walk(log, undefined, undefined, false), shown(current));
      if (random.chance(0.4)) log.rollback();
      else {
        log.seal();
        sealed = current;
        assertEquals(log.openBytes, 0);
        if (random.chance(0.3)) {
          const floor = bytes(random.pick([0, 1, 2, 128, 255]), random.pick([0, 128]));
          const size = log.size;
          log.dropBelow(floor);
          const above = new Map([...sealed].filter(([, [key]]) => compareBytes(key, floor) >= 0));
          // Few of them stay where they are.
          if (log.size === size) assertEquals(above.size > 0 || size === 0, true);
          else sealed = above;
        }
      }
      assertEquals(show(), shown(sealed), `round ${round}, commit ${commit}`);
      const asked = someKey(random);
      const known = sealed.get(hex(asked));
      const row = random.chance(0.5) ? log.find(asked) : undefined;
      if (row === undefined) continue;
      assertEquals(row < 0 ? undefined : hex(log.value(row)), known && hex(known[1]));
    }
  }
});
