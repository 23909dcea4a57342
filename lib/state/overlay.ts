import { compareBytes } from "../record/bytes.ts";
import { type ByteEntry, OrderedBytes, type OrderedCursor } from "./ordered_bytes.ts";
import type { ByteCursor, ByteStore } from "./store.ts";

/** Committed rows: what an overlay lies over. Memory and LMDB have one each. */
export interface CommittedBytes {
  /** The value; the caller may keep it. */
  get(key: Uint8Array): Uint8Array | undefined;
  cursor(from: Uint8Array | undefined, to: Uint8Array | undefined, reverse: boolean): ByteCursor;
  /** Sets and deletes (value null) rows that come in key order, within the environment's transaction. */
  apply(rows: readonly ByteEntry[]): void;
  /** Removes rows below `floor`, at most `limit`; gives how many. */
  removeBelow(floor: Uint8Array, limit: number): number;
  /** Exact, cheap. */
  count(): number;
  clear(): void;
  /** @throws when the engine cannot hold such a key */
  checkKey(key: Uint8Array): void;
}

/** Rows that a commit removes of what was trimmed, beside twice the number it writes. */
const TRIM_ROWS = 1_000;

/**
 * A byte store whose writes stay in memory until `commit`: reads see them merged with the committed rows. This is the
 * transaction of a task's state, on memory and on LMDB alike.
 */
export class OverlaidStore implements ByteStore {
  readonly name: string;
  readonly #committed: CommittedBytes;
  readonly #written = new OrderedBytes();
  /** Rows below were given up since the last commit; undefined: none. */
  #floor: Uint8Array | undefined = undefined;
  /** The part of earlier floors that commits have not got to yet. */
  #trimming: Uint8Array | undefined = undefined;

  constructor(name: string, committed: CommittedBytes) {
    this.name = name;
    this.#committed = committed;
  }

  get uncommittedBytes(): number {
    return this.#written.bytes;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (this.#written.size > 0) {
      const entry = this.#written.find(key);
      if (entry !== undefined) return entry.value ?? undefined;
    }
    return this.#committed.get(key);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#committed.checkKey(key);
    this.#written.set(key, value);
  }

  delete(key: Uint8Array): void {
    this.#written.set(key, null);
  }

  cursor(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse = false,
  ): ByteCursor {
    const committed = this.#committed.cursor(from, to, reverse);
    if (this.#written.size === 0) return committed;
    return new MergedCursor(this.#written.cursor(from, to, reverse), committed, reverse);
  }

  *range(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse = false,
  ): IterableIterator<[Uint8Array, Uint8Array]> {
    const cursor = this.cursor(from, to, reverse);
    try {
      while (cursor.advance()) yield [cursor.key, cursor.value];
    } finally {
      cursor.close();
    }
  }

  bulk(entries: Iterable<readonly [Uint8Array, Uint8Array | null]>): void {
    const rows = new OrderedBytes();
    for (const [key, value] of entries) {
      if (value !== null) this.#committed.checkKey(key);
      rows.set(key, value);
    }
    this.#committed.apply(rows.sorted());
  }

  trim(floor: Uint8Array): void {
    if (this.#floor === undefined || compareBytes(floor, this.#floor) > 0) this.#floor = floor;
  }

  approximateCount(): number {
    return this.#committed.count() + this.#written.size;
  }

  /** Hands the writes to the committed rows; within the environment's transaction. */
  commit(): void {
    const written = this.#written.size;
    if (written > 0) {
      this.#committed.apply(this.#written.sorted());
      this.#written.clear();
    }
    const floor = this.#floor ?? this.#trimming;
    if (floor === undefined) return;
    const limit = TRIM_ROWS + 2 * written;
    const removed = this.#committed.removeBelow(floor, limit);
    this.#trimming = removed < limit ? undefined : floor;
    this.#floor = undefined;
  }

  /** Whether a commit has anything to do. */
  get isDirty(): boolean {
    return this.#written.size > 0 || this.#floor !== undefined || this.#trimming !== undefined;
  }

  rollback(): void {
    this.#written.clear();
    this.#floor = undefined;
  }

  wipe(): void {
    this.rollback();
    this.#trimming = undefined;
    this.#committed.clear();
  }
}

/** Uncommitted over committed rows, in order; of two rows with the same key the uncommitted one counts. */
class MergedCursor implements ByteCursor {
  key: Uint8Array = NOTHING;
  value: Uint8Array = NOTHING;
  readonly #upper: OrderedCursor;
  readonly #lower: ByteCursor;
  readonly #reverse: boolean;
  #hasUpper: boolean;
  #hasLower: boolean;

  constructor(upper: OrderedCursor, lower: ByteCursor, reverse: boolean) {
    this.#upper = upper;
    this.#lower = lower;
    this.#reverse = reverse;
    this.#hasUpper = upper.advance();
    this.#hasLower = lower.advance();
  }

  advance(): boolean {
    while (this.#hasUpper) {
      const entry = this.#upper.entry!;
      if (this.#hasLower) {
        const order = compareBytes(this.#lower.key, entry.key);
        if (this.#reverse ? order > 0 : order < 0) return this.#takeLower();
        if (order === 0) this.#hasLower = this.#lower.advance();
      }
      // Taken before the cursor moves on: the row may be deleted while the caller looks at it.
      const { key, value } = entry;
      this.#hasUpper = this.#upper.advance();
      if (value === null) continue;
      this.key = key;
      this.value = value;
      return true;
    }
    return this.#hasLower && this.#takeLower();
  }

  #takeLower(): boolean {
    this.key = this.#lower.key;
    this.value = this.#lower.value;
    this.#hasLower = this.#lower.advance();
    return true;
  }

  close(): void {
    this.#hasUpper = false;
    this.#hasLower = false;
    this.#lower.close();
  }
}

const NOTHING = new Uint8Array(0);
