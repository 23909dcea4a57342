/**
 * The kinds of values a setting can have. Text from environments and properties files becomes numbers and booleans here;
 * the one place that knows zod.
 *
 * @module
 */
import { z } from "zod";

/** What checking a value gives: the value in its final form, or the rule that it breaks. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly rule: string };

/** A kind of value: how it is checked, and what it may be in words. */
export interface Kind<T> {
  readonly allowed: string;
  check(given: unknown): Checked<T>;
}

function kind<T>(allowed: string, schema: z.ZodType<T>): Kind<T> {
  const rule = `must be ${allowed}`;
  return {
    allowed,
    check(given) {
      const result = schema.safeParse(given);
      return result.success ? { ok: true, value: result.data } : { ok: false, rule };
    },
  };
}

const INTEGER_TEXT = /^\s*[+-]?\d+\s*$/;

/** A whole number between two bounds, or its text. */
export function integer(
  bounds: { readonly min?: number; readonly max?: number } = {},
): Kind<number> {
  const min = bounds.min ?? Number.MIN_SAFE_INTEGER;
  const max = bounds.max ?? Number.MAX_SAFE_INTEGER;
  const allowed = bounds.max !== undefined
    ? `a whole number from ${min} to ${max}`
    : bounds.min !== undefined
    ? `a whole number of at least ${min}`
    : "a whole number";
  const schema = z.preprocess(
    (given) =>
      typeof given === "string" && INTEGER_TEXT.test(given)
        ? Number(given)
        : typeof given === "bigint"
        ? Number(given)
        : given,
    z.number().int().min(min).max(max),
  );
  return kind(allowed, schema as z.ZodType<number>);
}

const NUMBER_TEXT = /^\s*\d+(\.\d*)?\s*$|^\s*\.\d+\s*$/;

/** A number between two bounds, or its text. */
export function numberBetween(min: number, max: number): Kind<number> {
  const schema = z.preprocess(
    (given) => typeof given === "string" && NUMBER_TEXT.test(given) ? Number(given) : given,
    z.number().min(min).max(max),
  );
  return kind(`a number from ${min} to ${max}`, schema as z.ZodType<number>);
}

/** `true` or `false`, or their text. */
export function flag(): Kind<boolean> {
  const schema = z.preprocess((given) => {
    if (typeof given !== "string") return given;
    const text = given.trim().toLowerCase();
    return text === "true" ? true : text === "false" ? false : given;
  }, z.boolean());
  return kind("true or false", schema as z.ZodType<boolean>);
}

/** Text; numbers and booleans are taken as their text. A pattern comes with its words. */
export function text(
  pattern?: RegExp,
  allowed = "text that is not empty",
): Kind<string> {
  const schema = z.preprocess(
    (given) => typeof given === "number" || typeof given === "boolean" ? String(given) : given,
    z.string().trim().regex(pattern ?? /\S/),
  );
  return kind(allowed, schema as z.ZodType<string>);
}

/** Several texts: a list, or one text with commas. Each must match the pattern. */
export function texts(pattern: RegExp, allowed: string): Kind<readonly string[]> {
  const schema = z.preprocess(
    (given) => typeof given === "string" ? given.split(",").map((s) => s.trim()) : given,
    z.array(z.string().regex(pattern)).min(1).readonly(),
  );
  return kind(allowed, schema as z.ZodType<readonly string[]>);
}

/** One of a few names, whatever their case; other spellings are taken as the name they stand for. */
export function oneOf<const N extends string>(
  names: readonly N[],
  spellings: Readonly<Record<string, N>> = {},
): Kind<N> {
  const byText = new Map<string, N>(names.map((name) => [name.toLowerCase(), name]));
  for (const [spelling, name] of Object.entries(spellings)) {
    byText.set(spelling.toLowerCase(), name);
  }
  const schema = z.preprocess(
    (given) => typeof given === "string" ? byText.get(given.trim().toLowerCase()) : undefined,
    z.enum(names as unknown as [N, ...N[]]),
  );
  return kind(`one of ${names.join(", ")}`, schema as unknown as z.ZodType<N>);
}

/** One of a few names, or a function given in code. */
export function oneOfOrFunction<const N extends string>(
  names: readonly N[],
  spellings: Readonly<Record<string, N>> = {},
): Kind<N | ((...args: any[]) => any)> {
  const named = oneOf(names, spellings);
  return {
    allowed: `${named.allowed}, or a function`,
    check(given) {
      if (typeof given === "function") {
        return { ok: true, value: given as (...args: any[]) => any };
      }
      const checked = named.check(given);
      return checked.ok ? checked : { ok: false, rule: `must be ${this.allowed}` };
    },
  };
}

/** An object that only code can give, with these methods. */
export function objectWith(methods: readonly string[], allowed: string): Kind<object> {
  const schema = z.custom<object>((given) =>
    typeof given === "object" && given !== null &&
    methods.every((m) => typeof (given as Record<string, unknown>)[m] === "function")
  );
  return kind(allowed, schema);
}

/** A setting that is passed on to a client as it is: text, a number or a boolean. */
export function scalar(): Kind<string | number | boolean> {
  return kind(
    "text, a number or true/false",
    z.union([z.string().min(1), z.number(), z.boolean()]),
  );
}

/** Anything at all. */
export function anything(): Kind<unknown> {
  return kind("anything", z.unknown());
}
