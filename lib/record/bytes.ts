/**
 * A growing buffer that serdes write into, so that a record is encoded straight into the batch that goes to
 * the producer, or into one scratch buffer for a store key, without an array for each value. Integers are big-endian,
 * as Kafka's own serializers write them.
 */
export class ByteWriter {
  /** The bytes so far are `bytes[0, length)`; replaced when it grows. */
  bytes: Uint8Array;
  /** The view over the same memory. */
  view: DataView;
  /** How many bytes are written. */
  length = 0;

  constructor(initialCapacity = 256) {
    this.bytes = new Uint8Array(initialCapacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes and gives the position where they start; `length` is moved. */
  reserve(count: number): number {
    const start = this.length;
    const needed = start + count;
    if (needed > this.bytes.length) this.#grow(needed);
    this.length = needed;
    return start;
  }

  #grow(needed: number): void {
    let capacity = this.bytes.length * 2;
    while (capacity < needed) capacity *= 2;
    const bytes = new Uint8Array(capacity);
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** Appends one byte. */
  uint8(value: number): void {
    const at = this.reserve(1);
    this.bytes[at] = value;
  }
  /** Appends a big-endian 32-bit integer. */
  int32(value: number): void {
    const at = this.reserve(4);
    this.view.setInt32(at, value);
  }
  /** Appends a big-endian 64-bit integer given as a safe integer (offsets, timestamps). */
  int64(value: number): void {
    const at = this.reserve(8);
    const high = Math.floor(value / 4294967296);
    this.view.setInt32(at, high);
    this.view.setUint32(at + 4, value - high * 4294967296);
  }
  /** Appends a big-endian 64-bit integer. */
  bigInt64(value: bigint): void {
    const at = this.reserve(8);
    this.view.setBigInt64(at, value);
  }
  /** Appends a big-endian 32-bit float. */
  float32(value: number): void {
    const at = this.reserve(4);
    this.view.setFloat32(at, value);
  }
  /** Appends a big-endian 64-bit float. */
  float64(value: number): void {
    const at = this.reserve(8);
    this.view.setFloat64(at, value);
  }
  /** Appends `source[start, end)`. */
  raw(source: Uint8Array, start = 0, end: number = source.length): void {
    const count = end - start;
    const at = this.reserve(count);
    // A loop beats set(subarray()) for the short values that keys are: no view object is made.
    if (count < 48) {
      const target = this.bytes;
      for (let i = 0; i < count; i++) target[at + i] = source[start + i];
    } else {this.bytes.set(
        start === 0 && end === source.length ? source : source.subarray(start, end),
        at,
      );}
  }
  /** Appends the UTF-8 form of `text`, without a length. */
  utf8(text: string): void {
    const length = text.length;
    const at = this.reserve(length);
    const target = this.bytes;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        this.length = at;
        this.#encodeInto(text);
        return;
      }
      target[at + i] = code;
    }
  }
  #encodeInto(text: string): void {
    const at = this.reserve(text.length * 3);
    const { written } = UTF8_ENCODER.encodeInto(text, this.bytes.subarray(at));
    this.length = at + written;
  }

  /** A copy of `[start, length)`. */
  copy(start = 0): Uint8Array {
    return this.bytes.slice(start, this.length);
  }
  /** Forgets what was written; the memory is kept. */
  reset(): void {
    this.length = 0;
  }
}

const UTF8_ENCODER = new TextEncoder();

const BLOCK_BYTES = 16_384;
let block = new Uint8Array(BLOCK_BYTES);
let blockUsed = 0;

/**
 * A copy of `source[start, end)`, cut from a block that many copies share: an array of its own costs V8 an allocation outside its heap, ten times as much. For
 * values that pass by; one that is kept for long keeps its block of 16 KiB.
 */
export function cutCopy(source: Uint8Array, start: number, end: number): Uint8Array {
  const count = end - start;
  // A Buffer's own slice would be a view.
  if (count > BLOCK_BYTES >> 2) return Uint8Array.prototype.slice.call(source, start, end);
  if (blockUsed + count > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    blockUsed = 0;
  }
  const at = blockUsed;
  block.set(source.subarray(start, end), at);
  blockUsed = at + count;
  return block.subarray(at, blockUsed);
}

/** Unsigned byte order, shorter first among equals: the order of every store. Java: `Bytes.compareTo`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < shared; i++) {
    const difference = a[i] - b[i];
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether both hold the same bytes; null equals null only. */
export function equalBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === b) return true;
  if (a === null || b === null || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Reads a big-endian 64-bit integer as a number. Exact up to 2^53. */
export function readInt64(bytes: Uint8Array, at: number): number {
  const high = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  const low =
    ((bytes[at + 4] << 24) | (bytes[at + 5] << 16) | (bytes[at + 6] << 8) | bytes[at + 7]) >>> 0;
  return high * 4294967296 + low;
}

/** Reads a big-endian 32-bit integer. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}
