import { type Clock, systemClock } from "../record/time.ts";
import {
  type Eventually,
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
  type SubjectVersion,
} from "./registry.ts";
import {
  readGuid,
  readId,
  readSchema,
  readSubjectVersion,
  readVersions,
} from "./registry_answers.ts";
import { fetchWith, type RegistryCertificates } from "./registry_fetch.ts";
import { type RegistryCredentials, RegistryRequests } from "./registry_requests.ts";

/** How a registry is reached. Option names follow Confluent's JavaScript client. */
export interface SchemaRegistryOptions extends RegistryCredentials, RegistryCertificates {
  /** One or several addresses; the next is tried when one cannot be reached. `user:password@` before the host is basic authentication. */
  readonly baseURLs: readonly string[];
  /** Whether the registry normalizes schemas before it compares them. */
  readonly normalizeSchemas?: boolean;
  /** The registry's context in which subjects and ids are meant; the default one when it is absent. */
  readonly context?: string;
  /** Tries per request. Default 4, with growing pauses, for status 429 and 5xx and for addresses that do not answer. */
  readonly tries?: number;
  /** Milliseconds that one request may take. Default 10,000. */
  readonly timeoutMs?: number;
  /** Headers that each request carries in addition, such as `traceparent`. */
  readonly requestHeaders?: () => Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** For tests. */
  readonly fetch?: typeof fetch;
}

/** The Confluent Schema Registry's REST API, as far as serdes need it. Answers are checked; ids and schemas are kept for ever. */
export class SchemaRegistryClient implements SchemaRegistry {
  readonly #requests: RegistryRequests;
  readonly #normalize: string;
  readonly #context: string;
  readonly #byId = new Map<number, Eventually<RegisteredSchema>>();
  readonly #byGuid = new Map<string, Eventually<RegisteredSchema>>();
  readonly #registered = new Map<string, Eventually<number>>();
  readonly #found = new Map<string, Eventually<number>>();
  readonly #versions = new Map<string, Eventually<SubjectVersion>>();
  readonly #guids = new Map<number, string>();

  /**
   * @throws {TypeError} when no address is given, or one that is none
   * @throws {Error} when a certificate file cannot be read
   */
  constructor(options: SchemaRegistryOptions) {
    if (options.baseURLs.length === 0) {
      throw new TypeError(
        "Cannot reach a schema registry as no address is given: current value is []",
      );
    }
    this.#requests = new RegistryRequests({
      ...options,
      tries: options.tries ?? 4,
      timeoutMs: options.timeoutMs ?? 10_000,
      clock: options.clock ?? systemClock,
      fetch: options.fetch ?? fetchWith(options),
    });
    this.#normalize = options.normalizeSchemas ? "?normalize=true" : "";
    this.#context = options.context === undefined ? "" : `:.${options.context}:`;
  }

  register(subject: string, schema: RegisteredSchema): Eventually<number> {
    const path = `${this.#path(subject)}/versions${this.#normalize}`;
    return remember(this.#registered, schemaKey(subject, schema), () => this.#idAt(path, schema));
  }

  lookup(subject: string, schema: RegisteredSchema): Eventually<number> {
    const path = this.#path(subject) + this.#normalize;
    return remember(this.#found, schemaKey(subject, schema), () => this.#idAt(path, schema));
  }

  async #idAt(path: string, schema: RegisteredSchema): Promise<number> {
    const answer = await this.#requests.send("POST", path, this.#inContext(schema));
    const id = readId(answer);
    this.#keepGuid(id, answer);
    return id;
  }

  #keepGuid(id: number, answer: unknown): void {
    const guid = readGuid(answer);
    if (guid !== undefined) this.#guids.set(id, guid);
  }

  guidOf(id: number): string | undefined {
    return this.#guids.get(id);
  }

  byId(id: number): Eventually<RegisteredSchema> {
    return remember(this.#byId, id, async () => {
      const scope = this.#context && `?subject=${encodeURIComponent(this.#context)}`;
      const answer = await this.#requests.send("GET", `/schemas/ids/${id}${scope}`);
      this.#keepGuid(id, answer);
      return this.#plain(readSchema(answer));
    });
  }

  byGuid(guid: string): Eventually<RegisteredSchema> {
    return remember(this.#byGuid, guid, async () => {
      return this.#plain(readSchema(await this.#requests.send("GET", `/schemas/guids/${guid}`)));
    });
  }

  async versions(subject: string): Promise<readonly number[]> {
    return readVersions(await this.#requests.send("GET", `${this.#path(subject)}/versions`));
  }

  version(subject: string, version: number): Eventually<SubjectVersion> {
    return remember(this.#versions, `${subject}\n${version}`, async () => {
      const path = `${this.#path(subject)}/versions/${version}`;
      return this.#keepVersion(await this.#requests.send("GET", path));
    });
  }

  async latest(subject: string): Promise<SubjectVersion> {
    const answer = await this.#requests.send("GET", `${this.#path(subject)}/versions/latest`);
    return this.#keepVersion(answer);
  }

  isCompatible(subject: string, schema: RegisteredSchema): Promise<boolean> {
    const path = `/compatibility${this.#path(subject)}/versions/latest`;
    return this.#requests.send("POST", path, this.#inContext(schema)).then(
      (answer) => (answer as { is_compatible?: unknown } | null)?.is_compatible === true,
      (error) => {
        // A subject that is not there yet has nothing to be compatible with.
        if (error instanceof SchemaRegistryError && error.status === 404) return true;
        throw error;
      },
    );
  }

  #path(subject: string): string {
    return `/subjects/${encodeURIComponent(this.#qualified(subject))}`;
  }

  /** A name that has its context already keeps it: references may go to another one. */
  #qualified(subject: string): string {
    return subject.startsWith(":.") ? subject : this.#context + subject;
  }

  /** Some registries look for references without a context in the default one. */
  #inContext(schema: RegisteredSchema): RegisteredSchema {
    if (this.#context === "" || schema.references.length === 0) return schema;
    return this.#withSubjects(schema, (subject) => this.#qualified(subject));
  }

  /** The registry names subjects with their context; callers know those of their own without it. */
  #plain<T extends RegisteredSchema>(found: T): T {
    return this.#withSubjects(found, (subject) => this.#unqualified(subject));
  }

  #keepVersion(answer: unknown): SubjectVersion {
    const found = readSubjectVersion(answer);
    this.#keepGuid(found.id, answer);
    return { ...this.#plain(found), subject: this.#unqualified(found.subject) };
  }

  #unqualified(subject: string): string {
    const { length } = this.#context;
    return length > 0 && subject.startsWith(this.#context) ? subject.slice(length) : subject;
  }

  #withSubjects<T extends RegisteredSchema>(schema: T, name: (subject: string) => string): T {
    const references = schema.references.map((r) => ({ ...r, subject: name(r.subject) }));
    return { ...schema, references };
  }
}

function schemaKey(subject: string, schema: RegisteredSchema): string {
  return JSON.stringify([subject, schema.schemaType, schema.schema, schema.references]);
}

/** One request for each key; the answer is kept, a failure is not. */
function remember<K, V>(
  known: Map<K, Eventually<V>>,
  key: K,
  fetchIt: () => Promise<V>,
): Eventually<V> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const asked = fetchIt().then((value) => {
    known.set(key, value);
    return value;
  }, (error) => {
    known.delete(key);
    throw error;
  });
  known.set(key, asked);
  return asked;
}
