import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Program, repositoryRoot, run, spawnBun, spawnDeno, spawnSame } from "./spawn.ts";
import { withTempDir } from "./temp_dir.ts";

const RUNTIMES = { Deno: spawnDeno, Bun: spawnBun, "this runtime": spawnSame };
const SCRIPT = `process.on("SIGTERM", () => process.exit(3)); setInterval(() => {}, 1000);
console.error("aside"); console.log("ready " + process.argv[2]);`;

for (const [name, start] of Object.entries(RUNTIMES)) {
  test(`Program on ${name} is waited for by a line, and stopped with its own exit code`, async () => {
    await withTempDir(async (dir) => {
      const script = join(dir, "child.ts");
      writeFileSync(script, `import process from "node:process";\n${SCRIPT}`);
      const program = start(script, ["now"]);
      const [, word] = await program.waitForLine(/^ready (\w+)$/);
      assertEquals(word, "now");
      await program.waitForLine(/^aside$/);
      assertEquals(await program.stop(), { code: 3, signal: null });
    });
  });
}

test("Program that is killed says so, and waiting for more of it fails with what it printed", async () => {
  const program = new Program("sh", ["-c", "echo first; sleep 600"]);
  await program.waitForLine(/first/);
  assertEquals(await program.kill(), { code: null, signal: "SIGKILL" });
  const error = await assertRejects(() => program.waitForLine(/second/));
  assertStringIncludes(error.message, "first");
});

test("run fails with the output of a program that fails", async () => {
  const error = await assertRejects(() => run("sh", ["-c", "echo why; exit 4"]));
  assertStringIncludes(error.message, "why");
  assertStringIncludes(error.message, '"code":4');
});

test("A child, and the directory given to its guard, go when the process that started it is killed", async () => {
  await withTempDir(async (dir) => {
    const mine = join(dir, "mine");
    mkdirSync(mine);
    const script = join(dir, "parent.ts");
    const guard = pathToFileURL(join(repositoryRoot, "tests/support/process_guard.ts"));
    writeFileSync(
      script,
      `import { spawn } from "node:child_process";
import process from "node:process";
import { guard } from "${guard}";
const child = spawn("sleep", ["600"]);
guard(child.pid!, process.argv[2]);
console.log("child " + child.pid);
setInterval(() => {}, 1000);`,
    );
    const parent = spawnSame(script, [mine]);
    const [, pid] = await parent.waitForLine(/^child (\d+)$/);
    assert(existsSync(mine));
    await parent.kill();
    for (let attempt = 0; attempt < 500 && (alive(Number(pid)) || existsSync(mine)); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert(!alive(Number(pid)));
    assert(!existsSync(mine));
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
