/** Functions and materializations that fit the types of a sketch's parts. */
import type { Random } from "../support/random.ts";
import type { Fields } from "./choices.ts";
import type { Part, Sketch } from "./sketch.ts";

/** The type of a key or a value. */
export type Base = "string" | "long" | "int" | "double";

/** A type by chance; text and long are the common ones. */
export function base(random: Random): Base {
  return random.pick<Base>(["string", "string", "string", "long", "long", "int", "double"]);
}

/** A predicate that fits. */
export function predicateOf(random: Random, { key, value }: Part): Fields {
  const choices: Fields[] = [
    { fn: "valueNotNull" },
    { fn: "valueIsNull" },
    { fn: "keyNotNull" },
    { fn: "keyIsNull" },
    { fn: "always" },
    { fn: "never" },
    { fn: "keyStartsWith", arg: random.pick(["a", "1", "-"]) },
    { fn: "keyEquals", arg: key === "string" ? "a" : 1 },
  ];
  if (value === "string") {
    choices.push(
      { fn: "valueContains", arg: random.pick(["a", "1", ","]) },
      { fn: "valueStartsWith", arg: "a" },
      { fn: "valueEquals", arg: "a" },
    );
  } else {
    choices.push(
      { fn: "valueGreaterThan", arg: random.int(0, 6) },
      { fn: "valueLessThan", arg: random.int(0, 6) },
      { fn: "valueEquals", arg: 2 },
    );
    if (value !== "double") choices.push({ fn: "valueIsEven" });
  }
  return random.pick(choices);
}

/** A mapper of values that fits, with the type it gives. */
export function valueMapper(random: Random, { value }: Part): [Fields, Base] {
  const choices: [Fields, Base][] = [
    [{ fn: "identity" }, value],
    [{ fn: "toString" }, "string"],
    [{ fn: "keyAndValue" }, "string"],
    [{ fn: "append", arg: "!" }, "string"],
    [{ fn: "constant", arg: 1 }, "long"],
    [{ fn: "constant", arg: "c" }, "string"],
    [{ fn: "alwaysNull" }, value],
  ];
  if (random.chance(0.3)) {
    choices.push([{ fn: "failIf", arg: value === "string" ? "a" : 2 }, value]);
  }
  if (value === "string") {
    choices.push(
      [{ fn: "length" }, "int"],
      [{ fn: "upperCase" }, "string"],
      [{ fn: "field", arg: random.int(0, 3) }, "string"],
      [{ fn: "toLong" }, "long"],
      [{ fn: "nullIf", arg: "a" }, "string"],
    );
  } else {
    choices.push(
      [{ fn: "plus", arg: 1 }, value],
      [{ fn: "times", arg: 2 }, value],
      [{ fn: "nullIf", arg: 2 }, value],
      [{ fn: "toDouble" }, "double"],
    );
    if (value !== "double") choices.push([{ fn: "modulo", arg: 3 }, value]);
  }
  return random.pick(choices);
}

/** A mapper to a new key that fits, with the type it gives. Some give null keys. */
export function keyMapperOf(random: Random, { key, value, window }: Part): [Fields, Base] {
  const choices: [Fields, Base][] = [
    [{ fn: "constant", arg: "k" }, "string"],
    [{ fn: "keyUpperCase" }, "string"],
    [{ fn: "keyFirstChar" }, "string"],
    [{ fn: "firstChar" }, "string"],
    [{ fn: "toString" }, "string"],
    [{ fn: "value" }, value],
  ];
  if (window === undefined) choices.push([{ fn: "key" }, key]);
  else choices.push([{ fn: "windowKey" }, key], [{ fn: "windowKeyStart" }, "string"]);
  return random.pick(choices);
}

/** A joiner with the type it gives. */
export function joinerOf(random: Random, left: Base, right: Base): [Fields, Base] {
  const choices: [Fields, Base][] = [
    [{}, "string"],
    [{}, "string"],
    [{ joiner: "concat" }, "string"],
    [{ joiner: "withKey" }, "string"],
    [{ joiner: "left" }, left],
    [{ joiner: "right" }, right],
  ];
  // Values of two types are never equal in Java; the runner's long and int are one.
  if (left === right) choices.push([{ joiner: "nullIfEqual" }, "string"]);
  if (left === "long" && right === "long") choices.push([{ joiner: "sum" }, "long"]);
  return random.pick(choices);
}

/** A materialization: store, caching, logging. */
export function materialization(sketch: Sketch): Fields {
  const { random } = sketch;
  const options: Fields = {};
  if (random.chance(0.6)) options.store = sketch.store();
  if (random.chance(0.3)) options.caching = random.chance(0.5);
  if (random.chance(0.07)) options.logging = false;
  return options;
}

/** An aggregation of a grouped stream that fits, with the type it gives. Few of them fail on nulls. */
export function aggregationOf(
  random: Random,
  { value }: Part,
  session: boolean,
): [Fields & { op: string }, Base] {
  const numeric = value !== "string";
  const merger = (fn: string) => session ? { merger: fn } : {};
  type Choice = [Fields & { op: string }, Base];
  const aggregate = (fn: string, init: unknown, result: Base, merge: string): Choice => [
    { op: "aggregate", fn, init, result, ...merger(merge) },
    result,
  ];
  const reducers = numeric
    ? ["sum", "max", "min", "first", "last", "sumNullAtZero", "nullIfEqual"]
    : ["concat", "concatPlus", "max", "min", "last", "first", "nullIfEqual"];
  const choices: Choice[] = [
    [{ op: "count" }, "long"],
    [{ op: "count" }, "long"],
    aggregate("concat", "", "string", "concatBar"),
    aggregate("concatPlus", "i", "string", "concat"),
    aggregate("count", 0, "long", "sum"),
    [{ op: "reduce", fn: random.pick(reducers) }, value],
    [{ op: "reduce", fn: random.pick(reducers) }, value],
    aggregate("last", null, value, random.pick(["last", "first"])),
    aggregate("nullIfEqual", numeric ? 1 : "a", value, "last"),
  ];
  if (numeric) {
    choices.push(
      aggregate(random.pick(["sum", "sumNullAtZero"]), 0, value, "sum"),
      aggregate("max", -100, value, "max"),
    );
  }
  return random.pick(choices);
}
