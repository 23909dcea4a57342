/**
 * Where the bytes of rows come from. An array of its own for each key and value costs V8 an allocation outside its heap, up to ten times as
 * much as the row itself; rows are therefore cut from small blocks. A block lives as long as one of its rows: small blocks bound what a
 * row that stays can keep from being freed.
 *
 * @module
 */
const BLOCK_BYTES = 2_048;
let block = new Uint8Array(BLOCK_BYTES);
let used = 0;

/** Room for a row's key or value, to be filled by the caller. */
export function rowBytes(length: number): Uint8Array {
  if (length > BLOCK_BYTES >> 2) return new Uint8Array(length);
  if (used + length > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    used = 0;
  }
  const start = used;
  used += length;
  return block.subarray(start, used);
}

/** A copy of `source[start, end)` to keep. */
export function rowCopy(source: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  const copy = rowBytes(length);
  // Below this a loop beats the two calls of set and subarray.
  if (length <= 64) { for (let i = 0; i < length; i++) copy[i] = source[start + i]; }
  else copy.set(source.subarray(start, end));
  return copy;
}

/** Writes a big-endian 64-bit integer given as a safe integer. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 4294967296);
  const low = value - high * 4294967296;
  bytes[at] = high >> 24;
  bytes[at + 1] = high >> 16;
  bytes[at + 2] = high >> 8;
  bytes[at + 3] = high;
  bytes[at + 4] = low >>> 24;
  bytes[at + 5] = low >>> 16;
  bytes[at + 6] = low >>> 8;
  bytes[at + 7] = low;
}
