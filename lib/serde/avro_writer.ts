import { ByteWriter } from "../record/bytes.ts";

/**
 * Avro's binary form, appended to a `ByteWriter`, which grows as it needs to. It stands where avsc has its `Tap` and has the same methods: avsc
 * writes into memory of a fixed size and has to be asked again when that was too small, and it loses the sign of numbers below -2^52.
 */
export class AvroWriter {
  #out: ByteWriter = new ByteWriter(0);

  /** Appends to `out` from here on. */
  open(out: ByteWriter): void {
    this.#out = out;
  }

  writeBoolean(value: boolean): void {
    this.#out.uint8(value ? 1 : 0);
  }

  writeInt(value: number): void {
    this.writeLong(value);
  }

  /** A long given as a safe integer. */
  writeLong(value: number): void {
    const out = this.#out;
    const at = out.reserve(10);
    out.length = putLong(out.bytes, at, value);
  }

  /** A long of 64 bits. */
  writeBigLong(value: bigint): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return this.writeLong(number);
    let bits = BigInt.asUintN(64, value << 1n ^ value >> 63n);
    const out = this.#out;
    while (bits > 0x7fn) {
      out.uint8(Number(bits & 0x7fn) | 0x80);
      bits >>= 7n;
    }
    out.uint8(Number(bits));
  }

  writeFloat(value: number): void {
    const out = this.#out;
    const at = out.reserve(4);
    out.view.setFloat32(at, value, true);
  }

  writeDouble(value: number): void {
    const out = this.#out;
    const at = out.reserve(8);
    out.view.setFloat64(at, value, true);
  }

  writeFixed(bytes: Uint8Array, length: number = bytes.length): void {
    this.#out.raw(bytes, 0, length);
  }

  writeBytes(bytes: Uint8Array): void {
    this.writeLong(bytes.length);
    this.#out.raw(bytes);
  }

  /** Bytes as text of one character each, the form in which avsc keeps encoded defaults. */
  writeBinary(text: string, length: number): void {
    const out = this.#out;
    const at = out.reserve(length);
    for (let i = 0; i < length; i++) out.bytes[at + i] = text.charCodeAt(i);
  }

  /** UTF-8 with its length. */
  writeString(text: string): void {
    const out = this.#out;
    const { length } = text;
    const start = out.reserve(length + 5);
    const { bytes } = out;
    // ASCII is as long as its text, so its length can be written first; anything else starts again.
    const at = putLong(bytes, start, length);
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        out.length = start;
        return this.#writeWide(text);
      }
      bytes[at + i] = code;
    }
    out.length = at + length;
  }

  #writeWide(text: string): void {
    const out = this.#out;
    this.writeLong(utf8Length(text));
    out.utf8(text);
  }
}

/** Writes a zigzag varint and gives the position behind it. */
function putLong(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  if (value >= -1_073_741_824 && value < 1_073_741_824) {
    let rest = (value << 1 ^ value >> 31) >>> 0;
    while (rest > 0x7f) {
      bytes[at++] = rest & 0x7f | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    return at;
  }
  // The sign bit is set apart: doubling the value first would take it beyond 2^53.
  let rest = value < 0 ? -value - 1 : value;
  bytes[at++] = rest % 64 << 1 | (value < 0 ? 1 : 0) | 0x80;
  rest = Math.floor(rest / 64);
  while (rest > 0x7f) {
    bytes[at++] = rest % 128 | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}

/** A lone surrogate counts three bytes: it is written as U+FFFD. */
function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) length += 1;
    else if (code < 0x800) length += 2;
    else if (code >= 0xd800 && code < 0xdc00 && isLow(text.charCodeAt(i + 1))) {
      length += 4;
      i++;
    } else length += 3;
  }
  return length;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
