import { SchemaPending, SerializationException } from "../errors.ts";
import { describeSite } from "./primitives.ts";
import {
  type Eventually,
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
  whenKnown,
} from "./registry.ts";
import type { SerdeSite } from "./serde.ts";
import { type WholeSchema, wholeSchema } from "./written_schemas.ts";

/** Which schema is written, and what of it the registry is told. Exactly one of these. */
export type SchemaChoice =
  /** The serde's own schema, registered when the subject has not got it. */
  | { readonly kind: "register" }
  /** The serde's own schema, which the subject must have. */
  | { readonly kind: "lookup" }
  /** The subject's newest schema. */
  | { readonly kind: "latest" }
  /** The schema of this id. */
  | { readonly kind: "id"; readonly id: number };

/** What is written at a site: the schema's id, and the schema where it is not the serde's own. */
export interface ChosenSchema {
  readonly id: number;
  /** Its GUID in lower-case text, when the registry tells it. */
  readonly guid: string | undefined;
  readonly schema: WholeSchema | undefined;
}

/** The schemas and ids that one serde writes with, by subject. */
export class SchemaIds {
  readonly #own: RegisteredSchema;
  readonly #choice: SchemaChoice;
  readonly #bySubject = new Map<string, ChosenSchema>();

  constructor(own: RegisteredSchema, choice: SchemaChoice) {
    this.#own = own;
    this.#choice = choice;
  }

  /** Finds what is written under a subject, so that `of` has it. @throws {SchemaRegistryError} when the registry refuses or is not there */
  async prepare(subject: string, registry: SchemaRegistry): Promise<void> {
    if (this.#bySubject.has(subject)) return;
    this.#bySubject.set(subject, await this.#choose(subject, registry));
  }

  /**
   * What is written under a subject.
   * @throws {SerializationException} when the registry has no schema for it
   * @throws {SchemaPending} while it is being fetched, for a topic that no one could prepare
   */
  of(subject: string, site: SerdeSite, registry: SchemaRegistry): ChosenSchema {
    const known = this.#bySubject.get(subject);
    if (known !== undefined) return known;
    let chosen: Eventually<ChosenSchema>;
    try {
      chosen = this.#choose(subject, registry);
    } catch (cause) {
      if (!(cause instanceof SchemaRegistryError)) throw cause;
      throw new SerializationException(
        `Cannot write ${
          describeSite(site)
        } as the registry has no schema for it under ${subject}: ${cause.message}`,
        { cause },
      );
    }
    if (!(chosen instanceof Promise)) {
      this.#bySubject.set(subject, chosen);
      return chosen;
    }
    const ready = chosen.then((value) => void this.#bySubject.set(subject, value));
    // Whoever waits hears of a failure; when nobody does, the next record asks again.
    ready.catch(() => {});
    throw new SchemaPending(
      `The schema of ${describeSite(site)} under ${subject} is on its way`,
      ready,
    );
  }

  #choose(subject: string, registry: SchemaRegistry): Eventually<ChosenSchema> {
    const chosen = (id: number, schema?: WholeSchema): ChosenSchema => ({
      id,
      guid: registry.guidOf?.(id),
      schema,
    });
    const choice = this.#choice;
    switch (choice.kind) {
      case "register":
        return whenKnown(registry.register(subject, this.#own), (id) => chosen(id));
      case "lookup":
        return whenKnown(registry.lookup(subject, this.#own), (id) => chosen(id));
      case "latest":
        return whenKnown(
          registry.latest(subject),
          (found) => whenKnown(wholeSchema(registry, found), (whole) => chosen(found.id, whole)),
        );
      case "id":
        return whenKnown(
          registry.byId(choice.id),
          (found) => whenKnown(wholeSchema(registry, found), (whole) => chosen(choice.id, whole)),
        );
    }
  }
}
