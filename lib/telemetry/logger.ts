/**
 * Structured logs: JSON lines, or lines for people on a terminal, and a daily file. Written by synchronous calls without pino's transports, as those need
 * a thread of their own, which neither the binary nor a Worker has.
 *
 * @module
 */
import { isatty } from "node:tty";
import { writeSync } from "node:fs";
import process from "node:process";
import { type Logger as Pino, pino, stdSerializers, stdTimeFunctions } from "pino";
import { DailyFile } from "./log_file.ts";
import { prettyLine, scrubber, withoutSecrets } from "./log_lines.ts";

/** How much is logged. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
/** A level of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Facts of a line, by name. An error goes under `err`. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** How a log is made. */
export interface LogOptions {
  /** The least level that is written; `info` by default. */
  readonly level?: LogLevel;
  /** `auto` is `pretty` on a terminal and `json` otherwise. */
  readonly format?: "auto" | "pretty" | "json";
  /** A daily file that JSON lines go to as well. */
  readonly file?: string;
  readonly fileKeepDays?: number;
  /** Facts of every line, for example the application's id. */
  readonly facts?: LogFacts;
  /** Texts that are taken out of every line. */
  readonly secrets?: readonly string[];
  /** Where console lines go; standard error by default, as data goes to standard output. */
  readonly write?: (line: string) => void;
}

/** Writes lines. Give it to what logs; `child` adds facts. */
export interface Logger {
  trace(message: string, facts?: LogFacts): void;
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  error(message: string, facts?: LogFacts): void;
  fatal(message: string, facts?: LogFacts): void;
  /** Whether lines of this level are written; asked before putting together what costs. */
  isEnabled(level: LogLevel): boolean;
  /** A logger whose lines carry more facts, for example `thread_id` or `task_id`. */
  child(facts: LogFacts, name?: string): Logger;
}

/** The log of an isolate: its root logger, and its levels, which may change while running. */
export interface Log {
  readonly root: Logger;
  /** The level of the root, or of the children with that name. */
  setLevel(level: LogLevel, name?: string): void;
  /** The levels that are set, the root's under `root`. */
  levels(): Readonly<Record<string, LogLevel>>;
  close(): void;
}

const RANK = Object.fromEntries(LOG_LEVELS.map((level, rank) => [level, rank])) as Readonly<
  Record<LogLevel, number>
>;

/** Opens the log of this isolate. */
export function openLog(options: LogOptions = {}): Log {
  const levels = new Map<string, LogLevel>([["root", options.level ?? "info"]]);
  const file = options.file === undefined
    ? undefined
    : new DailyFile({ path: options.file, keepDays: options.fileKeepDays ?? 14 });
  const root = new LeveledLogger(pinoOf(options, file), levels, undefined);
  return {
    root,
    setLevel: (level, name = "root") => void levels.set(name, level),
    levels: () => Object.fromEntries(levels),
    close: () => file?.close(),
  };
}

function pinoOf(options: LogOptions, file: DailyFile | undefined): Pino {
  const write = options.write ?? writeToStandardError;
  const format = options.format ?? "auto";
  const pretty = format === "pretty" || (format === "auto" && isatty(2));
  const colored = pretty && isatty(2) && !process.env.NO_COLOR;
  const scrub = scrubber(options.secrets ?? []);
  const destination = {
    write(line: string): void {
      const clean = scrub(line);
      write(pretty ? prettyLine(clean, colored) : clean);
      file?.write(clean);
    },
  };
  return pino({
    // Levels are decided before pino is called, so that they can change for all children at once.
    level: "trace",
    base: { ...options.facts },
    timestamp: stdTimeFunctions.isoTime,
    serializers: { err: stdSerializers.err },
    formatters: { level: (label: string) => ({ level: label }), log: withoutSecrets },
  }, destination);
}

class LeveledLogger implements Logger {
  readonly #pino: Pino;
  readonly #levels: ReadonlyMap<string, LogLevel>;
  readonly #name: string | undefined;

  constructor(to: Pino, levels: ReadonlyMap<string, LogLevel>, name: string | undefined) {
    this.#pino = to;
    this.#levels = levels;
    this.#name = name;
  }

  isEnabled(level: LogLevel): boolean {
    const own = this.#name === undefined ? undefined : this.#levels.get(this.#name);
    return RANK[level] >= RANK[own ?? this.#levels.get("root")!];
  }

  trace(message: string, facts?: LogFacts): void {
    this.#write("trace", message, facts);
  }
  debug(message: string, facts?: LogFacts): void {
    this.#write("debug", message, facts);
  }
  info(message: string, facts?: LogFacts): void {
    this.#write("info", message, facts);
  }
  warn(message: string, facts?: LogFacts): void {
    this.#write("warn", message, facts);
  }
  error(message: string, facts?: LogFacts): void {
    this.#write("error", message, facts);
  }
  fatal(message: string, facts?: LogFacts): void {
    this.#write("fatal", message, facts);
  }

  #write(level: Exclude<LogLevel, "silent">, message: string, facts: LogFacts = {}): void {
    if (this.isEnabled(level)) this.#pino[level](facts, message);
  }

  child(facts: LogFacts, name: string | undefined = this.#name): Logger {
    const bindings = name === undefined || name === this.#name ? facts : { logger: name, ...facts };
    return new LeveledLogger(this.#pino.child(withoutSecrets(bindings)), this.#levels, name);
  }
}

/** Standard error may be a pipe that is full; the line is then tried again, as losing it silently is worse than waiting. */
function writeToStandardError(line: string): void {
  let rest = ENCODER.encode(line);
  for (let tries = 0; rest.length > 0 && tries < 1000; tries++) {
    try {
      rest = rest.subarray(writeSync(2, rest));
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === "EPIPE" || code === "EBADF") return;
      if (code !== "EAGAIN") throw error;
    }
  }
}
const ENCODER = new TextEncoder();
