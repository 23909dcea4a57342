import { compareBytes } from "../record/bytes.ts";
import { hashBytes } from "./ordered_bytes.ts";
import { rowCopy } from "./row_bytes.ts";

const FIRST_BYTES = 4_096;
const FIRST_ROWS = 64;
/** A slab beyond this is not kept for the next rows. */
const KEPT_BYTES = 2 * 1024 * 1024;
/** From this on the slab and the numbers grow by a quarter at a time, not to twice their size. */
const LARGE_BYTES = 1024 * 1024;
/** Rows of a chunk of the order. Chunks are halved when they hold twice as many. */
const CHUNK_ROWS = 256;
/** What a row takes beside its bytes: four numbers, and mostly no more. */
const ROW_BYTES = 16;

/** Rows of a commit that are appended before they are found by key: above it a row that is written over and over takes its old place. */
const UNFOUND_ROWS = 65_536;

/**
 * Rows that wait for the disk, by key: the bytes of all in one slab, numbers beside it, and no object for any of them. Rows live for some commit
 * intervals, which is just long enough for V8 to move each object of theirs to its old generation.
 *
 * A row is a number. One that is written again takes its old number, or a new one that supersedes it: rows before `seal` stay as they are, so that
 * `rollback` has only to forget what came after. Rows are found by hash only when somebody looks one up; most logs are written and never read. From the
 * first cursor on there is an order over the rows, in short sorted chunks.
 */
export class RowLog {
  #slab = new Uint8Array(FIRST_BYTES);
  #used = 0;
  #size = 0;
  /** Rows and bytes that are sealed. */
  #sealedSize = 0;
  #sealedUsed = 0;
  #keyStarts = new Int32Array(FIRST_ROWS);
  #keyLengths = new Int32Array(FIRST_ROWS);
  #valueStarts = new Int32Array(FIRST_ROWS);
  /** -1: the row is deleted. */
  #valueLengths = new Int32Array(FIRST_ROWS);
  /** Of the rows, while there are slots. */
  #hashes = NO_NUMBERS;
  /** The newest rows by hash, plus one; 0: free. At most half full. Empty: nobody has looked anything up. */
  #slots = NO_NUMBERS;
  #chunks: number[][] | undefined = undefined;
  #changes = 0;

  /** How many rows there are, deletions counted, and those that newer ones supersede. */
  get size(): number {
    return this.#size;
  }
  /** Bytes that the rows take. */
  get bytes(): number {
    return this.#used + this.#size * ROW_BYTES;
  }
  /** Bytes that the rows take that are not sealed. */
  get openBytes(): number {
    return this.#used - this.#sealedUsed + (this.#size - this.#sealedSize) * ROW_BYTES;
  }
  /** Where the rows' bytes are, until the next `write`. */
  get slab(): Uint8Array {
    return this.#slab;
  }
  keyStart(row: number): number {
    return this.#keyStarts[row];
  }
  keyEnd(row: number): number {
    return this.#keyStarts[row] + this.#keyLengths[row];
  }
  valueStart(row: number): number {
    return this.#valueStarts[row];
  }
  /** -1: the row is deleted. */
  valueLength(row: number): number {
    return this.#valueLengths[row];
  }
  /** A copy of a row's key. */
  key(row: number): Uint8Array {
    return rowCopy(this.#slab, this.keyStart(row), this.keyEnd(row));
  }
  /** A copy of a row's value; null: the row is deleted. */
  value(row: number): Uint8Array | null {
    const length = this.#valueLengths[row];
    const start = this.#valueStarts[row];
    return length < 0 ? null : rowCopy(this.#slab, start, start + length);
  }

  /** The row of a key, -1 when there is none. */
  find(key: Uint8Array): number {
    if (this.#size === 0) return -1;
    if (this.#slots.length === 0) this.#findByHash();
    const at = this.#slotOf(key, hashBytes(key));
    return this.#slots[at] - 1;
  }

  /** The slot that has the row of a key, or is free for it. */
  #slotOf(key: Uint8Array, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = hash & mask;
    for (; slots[at] !== 0; at = (at + 1) & mask) {
      const row = slots[at] - 1;
      if (this.#hashes[row] === hash && this.#isKey(row, key)) break;
    }
    return at;
  }

  #isKey(row: number, key: Uint8Array): boolean {
    const length = key.length;
    if (this.#keyLengths[row] !== length) return false;
    const slab = this.#slab;
    const start = this.#keyStarts[row];
    // From the end: keys share their beginnings far more often.
    for (let i = length - 1; i >= 0; i--) if (slab[start + i] !== key[i]) return false;
    return true;
  }

  /** Makes the slots, with the newest row of each key. */
  #findByHash(): void {
    const slab = this.#slab;
    const count = this.#keyStarts.length;
    const hashes = this.#hashes = new Int32Array(count);
    const slots = this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * count)));
    const mask = slots.length - 1;
    for (let row = 0; row < this.#size; row++) {
      const hash = hashes[row] = hashBytes(slab, this.keyStart(row), this.keyEnd(row));
      let at = hash & mask;
      for (; slots[at] !== 0; at = (at + 1) & mask) {
        const known = slots[at] - 1;
        if (hashes[known] === hash && this.#order(known, row) === 0) break;
      }
      slots[at] = row + 1;
    }
  }

  /** Sets or (null) deletes the row of a key. Both are copied. */
  write(key: Uint8Array, value: Uint8Array | null): void {
    if (this.#size === this.#keyStarts.length) this.#growRows();
    if (this.#slots.length === 0) {
      if (this.#size - this.#sealedSize < UNFOUND_ROWS) return this.#add(key, value);
      this.#findByHash();
    }
    const hash = hashBytes(key);
    const at = this.#slotOf(key, hash);
    const known = this.#slots[at] - 1;
    if (known >= this.#sealedSize) return this.#setValue(known, value);
    const row = this.#size;
    this.#hashes[row] = hash;
    this.#slots[at] = row + 1;
    this.#add(key, value);
  }

  #add(key: Uint8Array, value: Uint8Array | null): void {
    const row = this.#size++;
    this.#keyStarts[row] = this.#append(key);
    this.#keyLengths[row] = key.length;
    this.#valueLengths[row] = -1;
    this.#setValue(row, value);
    if (this.#chunks !== undefined) this.#insert(this.#chunks, row);
  }

  #setValue(row: number, value: Uint8Array | null): void {
    if (value === null) this.#valueLengths[row] = -1;
    else if (value.length === this.#valueLengths[row]) {
      copy(value, this.#slab, this.#valueStarts[row]);
    } else {
      this.#valueStarts[row] = this.#append(value);
      this.#valueLengths[row] = value.length;
    }
  }

  /** What is there now stays: `rollback` forgets only what comes after. */
  seal(): void {
    this.#sealedSize = this.#size;
    this.#sealedUsed = this.#used;
  }

  /** Forgets what came after `seal`. */
  rollback(): void {
    if (this.#size === this.#sealedSize) return;
    this.#size = this.#sealedSize;
    this.#used = this.#sealedUsed;
    this.#forgetOrder();
  }

  /** Lets go of the rows below `floor`, when they are a quarter of all or more. Nothing may have been written since `seal`. */
  dropBelow(floor: Uint8Array): void {
    const size = this.#size;
    const kept = this.#rows().filter((row) => this.#compare(row, floor) >= 0);
    if (kept.length > size * 0.75) return;
    const slab = this.#slab;
    let bytes = 0;
    for (const row of kept) bytes += this.#keyLengths[row] + Math.max(0, this.#valueLengths[row]);
    this.#slab = new Uint8Array(Math.max(FIRST_BYTES, grownTo(bytes, LARGE_BYTES)));
    let used = 0;
    for (let row = 0; row < kept.length; row++) {
      const from = kept[row];
      used = this.#move(slab, this.#keyStarts, this.#keyLengths, from, row, used);
      used = this.#move(slab, this.#valueStarts, this.#valueLengths, from, row, used);
    }
    this.#used = used;
    this.#size = kept.length;
    this.seal();
    this.#forgetOrder();
  }

  /** Copies the key or the value of row `from` out of an earlier slab for a row that comes not after it; gives where its bytes end. */
  #move(
    slab: Uint8Array,
    starts: Int32Array,
    lengths: Int32Array,
    from: number,
    row: number,
    used: number,
  ): number {
    const start = starts[from];
    const length = lengths[row] = lengths[from];
    starts[row] = used;
    const target = this.#slab;
    for (let i = 0; i < length; i++) target[used + i] = slab[start + i];
    return length < 0 ? used : used + length;
  }

  #forgetOrder(): void {
    this.#slots = this.#hashes = NO_NUMBERS;
    this.#chunks = undefined;
    this.#changes++;
  }

  #rows(): number[] {
    return Array.from({ length: this.#size }, (_, row) => row);
  }

  #append(bytes: Uint8Array): number {
    const start = this.#used;
    const end = start + bytes.length;
    if (end > this.#slab.length) {
      const grown = new Uint8Array(Math.max(grownTo(this.#slab.length, LARGE_BYTES), end));
      grown.set(this.#slab.subarray(0, start));
      this.#slab = grown;
    }
    copy(bytes, this.#slab, start);
    this.#used = end;
    return start;
  }

  #growRows(): void {
    const count = grownTo(this.#keyStarts.length, LARGE_BYTES / 64);
    this.#keyStarts = larger(this.#keyStarts, count);
    this.#keyLengths = larger(this.#keyLengths, count);
    this.#valueStarts = larger(this.#valueStarts, count);
    this.#valueLengths = larger(this.#valueLengths, count);
    if (this.#slots.length > 0) this.#findByHash();
  }

  clear(): void {
    if (this.#size === 0) return;
    if (this.#slab.length > KEPT_BYTES) this.#slab = new Uint8Array(FIRST_BYTES);
    this.#used = this.#sealedUsed = 0;
    this.#size = this.#sealedSize = 0;
    this.#forgetOrder();
  }

  /** The newest rows of all keys that are not below `from`, in the order of their keys. */
  sorted(from?: Uint8Array): number[] {
    const isOrdered = this.#chunks !== undefined;
    let rows = isOrdered ? this.#chunks!.flat() : this.#rows();
    if (from !== undefined) rows = rows.filter((row) => this.#compare(row, from) >= 0);
    if (isOrdered) return rows;
    rows.sort((a, b) => this.#order(a, b) || a - b);
    return rows.filter((row, i) => i === rows.length - 1 || this.#order(row, rows[i + 1]) !== 0);
  }

  #order(a: number, b: number): number {
    const slab = this.#slab;
    const startA = this.#keyStarts[a];
    const startB = this.#keyStarts[b];
    const lengthA = this.#keyLengths[a];
    const lengthB = this.#keyLengths[b];
    const length = lengthA < lengthB ? lengthA : lengthB;
    for (let i = 0; i < length; i++) {
      const difference = slab[startA + i] - slab[startB + i];
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  }

  /** Below 0: the row's key comes before `key`. */
  #compare(row: number, key: Uint8Array): number {
    const slab = this.#slab;
    const start = this.#keyStarts[row];
    const ownLength = this.#keyLengths[row];
    const length = ownLength < key.length ? ownLength : key.length;
    for (let i = 0; i < length; i++) {
      const difference = slab[start + i] - key[i];
      if (difference !== 0) return difference;
    }
    return ownLength - key.length;
  }

  /** For cursors: counts changes of the order. */
  get changes(): number {
    return this.#changes;
  }

  /** For cursors: the chunks of the order, made at the first call. */
  chunks(): number[][] {
    if (this.#chunks !== undefined) return this.#chunks;
    const rows = this.sorted();
    const chunks: number[][] = [];
    for (let i = 0; i < rows.length; i += CHUNK_ROWS) chunks.push(rows.slice(i, i + CHUNK_ROWS));
    return this.#chunks = chunks;
  }

  /** For cursors: where the first row is whose key is not below, as chunk and index; the index may be one past the chunk's end. */
  placeOf(key: Uint8Array): readonly [chunk: number, at: number] {
    const chunks = this.chunks();
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#compare(chunks[middle][0], key) <= 0) low = middle;
      else high = middle - 1;
    }
    const chunk = chunks[low];
    let first = 0;
    let last = chunk.length;
    while (first < last) {
      const middle = (first + last) >>> 1;
      if (this.#compare(chunk[middle], key) < 0) first = middle + 1;
      else last = middle;
    }
    return [low, first];
  }

  #insert(chunks: number[][], row: number): void {
    this.#changes++;
    if (chunks.length === 0) {
      chunks.push([row]);
      return;
    }
    const [at, index] = this.placeOf(this.key(row));
    const chunk = chunks[at];
    if (index < chunk.length && this.#order(chunk[index], row) === 0) {
      chunk[index] = row;
      return;
    }
    chunk.splice(index, 0, row);
    if (chunk.length <= 2 * CHUNK_ROWS) return;
    // In growing order the upper part would stay half empty for ever: leave the old one nearly full.
    const keep = at === chunks.length - 1 ? chunk.length - 32 : chunk.length >> 1;
    chunks.splice(at + 1, 0, chunk.splice(keep));
  }
}

/** Walks the rows of a log in order, deletions as well. Rows that are added meanwhile may or may not be seen; none is seen twice. */
export class RowLogCursor {
  /** The row in hand, a copy. */
  key: Uint8Array = NOTHING;
  value: Uint8Array | null = null;
  readonly #log: RowLog;
  readonly #from: Uint8Array | undefined;
  readonly #to: Uint8Array | undefined;
  readonly #reverse: boolean;
  #hasRow = false;
  #changes = -1;
  #chunk = 0;
  #at = 0;

  constructor(
    log: RowLog,
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse: boolean,
  ) {
    this.#log = log;
    this.#from = from;
    this.#to = to;
    this.#reverse = reverse;
  }

  /** Moves to the next row. False: there is none. */
  advance(): boolean {
    const log = this.#log;
    if (log.size === 0) return false;
    const chunks = log.chunks();
    if (this.#changes !== log.changes) this.#seek(chunks);
    else this.#at += this.#reverse ? -1 : 1;
    const row = this.#row(chunks);
    if (row === undefined) return false;
    const key = log.key(row);
    const bound = this.#reverse ? this.#from : this.#to;
    if (bound !== undefined) {
      const order = compareBytes(key, bound);
      if (this.#reverse ? order < 0 : order >= 0) return false;
    }
    this.key = key;
    this.value = log.value(row);
    this.#hasRow = true;
    return true;
  }

  #row(chunks: number[][]): number | undefined {
    while (this.#at < 0 && this.#chunk > 0) this.#at = chunks[--this.#chunk].length - 1;
    while (this.#at >= (chunks[this.#chunk]?.length ?? Infinity)) {
      this.#chunk++;
      this.#at = 0;
    }
    return chunks[this.#chunk]?.[this.#at];
  }

  /** Finds the place again: at the start, or after the row in hand. */
  #seek(chunks: number[][]): void {
    this.#changes = this.#log.changes;
    const key = this.#hasRow ? this.key : this.#reverse ? this.#to : this.#from;
    if (key === undefined) {
      this.#chunk = this.#reverse ? chunks.length - 1 : 0;
      this.#at = this.#reverse ? chunks[this.#chunk].length - 1 : 0;
      return;
    }
    const [chunk, at] = this.#log.placeOf(key);
    this.#chunk = chunk;
    const isThere = !this.#reverse && this.#hasRow && at < chunks[chunk].length &&
      compareBytes(this.#log.key(chunks[chunk][at]), key) === 0;
    this.#at = this.#reverse ? at - 1 : isThere ? at + 1 : at;
  }
}

const NOTHING = new Uint8Array(0);
const NO_NUMBERS = new Int32Array(0);

function grownTo(size: number, large: number): number {
  return size < large ? size * 2 : Math.ceil(size * 1.25);
}

function larger(numbers: Int32Array, count: number): Int32Array<ArrayBuffer> {
  const copied = new Int32Array(count);
  copied.set(numbers);
  return copied;
}

function copy(bytes: Uint8Array, target: Uint8Array, start: number): void {
  const length = bytes.length;
  // Below this a loop beats the call.
  if (length > 64) target.set(bytes, start);
  else for (let i = 0; i < length; i++) target[start + i] = bytes[i];
}
