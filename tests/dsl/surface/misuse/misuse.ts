// What a misuse of the DSL is, and how it is tested: by the class of the error and by its whole message, which says what to change.
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { StreamsBuilder } from "../../../../mod.ts";

/** A misuse that has to be refused while a topology is built. */
export interface Misuse {
  /** What is wrong. */
  readonly that: string;
  /** The cases of Kafka Streams that it stands for (`java_cases.ts`); without any it is a rule of Weir's own. */
  readonly java?: readonly string[];
  readonly error: string;
  /** The whole message. */
  readonly says: string;
  readonly build: (builder: StreamsBuilder) => unknown;
}

/** What building it throws. */
export function thrownBy({ build }: Pick<Misuse, "build">): Error | undefined {
  try {
    const builder = new StreamsBuilder();
    build(builder);
    builder.build();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** A test for each. */
export function testMisuses(cases: readonly Misuse[]): void {
  for (const misuse of cases) {
    test(`StreamsBuilder refuses ${misuse.that}`, () => {
      const thrown = thrownBy(misuse);
      assert(thrown !== undefined, "nothing was thrown");
      assertEquals([thrown.name, thrown.message], [misuse.error, misuse.says]);
    });
  }
}
