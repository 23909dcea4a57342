import { type AvroReading, DecimalText, TIMES } from "./avro_logical_types.ts";
import { bigintLong, OWN_TYPES, shown } from "./avro_own_types.ts";
import type { AvroWriter } from "./avro_writer.ts";
import { avsc } from "./avsc.ts";

export type { AvroReading };

/** A schema that reads and writes. */
export interface AvroType extends AvroReading {
  /** The full name of a named type. */
  readonly name?: string;
  readonly typeName: string;
  _write(to: AvroWriter, value: unknown): void;
}

/** How Avro's types become values. */
export interface AvroTypeOptions {
  /** 64-bit integers as `bigint` (default), or as numbers, which refuses what a number cannot hold exactly. */
  readonly long?: "bigint" | "number";
  /** `timestamp-millis`, `timestamp-micros` and `date` as `Date`; by default as the plain integers. Micros below a millisecond are cut off. */
  readonly timestamps?: "date" | "plain";
  /** `decimal` as text such as `"-12.30"`, exact and with all digits of its scale; by default as its bytes. */
  readonly decimals?: "text" | "bytes";
}

/**
 * The type of a schema. `named` are the schemas of types that it refers to without defining them, each before those that use it.
 * @throws {TypeError} when the schema is not valid Avro
 */
export function avroTypeOf(
  schema: unknown,
  options: AvroTypeOptions,
  named: readonly unknown[] = [],
): AvroType {
  const logicalTypes: Record<string, unknown> = {
    ...(options.timestamps === "date" ? TIMES : {}),
    ...(options.decimals === "text" ? { decimal: DecimalText } : {}),
  };
  const bigints = options.long !== "number";
  // avsc looks in the registry only where a primitive stands as a bare name, and calls the hook everywhere else.
  const registry: Record<string, unknown> = { bytes: new OWN_TYPES.bytes({ type: "bytes" }, {}) };
  registry.long = bigints ? bigintLong() : new OWN_TYPES.long({ type: "long" }, {});
  const typeHook = (part: unknown, settings: unknown) => {
    const { type, logicalType = "" } = (part ?? {}) as { type?: string; logicalType?: string };
    if (logicalType in logicalTypes) return undefined;
    if (type === "long" && bigints) return bigintLong();
    const Own = OWN_TYPES[type as keyof typeof OWN_TYPES];
    return Own && new Own(part, settings);
  };
  const settings = {
    registry,
    typeHook,
    logicalTypes,
    assertLogicalTypes: true,
    omitRecordMethods: true,
  };
  try {
    for (const part of named) avsc.Type.forSchema(part as avsc.Schema, settings as never);
    return avsc.Type.forSchema(schema as avsc.Schema, settings as never) as unknown as AvroType;
  } catch (cause) {
    throw new TypeError(
      `Cannot use the Avro schema as it is not valid: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/**
 * What reads as `reader` what was written as `writer`; the reader itself where both write the same bytes.
 * @throws {Error} when the schemas do not resolve
 */
export function resolve(reader: AvroType, writer: AvroType): AvroReading {
  const [to, from] = [reader, writer] as unknown as avsc.Type[];
  if (sameForm(to, from)) return reader;
  // Avro resolves records by their unqualified names.
  const options = { ignoreNamespaces: true } as never;
  return (to.createResolver as any)(from, options) as AvroReading;
}

function sameForm(a: avsc.Type, b: avsc.Type): boolean {
  const full = (type: avsc.Type) => JSON.stringify(type.schema({ exportAttrs: true }));
  // Logical types are no part of the canonical form, but of how values look.
  return a.equals(b) && full(a) === full(b);
}

/** Which part of a value its type refuses, for a message; undefined when it refuses none. */
export function refusedPart(type: AvroType, value: unknown): string | undefined {
  let found: string | undefined;
  const errorHook = (path: string[], part: unknown, expected: avsc.Type) => {
    const at = path.length === 0 ? "the value" : path.join(".");
    found ??= `${at} must be ${expected.branchName ?? expected.typeName}: current value is ${
      shown(part)
    }`;
  };
  try {
    (type as unknown as avsc.Type).isValid(value, { errorHook } as never);
  } catch {
    // A value whose getters throw is refused with what writing it threw.
  }
  return found;
}
