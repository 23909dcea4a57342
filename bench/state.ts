/**
 * What a row costs in the stores: `deno run -A bench/state.ts [name part]`. Prints one JSON line per case: rows, seconds, rows a second, and
 * nanoseconds of a row by the clock and of processor time. Commits are part of the time, one per `COMMIT_ROWS`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { ByteWriter } from "../lib/record/bytes.ts";
import { RecordContext } from "../lib/record/context.ts";
import { Windowed } from "../lib/record/windowed.ts";
import type { Serde } from "../lib/serde/serde.ts";
import { cacheBudget } from "../lib/state/cache_budget.ts";
import { LmdbEnvironment } from "../lib/state/lmdb_environment.ts";
import { MemoryEnvironment } from "../lib/state/memory_environment.ts";
import { ResidentBudget } from "../lib/state/resident_budget.ts";
import {
  type CachedStateStore,
  type RestoreRows,
  type StateEnvironment,
  type StateStore,
  type StoreBuilder,
  type StoreContext,
  ValueAndTimestamp,
} from "../lib/state/store.ts";
import {
  keyValueStoreBuilder,
  sessionStoreBuilder,
  timestampedWindowStoreBuilder,
  windowStoreBuilder,
} from "../lib/state/stores.ts";
import {
  persistentKeyValueStore,
  persistentSessionStore,
  persistentTimestampedWindowStore,
  persistentWindowStore,
} from "../lib/state/suppliers.ts";

const ROWS = Number(process.env.BENCH_ROWS ?? 200_000);
const KEYS = 1_000;
const COMMIT_ROWS = 50_000;
const MINUTE = 60_000;

const DECODER = new TextDecoder();
const text: Serde<string> = {
  name: "text",
  encode: (value, out) => out.utf8(value),
  decode: (bytes, start, end) => DECODER.decode(bytes.subarray(start, end)),
};
const double: Serde<number> = {
  name: "double",
  encode: (value, out: ByteWriter) => out.float64(value),
  decode: (bytes, start) => new DataView(bytes.buffer, bytes.byteOffset).getFloat64(start),
};
const SERDES = { key: text, value: double };

/** A kind of environment, made in a directory of its own. */
const ENVIRONMENTS: Readonly<Record<string, (directory: string) => StateEnvironment>> = {
  memory: () => new MemoryEnvironment(),
  lmdb: (directory) => new LmdbEnvironment({ directory }),
  "lmdb-disk": (directory) => new LmdbEnvironment({ directory, resident: new ResidentBudget(0) }),
};

/** Keys as they come from records: every one a new string. */
const KEY_TEXTS = Array.from(
  { length: 20_000 },
  (_, i) => DECODER.decode(new TextEncoder().encode(`customer-${(i * 7919) % KEYS}`)),
);

interface Case {
  readonly name: string;
  readonly rows: number;
  run(environment: StateEnvironment, rows: number): void;
}

function context(environment: StateEnvironment, cacheBytes?: number): StoreContext {
  const writer = { log() {} };
  return {
    applicationId: "bench",
    taskId: "0_0",
    partition: 0,
    environment,
    record: Object.assign(new RecordContext(), { topic: "in" }),
    cache: cacheBytes === undefined ? undefined : cacheBudget(cacheBytes),
    changelog: () => writer,
    changelogTopic: (store) => `bench-${store}-changelog`,
    streamTime: () => -1,
    dropped() {},
  };
}

/** The stores of the case that runs. */
const stores: StateStore[] = [];

function opened<S extends StateStore>(builder: StoreBuilder<S>, within: StoreContext): S {
  const store = builder.build();
  store.init(within);
  stores.push(store);
  return store;
}

const NO_OFFSETS = new Map<string, number>();

function keyValue(name: string, act: (i: number) => "put" | "get" | "range"): Case {
  return {
    name,
    rows: ROWS,
    run(environment, rows) {
      const builder = keyValueStoreBuilder(persistentKeyValueStore(name), SERDES);
      const store = opened(builder, context(environment));
      for (const key of KEY_TEXTS.slice(0, KEYS)) store.put(key, 0);
      environment.commit(NO_OFFSETS);
      for (let i = 0; i < rows; i++) {
        const key = KEY_TEXTS[i % KEY_TEXTS.length];
        const action = act(i);
        if (action === "put") store.put(key, i);
        else if (action === "get") store.get(key);
        else {
          let left = 3;
          for (const _row of store.range(key, null)) if (--left === 0) break;
        }
        if (i % COMMIT_ROWS === COMMIT_ROWS - 1) environment.commit(NO_OFFSETS);
      }
    },
  };
}

/** A count per minute and key: read, add one, write; one millisecond a record, so that a window takes 60 000 records. */
function windowedCount(name: string, cacheBytes?: number): Case {
  return {
    name,
    rows: cacheBytes === undefined ? ROWS : ROWS * 10,
    run(environment, rows) {
      const supplier = persistentTimestampedWindowStore(name, {
        retentionMs: 2 * MINUTE,
        windowSizeMs: MINUTE,
      });
      const builder = timestampedWindowStoreBuilder(supplier, SERDES);
      const within = context(environment, cacheBytes);
      const store = opened(
        cacheBytes === undefined ? builder : builder.withCachingEnabled(),
        within,
      );
      (store as unknown as CachedStateStore<unknown, unknown>).setFlushListener(() => {}, true);
      const { record } = within;
      for (let i = 0; i < rows; i++) {
        const key = KEY_TEXTS[i % KEY_TEXTS.length];
        const start = i - i % MINUTE;
        record.timestamp = i;
        record.offset = i;
        const row = store.fetch(key, start);
        store.put(key, new ValueAndTimestamp((row?.value ?? 0) + 1, i), start);
        if (i % COMMIT_ROWS === COMMIT_ROWS - 1) {
          store.flush();
          environment.commit(NO_OFFSETS);
        }
      }
    },
  };
}

/** What both sides of a stream-stream join do: put a record, look for the other side's within 10 seconds. */
const JOIN: Case = {
  name: "join-put-fetch",
  rows: ROWS,
  run(environment, rows) {
    const sides = ["left", "right"].map((side) => {
      const supplier = persistentWindowStore(side, {
        retentionMs: 30_000,
        windowSizeMs: 20_000,
        retainDuplicates: true,
      });
      return opened(windowStoreBuilder(supplier, SERDES), context(environment));
    });
    for (let i = 0; i < rows; i++) {
      const key = KEY_TEXTS[(i >> 1) % KEY_TEXTS.length];
      const [own, other] = [sides[i & 1], sides[1 - (i & 1)]];
      for (const _match of other.fetchRange(key, Math.max(0, i - 10_000), i + 10_000));
      own.put(key, i, i);
      if (i % COMMIT_ROWS === COMMIT_ROWS - 1) environment.commit(NO_OFFSETS);
    }
  },
};

/** A count per key and session: look for the session that the record joins, replace it by a longer one. */
function sessionCount(name: string, cacheBytes?: number): Case {
  return {
    name,
    rows: ROWS,
    run(environment, rows) {
      const supplier = persistentSessionStore(name, { retentionMs: MINUTE });
      const builder = sessionStoreBuilder(supplier, SERDES);
      const within = context(environment, cacheBytes);
      const store = opened(
        cacheBytes === undefined ? builder : builder.withCachingEnabled(),
        within,
      );
      (store as unknown as CachedStateStore<unknown, unknown>).setFlushListener(() => {}, true);
      // Keys come every second; every thirtieth time a session ends.
      const gap = 1_500;
      for (let i = 0; i < rows; i++) {
        const key = KEY_TEXTS[i % KEY_TEXTS.length];
        const at = i + Math.floor(i / 30_000) * 2_000;
        within.record.timestamp = at;
        let [start, count] = [at, 1];
        const joined: Windowed<string>[] = [];
        for (const [session, value] of store.findSessions(key, at - gap, at + gap)) {
          joined.push(session);
          count += value;
          if (session.start < start) start = session.start;
        }
        for (const session of joined) store.remove(session);
        store.put(new Windowed(key, start, at), count);
        if (i % COMMIT_ROWS === COMMIT_ROWS - 1) {
          store.flush();
          environment.commit(NO_OFFSETS);
        }
      }
    },
  };
}

/** Rows of a changelog, applied in batches. */
const RESTORE: Case = {
  name: "restore",
  rows: ROWS,
  run(environment, rows) {
    const builder = keyValueStoreBuilder(persistentKeyValueStore("restored"), SERDES);
    const store = opened(builder, context(environment));
    changelog ??= changelogBatch(rows);
    for (let i = 0; i < rows; i += 10_000) store.restore(changelog, i, i + 10_000);
    environment.commit(new Map([["restored", rows]]));
  },
};

let changelog: RestoreRows | undefined;

function changelogBatch(count: number): RestoreRows {
  const slab = new Uint8Array(count * 32);
  const rows = {
    slab,
    offsets: new Float64Array(count),
    timestamps: new Float64Array(count),
    keyStarts: new Int32Array(count),
    keyLengths: new Int32Array(count).fill(24),
    valueStarts: new Int32Array(count),
    valueLengths: new Int32Array(count).fill(8),
    headerStarts: new Int32Array(count),
    headerLengths: new Int32Array(count),
  };
  for (let i = 0; i < count; i++) {
    slab.set(new TextEncoder().encode(`customer-${(i * 7919) % 1_000_003}`.padEnd(24)), i * 32);
    rows.keyStarts[i] = i * 32;
    rows.valueStarts[i] = i * 32 + 24;
  }
  return rows;
}

const CASES: readonly Case[] = [
  keyValue("key-value-put", () => "put"),
  keyValue("key-value-get", () => "get"),
  keyValue("key-value-range-of-3", () => "range"),
  windowedCount("windowed-count"),
  windowedCount("windowed-count-cached", 10_000_000),
  sessionCount("session-count"),
  sessionCount("session-count-cached", 10_000_000),
  JOIN,
  RESTORE,
];

function measure(name: string, each: Case): void {
  const directory = mkdtempSync(join(tmpdir(), "weir-bench-"));
  let seconds = Infinity;
  let processor = Infinity;
  // The best of three: the first is before the compiler has seen the code.
  for (let round = 0; round < 3; round++) {
    const environment = ENVIRONMENTS[name](join(directory, `${round}`));
    const [started, used] = [performance.now(), process.cpuUsage()];
    each.run(environment, each.rows);
    const { user, system } = process.cpuUsage(used);
    seconds = Math.min(seconds, (performance.now() - started) / 1_000);
    processor = Math.min(processor, (user + system) / 1e6);
    for (const store of stores.splice(0)) store.close();
    environment.close({ clean: false });
  }
  rmSync(directory, { recursive: true, force: true });
  console.log(JSON.stringify({
    bench: `${each.name} ${name}`,
    runtime: "Bun" in globalThis ? "bun" : "deno",
    records: each.rows,
    seconds: Number(seconds.toFixed(3)),
    records_per_s: Math.round(each.rows / seconds),
    ns: Math.round(seconds * 1e9 / each.rows),
    cpu_ns: Math.round(processor * 1e9 / each.rows),
  }));
}

const part = process.argv[2] ?? "";
for (const each of CASES) {
  for (const name of Object.keys(ENVIRONMENTS)) {
    if (`${each.name} ${name}`.includes(part)) measure(name, each);
  }
}
