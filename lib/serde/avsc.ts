/**
 * avsc, the Avro library: imported here alone. Its classes are given untyped, as what is overridden in them is not in its published types
 * (version 5.7.9, which package.json pins).
 *
 * @module
 */
import avsc from "avsc";

/** A class of a schema's types. */
export type TypeClass = new (schema: unknown, options: unknown) => any;

/** avsc itself, for building types from schemas. */
export { avsc };

/** The classes that are replaced by classes of our own. */
export const { LongType, ArrayType, MapType, BytesType, FixedType, LogicalType } = avsc
  .types as unknown as Record<string, TypeClass>;
