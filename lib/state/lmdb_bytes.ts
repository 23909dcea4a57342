import { asBinary, type Database, open, type RootDatabase } from "lmdb";
import { StreamsException } from "../errors.ts";
import { NO_ROWS } from "./key_value_store.ts";
import type { ByteEntry } from "./ordered_bytes.ts";
import type { CommittedBytes } from "./overlay.ts";
import { rowCopy } from "./row_bytes.ts";
import type { RowLog } from "./row_log.ts";
import type { ByteCursor } from "./store.ts";

/** An environment's root, which holds its named databases. */
export type Root = RootDatabase<Uint8Array, Uint8Array>;
/** A database of numbers by name. */
export type Numbers = Database<number, string>;

/** What the names of databases that hold stores begin with. */
export const STORE_PREFIX = "store:";

/** Named databases of one environment: stores, and one for the positions. */
const MAX_DATABASES = 512;
/** A changed row costs the copy of its page: small pages suit rows that are changed here and there. */
const PAGE_BYTES = 4096;
/**
 * Address space that is reserved at first, which costs nothing; it grows by itself. What outgrows it is mapped anew, beside the old map: its pages then
 * count twice in the process's memory.
 */
const FIRST_MAP_BYTES = 4 * 1024 * 1024 * 1024;

/** What LMDB holds with such pages, less the one byte that goes before each key, as LMDB knows no empty keys and Kafka does. */
const MAX_KEY_BYTES = 1977;

/** A key that lies within other bytes. */
interface KeyWithin {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

const KEY_ENCODER = {
  writeKey(key: Uint8Array | KeyWithin, target: Uint8Array, start: number): number {
    target[start] = 0;
    if (key instanceof Uint8Array) {
      target.set(key, start + 1);
      return start + 1 + key.length;
    }
    const { bytes, from, to } = key;
    let at = start + 1;
    for (let i = from; i < to; i++) target[at++] = bytes[i];
    return at;
  },
  readKey(source: Uint8Array, start: number, end: number): Uint8Array {
    return rowCopy(source, start + 1, end);
  },
};

/** Opens or makes the file of an environment. `isSynced`: each commit is fsynced. */
export function openRoot(path: string, isSynced: boolean): Root {
  return open<Uint8Array, Uint8Array>({
    path,
    noSubdir: true,
    maxDbs: MAX_DATABASES,
    pageSize: PAGE_BYTES,
    mapSize: FIRST_MAP_BYTES,
    noSync: !isSynced,
    // Its commits return before their fsync; `commit` is to mean that the commit is on the disk.
    overlappingSync: false,
    noMemInit: true,
    cache: false,
    keyEncoding: "binary",
    encoding: "binary",
  });
}

/** Opens or makes a named database. */
export function openStore(
  root: Root,
  name: string,
): Database<Uint8Array, Uint8Array> {
  return root.openDB<Uint8Array, Uint8Array>({
    name,
    encoding: "binary",
    keyEncoder: KEY_ENCODER,
    cache: false,
  } as never);
}

/** Committed rows in one named database. */
export class LmdbBytes implements CommittedBytes {
  readonly #database: Database<Uint8Array, Uint8Array> & { lastSize?: number };
  readonly #checkOwner: () => void;
  /** Spares reads of a store that holds nothing yet. */
  #isEmpty: boolean;

  /** @param checkOwner throws when this may not be written any more; called within transactions */
  constructor(
    root: Root,
    name: string,
    checkOwner: () => void,
  ) {
    this.#checkOwner = checkOwner;
    this.#database = openStore(root, STORE_PREFIX + name);
    this.#isEmpty = this.count() === 0;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (this.#isEmpty || key.length > MAX_KEY_BYTES) return undefined;
    // The buffer is lmdb's own and good until its next read; its `length` counts.
    const lent = this.#database.getBinaryFast(key) as Uint8Array | undefined;
    return lent === undefined ? undefined : rowCopy(lent, 0, this.#database.lastSize!);
  }

  cursor(from: Uint8Array | undefined, to: Uint8Array | undefined, reverse: boolean): ByteCursor {
    if (this.#isEmpty) return NO_ROWS;
    return new LmdbCursor(this.#database, from, to, reverse);
  }

  apply(rows: readonly ByteEntry[]): void {
    for (const { key, value } of rows) {
      if (value !== null) this.#database.putSync(key, value);
      else if (!this.#isEmpty && key.length <= MAX_KEY_BYTES) this.#database.removeSync(key);
    }
    this.#isEmpty = false;
  }

  applyLog(log: RowLog, rows: readonly number[]): void {
    // lmdb takes a value from between the `start` and `end` of its buffer, and remembers the buffer's `address` in it.
    const slab = log.slab as Uint8Array & { start?: number; end?: number };
    const key = { bytes: slab, from: 0, to: 0 };
    const value = asBinary(slab as never);
    for (const row of rows) {
      key.from = log.keyStart(row);
      key.to = log.keyEnd(row);
      const length = log.valueLength(row);
      if (length >= 0) {
        slab.start = log.valueStart(row);
        slab.end = slab.start + length;
        this.#database.putSync(key as never, value as never);
      } else if (!this.#isEmpty && key.to - key.from <= MAX_KEY_BYTES) {
        this.#database.removeSync(key as never);
      }
    }
    this.#isEmpty = false;
  }

  transaction(write: () => void): void {
    this.#database.transactionSync(() => {
      this.#checkOwner();
      write();
    });
  }

  removeBelow(floor: Uint8Array, limit: number): number {
    if (this.#isEmpty) return 0;
    const keys = [...this.#database.getKeys({ start: NOTHING, end: floor, limit })];
    for (const key of keys) this.#database.removeSync(key);
    return keys.length;
  }

  count(): number {
    return (this.#database.getStats() as { entryCount: number }).entryCount;
  }

  clear(): void {
    this.#database.clearSync();
    this.#isEmpty = true;
  }

  /** @throws {StreamsException} when LMDB cannot hold so long a key */
  checkKey(key: Uint8Array): void {
    if (key.length <= MAX_KEY_BYTES) return;
    throw new StreamsException(
      `Cannot put a row into store ${
        String((this.#database as unknown as { name: string }).name).slice(STORE_PREFIX.length)
      } as LMDB holds keys of at most ${MAX_KEY_BYTES} bytes: current value is ${key.length} bytes. ` +
        "Use a shorter key or a store in memory",
    );
  }
}

/** lmdb's iteration as a cursor. Its keys and values are copies. */
class LmdbCursor implements ByteCursor {
  key: Uint8Array = NOTHING;
  value: Uint8Array = NOTHING;
  readonly #rows: Iterator<{ key: Uint8Array; value: Uint8Array }>;
  #done = false;

  constructor(
    database: Database<Uint8Array, Uint8Array>,
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse: boolean,
  ) {
    const options: Record<string, unknown> = reverse
      ? { end: from ?? NOTHING, reverse, inclusiveEnd: true, exclusiveStart: true, start: to }
      : { start: from ?? NOTHING, end: to };
    // lmdb tells a missing bound from one that is undefined, and begins after its own metadata when it is given none.
    if (to === undefined) {
      delete options[reverse ? "start" : "end"];
      delete options.exclusiveStart;
    }
    this.#rows = database.getRange(options as never)[Symbol.iterator]() as Iterator<
      { key: Uint8Array; value: Uint8Array }
    >;
  }

  advance(): boolean {
    if (this.#done) return false;
    const { done, value } = this.#rows.next();
    if (done || value === undefined) {
      this.#done = true;
      return false;
    }
    this.key = value.key;
    this.value = value.value;
    return true;
  }

  close(): void {
    if (this.#done) return;
    this.#done = true;
    this.#rows.return?.();
  }
}

const NOTHING = new Uint8Array(0);
