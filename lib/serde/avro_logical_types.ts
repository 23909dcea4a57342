import { Buffer } from "node:buffer";
import type { AvroReader } from "./avro_reader.ts";
import { LogicalType } from "./avsc.ts";
import { decimalBytes, decimalText } from "./decimal.ts";

/** What reads one value: a schema's type, or a resolver from a writer's schema to it. */
export interface AvroReading {
  _read(from: AvroReader): unknown;
}

/** An instant over an integer that counts units since the epoch. */
abstract class Time extends LogicalType {
  abstract toMs(units: number): number;
  abstract ofMs(ms: number): number;

  _fromValue(units: number): Date {
    return new Date(this.toMs(units));
  }
  _toValue(date: unknown): number | undefined {
    if (!(date instanceof Date) || Number.isNaN(date.getTime())) return undefined;
    return this.ofMs(date.getTime());
  }
  _update(resolver: AvroReading, writer: any, options: unknown): void {
    // A Date is a Date in whatever unit it was written; a plain integer counts the reader's units.
    if (writer instanceof Time) {
      resolver._read = (from) => writer._read(from);
      return;
    }
    const inner = this.underlyingType.createResolver(writer, options);
    resolver._read = (from) => this._fromValue(inner._read(from));
  }
}
class TimestampMillis extends Time {
  toMs(units: number): number {
    return units;
  }
  ofMs(ms: number): number {
    return ms;
  }
}
class TimestampMicros extends Time {
  toMs(units: number): number {
    return Math.floor(units / 1_000);
  }
  ofMs(ms: number): number {
    return ms * 1_000;
  }
}
class Days extends Time {
  toMs(units: number): number {
    return units * 86_400_000;
  }
  ofMs(ms: number): number {
    return Math.floor(ms / 86_400_000);
  }
}
/** The logical types of instants, by name. */
export const TIMES = {
  "timestamp-millis": TimestampMillis,
  "timestamp-micros": TimestampMicros,
  date: Days,
};

/** A number of unlimited precision as text, over its unscaled value in two's complement. */
export class DecimalText extends LogicalType {
  readonly scale: number;
  readonly precision: number;
  constructor(schema: any, options: unknown) {
    super(schema, options);
    this.scale = schema.scale ?? 0;
    this.precision = schema.precision;
    if (!Number.isInteger(this.precision) || this.precision < 1 || this.scale > this.precision) {
      throw new Error(`a decimal needs a precision of at least its scale ${this.scale}`);
    }
  }
  _fromValue(bytes: Uint8Array): string {
    return decimalText(bytes, this.scale);
  }
  _toValue(text: unknown): Buffer | undefined {
    const { scale, precision } = this;
    const bytes = decimalBytes(text, { scale, precision, size: this.underlyingType.size });
    return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  _update(resolver: AvroReading, writer: any, options: unknown): void {
    const same = writer instanceof DecimalText && writer.scale === this.scale;
    if (writer instanceof DecimalText && !same) return;
    const inner = this.underlyingType.createResolver(
      same ? writer.underlyingType : writer,
      options,
    );
    resolver._read = (from) => this._fromValue(inner._read(from));
  }
  _export(schema: Record<string, unknown>): void {
    schema.precision = this.precision;
    schema.scale = this.scale;
  }
}
