import { Buffer } from "node:buffer";
import avsc from "avsc";

/** A schema that can encode and decode; avsc's, which is imported here alone. */
export type AvroType = avsc.Type;

/** How Avro's types become values. */
export interface AvroTypeOptions {
  /** 64-bit integers as `bigint` (default), or as numbers, which refuses what a number cannot hold exactly. */
  readonly long?: "bigint" | "number";
  /** `timestamp-millis` and `timestamp-micros` as `Date`; by default as the plain 64-bit integer. */
  readonly timestamps?: "date" | "plain";
}

/** The avsc type of a schema. @throws {TypeError} when the schema is not valid Avro. */
export function avroTypeOf(schema: unknown, options: AvroTypeOptions): avsc.Type {
  const long = options.long === "number" ? undefined : bigintLong();
  const logicalTypes: Record<string, unknown> = options.timestamps === "date"
    ? { "timestamp-millis": TimestampMillis, "timestamp-micros": TimestampMicros }
    : {};
  // avsc's registry finds "long" only where it stands as a bare name.
  const typeHook = (part: unknown) => {
    const { type, logicalType = "" } = (part ?? {}) as { type?: unknown; logicalType?: string };
    return type === "long" && !(logicalType in logicalTypes) ? long : undefined;
  };
  const registry = long ? { long } : {};
  try {
    const settings = { registry, typeHook, logicalTypes, omitRecordMethods: true };
    return avsc.Type.forSchema(schema as avsc.Schema, settings as never);
  } catch (cause) {
    throw new TypeError(
      `Cannot use the Avro schema as it is not valid: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Longs as bigint. A type is tied to one parsed schema, so each gets its own. */
function bigintLong(): avsc.Type {
  return avsc.types.LongType.__with({
    fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(0),
    toBuffer: (value: bigint) => {
      const buffer = Buffer.alloc(8);
      buffer.writeBigInt64LE(value);
      return buffer;
    },
    fromJSON: (value: number | string) => BigInt(value),
    toJSON: (value: bigint) => Number(value),
    isValid: (value: unknown) => typeof value === "bigint" && BigInt.asIntN(64, value) === value,
    compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  }) as unknown as avsc.Type;
}

class TimestampMillis extends avsc.types.LogicalType {
  override _fromValue(value: any): Date {
    return new Date(Number(value));
  }
  override _toValue(date: any): any {
    if (!(date instanceof Date)) return undefined;
    return inUnit(this, date.getTime());
  }
  override _resolve(type: avsc.Type): any {
    return avsc.Type.isType(type, "long", "int", "logical:timestamp-millis")
      ? (v: any) => this._fromValue(v)
      : undefined;
  }
}

class TimestampMicros extends avsc.types.LogicalType {
  override _fromValue(value: any): Date {
    return new Date(Math.floor(Number(value) / 1_000));
  }
  override _toValue(date: any): any {
    if (!(date instanceof Date)) return undefined;
    return inUnit(this, date.getTime() * 1_000);
  }
  override _resolve(type: avsc.Type): any {
    return avsc.Type.isType(type, "long", "logical:timestamp-micros")
      ? (v: any) => this._fromValue(v)
      : undefined;
  }
}

/** The number as the underlying long wants it: a bigint where longs are bigints. */
function inUnit(type: avsc.types.LogicalType, value: number): number | bigint {
  return type.underlyingType.isValid(value) ? value : BigInt(value);
}
