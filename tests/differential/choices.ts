/** What the generator of random scenarios picks from. */
import type { Random } from "../support/random.ts";

/** The type of a value. */
export type Base = "string" | "long" | "int";
/** A step's fields, but for its place in the topology. */
export type Fields = Record<string, unknown>;
/** A source topic. */
export interface Source {
  readonly topic: string;
  readonly value: "string" | "long";
}

/** A predicate for values of that type. */
export function predicate(random: Random, value: Base): Fields {
  const general = [
    { fn: "valueNotNull" },
    { fn: "keyStartsWith", arg: random.pick(["a", "b"]) },
    { fn: "always" },
  ];
  const typed = value === "string"
    ? [{ fn: "valueContains", arg: random.pick(["a", "1", " "]) }, {
      fn: "valueStartsWith",
      arg: "a",
    }]
    : [{ fn: "valueGreaterThan", arg: random.int(0, 6) }, { fn: "valueIsEven" }, {
      fn: "valueLessThan",
      arg: 5,
    }];
  return random.pick<Fields>([...general, ...typed]);
}

/** A mapper to a text key. */
export function keyMapper(random: Random, value: Base): Fields {
  return random.pick<Fields>([
    { fn: "constant", arg: "k" },
    { fn: "keyUpperCase" },
    { fn: "keyFirstChar" },
    value === "string" ? { fn: "firstChar" } : { fn: "toString" },
  ]);
}

/** Windows of any kind, with their grace. */
export function windows(
  random: Random,
): { step: Fields; grace: number; session: boolean; onClose: boolean } {
  const grace = random.chance(0.5) ? random.int(0, 15) : 0;
  const kind = random.pick(["tumbling", "hopping", "sliding", "session"]);
  const size = random.int(3, 20);
  const step: Fields = { kind, graceMs: grace };
  if (kind === "session") step.gapMs = random.int(0, 12);
  else step.sizeMs = size;
  if (kind === "hopping") step.advanceMs = random.int(1, size + 1);
  const onClose = random.chance(0.2);
  if (onClose) step.emit = "onWindowClose";
  return { step, grace, session: kind === "session", onClose };
}

/** An aggregation of values of that type; only a null-safe one takes nulls. */
export function aggregation(
  random: Random,
  value: Base,
  nullSafe: boolean,
  session: boolean,
): { step: Fields; value: Base } {
  const merger = (fn: string) => session ? { merger: fn } : {};
  const text = {
    step: { op: "aggregate", fn: "concat", init: "", result: "string", ...merger("concatBar") },
    value: "string" as const,
  };
  const choices: { step: Fields; value: Base }[] = [{
    step: { op: "count" },
    value: "long",
  }, text];
  if (!nullSafe) {
    choices.push({
      step: {
        op: "reduce",
        fn: value === "string"
          ? random.pick(["concatPlus", "max", "last"])
          : random.pick(["sum", "min", "last"]),
      },
      value,
    });
    if (value !== "string") {
      choices.push({
        step: {
          op: "aggregate",
          fn: random.pick(["sum", "sumNullAtZero"]),
          init: 0,
          result: "long",
          ...merger("sum"),
        },
        value: "long",
      });
    }
  }
  return random.pick(choices);
}

/** Records for the topics, some late, some with nulls, and moves of the clock. */
export function inputs(random: Random, topics: readonly Source[]): Fields[] {
  const made: Fields[] = [];
  let now = random.int(0, 30);
  for (let i = random.int(5, 45); i > 0; i--) {
    now += random.chance(0.3) ? 0 : random.int(0, 9);
    const { topic, value } = random.pick(topics);
    const late = random.chance(0.2) ? random.int(0, 40) : 0;
    made.push({
      topic,
      key: random.chance(0.05) ? null : random.pick(["a", "b", "c", "ab"]),
      value: random.chance(0.12)
        ? null
        : value === "long"
        ? random.int(0, 9)
        : random.pick(["a", "b 1", "1", "a,b", "", "Ab c"]),
      timestamp: Math.max(0, now - late),
    });
    if (random.chance(0.05)) made.push({ advanceWallClockMs: random.int(1, 50) });
  }
  return made;
}
