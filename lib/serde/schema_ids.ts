import { SerializationException } from "../errors.ts";
import { describeSite } from "./primitives.ts";
import { type RegisteredSchema, type SchemaRegistry, SchemaRegistryError } from "./registry.ts";
import type { MockSchemaRegistry } from "./mock_registry.ts";
import type { SerdeSite } from "./serde.ts";

/** The ids of one serde's schema at its sites, and the schemas of ids that it meets. */
export class SchemaIds {
  readonly #schema: RegisteredSchema;
  #registry: SchemaRegistry | undefined;
  readonly #bySubject = new Map<string, number>();
  readonly #bySite = new Map<SerdeSite, number>();
  /** Answers and refusals that came after `schemaOf` had to wait. */
  readonly #answers = new Map<number | string, RegisteredSchema | Error>();
  #lastSite: SerdeSite | undefined;
  #lastId = -1;

  constructor(schema: RegisteredSchema, registry: SchemaRegistry | undefined) {
    this.#schema = schema;
    this.#registry = registry;
    registry?.announce?.(schema);
  }

  /** Takes the application's registry where the serde was given none. */
  bind(registry: SchemaRegistry | undefined): void {
    if (this.#registry !== undefined) return;
    this.#registry = registry;
    registry?.announce?.(this.#schema);
  }

  /** Registers the schema under the subject, or looks it up, so that `idFor` finds it. */
  async prepare(subject: string, register: boolean): Promise<void> {
    if (this.#bySubject.has(subject)) return;
    const registry = this.#registry;
    if (registry === undefined) {
      throw new SerializationException(noRegistry(`the subject ${subject}`));
    }
    const id =
      await (register
        ? registry.register(subject, this.#schema)
        : registry.lookup(subject, this.#schema));
    this.#bySubject.set(subject, id);
  }

  /** The id at a site. @throws {SerializationException} when `prepare` was not called and the registry is not in memory. */
  idFor(site: SerdeSite, subjectOf: () => string, register: boolean): number {
    if (site === this.#lastSite) return this.#lastId;
    const id = this.#bySite.get(site) ?? this.#findId(site, subjectOf(), register);
    this.#bySite.set(site, id);
    this.#lastSite = site;
    this.#lastId = id;
    return id;
  }

  #findId(site: SerdeSite, subject: string, register: boolean): number {
    const known = this.#bySubject.get(subject);
    if (known !== undefined) return known;
    const registry = this.#registry;
    if (registry === undefined) throw new SerializationException(noRegistry(describeSite(site)));
    const id = register
      ? registry.register(subject, this.#schema)
      : registry.lookup(subject, this.#schema);
    if (typeof id === "number") {
      this.#bySubject.set(subject, id);
      return id;
    }
    // Whatever comes of it is asked for again by the next record; this one cannot wait in the middle of processing.
    id.then((value) => this.#bySubject.set(subject, value), () => {});
    throw new SerializationException(
      `Cannot write ${
        describeSite(site)
      } as the schema is not registered under ${subject} yet: prepare the serde for the topic before the first record, or give it a schemaId`,
    );
  }

  /** The GUID at a site, which only a registry in memory tells. @throws {SerializationException} otherwise. */
  guidFor(site: SerdeSite, subjectOf: () => string): string {
    const registry = this.#registry;
    if (registry === undefined || !("guidOf" in registry)) {
      throw new SerializationException(
        `Cannot write the schema id of ${
          describeSite(site)
        } into a header as the registry gives no GUIDs: use schemaIdIn "prefix"`,
      );
    }
    return (registry as MockSchemaRegistry).guidOf(this.idFor(site, subjectOf, true));
  }

  /**
   * The schema of an id or GUID, or a promise that is done when the next call has the answer.
   * @throws {SerializationException} when the registry does not know it or cannot be reached
   */
  schemaOf(id: number | string, site: SerdeSite): RegisteredSchema | Promise<void> {
    const answer = this.#answers.get(id);
    if (answer instanceof Error) {
      // A refusal is final; whoever could not be reached is asked again for the next record.
      if (!(answer instanceof SchemaRegistryError) || answer.retriable) this.#answers.delete(id);
      throw this.#unknown(id, site, answer);
    }
    if (answer !== undefined) return answer;
    const registry = this.#registry;
    if (registry === undefined) throw new SerializationException(noRegistry(describeSite(site)));
    let asked: RegisteredSchema | Promise<RegisteredSchema>;
    try {
      asked = typeof id === "number" ? registry.byId(id) : registry.byGuid(id);
    } catch (error) {
      throw this.#unknown(id, site, error as Error);
    }
    if (!(asked instanceof Promise)) {
      this.#answers.set(id, asked);
      return asked;
    }
    return asked.then(
      (schema) => void this.#answers.set(id, schema),
      (error) => void this.#answers.set(id, error as Error),
    );
  }

  #unknown(id: number | string, site: SerdeSite, cause: Error): SerializationException {
    return new SerializationException(
      `Cannot read ${describeSite(site)} as its schema ${id} cannot be had: ${cause.message}`,
      {
        cause,
      },
    );
  }
}

function noRegistry(what: string): string {
  return `Cannot find the Avro schema id for ${what} as there is no schema registry: set schema.registry.url, or give the serde a registry or a schemaId`;
}
