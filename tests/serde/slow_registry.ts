import type { MockSchemaRegistry } from "../../lib/serde/mock_registry.ts";
import {
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
} from "../../lib/serde/registry.ts";

/** An in-process registry whose answers come later, as a real one's do. */
export function later(registry: MockSchemaRegistry): SchemaRegistry & { asked: string[] } {
  const asked: string[] = [];
  const ask = <T>(what: string, answer: () => T): Promise<T> => {
    asked.push(what);
    return Promise.resolve().then(answer);
  };
  return {
    asked,
    register: (subject, schema) => ask("register", () => registry.register(subject, schema)),
    lookup: (subject, schema) => ask("lookup", () => registry.lookup(subject, schema)),
    byId: (id) => ask("byId", () => registry.byId(id)),
    byGuid: (guid) => ask("byGuid", () => registry.byGuid(guid)),
    versions: (subject) => ask("versions", () => registry.versions(subject)),
    version: (subject, version) => ask("version", () => registry.version(subject, version)),
    latest: (subject) => ask("latest", () => registry.latest(subject)),
    guidOf: (id) => registry.guidOf(id),
    isCompatible: () => true,
  };
}

/** A registry whose answers come later; each question for an id takes the next of its answers, and the last for ever. */
export class SlowRegistry implements SchemaRegistry {
  asked = 0;
  readonly #answers: (RegisteredSchema | SchemaRegistryError)[];

  constructor(...answers: (RegisteredSchema | SchemaRegistryError)[]) {
    this.#answers = answers;
  }

  async byId(): Promise<RegisteredSchema> {
    const answer = this.#answers[Math.min(this.asked, this.#answers.length - 1)];
    this.asked++;
    await Promise.resolve();
    if (answer instanceof SchemaRegistryError) throw answer;
    return answer;
  }
  byGuid(): Promise<RegisteredSchema> {
    return this.byId();
  }
  register(): Promise<number> {
    return Promise.resolve(1);
  }
  lookup(): Promise<number> {
    return Promise.resolve(1);
  }
  versions(): readonly number[] {
    return [];
  }
  version(): never {
    throw new SchemaRegistryError("Subject not found.", 404, 40401);
  }
  latest(): never {
    throw new SchemaRegistryError("Subject not found.", 404, 40401);
  }
  isCompatible(): boolean {
    return true;
  }
}
