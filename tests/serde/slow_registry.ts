import {
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
} from "../../lib/serde/registry.ts";

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
