import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { bunPath, Program, repositoryRoot, run, spawnSame } from "../support/spawn.ts";
import { withTempDir } from "../support/temp_dir.ts";

const BUILD = join(repositoryRoot, "lib/kafka/native/build.ts");

/** A program that asks for the addon and prints one line for each time that it is started. */
function program(dir: string): string {
  const path = join(dir, "program.ts");
  writeFileSync(
    path,
    `import { nativeAddonPathSync } from ${JSON.stringify(BUILD)};
console.log("started");
try { console.log("path " + nativeAddonPathSync()); } catch (error) { console.log(error.message); }
`,
  );
  return path;
}

const emptyCache = (dir: string) => ({ XDG_CACHE_HOME: join(dir, "cache"), WEIR_NATIVE_PATH: "" });

test("A compiled executable that has no addon says so, and does not start itself to build one", () =>
  withTempDir(async (dir) => {
    const executable = join(dir, "compiled");
    await run(bunPath(), ["build", "--compile", program(dir), "--outfile", executable]);
    mkdirSync(join(dir, "elsewhere"));
    const options = { cwd: join(dir, "elsewhere"), env: emptyCache(dir) };
    const compiled = new Program(executable, [], options);
    assertEquals((await compiled.exited).code, 0, compiled.stderr);
    const [started, message, ...more] = compiled.stdout.trim().split("\n");
    assertEquals([started, more, compiled.stderr], ["started", [], ""]);
    assertStringIncludes(message, "a compiled executable cannot build it");
    assertStringIncludes(message, "WEIR_NATIVE_PATH");
  }));

test("The process that builds the addon never starts another one", () =>
  withTempDir(async (dir) => {
    const env = { ...emptyCache(dir), WEIR_NATIVE_BUILDING: "1" };
    const child = spawnSame(program(dir), [], { env });
    assertEquals((await child.exited).code, 0, child.stderr);
    const [started, message, ...more] = child.stdout.trim().split("\n");
    assertEquals([started, more], ["started", []]);
    assertStringIncludes(message, "it is being built by the process that started this one");
  }));

test("An addon that is named and does not exist is told, and nothing is built in its place", () =>
  withTempDir(async (dir) => {
    const env = { ...emptyCache(dir), WEIR_NATIVE_PATH: join(dir, "missing.node") };
    const child = spawnSame(program(dir), [], { env });
    assertEquals((await child.exited).code, 0, child.stderr);
    assertStringIncludes(child.stdout, `current value is ${join(dir, "missing.node")}`);
  }));
