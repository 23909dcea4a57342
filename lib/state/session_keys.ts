import { SEGMENT_BYTES, timeAt } from "./segmented_rows.ts";
import { rowBytes } from "./row_bytes.ts";
import type { TimedSchema } from "./timed_rows.ts";

/** Key, int64 end, int64 start: the key of a session in store, changelog and topics. Kafka Streams: `SessionKeySchema`. */
export const SESSION_SUFFIX_BYTES = 16;

/** The key of a session. Kafka Streams: `SessionKeySchema.toBinary`. */
export function sessionKey(key: Uint8Array, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(key.length + SESSION_SUFFIX_BYTES);
  bytes.set(key);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(key.length, BigInt(end));
  view.setBigInt64(key.length + 8, BigInt(start));
  return bytes;
}

/** The end (epoch ms) in a session's key. */
export function sessionEnd(key: Uint8Array): number {
  return timeAt(key, 16);
}

/** The start (epoch ms) in a session's key. */
export function sessionStart(key: Uint8Array): number {
  return timeAt(key, 8);
}

/** Session rows; in order of time by end, start and key (`TimeFirstSessionKeySchema`). */
export const SESSION_SCHEMA: TimedSchema = {
  suffixBytes: SESSION_SUFFIX_BYTES,
  maxSecond: Number.MAX_SAFE_INTEGER,
  // The end goes first: sessions that may overlap are then a range.
  append(out, end, start) {
    out.int64(end);
    out.int64(start);
  },
  first: sessionEnd,
  second: sessionStart,
  timeKey(stored) {
    const keyLength = stored.length - SEGMENT_BYTES - SESSION_SUFFIX_BYTES;
    const time = rowBytes(stored.length - SEGMENT_BYTES);
    time.set(stored.subarray(SEGMENT_BYTES + keyLength));
    time.set(stored.subarray(SEGMENT_BYTES, SEGMENT_BYTES + keyLength), SESSION_SUFFIX_BYTES);
    return time;
  },
};
