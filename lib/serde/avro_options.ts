import type { AvroTypeOptions } from "./avro_types.ts";
import type { SchemaReference, SchemaRegistry } from "./registry.ts";
import type { SchemaChoice } from "./schema_ids.ts";
import type { SubjectNameStrategy } from "./subject_names.ts";

/** An Avro schema as JSON, its text, or the name of a primitive type. */
export type AvroSchema = object | string;

/** A schema that another one uses by name: its place in the registry, and itself. */
export interface AvroReference extends SchemaReference {
  readonly schema: AvroSchema;
}

/** How Avro values are written and read. Names follow Confluent's JavaScript client. */
export interface AvroOptions extends AvroTypeOptions {
  /** The registry; without one the application's (`schema.registry.url`). */
  readonly registry?: SchemaRegistry;
  /** A fixed id in Confluent's wire format: no registry is asked, and only this id is read. */
  readonly schemaId?: number;
  /** `plain` is Avro's binary form alone, without magic byte and id. Default `confluent`. */
  readonly format?: "confluent" | "plain";
  /** How the subject is named. Default `topicName`: `<topic>-key` or `<topic>-value`. */
  readonly subjectNameStrategy?: SubjectNameStrategy;
  /** Whether an unknown schema is registered (default), or must be there already. */
  readonly autoRegisterSchemas?: boolean;
  /** Writes with the subject's newest schema, as it was at the start, instead of this one. */
  readonly useLatestVersion?: boolean;
  /** Writes with the schema that the registry has under this id, instead of this one. */
  readonly useSchemaId?: number;
  /** Where the schema's id goes: before the payload (default), or as a GUID in a header. Both are always read. */
  readonly schemaIdIn?: "prefix" | "header";
  /** The schemas that this one uses without defining them, each before those that use it. */
  readonly references?: readonly AvroReference[];
}

/**
 * Which schema the options choose to write.
 * @throws {TypeError} when they contradict each other
 */
export function schemaChoice(options: AvroOptions): SchemaChoice {
  const given = (["schemaId", "useSchemaId", "useLatestVersion"] as const)
    .filter((name) => options[name] !== undefined && options[name] !== false);
  if (given.length > 1) throw contradiction("one schema is written", given.join(" and "));
  for (const name of ["schemaId", "useSchemaId"] as const) {
    const id = options[name];
    if (id !== undefined && (!Number.isInteger(id) || id < 0 || id > 0x7fffffff)) {
      throw contradiction("a schema id is an integer of 31 bits", `${name} ${id}`);
    }
  }
  const withoutRegistry = options.schemaId !== undefined || options.format === "plain";
  if (withoutRegistry && options.schemaIdIn === "header") {
    throw contradiction(
      "the GUID in a header comes from a registry",
      `schemaIdIn "header" with ${options.format === "plain" ? 'format "plain"' : "schemaId"}`,
    );
  }
  if (options.useSchemaId !== undefined) return { kind: "id", id: options.useSchemaId };
  if (options.useLatestVersion) return { kind: "latest" };
  return { kind: options.autoRegisterSchemas === false ? "lookup" : "register" };
}

function contradiction(rule: string, current: string): TypeError {
  return new TypeError(`Cannot make an Avro serde as ${rule}: current value is ${current}`);
}

/** The schema as JSON. @throws {TypeError} when a text is neither JSON nor a name */
export function parseSchema(schema: AvroSchema): unknown {
  if (typeof schema !== "string") return schema;
  const text = schema.trim();
  if (/^[A-Za-z_][\w.]*$/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TypeError(
      `Cannot use the Avro schema as its text must be JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
}
