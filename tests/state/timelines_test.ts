import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { ResidentBudget } from "../../lib/state/resident_budget.ts";
import { Timelines } from "../../lib/state/timelines.ts";
import { seededRandom } from "../support/random.ts";
import { hex, utf8 } from "./support.ts";

type Row = readonly [first: number, second: number, value: string];

function walk(
  timelines: Timelines<string>,
  key: string,
  from: number,
  to: number,
  reverse: boolean,
) {
  const rows: Row[] = [];
  const cursor = timelines.cursor(key, from, to, reverse)!;
  while (cursor.advance()) rows.push([cursor.first, cursor.second, hex(cursor.value)]);
  cursor.close();
  return rows;
}

test("Timelines finds and walks the rows of each key as a sorted list does, while rows come, change, go and expire", () => {
  const random = seededRandom("timelines");
  for (const keyCount of [1, 5, 200]) {
    const timelines = new Timelines<string>(utf8, {
      completeFrom: 0,
      budget: new ResidentBudget(1 << 30),
    });
    const model = new Map<string, Row[]>();
    const rowsOf = (key: string) => model.get(key) ?? [];
    let floor = 0;
    for (let step = 0; step < 4_000; step++) {
      const key = `k${random.int(0, keyCount)}`;
      const [first, second] = [floor + random.int(0, 12), random.pick([0, 0, 0, 1, 2])];
      const others = rowsOf(key).filter((row) => row[0] !== first || row[1] !== second);
      const action = random.next();
      if (action < 0.6) {
        const value = random.bytes(random.pick([0, 3, 9]));
        timelines.put(key, first, second, value);
        model.set(key, [...others, [first, second, hex(value)] as const].sort(byTime));
      } else if (action < 0.8) {
        timelines.put(key, first, second, null);
        model.set(key, others);
      } else if (action < 0.81) {
        floor += random.int(0, 9);
        timelines.expireBefore(floor);
        for (const [each, rows] of model) model.set(each, rows.filter((row) => row[0] >= floor));
      }
      // What has expired is asked for no more.
      if (first >= floor) {
        const found = timelines.get(key, first, second);
        const expected = rowsOf(key).find((row) => row[0] === first && row[1] === second);
        assertEquals(found && hex(found), expected?.[2]);
      }
      const [from, to] = [floor + random.int(0, 12), floor + random.int(0, 12)];
      const within = rowsOf(key).filter((row) => row[0] >= from && row[0] <= to);
      assertEquals(walk(timelines, key, from, to, false), within);
      assertEquals(walk(timelines, key, from, to, true), within.reverse());
    }
    timelines.dropBefore(Number.MAX_SAFE_INTEGER);
    assertEquals(timelines.residentBytes, 0);
  }
});

const byTime = (a: Row, b: Row) => a[0] - b[0] || a[1] - b[1];

test("Timelines forgets keys whose rows were all deleted, with the next rows that expire", () => {
  const timelines = new Timelines<string>(utf8, { completeFrom: 0, budget: undefined });
  for (let i = 0; i < 100; i++) {
    timelines.put(`k${i}`, 50, 0, utf8("v"));
    timelines.put(`k${i}`, 50, 0, null);
  }
  assert(timelines.residentBytes > 0);
  timelines.dropBefore(1);
  assertEquals(timelines.residentBytes, 0);
});

test("Timelines gives up what has expired before it gives up anything else", () => {
  const timelines = new Timelines<string>(utf8, {
    completeFrom: 0,
    budget: new ResidentBudget(1 << 20),
  });
  for (let i = 0; i < 10; i++) timelines.put(`k${i}`, i, 0, utf8("v"));
  const each = timelines.residentBytes / 10;
  timelines.expireBefore(6);
  assertEquals(timelines.residentBytes, 10 * each);
  timelines.shed();
  assertEquals([timelines.completeFrom, timelines.residentBytes], [0, 4 * each]);
  timelines.shed();
  assertEquals([timelines.completeFrom, timelines.residentBytes], [8, 2 * each]);
});
