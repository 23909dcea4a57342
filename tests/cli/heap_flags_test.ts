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
const malloc = ["GLIBC_TUNABLES", "MALLOC_ARENA_MAX"].map((name) => Deno.env.get(name) ?? null);
console.log(JSON.stringify([Deno.pid, Deno.cwd(), Deno.env.get("MINE"), Deno.args, flags, malloc]));
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
  const [pid, cwd, mine, rest, v8, malloc] = JSON.parse(program.stdout);
  assertEquals([pid, `${cwd}/`, mine, rest], [program.pid, repositoryRoot, "x=y", ARGS]);
  return { v8, malloc };
}

test(
  "a program on Deno starts anew with the heap's flags, in the same process, with its arguments, directory and environment",
  {
    skip,
  },
  async () => {
    const { v8, malloc: [tunables, arenas] } = await told(["-A"]);
    assertEquals([v8, tunables], [HEAP_FLAGS, "glibc.malloc.tcache_count=10000"]);
    assert(Number(arenas) >= 2, arenas);
    const own = { GLIBC_TUNABLES: "glibc.malloc.check=0", MALLOC_ARENA_MAX: "5" };
    assertEquals((await told(["-A"], own)).malloc, Object.values(own));
  },
);

test(
  "a program on Deno is left as it is when somebody has set V8's flags, or when it may not start anew",
  {
    skip,
  },
  async () => {
    const own = { DENO_V8_FLAGS: "--no-lite-mode" };
    assertEquals((await told(["-A"], own)).v8, "--no-lite-mode");
    assertEquals((await told(["-A", "--v8-flags=--no-lite-mode"])).v8, null);
    assertEquals((await told(["--allow-env", "--allow-read", "--allow-sys"])).v8, null);
  },
);

test("deno task start has the same flags", () => {
  const { tasks } = JSON.parse(readFileSync(join(repositoryRoot, "deno.json"), "utf8"));
  assert(tasks.start.includes(` --v8-flags=${HEAP_FLAGS} `), tasks.start);
});
