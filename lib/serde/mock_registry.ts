import {
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
  type SubjectVersion,
} from "./registry.ts";

/**
 * A registry within the isolate, for tests and the embedded broker (`schema.registry.url = "mock://scope"`); equal scopes share one. An id is a hash of the
 * schema's text, so that Workers, which share no memory, agree on it: a schema must be registered in each isolate that reads it.
 */
export class MockSchemaRegistry implements SchemaRegistry {
  readonly #byId = new Map<number, RegisteredSchema>();
  readonly #byGuid = new Map<string, RegisteredSchema>();
  readonly #subjects = new Map<string, SubjectVersion[]>();

  announce(schema: RegisteredSchema): number {
    checkJson(schema);
    const id = this.#idOf(schema);
    this.#byId.set(id, schema);
    this.#byGuid.set(guidOf(id), schema);
    return id;
  }

  register(subject: string, schema: RegisteredSchema): number {
    const id = this.announce(schema);
    const versions = this.#subjects.get(subject) ?? [];
    if (!versions.some((v) => v.id === id)) {
      versions.push({ ...schema, subject, version: versions.length + 1, id });
      this.#subjects.set(subject, versions);
    }
    return id;
  }

  lookup(subject: string, schema: RegisteredSchema): number {
    const id = this.#idOf(schema);
    if (!this.#versions(subject).some((v) => v.id === id)) {
      throw new SchemaRegistryError("Schema not found", 404, 40403);
    }
    return id;
  }

  byId(id: number): RegisteredSchema {
    const schema = this.#byId.get(id);
    if (!schema) throw new SchemaRegistryError(`Schema ${id} not found`, 404, 40403);
    return schema;
  }

  byGuid(guid: string): RegisteredSchema {
    const schema = this.#byGuid.get(guid);
    if (!schema) throw new SchemaRegistryError(`Schema with GUID ${guid} not found`, 404, 40403);
    return schema;
  }

  versions(subject: string): readonly number[] {
    return this.#versions(subject).map(({ version }) => version);
  }

  version(subject: string, version: number): SubjectVersion {
    const versions = this.#versions(subject);
    const found = versions[version - 1];
    if (!found) throw new SchemaRegistryError(`Version ${version} not found.`, 404, 40402);
    return found;
  }

  latest(subject: string): SubjectVersion {
    const versions = this.#versions(subject);
    return versions[versions.length - 1];
  }

  #versions(subject: string): readonly SubjectVersion[] {
    const versions = this.#subjects.get(subject);
    if (!versions) throw new SchemaRegistryError(`Subject '${subject}' not found.`, 404, 40401);
    return versions;
  }

  /** A mock refuses nothing. */
  isCompatible(): boolean {
    return true;
  }

  guidOf(id: number): string | undefined {
    return this.#byId.has(id) ? guidOf(id) : undefined;
  }

  #idOf(schema: RegisteredSchema): number {
    let id = hash31(schema.schemaType + schema.schema);
    // Another schema with the same hash moves on; the isolates still agree as long as they register in one order.
    for (;;) {
      const taken = this.#byId.get(id);
      if (taken === undefined || taken.schema === schema.schema) return id;
      id = (id + 1) & 0x7fffffff;
    }
  }
}

function checkJson(schema: RegisteredSchema): void {
  if (schema.schemaType === "PROTOBUF") return;
  try {
    JSON.parse(schema.schema);
  } catch (cause) {
    throw new SchemaRegistryError("Input schema is an invalid Avro schema", 422, 42201, { cause });
  }
}

function hash31(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 1) || 1;
}

function guidOf(id: number): string {
  return `00000000-0000-4000-8000-${id.toString(16).padStart(12, "0")}`;
}

const SCOPES = new Map<string, MockSchemaRegistry>();

/** The in-process registry of a scope; made at the first call. */
export function mockRegistry(scope: string): MockSchemaRegistry {
  let registry = SCOPES.get(scope);
  if (registry === undefined) SCOPES.set(scope, registry = new MockSchemaRegistry());
  return registry;
}
