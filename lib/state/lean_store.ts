import { type CommittedBytes, type DiskBytes, MergedCursor } from "./overlay.ts";
import type { ResidentBudget } from "./resident_budget.ts";
import { RowLog, RowLogCursor } from "./row_log.ts";
import type { ByteCursor, ByteStore } from "./store.ts";
import { Trimming } from "./trimming.ts";

/** Rows of a restore that wait in memory at most: see `overlay.ts`. */
const BULK_ROWS = 12_000;
const BULK_BYTES = 4 * 1024 * 1024;

/**
 * A byte store on disk whose writes stay in memory until `save`, and nothing else: its user keeps the rows that are asked for again.
 * Windows and sessions are stored so. What waits is bytes in a log, not an object for each row.
 */
export class LeanStore implements ByteStore {
  readonly name: string;
  readonly copies = true;
  readonly residentBudget: ResidentBudget;
  readonly #committed: CommittedBytes;
  readonly #log = new RowLog();
  readonly #trimming: Trimming;

  constructor(name: string, { committed, budget }: DiskBytes) {
    this.name = name;
    this.residentBudget = budget;
    this.#committed = committed;
    this.#trimming = new Trimming(committed);
  }

  get uncommittedBytes(): number {
    return this.#log.openBytes;
  }

  /** Bytes of committed writes that are not on the disk. */
  get unsavedBytes(): number {
    return this.#log.bytes - this.#log.openBytes;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const row = this.#log.find(key);
    return row < 0 ? this.#committed.get(key) : this.#log.value(row) ?? undefined;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#committed.checkKey(key);
    this.#log.write(key, value);
  }

  delete(key: Uint8Array): void {
    this.#log.write(key, null);
  }

  cursor(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse = false,
  ): ByteCursor {
    const committed = this.#committed.cursor(from, to, reverse);
    if (this.#log.size === 0) return committed;
    return new MergedCursor(new RowLogCursor(this.#log, from, to, reverse), committed, reverse);
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
    const log = this.#log;
    for (const [key, value] of entries) {
      if (value !== null) this.#committed.checkKey(key);
      log.write(key, value);
    }
    if (log.size < BULK_ROWS && log.bytes < BULK_BYTES) return;
    this.#committed.transaction(() => this.#committed.applyLog(log, log.sorted()));
    log.clear();
    this.residentBudget.relieve();
  }

  trim(floor: Uint8Array): void {
    this.#trimming.upTo(floor);
  }

  approximateCount(): number {
    return this.#committed.count() + this.#log.size;
  }

  /** Whether a save has anything to do. */
  get isUnsaved(): boolean {
    return this.#log.size > 0 || this.#trimming.isDue;
  }

  /** Commits the writes: a rollback keeps them from now on. */
  seal(): void {
    const before = this.#trimming.floor;
    this.#log.seal();
    this.#trimming.seal();
    const { floor } = this.#trimming;
    // What was given up since it was written need not go to the disk: when it is caught up with, that is most of a commit.
    if (floor !== undefined && floor !== before) this.#log.dropBelow(floor);
    this.residentBudget.relieve();
  }

  /** Hands what is committed to the disk, within the environment's transaction. Nothing may have been written since `seal`. */
  save(): void {
    const log = this.#log;
    const written = log.size;
    if (written > 0) this.#committed.applyLog(log, log.sorted(this.#trimming.floor));
    log.clear();
    this.#trimming.remove(written);
  }

  rollback(): void {
    this.#trimming.rollback();
    this.#log.rollback();
  }

  /** Empties the store, within the environment's transaction. */
  wipe(): void {
    this.#log.clear();
    this.#trimming.forget();
    this.#committed.clear();
  }

  close(): void {
    this.#log.clear();
  }
}
