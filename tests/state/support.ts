// What the tests of stores share: small serdes, a task's context with a recording changelog, and the environments that
// every contract runs on.
import { rmSync } from "node:fs";
import { RecordContext } from "../../lib/record/context.ts";
import type { Serde } from "../../lib/serde/serde.ts";
import { cacheBudget } from "../../lib/state/cache_budget.ts";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import { MemoryEnvironment } from "../../lib/state/memory_environment.ts";
import { UnsavedBudget } from "../../lib/state/unsaved_budget.ts";
import { ResidentBudget } from "../../lib/state/resident_budget.ts";
import type {
  DropReason,
  RestoreRows,
  StateEnvironment,
  StoreContext,
} from "../../lib/state/store.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const DECODER = new TextDecoder();

/** UTF-8 text. */
export const text: Serde<string> = {
  name: "text",
  encode: (value, out) => out.utf8(value),
  decode: (bytes, start, end) => DECODER.decode(bytes.subarray(start, end)),
};

/** Any value as JSON. */
export function json<T>(): Serde<T> {
  return {
    name: "json",
    encode: (value, out) => out.utf8(JSON.stringify(value)),
    decode: (bytes, start, end) => JSON.parse(DECODER.decode(bytes.subarray(start, end))),
  };
}

/** Bytes as hex text. */
export function hex(bytes: Uint8Array | null): string {
  return bytes === null
    ? "null"
    : Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Bytes of hex text. */
export function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** UTF-8 bytes of text. */
export function utf8(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** A row that went to a changelog. */
export interface LoggedRow {
  readonly store: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Iterable<{ readonly name: string; readonly value: Uint8Array | null }>;
}

/** A context that keeps what is logged and dropped. */
export interface TestContext extends StoreContext {
  readonly logged: LoggedRow[];
  readonly drops: DropReason[];
}

/** The context of task 0_0. A cache of undefined: caching is off. */
export function testContext(
  environment: StateEnvironment,
  options: { readonly cacheBytes?: number } = {},
): TestContext {
  const logged: LoggedRow[] = [];
  const drops: DropReason[] = [];
  return {
    applicationId: "app",
    taskId: "0_0",
    partition: 0,
    environment,
    record: Object.assign(new RecordContext(), { topic: "in", partition: 0, offset: 0 }),
    cache: options.cacheBytes === undefined ? undefined : cacheBudget(options.cacheBytes),
    changelog: (store) => ({
      log(key, value, timestamp, headers, valueStart = 0) {
        logged.push({
          store,
          key: key.slice(),
          value: value === null ? null : value.slice(valueStart),
          timestamp,
          headers: headers ?? [],
        });
      },
    }),
    changelogTopic: (store) => `app-${store}-changelog`,
    streamTime: () => -1,
    dropped: (reason) => {
      drops.push(reason);
    },
    logged,
    drops,
  };
}

/** An environment to test on, and how it comes back after a clean close. */
export interface TestEnvironment {
  readonly name: string;
  open(): StateEnvironment;
  /** Whether committed rows are there again after `close` and `open`. */
  readonly isDurable: boolean;
  remove(): void;
}

/** Makes one environment of each kind. */
export function testEnvironments(): TestEnvironment[] {
  const lmdb = (name: string, residentBytes: number, unsavedBytes: number): TestEnvironment => {
    const directory = temporaryDirectory();
    const open = () =>
      new LmdbEnvironment({
        directory,
        resident: new ResidentBudget(residentBytes),
        unsaved: new UnsavedBudget({ maxBytes: unsavedBytes }),
      });
    const remove = () => rmSync(directory, { recursive: true, force: true });
    return { name, isDurable: true, open, remove };
  };
  return [
    {
      name: "memory",
      isDurable: false,
      open: () => new MemoryEnvironment(),
      remove: () => {},
    },
    lmdb("lmdb", 64_000_000, 64_000_000),
    lmdb("lmdb, all read from disk", 0, 0),
    lmdb("lmdb, some read from disk", 4_000, 2_000),
  ];
}

/** A new directory under the system's temporary one. */
export function temporaryDirectory(): string {
  return makeTempDir("state");
}

/** Changelog rows as a consumer would deliver them. */
export function restoreRows(
  rows: readonly {
    readonly key: Uint8Array | null;
    readonly value: Uint8Array | null;
    readonly timestamp: number;
  }[],
): RestoreRows {
  const parts: number[] = [];
  const place = (bytes: Uint8Array | null): [number, number] => {
    const start = parts.length;
    if (bytes !== null) parts.push(...bytes);
    return [start, bytes === null ? -1 : bytes.length];
  };
  const keys = rows.map(({ key }) => place(key));
  const values = rows.map(({ value }) => place(value));
  return {
    slab: Uint8Array.from(parts),
    offsets: Float64Array.from(rows, (_, i) => i),
    timestamps: Float64Array.from(rows, ({ timestamp }) => timestamp),
    keyStarts: Int32Array.from(keys, ([start]) => start),
    keyLengths: Int32Array.from(keys, ([, length]) => length),
    valueStarts: Int32Array.from(values, ([start]) => start),
    valueLengths: Int32Array.from(values, ([, length]) => length),
    headerStarts: new Int32Array(rows.length),
    headerLengths: new Int32Array(rows.length),
  };
}
