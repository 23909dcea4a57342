import { ByteWriter, readInt64 } from "../record/bytes.ts";
import { rowBytes, rowCopy, writeInt64 } from "./row_bytes.ts";
import { SEGMENT_BYTES, SegmentedRows, timeAt, writeSegment } from "./segmented_rows.ts";
import type { ByteStore } from "./store.ts";

/** A version of a row as it is stored. */
export interface StoredVersion {
  readonly validFrom: number;
  /** The next version's time; -1 for a deletion that was the latest when it was put: nothing is said of how long it holds. */
  readonly validTo: number;
  /** Null: the row was deleted. */
  readonly value: Uint8Array | null;
}

const SUFFIX_BYTES = 8;
const LAST = Number.MAX_SAFE_INTEGER;

/**
 * The versions of rows that are no longer the latest, and deletions. A version lies in the segment of the time at which the next one
 * took its place, as in Kafka Streams: with that segment it expires. Row: segment, key, int64 valid from → int64 valid to, flag, value.
 */
export class VersionHistory {
  readonly segments: SegmentedRows;
  readonly #out = new ByteWriter(64);

  constructor(
    rows: ByteStore,
    options: { readonly retentionMs: number; readonly segmentIntervalMs: number },
  ) {
    // Nothing reads these rows in order of time.
    const schema = { suffixBytes: SUFFIX_BYTES, timeKey: (stored: Uint8Array) => stored };
    this.segments = new SegmentedRows({ rows, schema, ...options });
  }

  /** The versions of a key that end after `time`, oldest first. */
  *endingAfter(key: Uint8Array, time: number): IterableIterator<StoredVersion> {
    const bounds = { from: this.#storedKey(key, 0, 0), to: this.#storedKey(key, LAST, 0) };
    const cursor = this.segments.ofKey(key.length, bounds, { from: time, to: LAST }, false);
    try {
      while (cursor.advance()) {
        const version = decodeVersion(cursor.key, cursor.value);
        if (version.validTo === -1 || version.validTo > time) yield version;
      }
    } finally {
      cursor.close();
    }
  }

  /** All versions of a key that have not expired, oldest first. */
  ofKey(key: Uint8Array): StoredVersion[] {
    return [...this.endingAfter(key, -1)];
  }

  /** Writes a version; one that ends in an expired segment is left out. */
  put(key: Uint8Array, version: StoredVersion): void {
    const segmentTime = segmentTimeOf(version);
    if (!this.segments.admit(segmentTime)) return;
    const stored = this.#storedKey(key, version.validFrom, segmentTime);
    this.segments.write(stored, encodeVersion(version), false);
  }

  remove(key: Uint8Array, version: StoredVersion): void {
    const stored = this.#storedKey(key, version.validFrom, segmentTimeOf(version));
    this.segments.write(stored, null, false);
  }

  #storedKey(key: Uint8Array, validFrom: number, segmentTime: number): Uint8Array {
    const out = this.#out;
    out.length = SEGMENT_BYTES;
    out.raw(key);
    out.int64(validFrom);
    const stored = rowCopy(out.bytes, 0, out.length);
    writeSegment(stored, this.segments.segmentOf(segmentTime));
    return stored;
  }
}

/** A deletion that is the latest version lies in the segment of its own time. */
function segmentTimeOf(version: StoredVersion): number {
  return version.validTo === -1 ? version.validFrom : version.validTo;
}

function encodeVersion({ validTo, value }: StoredVersion): Uint8Array {
  const stored = rowBytes(9 + (value?.length ?? 0));
  writeInt64(stored, 0, validTo);
  stored[8] = value === null ? 0 : 1;
  if (value !== null) stored.set(value, 9);
  return stored;
}

function decodeVersion(key: Uint8Array, stored: Uint8Array): StoredVersion {
  return {
    validFrom: timeAt(key, SUFFIX_BYTES),
    validTo: readInt64(stored, 0),
    value: stored[8] === 0 ? null : stored.subarray(9),
  };
}
