import { ByteWriter } from "../record/bytes.ts";
import { SchemaPending, SerializationException } from "../errors.ts";
import type { KeyCodec } from "./codecs.ts";
import { LentViews } from "./lent_views.ts";
import { rowCopy } from "./row_bytes.ts";
import {
  SEGMENT_BYTES,
  SegmentedRows,
  type SegmentSchema,
  writeSegment,
} from "./segmented_rows.ts";
import type { ByteCursor, StateEnvironment } from "./store.ts";
import { type TimelineCursor, type TimelineHolder, Timelines } from "./timelines.ts";

/** What tells window rows from session rows. The first number of a row is its time: a window's start, a session's end. */
export interface TimedSchema extends SegmentSchema {
  /** The greatest second number: a window's sequence, a session's start. */
  readonly maxSecond: number;
  /** Appends both numbers to the key that `out` ends with. */
  append(out: ByteWriter, first: number, second: number): void;
  first(stored: Uint8Array): number;
  second(stored: Uint8Array): number;
}

/** Options of `TimedRows`. */
export interface TimedRowsOptions<K> {
  readonly environment: StateEnvironment;
  readonly name: string;
  /** Whether the rows live in memory even where the environment is on disk. */
  readonly volatile: boolean;
  readonly schema: TimedSchema;
  readonly keys: KeyCodec<K>;
  readonly retentionMs: number;
  readonly segmentIntervalMs: number;
  /** Whether rows are kept in order of time as well, for emit on close. */
  readonly inTimeOrder: boolean;
  /** How much longer than the retention rows can be read (ms). Default 0. */
  readonly readableLongerMs?: number;
}

/** Rows that are read at the start, so that a restart does not make look-ups slow until its first segments have passed. */
const PRELOADED_ROWS = 50_000;

/**
 * The rows of a window or session store: in segments on the engine, and the recent ones by key in memory, where nearly all look-ups by key
 * are answered.
 */
export class TimedRows<K> {
  readonly segments: SegmentedRows;
  readonly #options: TimedRowsOptions<K>;
  readonly #out = new ByteWriter(64);
  /** The key of the row that is written now. */
  readonly #lent = new ByteWriter(64);
  readonly #lentKeys = new LentViews(0);
  readonly #lentChangelogKeys = new LentViews(SEGMENT_BYTES);
  /** Made with the first look-up: a store that is only restored needs none. */
  #timelines: Timelines<K> | undefined = undefined;

  constructor(options: TimedRowsOptions<K>) {
    this.#options = options;
    const { environment, name, volatile } = options;
    const kind = { volatile, lean: true };
    this.segments = new SegmentedRows({
      rows: environment.open(name, kind),
      byTime: options.inTimeOrder ? environment.open(`${name}:time`, kind) : undefined,
      schema: options.schema,
      retentionMs: options.retentionMs,
      segmentIntervalMs: options.segmentIntervalMs,
      readableLongerMs: options.readableLongerMs,
    });
    this.segments.expired = (before) => this.#timelines?.expireBefore(before);
  }

  close(): void {
    this.#timelines?.close();
    this.#timelines = undefined;
  }

  /** The least time that reads still show. */
  get minReadable(): number {
    return this.segments.minReadable;
  }

  storedKey(key: K, first: number, second: number): Uint8Array {
    const { schema, keys } = this.#options;
    const out = this.#out;
    out.length = SEGMENT_BYTES;
    keys.append(key, out);
    schema.append(out, first, second);
    const stored = rowCopy(out.bytes, 0, out.length);
    writeSegment(stored, this.segments.segmentOf(first));
    return stored;
  }

  /** As `storedKey`, but good until the next call only, where the store copies it. */
  lentKey(key: K, first: number, second: number): Uint8Array {
    if (!this.segments.rows.copies) return this.storedKey(key, first, second);
    const { schema, keys } = this.#options;
    const out = this.#lent;
    out.length = SEGMENT_BYTES;
    keys.append(key, out);
    schema.append(out, first, second);
    writeSegment(out.bytes, this.segments.segmentOf(first));
    return this.#lentKeys.upTo(out.bytes, out.length);
  }

  /** What the changelog has of a key that `lentKey` or `storedKey` gave last. */
  changelogKey(stored: Uint8Array): Uint8Array {
    return this.segments.rows.copies
      ? this.#lentChangelogKeys.upTo(this.#lent.bytes, stored.length)
      : stored.subarray(SEGMENT_BYTES);
  }

  /** The value; undefined when the row is missing, or too old to be read. */
  get(key: K, first: number, second: number, holder?: TimelineHolder): Uint8Array | undefined {
    return first < this.minReadable ? undefined : this.#get(key, first, second, holder);
  }

  #get(
    key: K,
    first: number,
    second: number,
    holder: TimelineHolder | undefined,
  ): Uint8Array | undefined {
    const timelines = this.#timelines ?? this.#load();
    if (first >= timelines.completeFrom) return timelines.get(key, first, second, holder);
    return this.segments.rows.get(this.storedKey(key, first, second));
  }

  /** Whether there is such a row, readable or not. */
  has(key: K, first: number, second: number): boolean {
    return this.#get(key, first, second, undefined) !== undefined;
  }

  /** Writes a row (null deletes) under the key that `lentKey` gave. False: it has expired and was not written. */
  write(
    key: K,
    stored: Uint8Array,
    first: number,
    second: number,
    value: Uint8Array | null,
    holder?: TimelineHolder,
  ): boolean {
    const { segments } = this;
    if (!segments.admit(first)) return false;
    const timelines = this.#timelines ?? this.#load();
    const isNew = segments.isInTimeOrder && !this.has(key, first, second);
    timelines.put(key, first, second, value, holder);
    segments.write(stored, value, isNew);
    return true;
  }

  /** The rows of a key whose first numbers lie in [from, to], in order. */
  ofKey(key: K, from: number, to: number, reverse: boolean): TimelineCursor {
    const timelines = this.#timelines ?? this.#load();
    const known = timelines.cursor(key, from, to, reverse);
    if (known !== undefined) return known;
    const { schema } = this.#options;
    const bounds = {
      from: this.storedKey(key, from, 0),
      to: this.storedKey(key, to, schema.maxSecond),
    };
    const keyLength = bounds.from.length - SEGMENT_BYTES - schema.suffixBytes;
    return new StoredCursor(this.segments.ofKey(keyLength, bounds, { from, to }, reverse), schema);
  }

  /** Applies rows of the changelog, which come with room for the segment before their keys. */
  restore(rows: Iterable<readonly [Uint8Array, Uint8Array | null]>): void {
    const { schema } = this.#options;
    const restored: [Uint8Array, Uint8Array | null, number][] = [];
    for (const [stored, value] of rows) {
      const first = schema.first(stored);
      writeSegment(stored, this.segments.segmentOf(first));
      restored.push([stored, value, first]);
    }
    this.close();
    this.segments.restore(restored);
  }

  /** Reads whole segments, the newest first, as long as they are few rows. */
  #load(): Timelines<K> {
    const { keys } = this.#options;
    const { segments } = this;
    const newest = segments.segments[segments.segments.length - 1];
    const timelines = new Timelines<K>((key) => keys.encode(key), {
      completeFrom: newest === undefined ? 0 : segments.startOf(newest + 1),
      budget: segments.rows.residentBudget,
    });
    this.#timelines = timelines;
    let left = PRELOADED_ROWS;
    for (let i = segments.segments.length - 1; i >= 0 && left > 0; i--) {
      left = this.#loadSegment(timelines, segments.segments[i], left);
    }
    return timelines;
  }

  /** Gives how many rows may still be read; 0 when this segment had too many. */
  #loadSegment(timelines: Timelines<K>, segment: number, limit: number): number {
    const { keys, schema } = this.#options;
    const cursor = this.segments.ofSegment(segment);
    const completeFrom = timelines.completeFrom;
    let left = limit;
    try {
      timelines.completeFrom = this.segments.startOf(segment);
      while (left > 0 && cursor.advance()) {
        const { key: stored, value } = cursor;
        const key = keys.decode(stored, SEGMENT_BYTES, stored.length - schema.suffixBytes);
        timelines.put(key, schema.first(stored), schema.second(stored), value);
        left--;
      }
    } catch (error) {
      // What cannot be decoded now is reported by the read that needs it.
      if (!(error instanceof SchemaPending || error instanceof SerializationException)) throw error;
      left = 0;
    } finally {
      cursor.close();
    }
    if (left === 0) {
      timelines.completeFrom = completeFrom;
      timelines.dropBefore(completeFrom);
    }
    return left;
  }
}

/** A key's rows as the engine has them. */
class StoredCursor implements TimelineCursor {
  readonly #rows: ByteCursor;
  readonly #schema: TimedSchema;
  constructor(rows: ByteCursor, schema: TimedSchema) {
    this.#rows = rows;
    this.#schema = schema;
  }
  get first(): number {
    return this.#schema.first(this.#rows.key);
  }
  get second(): number {
    return this.#schema.second(this.#rows.key);
  }
  get value(): Uint8Array {
    return this.#rows.value;
  }
  advance(): boolean {
    return this.#rows.advance();
  }
  close(): void {
    this.#rows.close();
  }
}
