import type { AutoOffsetReset } from "./processor.ts";

const NAMES: readonly unknown[] = ["earliest", "latest", "none"];

/** @throws {TypeError} when it is said of a topic or source where reading starts, and that is none of the ways */
export function checkOffsetReset(of: string, reset: AutoOffsetReset | undefined): void {
  if (reset === undefined || NAMES.includes(reset)) return;
  const duration = typeof reset === "object" ? reset?.byDurationMs : undefined;
  if (Number.isSafeInteger(duration) && duration! >= 0) return;
  throw new TypeError(
    `Cannot read ${of} as offsetReset must be "earliest", "latest", "none" or { byDurationMs } of whole milliseconds, at least 0: current value is ${
      JSON.stringify(reset)
    }`,
  );
}
