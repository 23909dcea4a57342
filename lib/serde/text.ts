const DECODER = new TextDecoder();

/**
 * UTF-8 to text without making a view for short ASCII, which keys nearly always are. A malformed sequence becomes U+FFFD, as in
 * Java's `new String(bytes, UTF_8)`.
 */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > 24) return DECODER.decode(bytes.subarray(start, end));
  let text = "";
  let at = start;
  // Eight characters a call: fromCharCode makes one flat string of them, where += would make a rope of single ones.
  while (end - at >= 8) {
    const a = bytes[at], b = bytes[at + 1], c = bytes[at + 2], d = bytes[at + 3];
    const e = bytes[at + 4], f = bytes[at + 5], g = bytes[at + 6], h = bytes[at + 7];
    if ((a | b | c | d | e | f | g | h) > 127) return DECODER.decode(bytes.subarray(start, end));
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
    at += 8;
  }
  for (; at < end; at++) {
    const code = bytes[at];
    if (code > 127) return DECODER.decode(bytes.subarray(start, end));
    text += String.fromCharCode(code);
  }
  return text;
}
