/**
 * The form that a record's headers have in a slab: for each header
 * `[u32 name length, name as UTF-8, i32 value length or -1 for null, value]`, integers little-endian.
 *
 * @module
 */
import type { ByteWriter } from "../record/bytes.ts";
import { type Header, Headers } from "../record/headers.ts";

const DECODER = new TextDecoder();

/** Reads the headers at `slab[start, start + length)`; a length of 0 or -1 means that there are none. Values are copies. */
export function readHeaders(slab: Uint8Array, start: number, length: number): Headers {
  if (length <= 0) return Headers.EMPTY;
  const entries: Header[] = [];
  const end = start + length;
  let at = start;
  while (at < end) {
    const nameLength = int32(slab, at);
    at += 4;
    const name = text(slab, at, at + nameLength);
    at += nameLength;
    const valueLength = int32(slab, at);
    at += 4;
    if (valueLength < 0) {
      entries.push({ name, value: null });
    } else {
      entries.push({ name, value: slab.slice(at, at + valueLength) });
      at += valueLength;
    }
  }
  return Headers.of(entries);
}

/** Writes headers in their slab form; gives how many bytes that took (0 when there are none). */
export function writeHeaders(writer: ByteWriter, headers: Headers): number {
  if (headers.size === 0) return 0;
  const before = writer.length;
  for (const { name, value } of headers) {
    const lengthAt = writer.reserve(4);
    writer.utf8(name);
    writer.view.setInt32(lengthAt, writer.length - lengthAt - 4, true);
    const valueAt = writer.reserve(4);
    writer.view.setInt32(valueAt, value === null ? -1 : value.length, true);
    if (value !== null) writer.raw(value);
  }
  return writer.length - before;
}

function int32(slab: Uint8Array, at: number): number {
  return slab[at] | (slab[at + 1] << 8) | (slab[at + 2] << 16) | (slab[at + 3] << 24);
}

/** Header names are short and nearly always ASCII: made without the decoder then. */
function text(slab: Uint8Array, start: number, end: number): string {
  if (end - start > 32) return DECODER.decode(slab.subarray(start, end));
  let out = "";
  for (let i = start; i < end; i++) {
    const code = slab[i];
    if (code > 127) return DECODER.decode(slab.subarray(start, end));
    out += String.fromCharCode(code);
  }
  return out;
}
