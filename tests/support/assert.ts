// The part of @std/assert that the tests use, over node:assert/strict, as JSR cannot be reached from
// a closed network. Where it can, one line of deno.json switches the import map to the real one.
import nodeAssert from "node:assert/strict";

/** Fails unless `condition` is truthy. */
export function assert(condition: unknown, message?: string): asserts condition {
  nodeAssert.ok(condition, message);
}
/** Deep, strict equality. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, message);
}
/** Deep, strict inequality. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.notDeepStrictEqual(actual, expected, message);
}
/** Identity (`Object.is`). */
export function assertStrictEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.strictEqual(actual, expected, message);
}
/** Fails unless `text` contains `part`. */
export function assertStringIncludes(text: string, part: string, message?: string): void {
  nodeAssert.ok(text.includes(part), message ?? `Expected "${text}" to include "${part}"`);
}
/** Fails unless `text` matches `pattern`. */
export function assertMatch(text: string, pattern: RegExp, message?: string): void {
  nodeAssert.match(text, pattern, message);
}
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;
/** Fails unless `fn` throws; gives the error back. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
): E {
  let thrown: unknown;
  let threw = false;
  try {
    fn();
  } catch (error) {
    threw = true;
    thrown = error;
  }
  return expectError(threw, thrown, errorClass, messageIncludes);
}
/** Fails unless the promise of `fn` rejects; gives the error back. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
): Promise<E> {
  let thrown: unknown;
  let threw = false;
  try {
    await fn();
  } catch (error) {
    threw = true;
    thrown = error;
  }
  return expectError(threw, thrown, errorClass, messageIncludes);
}
function expectError<E extends Error>(
  threw: boolean,
  thrown: unknown,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
): E {
  nodeAssert.ok(threw, "Expected an error to be thrown, none was");
  if (errorClass && !(thrown instanceof errorClass)) {
    nodeAssert.fail(
      `Expected ${errorClass.name}, got ${(thrown as Error)?.constructor?.name}: ${
        (thrown as Error)?.stack
      }`,
    );
  }
  if (messageIncludes !== undefined) {
    assertStringIncludes((thrown as Error).message, messageIncludes);
  }
  return thrown as E;
}
/** Fails always. */
export function fail(message = "Failed"): never {
  nodeAssert.fail(message);
}
