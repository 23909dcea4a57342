/** Records and moves of the clock for a sketch: late ones, nulls, headers, instants at the edges of what times may be. */
import type { Random } from "../support/random.ts";
import type { Fields } from "./choices.ts";
import type { SketchTopic } from "./sketch.ts";
import type { Base } from "./typed_choices.ts";

/** The scale of a scenario's times. */
export interface Timeline {
  /** What a "millisecond" of the scenario comes to: segments of stores are a minute long at least. */
  readonly unit: number;
  readonly start: number;
  /** How far a record may be late, in units. */
  readonly lateness: number;
  readonly chanceOfLate: number;
  readonly chanceOfNull: number;
  readonly chanceOfJump: number;
  readonly keys: number;
}

/** A scale by chance; half of them are plain. */
export function chooseTimeline(random: Random): Timeline {
  return {
    unit: random.pick([1, 1, 1, 1, 100, 1000, 7_000, 60_000]),
    // Kafka Streams' caches walk all segments since 1970: much later, and a run takes hours.
    start: random.pick([0, 0, 0, 1, 30, 100, 500_000, 3_000_000_000]),
    lateness: random.pick([5, 20, 40, 100]),
    chanceOfLate: random.pick([0, 0.2, 0.2, 0.4, 0.6]),
    chanceOfNull: random.pick([0, 0.05, 0.15]),
    chanceOfJump: random.pick([0, 0, 0, 0.03, 0.1]),
    keys: random.int(1, 6),
  };
}

const KEYS: Record<Base, readonly unknown[]> = {
  string: ["a", "b", "ab", "B", "", "é"],
  long: [0, 1, -1, 2, 300, 65536],
  int: [0, 1, -1, 2, 300, 65536],
  double: [0.5, -1.5, 0, 2, 100.25, 1],
};
const VALUES: Record<Base, readonly unknown[]> = {
  string: ["a", "b 1", "1", "a,b", "", "Ab c", "ab,b,a", "2,c"],
  long: [0, 1, 2, 3, 4, 5, -1, 9_000_000_000],
  int: [0, 1, 2, 3, 4, 5, -7, 100],
  double: [0, 1, 2.5, -0.5, 4, 1e10, 0.1],
};

/** What is put in. */
export function moments(
  random: Random,
  topics: readonly SketchTopic[],
  time: Timeline,
): Fields[] {
  const made: Fields[] = [];
  let now = time.start + random.int(0, 20) * time.unit;
  const withHeaders = random.chance(0.3);
  const wall = random.chance(0.3) ? 0.15 : 0;
  const count = random.chance(0.1) ? random.int(60, 200) : random.int(3, 40);
  for (let i = count; i > 0; i--) {
    if (random.chance(wall)) {
      made.push({ advanceWallClockMs: random.pick([1, 5, 500, 1000, 1001, 60_000]) });
    }
    if (random.chance(time.chanceOfJump)) now += random.pick([50, 300, 5000]) * time.unit;
    now += random.chance(0.3) ? 0 : random.int(0, 9) * time.unit;
    if (time.unit > 1 && random.chance(0.2)) now += random.pick([-1, 1]);
    made.push(record(random, random.pick(topics), time, now, withHeaders));
  }
  return made;
}

function record(
  random: Random,
  { topic, key, value, timestampExtractor, isCorrupt }: SketchTopic,
  time: Timeline,
  now: number,
  withHeaders: boolean,
): Fields {
  const late = random.chance(time.chanceOfLate) ? random.int(0, time.lateness) * time.unit : 0;
  const timestamp = Math.max(0, now - late);
  const fields: Fields = {
    topic,
    key: random.chance(0.04) ? null : random.pick(KEYS[key].slice(0, time.keys)),
    value: random.chance(time.chanceOfNull)
      ? null
      : timestampExtractor === "value"
      ? timestamp
      : random.pick(VALUES[value]),
    // Negative ones are for an extractor to judge; without one they end the run.
    timestamp: timestampExtractor !== undefined && random.chance(0.05) ? -5 : timestamp,
  };
  if (isCorrupt && random.chance(0.1)) Object.assign(fields, { value: null, valueHex: "010203" });
  if (withHeaders && random.chance(0.5)) {
    fields.headers = random.pick([
      [["h", "1"]],
      [["h", "2"], ["g", null]],
      [["h", "3"], ["h", "é"]],
      [["trace", String(random.int(0, 100))]],
    ]);
  }
  return fields;
}
