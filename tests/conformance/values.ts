/**
 * The values of scenario files as the runner holds them, and their types. Longs and ints are numbers; a double is an object of its own, because its
 * text differs from an integer's ("1.0") and the functions of the scenario format work by the value's own type.
 */
import { Windowed } from "../../lib/record/windowed.ts";
import type { Serde } from "../../lib/serde/serde.ts";
import { double, int32, long, string } from "../../lib/serde/primitives.ts";
import { sessionWindowed, timeWindowed } from "../../lib/serde/windowed.ts";

/** The type of a key or value: its base, and the window around it if it is a windowed key. */
export interface Ty {
  readonly base: string;
  readonly window?: "time" | "session";
  readonly sizeMs?: number;
}

/** A type without a window. */
export function ty(base: string): Ty {
  return { base };
}

/** The type of the plain key. */
export function innerType(type: Ty): Ty {
  return { base: type.base };
}

/** A Java `double`. */
export class JavaDouble {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
  toString(): string {
    return doubleText(this.value);
  }
}

/** What Java's `Double.toString` gives. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  const size = Math.abs(value);
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value);
    return text.includes(".") ? text : `${text}.0`;
  }
  const [digits, exponent] = value.toExponential().split("e");
  return `${digits.includes(".") ? digits : `${digits}.0`}E${Number(exponent)}`;
}

const DOUBLE: Serde<JavaDouble> = {
  name: "double",
  encode: (value, out, site) => double().encode(value.value, out, site),
  decode: (bytes, start, end, site) => new JavaDouble(double().decode(bytes, start, end, site)),
};

/** The serde of a base type. */
export function baseSerde(base: string): Serde<any> {
  switch (base) {
    case "string":
      return string();
    case "long":
      return long();
    case "int":
      return int32();
    case "double":
      return DOUBLE;
    default:
      throw new Error(`unknown type ${base}`);
  }
}

/** The serde of a type, windowed where it is. */
export function serdeOf(type: Ty): Serde<any> {
  const base = baseSerde(type.base);
  if (type.window === "time") return timeWindowed(base, type.sizeMs);
  if (type.window === "session") return sessionWindowed(base);
  return base;
}

/** A value of a scenario file as one of that type. */
export function fromJson(json: unknown, type: Ty): unknown {
  if (json === null || json === undefined) return null;
  switch (type.base) {
    case "string":
      return String(json);
    case "double":
      return new JavaDouble(Number(json));
    default:
      return Math.trunc(Number(json));
  }
}

/** The plain key of a windowed one. */
export function inner(key: unknown): unknown {
  return key instanceof Windowed ? key.key : key;
}

/** The "text" of the scenario format. */
export function text(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (value instanceof Windowed) return `${text(value.key)}@${value.start}/${value.end}`;
  return String(value);
}

/** The number in a value. */
export function numberOf(value: unknown): number {
  if (value instanceof JavaDouble) return value.value;
  if (typeof value === "number") return value;
  throw new TypeError(`not a number: ${text(value)}`);
}

/** Java's `equals`. */
export function same(a: unknown, b: unknown): boolean {
  if (a instanceof JavaDouble && b instanceof JavaDouble) return Object.is(a.value, b.value);
  return a === b;
}
