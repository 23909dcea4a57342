/** The named functions of the scenario format; its README defines each of them. */
import type { Windowed } from "../../lib/record/windowed.ts";
import {
  fromJson,
  inner,
  innerType,
  JavaDouble,
  numberOf,
  same,
  text,
  type Ty,
  ty,
} from "./values.ts";

/** A mapper of key and value with the type of its result. */
export interface Mapper {
  readonly apply: (key: unknown, value: unknown) => unknown;
  readonly out: Ty;
}

const STRING = ty("string");
const LONG = ty("long");

/** Thrown by `failIf` and `failOnValue`. */
export class IllegalStateException extends Error {
  override name = "IllegalStateException";
}

function onValue(apply: (value: any) => unknown, out: Ty): Mapper {
  return { apply: (_, value) => value === null ? null : apply(value), out };
}

function onKey(apply: (key: any) => unknown): Mapper {
  return { apply: (key) => key === null ? null : apply(inner(key)), out: STRING };
}

function numeric(value: unknown, compute: (n: number) => number): unknown {
  const result = compute(numberOf(value));
  return value instanceof JavaDouble ? new JavaDouble(result) : Math.trunc(result);
}

/** The mapper of that name. */
export function mapper(name: string, arg: any, key: Ty, value: Ty): Mapper {
  switch (name) {
    case "identity":
    case "value":
      return { apply: (_, v) => v, out: value };
    case "key":
      return { apply: (k) => k, out: key };
    case "windowKey":
      return { apply: (k) => inner(k), out: innerType(key) };
    case "windowKeyStart":
      return { apply: (k) => `${text(inner(k))}@${(k as Windowed).start}`, out: STRING };
    case "upperCase":
      return onValue((v) => String(v).toUpperCase(), STRING);
    case "keyUpperCase":
      return onKey((k) => String(k).toUpperCase());
    case "length":
      return onValue((v) => String(v).length, ty("int"));
    case "toLong":
      return { apply: (_, v) => parse(v, "long"), out: LONG };
    case "toInt":
      return { apply: (_, v) => parse(v, "int"), out: ty("int") };
    case "toDouble":
      return { apply: (_, v) => parse(v, "double"), out: ty("double") };
    case "toString":
      return onValue(String, STRING);
    case "plus":
      return onValue((v) => numeric(v, (n) => n + Number(arg)), value);
    case "times":
      return onValue((v) => numeric(v, (n) => n * Number(arg)), value);
    case "modulo":
      return onValue((v) => ((numberOf(v) % arg) + arg) % arg, value);
    case "constant": {
      const out = typeof arg === "string" ? STRING : LONG;
      const constant = fromJson(arg, out);
      return { apply: () => constant, out };
    }
    case "append":
      return onValue((v) => `${v}${arg}`, STRING);
    case "prefix":
      return onValue((v) => `${arg}${v}`, STRING);
    case "field":
      return { apply: (_, v) => field(v, arg), out: STRING };
    case "fieldLong":
      return { apply: (_, v) => parse(field(v, arg), "long"), out: LONG };
    case "firstChar":
      return onValue((v) => String(v).slice(0, 1) || null, STRING);
    case "keyFirstChar":
      return onKey((k) => String(k).slice(0, 1) || null);
    case "keyAndValue":
      return { apply: (k, v) => `${text(k)}:${text(v)}`, out: STRING };
    case "nullIf": {
      const nulled = fromJson(arg, value);
      return onValue((v) => same(v, nulled) ? null : v, value);
    }
    case "alwaysNull":
      return { apply: () => null, out: value };
    case "failIf": {
      const failing = fromJson(arg, value);
      return onValue((v) => {
        if (same(v, failing)) throw new IllegalStateException(`failIf ${text(v)}`);
        return v;
      }, value);
    }
    default:
      throw new Error(`unknown mapper ${name}`);
  }
}

function field(value: unknown, index: number): string | null {
  return value === null ? null : String(value).split(",")[index] || null;
}

function parse(value: unknown, base: "long" | "int" | "double"): unknown {
  if (value === null) return null;
  if (typeof value === "number" || value instanceof JavaDouble) {
    const n = numberOf(value);
    return base === "double" ? new JavaDouble(n) : Math.trunc(n);
  }
  const trimmed = String(value).trim();
  if (base === "double") {
    return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[dDfF]?$/.test(trimmed)
      ? new JavaDouble(Number.parseFloat(trimmed))
      : null;
  }
  if (!/^[+-]?\d+$/.test(trimmed)) return null;
  const n = Number(trimmed);
  return base === "int" && (n > 0x7fffffff || n < -0x80000000) ? null : n;
}

/** A predicate of value and key. */
export type Test = (value: any, key: any) => boolean;

/** The predicate of that name. */
export function predicate(name: string, arg: any, key: Ty, value: Ty): Test {
  switch (name) {
    case "valueGreaterThan":
      return (v) => v !== null && numberOf(v) > arg;
    case "valueLessThan":
      return (v) => v !== null && numberOf(v) < arg;
    case "valueEquals": {
      const wanted = fromJson(arg, value);
      return (v) => v !== null && same(v, wanted);
    }
    case "valueIsEven":
      return (v) => v !== null && numberOf(v) % 2 === 0;
    case "valueStartsWith":
      return (v) => v !== null && String(v).startsWith(arg);
    case "valueContains":
      return (v) => v !== null && String(v).includes(arg);
    case "valueIsNull":
      return (v) => v === null;
    case "valueNotNull":
      return (v) => v !== null;
    case "keyEquals": {
      const wanted = fromJson(arg, key);
      return (_, k) => k !== null && same(inner(k), wanted);
    }
    case "keyStartsWith":
      return (_, k) => k !== null && String(inner(k)).startsWith(arg);
    case "keyIsNull":
      return (_, k) => k === null;
    case "keyNotNull":
      return (_, k) => k !== null;
    case "always":
      return () => true;
    case "never":
      return () => false;
    default:
      throw new Error(`unknown predicate ${name}`);
  }
}

function words(value: unknown): string[] {
  return value === null
    ? []
    : String(value).toLowerCase().split(/[^a-z0-9]+/).filter((w) => w !== "");
}

/** The flat function of values of that name. */
export function flatValues(
  name: string,
  arg: any,
  value: Ty,
): { readonly apply: (value: any) => unknown[]; readonly out: Ty } {
  switch (name) {
    case "splitWords":
      return { apply: words, out: STRING };
    case "splitComma":
      return { apply: (v) => v === null ? [] : String(v).split(","), out: STRING };
    case "repeat":
      return { apply: (v) => new Array(arg).fill(v), out: value };
    default:
      throw new Error(`unknown flat function ${name}`);
  }
}

/** The flat function of pairs of that name. */
export function flatPairs(
  name: string,
  key: Ty,
  value: Ty,
): {
  readonly apply: (value: any, key: any) => [unknown, unknown][];
  readonly outKey: Ty;
  readonly outValue: Ty;
} {
  switch (name) {
    case "wordsToPairs":
      return {
        apply: (v, k) => words(v).map((w) => [w, text(k)]),
        outKey: STRING,
        outValue: STRING,
      };
    case "mirror":
      return { apply: (v, k) => [[k, v], [v, k]], outKey: key, outValue: value };
    default:
      throw new Error(`unknown flat function ${name}`);
  }
}

function add(a: unknown, v: unknown, sign: number): unknown {
  if (a instanceof JavaDouble) return new JavaDouble(a.value + sign * numberOf(v));
  return numberOf(a) + sign * Math.trunc(numberOf(v));
}

function compare(a: unknown, b: unknown): number {
  const numbers = [a, b].every((x) => typeof x === "number" || x instanceof JavaDouble);
  if (numbers) return numberOf(a) - numberOf(b);
  if (a === null || b === null) throw new TypeError("null is not comparable");
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

const ZERO_IS_NULL = (value: unknown) => numberOf(value) === 0 ? null : value;

/** (aggregate, value) → aggregate: reducers, aggregators, subtractors and mergers share this table. */
export function combine(name: string): (aggregate: any, value: any) => any {
  switch (name) {
    case "sum":
      return (a, v) => add(a, v, 1);
    case "subtract":
      return (a, v) => add(a, v, -1);
    case "sumNullAtZero":
      return (a, v) => ZERO_IS_NULL(add(a, v, 1));
    case "subtractNullAtZero":
      return (a, v) => ZERO_IS_NULL(add(a, v, -1));
    case "count":
      return (a) => add(a, 1, 1);
    case "uncount":
      return (a) => add(a, 1, -1);
    case "max":
      return (a, v) => compare(v, a) > 0 ? v : a;
    case "min":
      return (a, v) => compare(v, a) < 0 ? v : a;
    case "first":
      return (a) => a;
    case "last":
      return (_, v) => v;
    case "concat":
      return (a, v) => text(a) === "" ? text(v) : `${text(a)},${text(v)}`;
    case "concatPlus":
      return (a, v) => `${text(a)}+${text(v)}`;
    case "concatMinus":
      return (a, v) => `${text(a)}-${text(v)}`;
    case "concatBar":
      return (a, v) => `${text(a)}|${text(v)}`;
    case "nullIfEqual":
      return (a, v) => {
        if (a === null) throw new TypeError("null equals nothing");
        return same(a, v) ? null : v;
      };
    default:
      throw new Error(`unknown combiner ${name}`);
  }
}

/** The joiner of that name; `withKey` ones are called with the key. */
export function joiner(
  name: string,
  left: Ty,
  right: Ty,
): { readonly apply: (left: any, right: any, key: any) => any; readonly out: Ty } {
  const both = (l: unknown, r: unknown) => `${text(l)}+${text(r)}`;
  switch (name) {
    case "concat":
      return { apply: both, out: STRING };
    case "withKey":
      return { apply: (l, r, key) => `${text(key)}:${both(l, r)}`, out: STRING };
    case "sum":
      return {
        apply: (l, r) =>
          (l === null ? 0 : Math.trunc(numberOf(l))) + (r === null ? 0 : Math.trunc(numberOf(r))),
        out: LONG,
      };
    case "left":
      return { apply: (l) => l, out: left };
    case "right":
      return { apply: (_, r) => r, out: right };
    case "nullIfEqual":
      return { apply: (l, r) => l !== null && same(l, r) ? null : both(l, r), out: STRING };
    default:
      throw new Error(`unknown joiner ${name}`);
  }
}
