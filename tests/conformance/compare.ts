/** Compares an outcome with what was recorded. */
import type { Outcome } from "./run_scenario.ts";

/** The first difference, with both sides; undefined when there is none. Only what the file expects is compared. */
export function firstDifference(expected: Outcome, actual: Outcome): string | undefined {
  for (
    const part of ["error", "outputs", "stores", "droppedRecords", "internalTopics", "describe"]
  ) {
    if (!(part in expected)) {
      if (part === "error" && actual.error) {
        return `error: expected none, got ${show(actual.error)}`;
      }
      continue;
    }
    const wanted = part === "describe"
      ? normalizeDescription(String(expected[part]))
      : expected[part];
    const got = part === "describe" ? normalizeDescription(String(actual[part])) : actual[part];
    const found = part === "describe"
      ? differentLine(String(wanted), String(got))
      : difference(part, wanted, got);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Topics of a source sorted and the class of a topic name extractor replaced, as the recorder did. */
export function normalizeDescription(text: string): string {
  return text
    .replace(/extractor class: [^)]*\)/g, "extractor class: *)")
    .replace(
      /\(topics: \[([^\]]*)\]\)/g,
      (_, topics: string) => `(topics: [${topics.split(", ").sort().join(", ")}])`,
    );
}

function differentLine(expected: string, actual: string): string | undefined {
  if (expected === actual) return undefined;
  const [wanted, got] = [expected.split("\n"), actual.split("\n")];
  const at = wanted.findIndex((line, i) => line !== got[i]);
  const line = at < 0 ? wanted.length : at;
  return `describe, line ${line + 1}: expected ${show(wanted[line])}, got ${show(got[line])}`;
}

function difference(path: string, expected: unknown, actual: unknown): string | undefined {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      const found = difference(`${path}[${i}]`, expected[i], actual[i]);
      if (found !== undefined) {
        return `${found} (${expected.length} expected, ${actual.length} got)`;
      }
    }
    return undefined;
  }
  if (isObject(expected) && isObject(actual)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      // A record is shown whole: one field alone tells little.
      const found = difference(`${path}.${key}`, expected[key], actual[key]);
      if (found !== undefined) {
        return "timestamp" in expected
          ? `${path}: expected ${show(expected)}, got ${show(actual)}`
          : found;
      }
    }
    return undefined;
  }
  return Object.is(expected, actual)
    ? undefined
    : `${path}: expected ${show(expected)}, got ${show(actual)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
