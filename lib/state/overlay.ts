import { compareBytes } from "../record/bytes.ts";
import {
  byKey,
  type ByteEntry,
  OrderedBytes,
  type OrderedCursor,
  ROW_BYTES,
} from "./ordered_bytes.ts";
import type { ResidentBudget } from "./resident_budget.ts";
import type { RowLog } from "./row_log.ts";
import type { ByteCursor, ByteStore } from "./store.ts";
import { Trimming } from "./trimming.ts";

/** Committed rows on a disk: what an overlay lies over. */
export interface CommittedBytes {
  /** The value; the caller may keep it. */
  get(key: Uint8Array): Uint8Array | undefined;
  cursor(from: Uint8Array | undefined, to: Uint8Array | undefined, reverse: boolean): ByteCursor;
  /** Sets and deletes (value null) rows that come in key order, within a transaction. */
  apply(rows: readonly ByteEntry[]): void;
  /** The same with rows of a log, by number. */
  applyLog(log: RowLog, rows: readonly number[]): void;
  /** Runs `write` in a transaction of its own. */
  transaction(write: () => void): void;
  /** Removes rows below `floor`, at most `limit`; gives how many. */
  removeBelow(floor: Uint8Array, limit: number): number;
  /** Exact, cheap. */
  count(): number;
  clear(): void;
  /** @throws when the engine cannot hold such a key */
  checkKey(key: Uint8Array): void;
}

/** Where a store's committed rows are, and how many of them stay in memory. */
export interface DiskBytes {
  readonly committed: CommittedBytes;
  readonly budget: ResidentBudget;
}

/**
 * Rows of a restore that wait in memory at most, before they go to the disk without a commit. With random keys each row of a transaction copies a page of
 * the tree, in memory that LMDB keeps and in the file: eight times as much takes a fifth less processor time, and some hundred megabytes more.
 */
const BULK_BYTES = 4 * 1024 * 1024;
const FIRST_KEY = new Uint8Array(0);

/**
 * A byte store whose writes stay in memory, open until `seal`, which commits them, and then until `save`: reads see them merged with the rows on the disk.
 *
 * Saved rows from `residentFrom` on stay in memory as well, so that recent rows are read without the disk and missing ones are known to be
 * missing. A store that was empty when it was opened is resident as a whole; when all stores of a thread together hold too much, the lower half of
 * the largest goes. Without committed rows below it the store lives in memory alone.
 */
export class OverlaidStore implements ByteStore {
  readonly name: string;
  readonly copies = false;
  readonly #committed: CommittedBytes | undefined = undefined;
  readonly #budget: ResidentBudget | undefined = undefined;
  /** Rows that are not committed, not saved, or resident. */
  readonly #rows = new OrderedBytes();
  #dirty: ByteEntry[] = [];
  #dirtyBytes = 0;
  /** Rows that are committed and not saved. They may be dirty again. */
  #unsaved: ByteEntry[] = [];
  #sealedBytes = 0;
  /** What counts in both, as it was written again since it was committed. */
  #sharedBytes = 0;
  /** Undefined: nothing is resident. */
  #residentFrom: Uint8Array | undefined = FIRST_KEY;
  readonly #trimming: Trimming;

  /** Without `disk` the rows are in memory alone. */
  constructor(name: string, disk?: DiskBytes) {
    this.name = name;
    const inMemory = {
      removeBelow: (floor: Uint8Array, limit: number) => this.#removeBelow(floor, limit),
    };
    this.#trimming = disk === undefined
      ? new Trimming(inMemory)
      : new Trimming(inMemory, disk.committed);
    if (disk === undefined) return;
    const { committed, budget } = disk;
    this.#committed = committed;
    this.#budget = budget;
    if (committed.count() > 0) this.#residentFrom = undefined;
    budget.register(this);
  }

  get residentBudget(): ResidentBudget | undefined {
    return this.#budget;
  }

  get uncommittedBytes(): number {
    return this.#dirtyBytes;
  }

  /** Bytes of committed writes that are not on the disk. */
  get unsavedBytes(): number {
    return this.#sealedBytes;
  }

  /** What the rows take that are in memory though they are saved; the others have limits of their own. */
  get residentBytes(): number {
    return this.#rows.bytes - this.#dirtyBytes - this.#sealedBytes + this.#sharedBytes;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const entry = this.#rows.find(key);
    if (entry !== undefined) return entry.value ?? undefined;
    return this.#isResident(key) ? undefined : this.#committed!.get(key);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#committed?.checkKey(key);
    this.#write(key, value);
  }

  delete(key: Uint8Array): void {
    this.#write(key, null);
  }

  #write(key: Uint8Array, value: Uint8Array | null): void {
    const rows = this.#rows;
    const size = rows.size;
    const entry = rows.upsert(key);
    if (!entry.isDirty) {
      const isNew = rows.size !== size;
      entry.isDirty = true;
      if (entry.isUnsaved) this.#sharedBytes += key.length + ROW_BYTES + lengthOf(entry.value);
      entry.committed = isNew && !this.#isResident(key) ? undefined : entry.value;
      this.#dirty.push(entry);
      this.#dirtyBytes += key.length + ROW_BYTES + lengthOf(value);
    } else this.#dirtyBytes += lengthOf(value) - lengthOf(entry.value);
    rows.setValue(entry, value);
  }

  #isResident(key: Uint8Array): boolean {
    const from = this.#residentFrom;
    return from !== undefined && (from.length === 0 || compareBytes(key, from) >= 0);
  }

  cursor(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse = false,
  ): ByteCursor {
    const residentFrom = this.#residentFrom;
    const rows = this.#rows.cursor(from, to, reverse);
    const isInMemory = residentFrom !== undefined &&
      (residentFrom.length === 0 || (from !== undefined && compareBytes(from, residentFrom) >= 0));
    if (isInMemory) return new PresentCursor(rows);
    const end = residentFrom === undefined
      ? to
      : to === undefined || compareBytes(to, residentFrom) > 0
      ? residentFrom
      : to;
    const committed = this.#committed!.cursor(from, end, reverse);
    if (this.#rows.size === 0) return committed;
    return new MergedCursor(new EntryCursor(rows), committed, reverse);
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
    for (const [key, value] of entries) {
      if (value !== null) this.#committed?.checkKey(key);
      this.#write(key, value);
    }
    if (this.#committed === undefined || this.#dirtyBytes < BULK_BYTES) return;
    this.seal();
    this.#committed.transaction(() => this.#applyUnsaved());
    this.#budget?.relieve();
  }

  trim(floor: Uint8Array): void {
    this.#trimming.upTo(floor);
  }

  approximateCount(): number {
    const committed = this.#committed;
    if (this.#residentFrom?.length === 0 || committed === undefined) {
      let count = this.#rows.size;
      for (const { value } of this.#unsaved) if (value === null) count--;
      return count;
    }
    // What is committed and not saved mostly changes rows that are there.
    return committed.count() + this.#dirty.length;
  }

  /** Commits the writes: a rollback keeps them from now on. */
  seal(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    this.#dirtyBytes = this.#sharedBytes = 0;
    for (const entry of dirty) this.#sealRow(entry);
    this.#trimming.seal();
    if (this.#committed === undefined) this.#trimming.remove(dirty.length);
    this.#budget?.relieve();
  }

  #sealRow(entry: ByteEntry): void {
    const { value, committed } = entry;
    entry.isDirty = false;
    entry.committed = undefined;
    if (entry.isUnsaved) {
      this.#sealedBytes += lengthOf(value) - lengthOf(committed ?? null);
      return;
    }
    // One that came and went, or that no disk has to be told of.
    if (value === null && (committed === null || this.#committed === undefined)) {
      this.#rows.remove(entry);
      return;
    }
    if (this.#committed === undefined) return;
    entry.isUnsaved = true;
    this.#unsaved.push(entry);
    this.#sealedBytes += entry.key.length + ROW_BYTES + lengthOf(value);
  }

  /** Hands what is committed to the disk, within the environment's transaction. Nothing may have been written since `seal`. */
  save(): void {
    const written = this.#unsaved.length;
    this.#applyUnsaved();
    this.#trimming.remove(written);
    this.#budget?.relieve();
  }

  #applyUnsaved(): void {
    const unsaved = this.#unsaved;
    if (unsaved.length === 0) return;
    this.#committed!.apply(this.#unsavedInOrder());
    this.#unsaved = [];
    this.#sealedBytes = 0;
    if (this.#residentFrom === undefined) this.#rows.clear();
    else this.#keepResident(unsaved);
  }

  /** The unsaved rows by key. */
  #unsavedInOrder(): readonly ByteEntry[] {
    const rows = this.#rows;
    // Rows that are in order already need no sorting, unless most of them are saved.
    if (rows.isOrdered && this.#unsaved.length > rows.size / 8) {
      return rows.sorted().filter((entry) => entry.isUnsaved);
    }
    return [...this.#unsaved].sort(byKey);
  }

  #keepResident(saved: readonly ByteEntry[]): void {
    for (const entry of saved) {
      entry.isUnsaved = false;
      if (entry.value === null || !this.#isResident(entry.key)) this.#rows.remove(entry);
    }
  }

  /** Removes saved rows below `floor` from memory, at most `limit`; gives how many. */
  #removeBelow(floor: Uint8Array, limit: number): number {
    let removed = 0;
    for (const entry of this.#below(floor)) {
      if (removed >= limit) break;
      if (entry.isDirty || entry.isUnsaved) continue;
      this.#rows.remove(entry);
      removed++;
    }
    return removed;
  }

  /** The rows below a key. To look at each of them all costs less than to sort them, which a cursor would do first. */
  *#below(floor: Uint8Array): IterableIterator<ByteEntry> {
    const rows = this.#rows;
    if (!rows.isOrdered) {
      for (const entry of rows.unordered()) if (compareBytes(entry.key, floor) < 0) yield entry;
      return;
    }
    const cursor = rows.cursor(undefined, floor, false);
    while (cursor.advance()) yield cursor.entry!;
  }

  /** Gives up the lower half of what is resident, or all of it when the rows are not in order: a part is then of no use. */
  shed(): void {
    const from = this.#residentFrom;
    // Nothing is resident: all that is in memory waits for a commit or a save.
    if (from === undefined) return;
    const chunks = this.#rows.isOrdered ? this.#rows.chunks() : [];
    const half = chunks.length > 1 ? chunks[chunks.length >> 1][0].key : undefined;
    this.#residentFrom = half === undefined || compareBytes(half, from) > 0 ? half : from;
    for (const entry of this.#dirty) {
      // Below the new start the disk is asked again after a rollback.
      if (!entry.isUnsaved && !this.#isResident(entry.key)) entry.committed = undefined;
    }
    if (half !== undefined) this.#removeBelow(half, Infinity);
    else this.#keepWaiting();
  }

  /** Removes all rows from memory that wait neither for a commit nor for a save. */
  #keepWaiting(): void {
    if (this.#dirty.length === 0 && this.#unsaved.length === 0) return this.#rows.clear();
    for (const entry of this.#rows.unordered()) {
      if (!entry.isDirty && !entry.isUnsaved) this.#rows.remove(entry);
    }
  }

  /** Whether a save has anything to do. */
  get isUnsaved(): boolean {
    return this.#unsaved.length > 0 || (this.#committed !== undefined && this.#trimming.isDue);
  }

  rollback(): void {
    this.#trimming.rollback();
    const dirty = this.#dirty;
    this.#dirty = [];
    this.#dirtyBytes = this.#sharedBytes = 0;
    for (const entry of dirty) {
      const { committed } = entry;
      entry.isDirty = false;
      entry.committed = undefined;
      if (entry.isUnsaved) this.#rows.setValue(entry, committed ?? null);
      else if (committed === undefined || committed === null) this.#rows.remove(entry);
      else this.#rows.setValue(entry, committed);
    }
  }

  /** Empties the store, within the environment's transaction. */
  wipe(): void {
    this.#dirty = [];
    this.#unsaved = [];
    this.#dirtyBytes = this.#sealedBytes = this.#sharedBytes = 0;
    this.#trimming.forget();
    this.#rows.clear();
    this.#committed?.clear();
    this.#residentFrom = FIRST_KEY;
  }

  close(): void {
    this.#budget?.unregister(this);
    this.#rows.clear();
  }
}

/** Rows in memory without those that are deleted. */
class PresentCursor implements ByteCursor {
  key: Uint8Array = FIRST_KEY;
  value: Uint8Array = FIRST_KEY;
  readonly #rows: OrderedCursor;
  constructor(rows: OrderedCursor) {
    this.#rows = rows;
  }
  advance(): boolean {
    const rows = this.#rows;
    while (rows.advance()) {
      const entry = rows.entry!;
      if (entry.value === null) continue;
      this.key = entry.key;
      this.value = entry.value;
      return true;
    }
    return false;
  }
  close(): void {}
}

/** The rows of a cursor over entries as they are when it comes to them: a row may be deleted while the caller looks at it. */
class EntryCursor implements UpperCursor {
  key: Uint8Array = FIRST_KEY;
  value: Uint8Array | null = null;
  readonly #rows: OrderedCursor;
  constructor(rows: OrderedCursor) {
    this.#rows = rows;
  }
  advance(): boolean {
    if (!this.#rows.advance()) return false;
    const { key, value } = this.#rows.entry!;
    this.key = key;
    this.value = value;
    return true;
  }
}

/** Rows in memory, deletions as well. */
interface UpperCursor {
  advance(): boolean;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** Rows in memory over committed ones, in order; of two rows with the same key the one in memory counts. */
export class MergedCursor implements ByteCursor {
  key: Uint8Array = FIRST_KEY;
  value: Uint8Array = FIRST_KEY;
  readonly #upper: UpperCursor;
  readonly #lower: ByteCursor;
  readonly #reverse: boolean;
  #hasUpper: boolean;
  #hasLower: boolean;

  constructor(upper: UpperCursor, lower: ByteCursor, reverse: boolean) {
    this.#upper = upper;
    this.#lower = lower;
    this.#reverse = reverse;
    this.#hasUpper = upper.advance();
    this.#hasLower = lower.advance();
  }

  advance(): boolean {
    while (this.#hasUpper) {
      const { key, value } = this.#upper;
      if (this.#hasLower) {
        const order = compareBytes(this.#lower.key, key);
        if (this.#reverse ? order > 0 : order < 0) return this.#takeLower();
        if (order === 0) this.#hasLower = this.#lower.advance();
      }
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

function lengthOf(value: Uint8Array | null): number {
  return value === null ? 0 : value.length;
}
