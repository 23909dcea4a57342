import type { LogLevel } from "../telemetry/logger.ts";

/** Where the runtime writes what happens; the telemetry room's logger is one. */
export interface RuntimeLog {
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void;
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
  /** A log whose lines carry more facts, with levels of its own under `name`. */
  child?(facts: Readonly<Record<string, unknown>>, name?: string): RuntimeLog;
}

/** Changes the level of the loggers of a name; of all without one of their own under `root`. */
export type SetLogLevel = (level: LogLevel, name: string) => void;

/** A log whose lines carry more facts, where the log knows how. */
export function childLog(
  log: RuntimeLog,
  facts: Readonly<Record<string, unknown>>,
  name: string,
): RuntimeLog {
  return log.child?.(facts, name) ?? log;
}

/** Writes nothing. */
export const silentLog: RuntimeLog = Object.freeze({
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
});
