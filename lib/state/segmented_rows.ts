import { compareBytes, readInt64 } from "../record/bytes.ts";
import { NO_ROWS } from "./key_value_store.ts";
import { writeInt64 } from "./row_bytes.ts";
import type { ByteCursor, ByteStore } from "./store.ts";

/** Bytes of a stored key before the key itself: the number of its segment of time, 48 bits. */
export const SEGMENT_BYTES = 6;
/** What Kafka Streams' caches have in its place. */
export const CACHED_SEGMENT_BYTES = 8;

/** What rows of a segment have after their keys. */
export interface SegmentSchema {
  /** Bytes after the key: 12 for windows (start, sequence), 16 for sessions (end, start). */
  readonly suffixBytes: number;
  /** The place of a row in the order of time, as bytes: time first, then what Kafka Streams' time-first schema has. */
  timeKey(stored: Uint8Array): Uint8Array;
}

/**
 * Rows that expire by time. A row lies in a segment of time, in it by key: the order in which Kafka Streams' persistent window and session
 * stores iterate, and expiry is the removal of a range. The changelog's key is the stored key without its segment.
 *
 * `observedStreamTime` is the greatest time put so far, -1 after opening. Rows that lie in a segment before that of
 * `observedStreamTime - retention` are refused; reads leave out what is older than `observedStreamTime - retention + 1`, exactly.
 * Kafka Streams: `AbstractRocksDBSegmentedBytesStore`, `AbstractSegments`.
 */
export class SegmentedRows {
  observedStreamTime = -1;
  /** Called when all rows before an instant have expired. */
  expired: ((before: number) => void) | undefined = undefined;
  readonly rows: ByteStore;
  readonly #byTime: ByteStore | undefined;
  readonly #schema: SegmentSchema;
  readonly #retentionMs: number;
  readonly #readableMs: number;
  readonly #intervalMs: number;
  /** Segments that hold rows, in order. */
  #segments: number[];

  constructor(options: {
    readonly rows: ByteStore;
    /** A second store that keeps the rows' places in order of time. */
    readonly byTime?: ByteStore;
    readonly schema: SegmentSchema;
    readonly retentionMs: number;
    /** How much longer than the retention rows can be read (ms). Default 0. */
    readonly readableLongerMs?: number;
    readonly segmentIntervalMs: number;
  }) {
    this.rows = options.rows;
    this.#byTime = options.byTime;
    this.#schema = options.schema;
    this.#retentionMs = options.retentionMs;
    this.#readableMs = options.retentionMs + (options.readableLongerMs ?? 0);
    this.#intervalMs = options.segmentIntervalMs;
    this.#segments = existingSegments(options.rows);
  }

  /** The least time that reads still show. */
  get minReadable(): number {
    return this.observedStreamTime - this.#readableMs + 1;
  }

  segmentOf(time: number): number {
    return Math.trunc(time / this.#intervalMs);
  }

  /** The first instant of a segment. */
  startOf(segment: number): number {
    return segment * this.#intervalMs;
  }

  /** The segments that hold rows, oldest first. */
  get segments(): readonly number[] {
    return this.#segments;
  }

  /** All rows of a segment, by key. */
  ofSegment(segment: number): ByteCursor {
    return this.rows.cursor(segmentPrefix(segment), segmentPrefix(segment + 1));
  }

  /** Moves the observed time on; false when a row of that time has expired and is to be refused. */
  admit(time: number): boolean {
    if (time > this.observedStreamTime) this.observedStreamTime = time;
    const segment = this.segmentOf(time);
    const minLive = this.segmentOf(this.observedStreamTime - this.#retentionMs);
    if (segment < minLive) return false;
    const segments = this.#segments;
    if (segments[segments.length - 1] !== segment) this.#addSegment(segment);
    // With each row, not with each new segment: sessions are emitted by their segments' expiry, not by their own.
    this.#removeExpired(minLive);
    return true;
  }

  /** Moves the observed time on and removes what has expired by then. */
  advance(time: number): void {
    if (time <= this.observedStreamTime) return;
    this.observedStreamTime = time;
    this.#removeExpired(this.segmentOf(time - this.#retentionMs));
  }

  #addSegment(segment: number): void {
    const segments = this.#segments;
    let at = segments.length;
    while (at > 0 && segments[at - 1] > segment) at--;
    if (at > 0 && segments[at - 1] === segment) return;
    segments.splice(at, 0, segment);
  }

  #removeExpired(minLive: number): void {
    const segments = this.#segments;
    if (segments.length === 0 || segments[0] >= minLive) return;
    this.#segments = segments.filter((s) => s >= minLive);
    const floor = Math.max(0, this.startOf(minLive));
    this.rows.trim(segmentPrefix(minLive));
    this.#byTime?.trim(timeBytes(floor));
    this.expired?.(floor);
  }

  /** Whether rows are kept in order of time as well. */
  get isInTimeOrder(): boolean {
    return this.#byTime !== undefined;
  }

  /** Writes a row that was admitted; null deletes. `isNew`: there was no such row. */
  write(stored: Uint8Array, value: Uint8Array | null, isNew: boolean): void {
    if (value === null) {
      this.rows.delete(stored);
      this.#byTime?.delete(this.#schema.timeKey(stored));
      return;
    }
    if (isNew) this.#byTime?.put(this.#schema.timeKey(stored), stored);
    this.rows.put(stored, value);
  }

  /** Applies rows of the changelog, which come with their stored keys. */
  restore(rows: readonly (readonly [Uint8Array, Uint8Array | null, number])[]): void {
    for (const row of rows) {
      if (row[2] > this.observedStreamTime) this.observedStreamTime = row[2];
    }
    const minLive = this.segmentOf(this.observedStreamTime - this.#retentionMs);
    const live: (readonly [Uint8Array, Uint8Array | null])[] = [];
    for (const row of rows) {
      const segment = this.segmentOf(row[2]);
      if (segment < minLive) continue;
      this.#addSegment(segment);
      live.push([row[0], row[1]]);
    }
    this.#removeExpired(minLive);
    this.rows.bulk(live);
    this.#byTime?.bulk(
      live.map(([key, value]) => [this.#schema.timeKey(key), value === null ? null : key] as const),
    );
  }

  /**
   * Rows of one key, segment by segment, whose suffixes lie in [from, to] (both inclusive).
   * `bounds` gives the stored keys between which they lie in a segment; other keys in between are left out.
   */
  ofKey(
    keyLength: number,
    bounds: { readonly from: Uint8Array; readonly to: Uint8Array },
    times: { readonly from: number; readonly to: number },
    reverse: boolean,
  ): ByteCursor {
    const segments = this.#between(times.from, times.to);
    if (segments.length === 0) return NO_ROWS;
    const length = SEGMENT_BYTES + keyLength + this.#schema.suffixBytes;
    const within = (stored: Uint8Array) =>
      stored.length === length && sharesKey(stored, bounds.from, keyLength);
    return new SegmentsCursor(this.rows, segments, bounds, reverse, within);
  }

  /** Rows of all keys that `within` lets through, segment by segment, in each by key. */
  inKeyOrder(
    bounds: { readonly from: Uint8Array | undefined; readonly to: Uint8Array | undefined },
    times: { readonly from: number; readonly to: number },
    reverse: boolean,
    within: (stored: Uint8Array) => boolean,
  ): ByteCursor {
    const segments = this.#between(times.from, times.to);
    if (segments.length === 0) return NO_ROWS;
    return new SegmentsCursor(
      this.rows,
      segments,
      { from: bounds.from ?? EMPTY_SEGMENT, to: bounds.to },
      reverse,
      within,
    );
  }

  /** Rows whose first time lies in [from, to], in order of time; undefined when the store keeps no such order. */
  inTimeOrder(from: number, to: number, reverse: boolean): ByteCursor | undefined {
    if (this.#byTime === undefined) return undefined;
    if (this.#segments.length === 0) return NO_ROWS;
    // Rows of expired segments stay where they are until the next save.
    const lower = timeBytes(Math.max(0, from, this.startOf(this.#segments[0])));
    const upper = timeBytes(to === Number.MAX_SAFE_INTEGER ? to : to + 1);
    return new TimeCursor(this.#byTime.cursor(lower, upper, reverse), this.rows);
  }

  #between(from: number, to: number): number[] {
    const first = this.segmentOf(from);
    const last = this.segmentOf(to);
    return this.#segments.filter((segment) => segment >= first && segment <= last);
  }
}

/** The beginning of all stored keys of a segment. */
export function segmentPrefix(segment: number): Uint8Array {
  const prefix = new Uint8Array(SEGMENT_BYTES);
  writeSegment(prefix, segment);
  return prefix;
}

/** Writes a segment's number to the start of a stored key. */
export function writeSegment(stored: Uint8Array, segment: number): void {
  const number = segment < 0 ? 0 : segment;
  const high = Math.floor(number / 4294967296);
  stored[0] = high >>> 8;
  stored[1] = high;
  stored[2] = number >>> 24;
  stored[3] = number >>> 16;
  stored[4] = number >>> 8;
  stored[5] = number;
}

function readSegment(stored: Uint8Array): number {
  const high = (stored[0] << 8) | stored[1];
  const low = ((stored[2] << 24) | (stored[3] << 16) | (stored[4] << 8) | stored[5]) >>> 0;
  return high * 4294967296 + low;
}

/** Finds the segments by jumping from one to the next, not by reading all rows. */
function existingSegments(rows: ByteStore): number[] {
  const segments: number[] = [];
  let from: Uint8Array | undefined = undefined;
  while (true) {
    const cursor = rows.cursor(from, undefined);
    const found = cursor.advance();
    const segment = found ? readSegment(cursor.key) : -1;
    cursor.close();
    if (!found) return segments;
    segments.push(segment);
    from = segmentPrefix(segment + 1);
  }
}

function timeBytes(time: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeInt64(bytes, 0, time);
  return bytes;
}

function sharesKey(stored: Uint8Array, other: Uint8Array, keyLength: number): boolean {
  for (let i = SEGMENT_BYTES; i < SEGMENT_BYTES + keyLength; i++) {
    if (stored[i] !== other[i]) return false;
  }
  return true;
}

const EMPTY_SEGMENT = new Uint8Array(SEGMENT_BYTES);

/** Walks segments one after the other. */
class SegmentsCursor implements ByteCursor {
  key: Uint8Array = EMPTY_SEGMENT;
  value: Uint8Array = EMPTY_SEGMENT;
  readonly #rows: ByteStore;
  readonly #segments: number[];
  readonly #bounds: { readonly from: Uint8Array; readonly to: Uint8Array | undefined };
  readonly #reverse: boolean;
  readonly #within: (stored: Uint8Array) => boolean;
  #next: number;
  #cursor: ByteCursor | undefined = undefined;

  constructor(
    rows: ByteStore,
    segments: number[],
    bounds: { readonly from: Uint8Array; readonly to: Uint8Array | undefined },
    reverse: boolean,
    within: (stored: Uint8Array) => boolean,
  ) {
    this.#rows = rows;
    this.#segments = segments;
    this.#bounds = bounds;
    this.#reverse = reverse;
    this.#within = within;
    this.#next = reverse ? segments.length - 1 : 0;
  }

  advance(): boolean {
    while (true) {
      const cursor = this.#cursor ??= this.#open();
      if (cursor === undefined) return false;
      while (cursor.advance()) {
        if (!this.#within(cursor.key)) continue;
        this.key = cursor.key;
        this.value = cursor.value;
        return true;
      }
      this.#cursor = undefined;
    }
  }

  #open(): ByteCursor | undefined {
    const segment = this.#segments[this.#next];
    if (segment === undefined) return undefined;
    this.#next += this.#reverse ? -1 : 1;
    const from = this.#bounds.from.slice();
    writeSegment(from, segment);
    let to: Uint8Array;
    if (this.#bounds.to === undefined) to = segmentPrefix(segment + 1);
    else {
      // Inclusive: one byte more than the last key.
      to = new Uint8Array(this.#bounds.to.length + 1);
      to.set(this.#bounds.to);
      writeSegment(to, segment);
    }
    return this.#rows.cursor(from, to, this.#reverse);
  }

  close(): void {
    this.#cursor?.close();
    this.#cursor = undefined;
    this.#next = -1;
  }
}

/** Walks the order of time and looks each row up. */
class TimeCursor implements ByteCursor {
  key: Uint8Array = EMPTY_SEGMENT;
  value: Uint8Array = EMPTY_SEGMENT;
  readonly #places: ByteCursor;
  readonly #rows: ByteStore;
  constructor(places: ByteCursor, rows: ByteStore) {
    this.#places = places;
    this.#rows = rows;
  }
  advance(): boolean {
    while (this.#places.advance()) {
      this.key = this.#places.value;
      const value = this.#rows.get(this.key);
      if (value === undefined) continue;
      this.value = value;
      return true;
    }
    return false;
  }
  close(): void {
    this.#places.close();
  }
}

/**
 * The greatest stored key that a key up to `keyTo` can have, as an upper bound of a scan; undefined when only the segment's end is safe. A
 * shorter key that begins `keyTo` goes on with its time, whose first byte is 0: it stays below unless `keyTo` has a 0 there too.
 */
export function upperBound(keyTo: Uint8Array, suffixBytes: number): Uint8Array | undefined {
  if (keyTo.includes(0)) return undefined;
  const bound = new Uint8Array(SEGMENT_BYTES + keyTo.length + suffixBytes).fill(255);
  bound.set(keyTo, SEGMENT_BYTES);
  return bound;
}

/** Whether the key of a stored key lies in [from, to]; undefined is open-ended. */
export function keyWithin(
  stored: Uint8Array,
  suffixBytes: number,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
): boolean {
  if (from === undefined && to === undefined) return true;
  const key = stored.subarray(SEGMENT_BYTES, stored.length - suffixBytes);
  return (from === undefined || compareBytes(key, from) >= 0) &&
    (to === undefined || compareBytes(key, to) <= 0);
}

/** The 64-bit integer that stands `back` bytes before a key's end. */
export function timeAt(stored: Uint8Array, back: number): number {
  return readInt64(stored, stored.length - back);
}
