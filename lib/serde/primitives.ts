/**
 * Serdes of plain values, byte for byte those of Kafka's Java serializers.
 *
 * @module
 */
import { SerializationException } from "../errors.ts";
import { type ByteWriter, cutCopy, readInt32, readInt64 } from "../record/bytes.ts";
import type { Serde, SerdeSite } from "./serde.ts";
import { decodeText } from "./text.ts";

/** UTF-8 text. Kafka: `StringSerializer`. */
export function string(): Serde<string> {
  return STRING;
}

const STRING: Serde<string> = Object.freeze({
  name: "string",
  encode(value: string, out: ByteWriter, site: SerdeSite) {
    if (typeof value !== "string") throw refusal("string", "must be text", value, site);
    out.utf8(value);
  },
  decode: (bytes: Uint8Array, start: number, end: number) => decodeText(bytes, start, end),
});

/** Raw bytes; what is decoded is a copy. Kafka: `ByteArraySerializer`. */
export function bytes(): Serde<Uint8Array> {
  return BYTES;
}

const BYTES: Serde<Uint8Array> = Object.freeze({
  name: "bytes",
  encode(value: Uint8Array, out: ByteWriter, site: SerdeSite) {
    if (!(value instanceof Uint8Array)) throw refusal("bytes", "must be a Uint8Array", value, site);
    out.raw(value);
  },
  decode: cutCopy,
});

/** A 16-bit integer. Kafka: `ShortSerializer`. */
export function int16(): Serde<number> {
  return INT16;
}
const INT16 = integer("int16", 2, -0x8000, 0x7fff, (out, value) => {
  out.uint8((value >> 8) & 0xff);
  out.uint8(value & 0xff);
}, (b, at) => ((b[at] << 24) >> 16) | b[at + 1]);

/** A 32-bit integer. Kafka: `IntegerSerializer`. */
export function int32(): Serde<number> {
  return INT32;
}
const INT32 = integer(
  "int32",
  4,
  -0x80000000,
  0x7fffffff,
  (out, value) => out.int32(value),
  readInt32,
);

function integer(
  name: string,
  size: number,
  min: number,
  max: number,
  write: (out: ByteWriter, value: number) => void,
  read: (bytes: Uint8Array, at: number) => number,
): Serde<number> {
  return Object.freeze({
    name,
    fixedSize: size,
    encode(value: number, out: ByteWriter, site: SerdeSite) {
      if (!Number.isInteger(value) || value < min || value > max) {
        throw refusal(name, `must be an integer from ${min} to ${max}`, value, site);
      }
      write(out, value);
    },
    decode(b: Uint8Array, start: number, end: number, site: SerdeSite) {
      checkSize(name, size, start, end, site);
      return read(b, start);
    },
  });
}

/** A 64-bit integer as bigint, or by request as a number that is refused beyond 2^53, as `long()`. Kafka: `LongSerializer`. */
export function int64(options?: { readonly as: "bigint" }): Serde<bigint>;
export function int64(options: { readonly as: "number" }): Serde<number>;
export function int64(
  options: { readonly as: "bigint" | "number" } = { as: "bigint" },
): Serde<any> {
  return options.as === "number" ? LONG : INT64;
}

const INT64: Serde<bigint> = Object.freeze({
  name: "int64",
  fixedSize: 8,
  encode(value: bigint, out: ByteWriter, site: SerdeSite) {
    if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) {
      throw refusal("int64", "must be a bigint of 64 bits", value, site);
    }
    out.bigInt64(value);
  },
  decode(b: Uint8Array, start: number, end: number, site: SerdeSite) {
    checkSize("int64", 8, start, end, site);
    return (BigInt(readInt32(b, start)) << 32n) | BigInt(readInt32(b, start + 4) >>> 0);
  },
});

/**
 * A 64-bit integer as a number. Values beyond 2^53 are refused in both directions rather than rounded. The bytes are those of
 * Kafka's `LongSerializer`.
 */
export function long(): Serde<number> {
  return LONG;
}

const LONG: Serde<number> = Object.freeze({
  name: "long",
  fixedSize: 8,
  encode(value: number, out: ByteWriter, site: SerdeSite) {
    if (!Number.isSafeInteger(value)) {
      throw refusal("long", "must be an integer up to 2^53", value, site);
    }
    out.int64(value);
  },
  decode(b: Uint8Array, start: number, end: number, site: SerdeSite) {
    checkSize("long", 8, start, end, site);
    const value = readInt64(b, start);
    if (!Number.isSafeInteger(value)) {
      throw refusal(
        "long",
        "must be an integer up to 2^53; use int64() for larger ones",
        value,
        site,
      );
    }
    return value;
  },
});

/** A 32-bit float. Kafka: `FloatSerializer`. */
export function float(): Serde<number> {
  return FLOAT;
}
/** A 64-bit float. Kafka: `DoubleSerializer`. */
export function double(): Serde<number> {
  return DOUBLE;
}
const FLOAT = floating("float", 4);
const DOUBLE = floating("double", 8);

function floating(name: string, size: 4 | 8): Serde<number> {
  const scratch = new DataView(new ArrayBuffer(8));
  const scratchBytes = new Uint8Array(scratch.buffer);
  return Object.freeze({
    name,
    fixedSize: size,
    encode(value: number, out: ByteWriter, site: SerdeSite) {
      if (typeof value !== "number") throw refusal(name, "must be a number", value, site);
      if (size === 4) out.float32(value);
      else out.float64(value);
    },
    decode(b: Uint8Array, start: number, end: number, site: SerdeSite) {
      checkSize(name, size, start, end, site);
      for (let i = 0; i < size; i++) scratchBytes[i] = b[start + i];
      return size === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0);
    },
  });
}

/** One byte, 0 or 1. Kafka: `BooleanSerializer`. */
export function boolean(): Serde<boolean> {
  return BOOLEAN;
}
const BOOLEAN: Serde<boolean> = Object.freeze({
  name: "boolean",
  encode(value: boolean, out: ByteWriter, site: SerdeSite) {
    if (typeof value !== "boolean") throw refusal("boolean", "must be true or false", value, site);
    out.uint8(value ? 1 : 0);
  },
  decode(b: Uint8Array, start: number, end: number, site: SerdeSite) {
    checkSize("boolean", 1, start, end, site);
    if (b[start] > 1) throw refusal("boolean", "must be the byte 0 or 1", b[start], site);
    return b[start] === 1;
  },
});

const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUID as its 36 characters. Kafka: `UUIDSerializer`. */
export function uuid(): Serde<string> {
  return UUID;
}
const UUID: Serde<string> = Object.freeze({
  name: "uuid",
  fixedSize: 36,
  encode(value: string, out: ByteWriter, site: SerdeSite) {
    const lower = typeof value === "string" ? value.toLowerCase() : "";
    if (!UUID_FORM.test(lower)) throw refusal("uuid", "must be a UUID", value, site);
    out.utf8(lower);
  },
  decode(b: Uint8Array, start: number, end: number, site: SerdeSite) {
    const value = decodeText(b, start, end);
    if (!UUID_FORM.test(value)) throw refusal("uuid", "must be a UUID", value, site);
    return value;
  },
});

/** An instant as epoch milliseconds in 64 bits. */
export function date(): Serde<Date> {
  return DATE;
}
const DATE: Serde<Date> = Object.freeze({
  name: "date",
  fixedSize: 8,
  encode(value: Date, out: ByteWriter, site: SerdeSite) {
    const time = value instanceof Date ? value.getTime() : NaN;
    if (Number.isNaN(time)) throw refusal("date", "must be a valid Date", value, site);
    out.int64(time);
  },
  decode: (b: Uint8Array, start: number, end: number, site: SerdeSite) =>
    new Date(LONG.decode(b, start, end, site)),
});

/** No value at all: keys or values that are always null. What is not null is refused both ways. Kafka: `VoidSerializer`. */
export function nothing(): Serde<never> {
  return NOTHING;
}
const NOTHING: Serde<never> = Object.freeze({
  name: "nothing",
  encode(value: unknown, _out: ByteWriter, site: SerdeSite) {
    throw refusal("nothing", "must be null", value, site);
  },
  decode(_bytes: Uint8Array, start: number, end: number, site: SerdeSite): never {
    throw refusal("nothing", "must be null", `${end - start} bytes`, site);
  },
});

function checkSize(name: string, size: number, start: number, end: number, site: SerdeSite): void {
  if (end - start === size) return;
  throw new SerializationException(
    `Cannot read ${describeSite(site)} as ${name} as it must have ${size} bytes: current value is ${
      end - start
    } bytes`,
  );
}

function refusal(
  name: string,
  rule: string,
  value: unknown,
  site: SerdeSite,
): SerializationException {
  return new SerializationException(
    `Cannot use ${describeSite(site)} as ${name} as it ${rule}: current value is ${shown(value)}`,
  );
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** `the key of orders` or `the value of orders`. */
export function describeSite(site: SerdeSite): string {
  return `the ${site.isKey ? "key" : "value"} of ${site.topic}`;
}
