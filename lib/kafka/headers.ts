/**
 * Headers in a slab: for each header a little-endian `u32` length and the name in UTF-8, then a little-endian `i32` length, -1 for null, and
 * the value. The addon writes and reads the same form.
 *
 * @module
 */
import type { ByteWriter } from "../record/bytes.ts";
import { type Header, Headers } from "../record/headers.ts";

const DECODER = new TextDecoder();

/** Reads the headers in `slab[start, start + length)`; the values are copies. */
export function readHeaders(slab: Uint8Array, start: number, length: number): Headers {
  const entries: Header[] = [];
  const end = start + length;
  let at = start;
  while (at < end) {
    const nameLength = readInt32(slab, at);
    at += 4;
    const name = DECODER.decode(slab.subarray(at, at + nameLength));
    at += nameLength;
    const valueLength = readInt32(slab, at);
    at += 4;
    const value = valueLength < 0 ? null : slab.slice(at, at + valueLength);
    at += valueLength < 0 ? 0 : valueLength;
    entries.push({ name, value });
  }
  return Headers.of(entries);
}

/** Appends headers in the slab's form. */
export function encodeHeaders(headers: Headers, out: ByteWriter): void {
  for (const { name, value } of headers) {
    const at = out.reserve(4);
    const nameStart = out.length;
    out.utf8(name);
    out.view.setUint32(at, out.length - nameStart, true);
    const lengthAt = out.reserve(4);
    out.view.setInt32(lengthAt, value === null ? -1 : value.length, true);
    if (value !== null) out.raw(value);
  }
}

function readInt32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
