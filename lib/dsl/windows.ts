/**
 * The windows that records are grouped or joined in. All are frozen plain values; sizes, advances, gaps and graces are
 * milliseconds, instants epoch ms. The rules on their numbers are those of Kafka Streams.
 *
 * @module
 */

/** Fixed windows [start, end) aligned to epoch 0: tumbling, or hopping when `advanceMs` < `sizeMs`. Kafka Streams: `TimeWindows`. */
export interface TimeWindows {
  readonly kind: "time";
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
}

/** Windows [t - difference, t] and (t, t + difference] around each record, both ends included. Kafka Streams: `SlidingWindows` (KIP-450). */
export interface SlidingWindows {
  readonly kind: "sliding";
  readonly timeDifferenceMs: number;
  readonly graceMs: number;
}

/** Sessions that end after a gap without records; both ends included. Kafka Streams: `SessionWindows`. */
export interface SessionWindows {
  readonly kind: "session";
  readonly gapMs: number;
  readonly graceMs: number;
}

/** One window from `startMs` on that never ends. Kafka Streams: `UnlimitedWindows`. */
export interface UnlimitedWindows {
  readonly kind: "unlimited";
  readonly startMs: number;
}

/** How far the right record of a stream-stream join may lie before and after the left one. Kafka Streams: `JoinWindows`. */
export interface JoinWindows {
  readonly kind: "join";
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number;
}

/** Windows whose number per record is known from its timestamp alone. Kafka Streams: `Windows`. */
export type EnumerableWindows = TimeWindows | UnlimitedWindows;

/** When a windowed aggregate forwards: at each update, or once, when the window has closed (KIP-825). Kafka Streams: `EmitStrategy`. */
export type EmitStrategy = "onWindowUpdate" | "onWindowClose";

/** The end of an unlimited window, and of any window that would end later. Java: `Long.MAX_VALUE`. */
export const MAX_TIMESTAMP: number = Number.MAX_SAFE_INTEGER;

/**
 * Windows that neither overlap nor leave gaps. Without `grace` a record is late as soon as its window's end has passed.
 *
 * ```ts
 * tumbling({ size: minutes(1), grace: seconds(10) })
 * ```
 * @throws {RangeError} when the size is not positive or the grace negative
 */
export function tumbling(options: { size: number; grace?: number }): TimeWindows {
  return timeWindows(options.size, options.size, options.grace ?? 0);
}

/**
 * Windows of `size` that start each `advance`.
 *
 * @throws {RangeError} when the advance is not in (0, size], the size not positive or the grace negative
 */
export function hopping(
  options: { size: number; advance: number; grace?: number },
): TimeWindows {
  return timeWindows(options.size, options.advance, options.grace ?? 0);
}

/**
 * Windows that hold all records at most `timeDifference` apart.
 *
 * @throws {RangeError} when the difference or the grace is negative
 */
export function sliding(options: { timeDifference: number; grace?: number }): SlidingWindows {
  const timeDifferenceMs = milliseconds("timeDifference", options.timeDifference, 0);
  const graceMs = milliseconds("grace", options.grace ?? 0, 0);
  return Object.freeze({ kind: "sliding", timeDifferenceMs, graceMs });
}

/**
 * Sessions that close `gap` after their last record.
 *
 * @throws {RangeError} when the gap or the grace is negative
 */
export function session(options: { gap: number; grace?: number }): SessionWindows {
  const gapMs = milliseconds("gap", options.gap, 0);
  const graceMs = milliseconds("grace", options.grace ?? 0, 0);
  return Object.freeze({ kind: "session", gapMs, graceMs });
}

/**
 * A single window for all records from `start` (epoch ms, default 0) on; earlier ones belong to none.
 *
 * @throws {RangeError} when the start is negative
 */
export function unlimited(options: { start?: number } = {}): UnlimitedWindows {
  const startMs = milliseconds("start", options.start ?? 0, 0);
  return Object.freeze({ kind: "unlimited", startMs });
}

/**
 * The right record's time lies in [left - before, left + after]; `timeDifference` stands for both that are not given.
 * One of them may be negative as long as they leave an interval.
 *
 * @throws {RangeError} when before + after or the grace is negative, or nothing is given
 */
export function within(
  options: { timeDifference?: number; before?: number; after?: number; grace?: number },
): JoinWindows {
  const { timeDifference, before, after } = options;
  if (timeDifference === undefined && before === undefined && after === undefined) {
    throw new RangeError(
      "Cannot make join windows as timeDifference, before or after must be given: current value is none of them",
    );
  }
  const difference = options.timeDifference === undefined
    ? undefined
    : milliseconds("timeDifference", options.timeDifference, Number.MIN_SAFE_INTEGER);
  const beforeMs = milliseconds(
    "before",
    options.before ?? difference ?? 0,
    Number.MIN_SAFE_INTEGER,
  );
  const afterMs = milliseconds("after", options.after ?? difference ?? 0, Number.MIN_SAFE_INTEGER);
  if (beforeMs + afterMs < 0) {
    throw new RangeError(
      `Cannot make join windows as before + after must not be negative: current value is ${
        beforeMs + afterMs
      }`,
    );
  }
  const graceMs = milliseconds("grace", options.grace ?? 0, 0);
  return Object.freeze({ kind: "join", beforeMs, afterMs, graceMs });
}

function timeWindows(size: number, advance: number, grace: number): TimeWindows {
  const sizeMs = milliseconds("size", size, 1);
  const advanceMs = milliseconds("advance", advance, 1);
  if (advanceMs > sizeMs) {
    throw new RangeError(
      `Cannot make windows as advance must lie in (0, ${sizeMs}], the size: current value is ${advanceMs}`,
    );
  }
  const graceMs = milliseconds("grace", grace, 0);
  return Object.freeze({ kind: "time", sizeMs, advanceMs, graceMs });
}

function milliseconds(what: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(
      `Cannot make windows as ${what} must be whole milliseconds${
        least === Number.MIN_SAFE_INTEGER ? "" : `, at least ${least}`
      }: current value is ${value}`,
    );
  }
  return value;
}

/** The start of the first window that holds `timestamp`; further ones start each `advanceMs` up to the timestamp. */
export function firstWindowStart(windows: TimeWindows, timestamp: number): number {
  const advance = windows.advanceMs;
  const earliest = timestamp - windows.sizeMs + advance;
  // A floored quotient, not a remainder: the remainder of numbers beyond 32 bits is a library call.
  return earliest <= 0 ? 0 : Math.floor(earliest / advance) * advance;
}

/** The span of each window as stores and windowed keys need it. Java: `Windows.size`. */
export function windowSizeMs(
  windows: EnumerableWindows | SlidingWindows | JoinWindows,
): number {
  switch (windows.kind) {
    case "time":
      return windows.sizeMs;
    case "sliding":
      return windows.timeDifferenceMs;
    case "unlimited":
      return MAX_TIMESTAMP;
    case "join":
      return windows.beforeMs + windows.afterMs;
    default:
      return windows satisfies never;
  }
}

/** @throws {TypeError} always: what is given as windows to group by is none */
export function refuseWindows(given: unknown): never {
  throw new TypeError(
    `Cannot group by windows as these must be made by tumbling, hopping, sliding, session or unlimited: current value is ${
      JSON.stringify(given)
    }`,
  );
}

/** @throws {RangeError} when an emit strategy is none, or the windows never close */
export function checkEmit(
  emit: EmitStrategy,
  windows: EnumerableWindows | SlidingWindows | SessionWindows,
): void {
  if (emit !== "onWindowUpdate" && emit !== "onWindowClose") {
    throw new RangeError(
      `Cannot emit results as the strategy must be "onWindowUpdate" or "onWindowClose": current value is ${
        JSON.stringify(emit)
      }`,
    );
  }
  if (emit === "onWindowClose" && windows.kind === "unlimited") {
    throw new RangeError(
      "Cannot emit on window close as unlimited windows never close: current value is onWindowClose. Emit on window update, or use other windows",
    );
  }
}
