import { compareBytes } from "../record/bytes.ts";

/** A row of `OrderedBytes`. A null value marks a deletion that has yet to reach the layer below. */
export class ByteEntry {
  readonly key: Uint8Array;
  value: Uint8Array | null;
  /** Whether the row differs from what is committed, or may. */
  isDirty = false;
  /** Of a dirty row, what is committed; undefined: not known. */
  committed: Uint8Array | null | undefined = undefined;
  /** Whether it was committed and is not on the disk yet. */
  isUnsaved = false;
  readonly hash: number;
  /** The next row of the same bucket. */
  next: ByteEntry | null;
  constructor(
    key: Uint8Array,
    value: Uint8Array | null,
    hash: number,
    next: ByteEntry | null,
  ) {
    this.key = key;
    this.value = value;
    this.hash = hash;
    this.next = next;
  }
}

/** Rows of a chunk of the order. Chunks are halved when they hold twice as many. */
const CHUNK_ROWS = 256;
const FIRST_BUCKETS = 64;

/**
 * Bytes to bytes in memory: a hash table for single rows and, from the first range on, an order over the same
 * rows. Stores that are only read and written by key never pay for the order; one that is scanned keeps it up to date at the cost of
 * a binary search per new key. The order is a list of short sorted chunks: insertion moves a few hundred references at most.
 */
export class OrderedBytes {
  #buckets: (ByteEntry | null)[] = new Array(FIRST_BUCKETS).fill(null);
  #size = 0;
  #bytes = 0;
  /** Undefined until the first range asks for an order. */
  #chunks: ByteEntry[][] | undefined = undefined;
  /** Counts changes of the order, so that a cursor notices that its place moved. */
  #changes = 0;

  /** How many rows there are, deletions counted. */
  get size(): number {
    return this.#size;
  }
  /** Bytes of keys and values, with a flat charge per row for what holds them. */
  get bytes(): number {
    return this.#bytes;
  }

  find(key: Uint8Array): ByteEntry | undefined {
    const hash = hashBytes(key);
    let entry = this.#buckets[hash & (this.#buckets.length - 1)];
    while (entry !== null) {
      if (entry.hash === hash && sameBytes(entry.key, key)) return entry;
      entry = entry.next;
    }
    return undefined;
  }

  /** The row of that key; a new one has no value and keeps the key array. Values are set with `setValue`. */
  upsert(key: Uint8Array): ByteEntry {
    const hash = hashBytes(key);
    const slot = hash & (this.#buckets.length - 1);
    const first = this.#buckets[slot];
    let entry = first;
    while (entry !== null) {
      if (entry.hash === hash && sameBytes(entry.key, key)) return entry;
      entry = entry.next;
    }
    const added = new ByteEntry(key, null, hash, first);
    this.#buckets[slot] = added;
    this.#size++;
    this.#bytes += key.length + ROW_BYTES;
    if (this.#size > this.#buckets.length) this.#grow();
    if (this.#chunks !== undefined) this.#insert(this.#chunks, added);
    return added;
  }

  /** Gives a row of this table its value. */
  setValue(entry: ByteEntry, value: Uint8Array | null): void {
    this.#bytes += lengthOf(value) - lengthOf(entry.value);
    entry.value = value;
  }

  /** Removes a row of this table altogether. */
  remove(entry: ByteEntry): void {
    const slot = entry.hash & (this.#buckets.length - 1);
    let before: ByteEntry | null = null;
    let each = this.#buckets[slot];
    while (each !== null && each !== entry) {
      before = each;
      each = each.next;
    }
    if (each === null) return;
    if (before === null) this.#buckets[slot] = entry.next;
    else before.next = entry.next;
    this.#size--;
    this.#bytes -= entry.key.length + lengthOf(entry.value) + ROW_BYTES;
    if (this.#chunks !== undefined) this.#extract(this.#chunks, entry);
  }

  clear(): void {
    if (this.#size === 0) return;
    // A table that grew large for one commit is not kept: emptying it would cost as much as making it anew.
    if (this.#buckets.length > 4096) this.#buckets = new Array(FIRST_BUCKETS).fill(null);
    else this.#buckets.fill(null);
    this.#size = 0;
    this.#bytes = 0;
    this.#chunks = undefined;
    this.#changes++;
  }

  /** Whether the rows are kept in order now. */
  get isOrdered(): boolean {
    return this.#chunks !== undefined;
  }

  /** All rows in key order. The array is the caller's. */
  sorted(): ByteEntry[] {
    return this.#chunks !== undefined ? this.#chunks.flat() : this.unordered().sort(byKey);
  }

  /** All rows in any order. The array is the caller's. */
  unordered(): ByteEntry[] {
    const rows = new Array<ByteEntry>(this.#size);
    let count = 0;
    for (const bucket of this.#buckets) {
      for (let entry = bucket; entry !== null; entry = entry.next) rows[count++] = entry;
    }
    return rows;
  }

  /** Walks rows from `from` (inclusive) to `to` (exclusive), or backwards; undefined is open-ended. */
  cursor(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse: boolean,
  ): OrderedCursor {
    return new OrderedCursor(this, from, to, reverse);
  }

  /** For cursors: the change counter. */
  get changes(): number {
    return this.#changes;
  }

  /** For cursors: the chunks, made at the first call. */
  chunks(): ByteEntry[][] {
    if (this.#chunks !== undefined) return this.#chunks;
    const rows = this.sorted();
    const chunks: ByteEntry[][] = [];
    for (let i = 0; i < rows.length; i += CHUNK_ROWS) chunks.push(rows.slice(i, i + CHUNK_ROWS));
    this.#chunks = chunks;
    return chunks;
  }

  #insert(chunks: ByteEntry[][], entry: ByteEntry): void {
    this.#changes++;
    if (chunks.length === 0) {
      chunks.push([entry]);
      return;
    }
    const at = chunkOf(chunks, entry.key);
    const chunk = chunks[at];
    // Keys often arrive in order (times grow): the end of the chunk is tried first.
    if (compareBytes(chunk[chunk.length - 1].key, entry.key) < 0) chunk.push(entry);
    else chunk.splice(lowerBound(chunk, entry.key), 0, entry);
    if (chunk.length > 2 * CHUNK_ROWS) {
      // In growing order the upper part would stay half empty for ever: leave the old one nearly full.
      const keep = at === chunks.length - 1 ? chunk.length - 32 : chunk.length >> 1;
      chunks.splice(at + 1, 0, chunk.splice(keep));
    }
  }

  #extract(chunks: ByteEntry[][], entry: ByteEntry): void {
    this.#changes++;
    const at = chunkOf(chunks, entry.key);
    const chunk = chunks[at];
    if (chunk.length === 1) chunks.splice(at, 1);
    else chunk.splice(lowerBound(chunk, entry.key), 1);
  }

  #grow(): void {
    const old = this.#buckets;
    const buckets: (ByteEntry | null)[] = new Array(old.length * 2).fill(null);
    const mask = buckets.length - 1;
    for (const first of old) {
      let entry = first;
      while (entry !== null) {
        const next = entry.next;
        const slot = entry.hash & mask;
        entry.next = buckets[slot];
        buckets[slot] = entry;
        entry = next;
      }
    }
    this.#buckets = buckets;
  }
}

/** What a row costs beside its bytes, as measured: the entry, two views and its share of the table. */
export const ROW_BYTES = 300;

/** Walks the rows of an `OrderedBytes` in order. Rows that are added or removed meanwhile may or may not be seen; none is seen twice. */
export class OrderedCursor {
  /** The row in hand; undefined before the first `advance` and after the last. */
  entry: ByteEntry | undefined = undefined;
  readonly #rows: OrderedBytes;
  readonly #from: Uint8Array | undefined;
  readonly #to: Uint8Array | undefined;
  readonly #reverse: boolean;
  #changes = -1;
  #chunk = 0;
  #at = 0;

  constructor(
    rows: OrderedBytes,
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    reverse: boolean,
  ) {
    this.#rows = rows;
    this.#from = from;
    this.#to = to;
    this.#reverse = reverse;
  }

  /** Moves to the next row. False: there is none. */
  advance(): boolean {
    const rows = this.#rows;
    if (rows.size === 0) return this.#end();
    const chunks = rows.chunks();
    if (this.#changes !== rows.changes) this.#seek(chunks, rows.changes);
    else if (this.#reverse) this.#at--;
    else this.#at++;
    const entry = this.#reverse ? this.#backward(chunks) : this.#forward(chunks);
    if (entry === undefined) return this.#end();
    this.entry = entry;
    return true;
  }

  #forward(chunks: ByteEntry[][]): ByteEntry | undefined {
    while (this.#chunk < chunks.length && this.#at >= chunks[this.#chunk].length) {
      this.#chunk++;
      this.#at = 0;
    }
    const entry = chunks[this.#chunk]?.[this.#at];
    if (entry === undefined) return undefined;
    return this.#to !== undefined && compareBytes(entry.key, this.#to) >= 0 ? undefined : entry;
  }

  #backward(chunks: ByteEntry[][]): ByteEntry | undefined {
    while (this.#chunk >= 0 && this.#at < 0) {
      this.#chunk--;
      if (this.#chunk >= 0) this.#at = chunks[this.#chunk].length - 1;
    }
    const entry = chunks[this.#chunk]?.[this.#at];
    if (entry === undefined) return undefined;
    return this.#from !== undefined && compareBytes(entry.key, this.#from) < 0 ? undefined : entry;
  }

  /** Finds the place again: at the start, or after the row in hand. */
  #seek(chunks: ByteEntry[][], changes: number): void {
    this.#changes = changes;
    const last = this.entry?.key;
    const key = last ?? (this.#reverse ? this.#to : this.#from);
    if (key === undefined) {
      this.#chunk = this.#reverse ? chunks.length - 1 : 0;
      this.#at = this.#reverse ? chunks[this.#chunk].length - 1 : 0;
      return;
    }
    this.#chunk = chunkOf(chunks, key);
    const chunk = chunks[this.#chunk];
    let at = lowerBound(chunk, key);
    if (this.#reverse) at--;
    else if (last !== undefined && at < chunk.length && sameBytes(chunk[at].key, last)) at++;
    this.#at = at;
  }

  #end(): boolean {
    this.entry = undefined;
    return false;
  }
}

/** The index of the chunk in which the key is, or belongs. There is at least one. */
function chunkOf(chunks: ByteEntry[][], key: Uint8Array): number {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (compareBytes(chunks[middle][0].key, key) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The index of the first row whose key is not below. */
function lowerBound(chunk: ByteEntry[], key: Uint8Array): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(chunk[middle].key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The order of rows. */
export function byKey(a: ByteEntry, b: ByteEntry): number {
  return compareBytes(a.key, b.key);
}

function lengthOf(value: Uint8Array | null): number {
  return value === null ? 0 : value.length;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const length = a.length;
  if (length !== b.length) return false;
  // From the end: keys share their beginnings far more often.
  for (let i = length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}

/** Of `bytes[start, end)`. Four bytes a round; the last step spreads the high bits over the low ones, which choose the bucket. */
export function hashBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let hash = end - start;
  let i = start;
  for (; i + 3 < end; i += 4) {
    const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    hash = Math.imul(hash ^ word, 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
