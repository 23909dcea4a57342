/** Checks what a registry answers: nothing of it is trusted to have the promised form. */
import {
  type RegisteredSchema,
  type SchemaReference,
  SchemaRegistryError,
  type SubjectVersion,
} from "./registry.ts";

/** The id of a registered schema. @throws {SchemaRegistryError} when the answer has none. */
export function readId(answer: unknown): number {
  const id = field(answer, "id");
  if (!Number.isSafeInteger(id)) throw malformed("an integer id", answer);
  return id as number;
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The schema's GUID in lower case; undefined where the registry tells none (Confluent's do from 8.0 on). */
export function readGuid(answer: unknown): string | undefined {
  const guid = field(answer, "guid");
  const lower = typeof guid === "string" ? guid.toLowerCase() : "";
  return GUID.test(lower) ? lower : undefined;
}

/** A schema with its references. @throws {SchemaRegistryError} when the answer is none. */
export function readSchema(answer: unknown): RegisteredSchema {
  const schema = field(answer, "schema");
  const schemaType = field(answer, "schemaType") ?? "AVRO";
  const references = field(answer, "references") ?? [];
  if (typeof schema !== "string" || !isSchemaType(schemaType) || !Array.isArray(references)) {
    throw malformed("a schema", answer);
  }
  return { schema, schemaType, references: references.map(readReference) };
}

/** A subject's version. @throws {SchemaRegistryError} when the answer is none. */
export function readSubjectVersion(answer: unknown): SubjectVersion {
  const subject = field(answer, "subject");
  const version = field(answer, "version");
  if (typeof subject !== "string" || !Number.isSafeInteger(version)) {
    throw malformed("a subject's version", answer);
  }
  return { ...readSchema(answer), subject, version: version as number, id: readId(answer) };
}

/** The numbers of versions. @throws {SchemaRegistryError} when the answer is no list of them */
export function readVersions(answer: unknown): readonly number[] {
  if (!Array.isArray(answer) || !answer.every((version) => Number.isSafeInteger(version))) {
    throw malformed("a list of versions", answer);
  }
  return answer;
}

/** The error of an answer with another status than 2xx. */
export function readError(
  method: string,
  url: string,
  status: number,
  body: string,
): SchemaRegistryError {
  let code = status;
  let message = body.slice(0, 300);
  try {
    const parsed: unknown = JSON.parse(body);
    const given = field(parsed, "error_code");
    if (Number.isSafeInteger(given) && given !== 0) code = given as number;
    const text = field(parsed, "message");
    if (typeof text === "string") message = text;
  } catch {
    // Proxies answer with HTML; its beginning tells enough.
  }
  return new SchemaRegistryError(
    `The schema registry refused ${method} ${url} with ${status} (${code}): ${message}`,
    status,
    code,
  );
}

function readReference(reference: unknown): SchemaReference {
  const name = field(reference, "name");
  const subject = field(reference, "subject");
  const version = field(reference, "version");
  if (typeof name !== "string" || typeof subject !== "string" || typeof version !== "number") {
    throw malformed("a schema reference", reference);
  }
  return { name, subject, version };
}

function isSchemaType(value: unknown): value is RegisteredSchema["schemaType"] {
  return value === "AVRO" || value === "JSON" || value === "PROTOBUF";
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function malformed(wanted: string, answer: unknown): SchemaRegistryError {
  return new SchemaRegistryError(
    `Cannot use the registry's answer as it should hold ${wanted}: current value is ${
      JSON.stringify(answer)?.slice(0, 200)
    }`,
    200,
    0,
  );
}
