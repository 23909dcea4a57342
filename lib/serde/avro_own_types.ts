/**
 * The types that stand for avsc's: longs that are exact, arrays and maps whose sizes are checked, bytes as plain `Uint8Array`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { AvroReader } from "./avro_reader.ts";
import { AvroWriter } from "./avro_writer.ts";
import { ArrayType, BytesType, FixedType, LongType, MapType } from "./avsc.ts";

/** A value for a message, cut to a length that fits one. */
export function shown(value: unknown): string {
  const text = typeof value === "string"
    ? JSON.stringify(value)
    : typeof value === "bigint"
    ? `${value}n`
    : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Longs as bigint. A type belongs to one parsed schema, so each gets its own. */
export function bigintLong(): unknown {
  const isValid = (value: unknown) =>
    typeof value === "bigint" && BigInt.asIntN(64, value) === value;
  const long = (LongType as any).__with({
    fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(0),
    toBuffer: (value: bigint) => {
      const buffer = Buffer.alloc(8);
      buffer.writeBigInt64LE(value);
      return buffer;
    },
    fromJSON: (value: number | string | bigint) => BigInt(value),
    // As text, which fromJSON takes: avsc copies defaults through here, and a number would round them.
    toJSON: (value: bigint) => value.toString(),
    isValid,
    compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  });
  const original = (long as any)._write;
  // Over avsc's own methods, which go through eight bytes of memory each.
  return Object.create(long, {
    _read: { value: (from: AvroReader) => from.readBigLong() },
    _write: {
      value(this: unknown, to: unknown, value: bigint) {
        // avsc encodes defaults beforehand, into memory of its own.
        if (!(to instanceof AvroWriter)) original.call(this, to, value);
        else if (isValid(value)) to.writeBigLong(value);
        else throw new TypeError(`invalid "long": ${shown(value)}`);
      },
    },
  });
}

/** Longs as numbers, exact up to 2^53 - 1 and refused beyond. */
class NumberLong extends LongType {
  _check(value: unknown, _flags: unknown, hook?: (value: unknown, type: unknown) => void): boolean {
    if (Number.isSafeInteger(value)) return true;
    hook?.(value, this);
    return false;
  }
  _read(from: AvroReader): number {
    const value = from.readLong();
    if (Number.isSafeInteger(value)) return value;
    throw new RangeError(`a long is beyond 2^53 (about ${value}), which needs long: "bigint"`);
  }
  _write(to: AvroWriter, value: unknown): void {
    if (!Number.isSafeInteger(value)) throw new TypeError(`invalid "long": ${shown(value)}`);
    to.writeLong(value as number);
  }
}

/** An array whose block sizes are checked against the bytes that are left. */
class CheckedArray extends ArrayType {
  _read(from: AvroReader): unknown[] {
    const { itemsType } = this;
    const items: unknown[] = [];
    for (let count = from.readCount(); count !== 0; count = from.readCount()) {
      for (; count > 0; count--) items.push(itemsType._read(from));
    }
    return items;
  }
  _skip(from: AvroReader): void {
    for (let count = from.readCount(); count !== 0; count = from.readCount()) {
      for (; count > 0; count--) this.itemsType._skip(from);
    }
  }
}

/** A map whose block sizes are checked, and in which `__proto__` is a key like any other. */
class CheckedMap extends MapType {
  _read(from: AvroReader): Record<string, unknown> {
    const { valuesType } = this;
    const map: Record<string, unknown> = {};
    for (let count = from.readCount(); count !== 0; count = from.readCount()) {
      for (; count > 0; count--) {
        const key = from.readString();
        const value = valuesType._read(from);
        if (key !== "__proto__") map[key] = value;
        else {
          Object.defineProperty(map, key, {
            value,
            enumerable: true,
            writable: true,
            configurable: true,
          });
        }
      }
    }
    return map;
  }
  _skip(from: AvroReader): void {
    for (let count = from.readCount(); count !== 0; count = from.readCount()) {
      for (; count > 0; count--) {
        from.skipString();
        this.valuesType._skip(from);
      }
    }
  }
}

/** Bytes as any Uint8Array. */
class PlainBytes extends BytesType {
  _check(value: unknown, _flags: unknown, hook?: (value: unknown, type: unknown) => void): boolean {
    if (value instanceof Uint8Array) return true;
    hook?.(value, this);
    return false;
  }
  _write(to: AvroWriter, value: unknown): void {
    if (!(value instanceof Uint8Array)) throw new TypeError(`invalid "bytes": ${shown(value)}`);
    to.writeBytes(forTap(to, value));
  }
  _copy(value: unknown, options: unknown): unknown {
    return plain(super._copy(value, options));
  }
}

/** A fixed number of bytes as any Uint8Array of that length. */
class PlainFixed extends FixedType {
  _check(value: unknown, _flags: unknown, hook?: (value: unknown, type: unknown) => void): boolean {
    if (value instanceof Uint8Array && value.length === this.size) return true;
    hook?.(value, this);
    return false;
  }
  _write(to: AvroWriter, value: unknown): void {
    if (!(value instanceof Uint8Array) || value.length !== this.size) {
      throw new TypeError(`invalid fixed of ${this.size} bytes: ${shown(value)}`);
    }
    to.writeFixed(forTap(to, value), this.size);
  }
  _copy(value: unknown, options: unknown): unknown {
    return plain(super._copy(value, options));
  }
}

function plain(value: unknown): unknown {
  return Buffer.isBuffer(value) ? new Uint8Array(value) : value;
}

/** avsc's own Tap, into which it encodes defaults, copies from Buffers only. */
function forTap(to: unknown, bytes: Uint8Array): Uint8Array {
  return to instanceof AvroWriter ? bytes : Buffer.from(bytes);
}

/** The classes that stand for avsc's own, by the name of the type. */
export const OWN_TYPES = {
  long: NumberLong,
  array: CheckedArray,
  map: CheckedMap,
  bytes: PlainBytes,
  fixed: PlainFixed,
};
