import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { type Clock, systemClock } from "../record/time.ts";

/** A file that lines go to, one per day (UTC): `app.log` becomes `app.2026-01-31.log`. */
export interface DailyFileOptions {
  readonly path: string;
  /** Daily files that are kept; older ones are removed when a new day begins. */
  readonly keepDays: number;
  readonly clock?: Clock;
}

const DAY_MS = 86_400_000;

/**
 * Appends lines to the file of the day. Each line is one write to a file opened for appending, so several Workers may write to the same file without
 * mixing their lines.
 */
export class DailyFile {
  readonly #directory: string;
  readonly #stem: string;
  readonly #ending: string;
  readonly #keepDays: number;
  readonly #clock: Clock;
  #day = Number.NaN;
  #descriptor: number | undefined = undefined;

  constructor(options: DailyFileOptions) {
    this.#directory = dirname(options.path);
    this.#ending = extname(options.path);
    this.#stem = basename(options.path, this.#ending);
    this.#keepDays = options.keepDays;
    this.#clock = options.clock ?? systemClock;
    mkdirSync(this.#directory, { recursive: true });
  }

  /** Writes a line that ends with a line feed. */
  write(line: string): void {
    const day = Math.floor(this.#clock.now() / DAY_MS);
    if (day !== this.#day || this.#descriptor === undefined) this.#roll(day);
    writeSync(this.#descriptor!, line);
  }

  #roll(day: number): void {
    this.close();
    this.#day = day;
    this.#descriptor = openSync(join(this.#directory, this.#nameOf(day)), "a");
    this.#removeOlder(day);
  }

  #nameOf(day: number): string {
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    return `${this.#stem}.${date}${this.#ending}`;
  }

  #removeOlder(day: number): void {
    const oldest = this.#nameOf(day - this.#keepDays + 1);
    const ours = /^\d{4}-\d\d-\d\d$/;
    for (const name of readdirSync(this.#directory)) {
      const date = name.slice(this.#stem.length + 1, name.length - this.#ending.length);
      if (!name.startsWith(`${this.#stem}.`) || !name.endsWith(this.#ending) || !ours.test(date)) {
        continue;
      }
      // Another Worker may have removed it at the same moment.
      if (name < oldest) rmSync(join(this.#directory, name), { force: true });
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
