import { cutCopy } from "../record/bytes.ts";
import { decodeText } from "./text.ts";

/** Counts up to this are believed even where no bytes are left for them: items such as null take none. */
const EMPTY_ITEMS = 65_536;

/**
 * Avro's binary form, read between two positions of a slab. It stands where avsc has its `Tap` and has the same methods, for three reasons: it
 * ends at the record's end and not at the slab's, so a cut record never reads its neighbour; it refuses counts and lengths that no bytes
 * back, which avsc follows into loops of billions; and one object serves every record.
 *
 * Methods throw a `RangeError` that says what is wrong; the serde adds where.
 */
export class AvroReader {
  buf: Uint8Array = new Uint8Array(0);
  pos = 0;
  end = 0;

  /** Begins at `bytes[start, end)`. */
  open(bytes: Uint8Array, start: number, end: number): void {
    this.buf = bytes;
    this.pos = start;
    this.end = end;
  }

  /** Always: what is not valid has thrown. */
  isValid(): boolean {
    return true;
  }

  /** Where the next `count` bytes begin; they are used up. */
  take(count: number): number {
    const at = this.pos;
    if (count < 0 || count > this.end - at) {
      throw new RangeError(`it is cut short: ${count} bytes are due and ${this.end - at} are left`);
    }
    this.pos = at + count;
    return at;
  }

  readBoolean(): boolean {
    const byte = this.buf[this.take(1)];
    if (byte > 1) throw new RangeError(`a boolean is the byte ${byte}`);
    return byte === 1;
  }

  readInt(): number {
    const value = this.readLong();
    if (value !== (value | 0)) throw new RangeError(`an int holds ${value}`);
    return value;
  }

  /** A long as a number: exact up to 2^53, and beyond it at least never below, so that a check for safe integers finds it. */
  readLong(): number {
    const { buf } = this;
    let at = this.pos;
    let byte = buf[at++];
    let low = byte & 0x7f;
    for (let shift = 7; byte & 0x80; shift += 7) {
      if (shift === 28) return this.#readRest(low, at);
      byte = buf[at++];
      low |= (byte & 0x7f) << shift;
    }
    this.#moveTo(at);
    return (low >>> 1) ^ -(low & 1);
  }

  /** What follows 28 bits, in floating point. The sign bit is split off first: above 2^53 it would be rounded away. */
  #readRest(low: number, from: number): number {
    const { buf } = this;
    let at = from;
    let value = low >>> 1;
    let unit = 134_217_728;
    let byte: number;
    do {
      if (at - from === 6) throw new RangeError("a long has more than ten bytes");
      byte = buf[at++];
      value += (byte & 0x7f) * unit;
      unit *= 128;
    } while (byte & 0x80);
    this.#moveTo(at);
    return low & 1 ? -value - 1 : value;
  }

  /** A long, exact. */
  readBigLong(): bigint {
    const start = this.pos;
    const value = this.readLong();
    if (Number.isSafeInteger(value)) return BigInt(value);
    let bits = 0n;
    for (let at = this.pos - 1; at >= start; at--) bits = bits << 7n | BigInt(this.buf[at] & 0x7f);
    if (bits >> 64n) throw new RangeError("a long has more than 64 bits");
    return bits & 1n ? ~(bits >> 1n) : bits >> 1n;
  }

  #moveTo(at: number): void {
    if (at > this.end) throw new RangeError("it is cut short within a number");
    this.pos = at;
  }

  /** How many items the next block of an array or map has; 0 at its end. */
  readCount(): number {
    let count = this.readLong();
    if (count < 0) {
      count = -count;
      this.#checkCount(this.readLong(), "bytes");
    }
    if (count > EMPTY_ITEMS) this.#checkCount(count, "items");
    return count;
  }

  #checkCount(count: number, of: string): void {
    if (count < 0 || count > this.end - this.pos) {
      throw new RangeError(
        `a block claims ${count} ${of} and ${this.end - this.pos} bytes are left`,
      );
    }
  }

  readFloat(): number {
    return this.#readFloating(4, FLOAT);
  }

  readDouble(): number {
    return this.#readFloating(8, DOUBLE);
  }

  #readFloating(size: number, view: Float32Array | Float64Array): number {
    const at = this.take(size);
    const { buf } = this;
    for (let i = 0; i < size; i++) SCRATCH[i] = buf[at + i];
    return view[0];
  }

  /** A copy of the next `size` bytes. */
  readFixed(size: number): Uint8Array {
    const at = this.take(size);
    return cutCopy(this.buf, at, at + size);
  }

  readBytes(): Uint8Array {
    return this.readFixed(this.readLong());
  }

  readString(): string {
    const length = this.readLong();
    const at = this.take(length);
    return decodeText(this.buf, at, at + length);
  }

  skipBoolean(): void {
    this.take(1);
  }
  skipInt(): void {
    this.readLong();
  }
  skipLong(): void {
    this.readLong();
  }
  skipFloat(): void {
    this.take(4);
  }
  skipDouble(): void {
    this.take(8);
  }
  skipFixed(size: number): void {
    this.take(size);
  }
  skipBytes(): void {
    this.take(this.readLong());
  }
  skipString(): void {
    this.take(this.readLong());
  }
}

// Avro is little-endian, as is every processor that Deno and Bun run on.
const SCRATCH = new Uint8Array(8);
const FLOAT = new Float32Array(SCRATCH.buffer, 0, 1);
const DOUBLE = new Float64Array(SCRATCH.buffer);
