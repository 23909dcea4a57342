import { SchemaPending, SerializationException } from "../errors.ts";
import { type Clock, systemClock } from "../record/time.ts";
import { describeSite } from "./primitives.ts";
import {
  type Eventually,
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
  whenKnown,
} from "./registry.ts";
import { referencedSchemas } from "./schema_references.ts";
import type { SerdeSite } from "./serde.ts";

/** A schema with the texts of those that it refers to. */
export interface WholeSchema extends RegisteredSchema {
  readonly named: readonly string[];
}

/** How long an id that the registry does not know is not asked for again: a topic of poison pills must not hammer it. */
const UNKNOWN_MS = 60_000;
/** How long a registry that cannot be reached is asked again before waiting records' thread is told. */
const OUTAGE_MS = 120_000;
/** How many versions of a subject are fetched before the first record. */
const MOST_VERSIONS = 100;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * The schemas that records were written with, by id or GUID.
 *
 * Two failures are kept apart. An id that the registry does not know is the record's fault: `get` throws a `SerializationException`, which the
 * deserialization handler decides on. A registry that cannot be reached, or refuses this client, says nothing about the record, which must
 * not be skipped for it: `get` goes on throwing `SchemaPending` while the registry is asked again with growing pauses, for two minutes when it
 * is out of reach and not at all when it refuses; then `ready` rejects with the `SchemaRegistryError`.
 */
export class WrittenSchemas {
  readonly #known = new Map<number | string, WholeSchema>();
  readonly #unknown = new Map<number | string, { readonly until: number; readonly cause: Error }>();
  readonly #asked = new Map<number | string, Promise<void>>();
  readonly #prefetched = new Set<string>();
  #clock: Clock = systemClock;

  /** Takes the application's clock. */
  bind(clock: Clock | undefined): void {
    this.#clock = clock ?? this.#clock;
  }

  /**
   * Fetches the schemas that a subject has, the newest hundred of them, so that records and above all stores, which are read in the middle
   * of processing, need not wait for one. A subject that is unknown has none.
   * @throws {SchemaRegistryError} when the registry cannot be reached or refuses
   */
  async prefetch(subject: string, registry: SchemaRegistry): Promise<void> {
    if (this.#prefetched.has(subject)) return;
    const versions = await unlessUnknown(async () => await registry.versions(subject)) ?? [];
    await Promise.all(
      versions.slice(-MOST_VERSIONS).map(async (version) => {
        const found = await unlessUnknown(async () => await registry.version(subject, version));
        const whole = found && await unlessUnknown(async () => await wholeSchema(registry, found));
        if (whole === undefined) return;
        this.keep(found!.id, whole);
        const guid = registry.guidOf?.(found!.id);
        if (guid !== undefined) this.keep(guid, whole);
      }),
    );
    this.#prefetched.add(subject);
  }

  /** Keeps a schema that was learned in another way, so that it is never asked for. */
  keep(id: number | string, schema: WholeSchema): void {
    this.#known.set(id, schema);
  }

  /**
   * The schema of an id or GUID.
   * @throws {SerializationException} when the registry does not know it
   * @throws {SchemaPending} while it is being fetched
   */
  get(id: number | string, site: SerdeSite, registry: SchemaRegistry): WholeSchema {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const refused = this.#unknown.get(id);
    if (refused !== undefined && this.#clock.now() < refused.until) {
      throw unknownSchema(id, site, refused.cause);
    }
    const pending = this.#asked.get(id);
    if (pending !== undefined) {
      throw new SchemaPending(`The schema ${id} is being fetched`, pending);
    }
    let answer: Eventually<WholeSchema>;
    try {
      answer = ask(registry, id);
    } catch (cause) {
      throw cause instanceof SchemaRegistryError ? unknownSchema(id, site, cause) : cause;
    }
    if (!(answer instanceof Promise)) {
      this.#known.set(id, answer);
      return answer;
    }
    throw new SchemaPending(`The schema ${id} is being fetched`, this.#await(id, registry, answer));
  }

  #await(
    id: number | string,
    registry: SchemaRegistry,
    first: Promise<WholeSchema>,
  ): Promise<void> {
    const ready = this.#settle(id, registry, first).finally(() => this.#asked.delete(id));
    // Whoever waits hears of a failure; when nobody does, the next record asks again.
    ready.catch(() => {});
    this.#asked.set(id, ready);
    return ready;
  }

  async #settle(
    id: number | string,
    registry: SchemaRegistry,
    first: Promise<WholeSchema>,
  ): Promise<void> {
    const giveUpAt = this.#clock.now() + OUTAGE_MS;
    let answer: Promise<WholeSchema> | undefined = first;
    for (let pause = FIRST_PAUSE_MS;; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        this.#known.set(id, await (answer ?? ask(registry, id)));
        this.#unknown.delete(id);
        return;
      } catch (error) {
        if (!(error instanceof SchemaRegistryError)) throw error;
        if (error.unknown) {
          this.#unknown.set(id, { until: this.#clock.now() + UNKNOWN_MS, cause: error });
          return;
        }
        if (!error.retriable || this.#clock.now() + pause > giveUpAt) throw error;
      }
      answer = undefined;
      await this.#clock.sleep(pause);
    }
  }
}

/** What was asked for; undefined when the registry does not know it (a version may be deleted meanwhile). */
async function unlessUnknown<T>(askFor: () => Promise<T>): Promise<T | undefined> {
  try {
    return await askFor();
  } catch (error) {
    if (error instanceof SchemaRegistryError && error.unknown) return undefined;
    throw error;
  }
}

function ask(registry: SchemaRegistry, id: number | string): Eventually<WholeSchema> {
  const schema = typeof id === "number" ? registry.byId(id) : registry.byGuid(id);
  return whenKnown(schema, (found) => wholeSchema(registry, found));
}

/** A schema with all that it refers to. */
export function wholeSchema(
  registry: SchemaRegistry,
  schema: RegisteredSchema,
): Eventually<WholeSchema> {
  return whenKnown(
    referencedSchemas(registry, schema.references),
    (named) => ({ ...schema, named }),
  );
}

function unknownSchema(id: number | string, site: SerdeSite, cause: Error): SerializationException {
  return new SerializationException(
    `Cannot read ${describeSite(site)} as its schema must be registered: current value is ${
      typeof id === "number" ? "id" : "GUID"
    } ${id}: ${cause.message}`,
    { cause },
  );
}
