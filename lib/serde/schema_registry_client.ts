import { type Clock, systemClock } from "../record/time.ts";
import { readError, readId, readSchema, readSubjectVersion } from "./registry_answers.ts";
import {
  type Eventually,
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
  type SubjectVersion,
} from "./registry.ts";
import { fetchTrusting } from "./registry_fetch.ts";

/** How a registry is reached. Option names follow Confluent's JavaScript client. */
export interface SchemaRegistryOptions {
  /** One or several addresses; the next is tried when one cannot be reached. */
  readonly baseURLs: readonly string[];
  readonly basicAuth?: { readonly user: string; readonly password: string };
  readonly bearerToken?: string;
  /** A PEM file with the certificate authority of the registry. */
  readonly caFile?: string;
  /** Whether the registry normalizes schemas before it compares them. */
  readonly normalizeSchemas?: boolean;
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

const MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";

/** The Confluent Schema Registry's REST API, as far as serdes need it. Answers are checked; ids and schemas are kept for ever. */
export class SchemaRegistryClient implements SchemaRegistry {
  readonly #options: SchemaRegistryOptions;
  readonly #clock: Clock;
  readonly #fetch: typeof fetch;
  readonly #byId = new Map<number, Eventually<RegisteredSchema>>();
  readonly #byGuid = new Map<string, Eventually<RegisteredSchema>>();
  readonly #ids = new Map<string, Eventually<number>>();
  readonly #versions = new Map<string, Eventually<SubjectVersion>>();

  /** @throws {TypeError} when no address is given */
  constructor(options: SchemaRegistryOptions) {
    if (options.baseURLs.length === 0) {
      throw new TypeError(
        "Cannot reach a schema registry as no address is given: current value is []",
      );
    }
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#fetch = options.fetch ?? fetchTrusting(options.caFile);
  }

  register(subject: string, schema: RegisteredSchema): Eventually<number> {
    return remember(this.#ids, `${subject}\n${schema.schema}`, async () => {
      const answer = await this.#request(
        "POST",
        `/subjects/${encodeURIComponent(subject)}/versions${this.#normalize()}`,
        schema,
      );
      return readId(answer);
    });
  }

  lookup(subject: string, schema: RegisteredSchema): Eventually<number> {
    return remember(this.#ids, `${subject}\n${schema.schema}`, async () => {
      const answer = await this.#request(
        "POST",
        `/subjects/${encodeURIComponent(subject)}${this.#normalize()}`,
        schema,
      );
      return readId(answer);
    });
  }

  byId(id: number): Eventually<RegisteredSchema> {
    return remember(
      this.#byId,
      id,
      async () => readSchema(await this.#request("GET", `/schemas/ids/${id}`)),
    );
  }

  byGuid(guid: string): Eventually<RegisteredSchema> {
    return remember(
      this.#byGuid,
      guid,
      async () => readSchema(await this.#request("GET", `/schemas/guids/${guid}`)),
    );
  }

  version(subject: string, version: number): Eventually<SubjectVersion> {
    return remember(this.#versions, `${subject}\n${version}`, async () => {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      return readSubjectVersion(await this.#request("GET", path));
    });
  }

  async latest(subject: string): Promise<SubjectVersion> {
    return readSubjectVersion(
      await this.#request("GET", `/subjects/${encodeURIComponent(subject)}/versions/latest`),
    );
  }

  async isCompatible(subject: string, schema: RegisteredSchema): Promise<boolean> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest`;
    try {
      const answer = await this.#request("POST", path, schema) as { is_compatible?: unknown };
      return answer.is_compatible === true;
    } catch (error) {
      // A subject that is not there yet has nothing to be compatible with.
      if (error instanceof SchemaRegistryError && error.status === 404) return true;
      throw error;
    }
  }

  #normalize(): string {
    return this.#options.normalizeSchemas ? "?normalize=true" : "";
  }

  async #request(method: string, path: string, schema?: RegisteredSchema): Promise<unknown> {
    const { baseURLs, tries = 4 } = this.#options;
    let last: unknown;
    for (let attempt = 0; attempt < tries; attempt++) {
      if (attempt > 0) await this.#clock.sleep(Math.min(100 * 2 ** attempt, 2_000));
      const base = baseURLs[attempt % baseURLs.length].replace(/\/+$/, "");
      try {
        return await this.#once(method, base, path, schema);
      } catch (error) {
        if (!(error instanceof SchemaRegistryError) || !error.retriable) throw error;
        last = error;
      }
    }
    throw last;
  }

  async #once(
    method: string,
    base: string,
    path: string,
    schema?: RegisteredSchema,
  ): Promise<unknown> {
    const headers: Record<string, string> = {
      accept: MEDIA_TYPE,
      ...this.#options.requestHeaders?.(),
    };
    const { basicAuth, bearerToken, timeoutMs = 10_000 } = this.#options;
    if (basicAuth) {
      headers.authorization = `Basic ${btoa(`${basicAuth.user}:${basicAuth.password}`)}`;
    } else if (bearerToken) headers.authorization = `Bearer ${bearerToken}`;
    if (schema) headers["content-type"] = MEDIA_TYPE;
    let response: Response;
    let body: string;
    try {
      response = await this.#fetch(base + path, {
        method,
        headers,
        body: schema && JSON.stringify(schema),
        signal: AbortSignal.timeout(timeoutMs),
      });
      body = await response.text();
    } catch (cause) {
      throw new SchemaRegistryError(
        `Cannot reach the schema registry at ${withoutCredentials(base)}: ${
          (cause as Error).message
        }`,
        0,
        0,
        { cause },
      );
    }
    if (!response.ok) {
      throw readError(method, withoutCredentials(base) + path, response.status, body);
    }
    return parse(body, withoutCredentials(base) + path, response.status);
  }
}

function parse(body: string, url: string, status: number): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new SchemaRegistryError(
      `Cannot use the registry's answer from ${url} as it is not JSON`,
      status,
      status,
      { cause },
    );
  }
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
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
