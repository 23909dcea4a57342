// How processes end while clients are open.
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSame } from "../support/spawn.ts";

const PROGRAM = fileURLToPath(new URL("./open_clients.ts", import.meta.url));

for (
  const [how, words, code] of [
    ["itself", "ends by itself", 0],
    ["exit", "ends by process.exit", 7],
    ["throw", "ends by an uncaught error", 1],
  ] as const
) {
  test(`a program with open clients ${words}, without a crash`, async () => {
    const program = spawnSame(PROGRAM, [how]);
    const exit = await program.exited;
    assertEquals([exit.code, exit.signal], [code, null], program.stderr);
    assertStringIncludes(program.stdout, "ready");
  });
}
