import { Buffer } from "node:buffer";
import process from "node:process";

type Utf8Slice = (this: Uint8Array, start: number, end: number) => string;

// Called on any Uint8Array, so that neither a view nor a Buffer is made. A byte order mark stays, as in Java; a TextDecoder would drop it.
const utf8Slice = (Buffer.prototype as unknown as { utf8Slice: Utf8Slice }).utf8Slice;

/**
 * Up to this length character codes beat the native call on V8; on JavaScriptCore they never do. Decoded keys put into a Map, million a second, at 4, 10, 13, 20, 64
 * bytes: V8 by codes 14.7, 11.6, 6.2, 4.4, 3.5, native 10.7, 8.9, 7.9, 6.9, 8.0; JavaScriptCore by codes 12.6, 6.1, 4.0, 3.7, native 16.8, 17.7, 15.8, 14.4, 12.1.
 */
const BY_CODES = process.versions.bun === undefined ? 11 : 0;

/**
 * UTF-8 to text. What is no UTF-8 becomes U+FFFD, as in Java's `new String(bytes, UTF_8)`, save that an encoded surrogate becomes three of them, not one.
 */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > BY_CODES) return utf8Slice.call(bytes, start, end);
  let text = "";
  let at = start;
  // Eight characters a call: fromCharCode makes one flat string of them, where += would make a rope of single ones.
  if (end - at >= 8) {
    const a = bytes[at], b = bytes[at + 1], c = bytes[at + 2], d = bytes[at + 3];
    const e = bytes[at + 4], f = bytes[at + 5], g = bytes[at + 6], h = bytes[at + 7];
    if ((a | b | c | d | e | f | g | h) > 127) return utf8Slice.call(bytes, start, end);
    text = String.fromCharCode(a, b, c, d, e, f, g, h);
    at += 8;
  }
  for (; at < end; at++) {
    const code = bytes[at];
    if (code > 127) return utf8Slice.call(bytes, start, end);
    text += String.fromCharCode(code);
  }
  return text;
}
