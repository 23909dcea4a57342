import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { HEAP_FLAGS } from "../../lib/cli/heap_flags.ts";
import { denoPath, Program, repositoryRoot } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const skip = !("Deno" in globalThis) || process.platform !== "linux";
const script = join(makeTempDir("heap-flags"), "told.ts");
writeFileSync(
  script,
  `import { startWithHeapFlags } from ${
    JSON.stringify(join(repositoryRoot, "lib", "cli", "heap_flags.ts"))
  };
startWithHeapFlags();
const flags = Deno.env.get("DENO_V8_FLAGS");
console.log(JSON.stringify([Deno.pid, Deno.cwd(), Deno.env.get("MINE"), flags, Deno.args]));
Deno.exit(7);
`,
);
const ARGS = ["a", "b c", "--d", "", "ä"];

/** What the script tells of the process it ends up in. */
async function told(flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const args = ["run", "--quiet", "--no-check", "--no-prompt", ...flags, script, ...ARGS];
  const program = new Program(denoPath(), args, { env: { ...env, MINE: "x=y" } });
  assertEquals(await program.exited, { code: 7, signal: null }, program.stderr);
  assertEquals(program.stderr, "");
  const [pid, cwd, mine, v8Flags, rest] = JSON.parse(program.stdout);
  assertEquals([pid, `${cwd}/`, mine, rest], [program.pid, repositoryRoot, "x=y", ARGS]);
  return v8Flags;
}

test(
  "a program on Deno starts anew with the heap's flags, in the same process, with its arguments, directory and environment",
  {
    skip,
  },
  async () => {
    assertEquals(await told(["-A"]), HEAP_FLAGS);
  },
);

test(
  "a program on Deno is left as it is when somebody has set V8's flags, or when it may not start anew",
  {
    skip,
  },
  async () => {
    assertEquals(await told(["-A"], { DENO_V8_FLAGS: "--no-lite-mode" }), "--no-lite-mode");
    assertEquals(await told(["-A", "--v8-flags=--no-lite-mode"]), null);
    assertEquals(await told(["--allow-env", "--allow-read", "--allow-sys"]), null);
  },
);

test("deno task start has the same flags", () => {
  const { tasks } = JSON.parse(readFileSync(join(repositoryRoot, "deno.json"), "utf8"));
  assert(tasks.start.includes(` --v8-flags=${HEAP_FLAGS} `), tasks.start);
});
