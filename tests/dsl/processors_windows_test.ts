import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  firstWindowStart,
  hopping,
  session,
  sliding,
  type TimeWindows,
  tumbling,
  unlimited,
  windowSizeMs,
  within,
} from "../../lib/dsl/windows.ts";

function startsOf(windows: TimeWindows, timestamp: number): number[] {
  const starts: number[] = [];
  for (let s = firstWindowStart(windows, timestamp); s <= timestamp; s += windows.advanceMs) {
    starts.push(s);
  }
  return starts;
}

const STARTS: [string, TimeWindows, number, number[]][] = [
  // The first three are TimeWindowsTest's of Kafka Streams.
  ["hopping", hopping({ size: 12, advance: 5 }), 21, [10, 15, 20]],
  ["barely overlapping hopping", hopping({ size: 6, advance: 5 }), 7, [5]],
  ["tumbling", tumbling({ size: 12 }), 21, [12]],
  ["hopping near zero", hopping({ size: 10, advance: 3 }), 4, [0, 3]],
  ["tumbling at a boundary", tumbling({ size: 10 }), 20, [20]],
  ["tumbling at zero", tumbling({ size: 10 }), 0, [0]],
  ["tumbling today", tumbling({ size: 60_000 }), 1_785_542_399_999, [1_785_542_340_000]],
  ["an uneven size", tumbling({ size: 7 }), 9_007_199_254_740, [9_007_199_254_739]],
];
for (const [what, windows, timestamp, starts] of STARTS) {
  test(`windows: a record at ${timestamp} lies in ${what} windows ${starts}`, () => {
    assertEquals(startsOf(windows, timestamp), starts);
  });
}

test("firstWindowStart agrees with Kafka Streams' whole-number formula", () => {
  const seed = 4217;
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor(state / 4294967296 * below);
  };
  for (let i = 0; i < 5000; i++) {
    const size = 1 + random(10 ** (1 + random(9)));
    const advance = 1 + random(size);
    const timestamp = random(10 ** 9) * 10_000 + random(10_000);
    const exact = (a: number, b: number) => Number(BigInt(a) / BigInt(b));
    const expected = exact(Math.max(0, timestamp - size + advance), advance) * advance;
    const windows = hopping({ size, advance });
    const detail = `seed ${seed}, size ${size}, advance ${advance}, timestamp ${timestamp}`;
    assertEquals(firstWindowStart(windows, timestamp), expected, detail);
  }
});

const REFUSED: [string, () => unknown][] = [
  ["a size of zero", () => tumbling({ size: 0 })],
  ["a negative size", () => tumbling({ size: -1 })],
  ["a fractional size", () => tumbling({ size: 1.5 })],
  ["an advance of zero", () => hopping({ size: 10, advance: 0 })],
  ["an advance beyond the size", () => hopping({ size: 10, advance: 11 })],
  ["a negative grace", () => tumbling({ size: 10, grace: -1 })],
  ["a negative time difference", () => sliding({ timeDifference: -1 })],
  ["a negative sliding grace", () => sliding({ timeDifference: 1, grace: -1 })],
  ["a negative gap", () => session({ gap: -1 })],
  ["a negative session grace", () => session({ gap: 1, grace: -1 })],
  ["a negative start", () => unlimited({ start: -1 })],
  ["join windows that end before they start", () => within({ before: 1, after: -2 })],
  ["a negative join grace", () => within({ timeDifference: 1, grace: -1 })],
];
for (const [what, make] of REFUSED) {
  test(`windows refuse ${what}`, () => {
    assertThrows(make, RangeError, "Cannot make");
  });
}

test("windows are frozen and carry sizes in milliseconds", () => {
  const windows = within({ timeDifference: 10, after: -3, grace: 4 });
  assert(Object.isFrozen(windows));
  assertEquals(windows, { kind: "join", beforeMs: 10, afterMs: -3, graceMs: 4 });
  assertEquals(windowSizeMs(windows), 7);
  assertEquals(windowSizeMs(sliding({ timeDifference: 5 })), 5);
  assertEquals(windowSizeMs(unlimited()), Number.MAX_SAFE_INTEGER);
  assertEquals(session({ gap: 0 }), { kind: "session", gapMs: 0, graceMs: 0 });
});
