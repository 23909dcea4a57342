import { compareBytes, readInt32 } from "../record/bytes.ts";
import { SEGMENT_BYTES, timeAt } from "./segmented_rows.ts";
import { rowBytes } from "./row_bytes.ts";
import type { TimedSchema } from "./timed_rows.ts";

/** Key, int64 start, int32 sequence: the key of a window row in store and changelog. Kafka Streams: `WindowKeySchema`. */
export const WINDOW_SUFFIX_BYTES = 12;

/** The key of a window row. Kafka Streams: `WindowKeySchema.toStoreKeyBinary`. */
export function windowKey(key: Uint8Array, start: number, sequence = 0): Uint8Array {
  const bytes = new Uint8Array(key.length + WINDOW_SUFFIX_BYTES);
  bytes.set(key);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(key.length, BigInt(start));
  view.setInt32(key.length + 8, sequence);
  return bytes;
}

/** The start (epoch ms) in a window row's key. */
export function windowStart(key: Uint8Array): number {
  return timeAt(key, 12);
}

/** The end of a window that starts at `start`: never beyond what a number holds exactly. Kafka Streams: `timeWindowForSize`. */
export function windowEnd(start: number, sizeMs: number): number {
  return Math.min(start + sizeMs, Number.MAX_SAFE_INTEGER);
}

/** Window rows; in order of time by start, key and sequence (`TimeFirstWindowKeySchema`). */
export const WINDOW_SCHEMA: TimedSchema = {
  suffixBytes: WINDOW_SUFFIX_BYTES,
  maxSecond: 0x7fffffff,
  append(out, start, sequence) {
    out.int64(start);
    out.int32(sequence);
  },
  first: windowStart,
  second: (stored) => readInt32(stored, stored.length - 4),
  timeKey(stored) {
    const keyLength = stored.length - SEGMENT_BYTES - WINDOW_SUFFIX_BYTES;
    const time = rowBytes(stored.length - SEGMENT_BYTES);
    time.set(stored.subarray(SEGMENT_BYTES + keyLength, SEGMENT_BYTES + keyLength + 8));
    time.set(stored.subarray(SEGMENT_BYTES, SEGMENT_BYTES + keyLength), 8);
    time.set(stored.subarray(SEGMENT_BYTES + keyLength + 8), 8 + keyLength);
    return time;
  },
};

/** The order of stored keys by start, then key and sequence: that of `WINDOW_SCHEMA.timeKey`, without making it. */
export function compareTimeFirst(a: Uint8Array, b: Uint8Array): number {
  const byTime = windowStart(a) - windowStart(b);
  if (byTime !== 0) return byTime;
  const byKey = compareBytes(
    a.subarray(SEGMENT_BYTES, a.length - WINDOW_SUFFIX_BYTES),
    b.subarray(SEGMENT_BYTES, b.length - WINDOW_SUFFIX_BYTES),
  );
  return byKey !== 0 ? byKey : compareBytes(a.subarray(a.length - 4), b.subarray(b.length - 4));
}
