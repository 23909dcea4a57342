import { equalBytes } from "../../record/bytes.ts";

/** Whether two keys are one: by value, also for bytes, dates and plain objects or arrays of such. Java: `Object.equals`. */
export function equalKeys(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b);
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) =>
    Object.hasOwn(b, name) &&
    equalKeys((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name])
  );
}
