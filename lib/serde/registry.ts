/**
 * The contract of a schema registry. Two stand behind it: Confluent's REST API, and an in-process one (`mock://scope`). An answer that is in
 * memory comes at once, anything else as a promise.
 *
 * @module
 */

/** A value that is there, or on its way. */
export type Eventually<T> = T | Promise<T>;

/** A schema with its references, as the registry keeps it. */
export interface RegisteredSchema {
  /** Schema text, JSON for Avro. */
  readonly schema: string;
  readonly schemaType: "AVRO" | "JSON" | "PROTOBUF";
  readonly references: readonly SchemaReference[];
}

/** What is done with an answer that is there or on its way. */
export function whenKnown<T, U>(
  answer: Eventually<T>,
  use: (value: T) => Eventually<U>,
): Eventually<U> {
  return answer instanceof Promise ? answer.then(use) : use(answer);
}

/** A named schema that another one uses. */
export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** A schema's place in a subject. */
export interface SubjectVersion extends RegisteredSchema {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
}

/** Gives schemas by id and ids by schema; both are kept for ever. Kafka: `SchemaRegistryClient`. */
export interface SchemaRegistry {
  /**
   * Registers a schema (or finds it) under a subject and gives its id.
   * @throws {SchemaRegistryError} when it is refused: not valid (42201), not compatible (409), not allowed
   */
  register(subject: string, schema: RegisteredSchema): Eventually<number>;
  /** The id of a schema that the subject already has. @throws {SchemaRegistryError} 40403 when it has not. */
  lookup(subject: string, schema: RegisteredSchema): Eventually<number>;
  /** The schema of an id. @throws {SchemaRegistryError} 40403 when there is none. */
  byId(id: number): Eventually<RegisteredSchema>;
  /** The schema of a GUID in lower-case text. @throws {SchemaRegistryError} when there is none or the registry knows no GUIDs. */
  byGuid(guid: string): Eventually<RegisteredSchema>;
  /** The numbers of a subject's versions, ascending. @throws {SchemaRegistryError} 40401 when the subject is unknown. */
  versions(subject: string): Eventually<readonly number[]>;
  /** One version of a subject. @throws {SchemaRegistryError} 40401 or 40402 when it is unknown. */
  version(subject: string, version: number): Eventually<SubjectVersion>;
  /** A subject's newest version. @throws {SchemaRegistryError} 40401 when the subject is unknown. */
  latest(subject: string): Eventually<SubjectVersion>;
  /** The GUID of an id that this registry gave, in lower-case text; undefined when it tells none. */
  guidOf?(id: number): string | undefined;
  /**
   * Tells of a schema that may be met in records. Only a registry that lives in the isolate needs it: a Worker reads there what another isolate
   * registered.
   */
  announce?(schema: RegisteredSchema): void;
  /** Whether the schema may follow what the subject has. */
  isCompatible(subject: string, schema: RegisteredSchema): Eventually<boolean>;
}

/** What a registry refused, or that it could not be reached. Never carries credentials. */
export class SchemaRegistryError extends Error {
  override name = "SchemaRegistryError";
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Confluent's error code, for example 40403; the status where the registry gives none. */
  readonly code: number;
  constructor(message: string, status: number, code: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
  /** Whether the registry answered that what was asked for does not exist (40401 to 40403), rather than that it cannot answer. */
  get unknown(): boolean {
    return this.code >= 40401 && this.code <= 40403;
  }
  /** Whether the same request may succeed later. */
  get retriable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}
