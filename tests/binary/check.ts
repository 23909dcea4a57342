/**
 * `deno run -A tests/binary/check.ts dist/weir`: copies the binary alone into an empty directory and runs it there, with an
 * environment that names nothing of this machine. Prints a line a check and ends with `N passed, N failed`.
 *
 * @module
 */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { freePort } from "../support/free_port.ts";
import { Program, repositoryRoot } from "../support/spawn.ts";
import { makeTempDir, removeDir } from "../support/temp_dir.ts";

const TOPOLOGY = `import { defineTopology, int64, string, topic } from "weir";

const words = topic("words", { key: string(), value: string() });
const counts = topic("counts", { key: string(), value: int64() });

export const topology = defineTopology((builder) => {
  builder.stream(words).groupByKey().count({ store: "counts-store" }).toStream().to(counts);
});
`;

const binary = resolve(process.argv[2] ?? join(repositoryRoot, "dist/weir"));
const dir = makeTempDir("binary");
const weir = join(dir, "weir");
copyFileSync(binary, weir);
writeFileSync(join(dir, "words.ts"), TOPOLOGY);
const options = { cwd: dir, env: { HOME: dir } };

const checks: Record<string, () => Promise<void>> = {
  "weir version prints the version of package.json": async () => {
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8"));
    assertStringIncludes(await output(["version"]), version);
  },
  "weir topology prints the description of a file": async () => {
    assertMatch(await output(["topology", "words.ts"]), /Topologies:\s+Sub-topology: 0/);
  },
  "weir run serves a topology on the embedded broker and ends on SIGTERM": () => runAndStop(1),
  "weir run works with two threads": () => runAndStop(2),
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok     ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}\n${error instanceof Error ? error.stack : error}`);
  }
}
removeDir(dir);
console.log(`\n${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function output(args: readonly string[]): Promise<string> {
  const program = new Program(weir, args, options);
  const exit = await program.exited;
  assertEquals(exit.code, 0, program.stdout + program.stderr);
  return program.stdout;
}

async function runAndStop(threads: number): Promise<void> {
  const port = await freePort();
  const settings = {
    "application.id": `binary-check-${threads}`,
    "bootstrap.servers": "embedded://",
    "state.dir": join(dir, `state-${threads}`),
    "num.stream.threads": String(threads),
    "admin.port": String(port),
  };
  const sets = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const program = new Program(weir, ["run", "words.ts", ...sets], options);
  try {
    await answersOk(program, `http://127.0.0.1:${port}/healthz`);
    await answersOk(program, `http://127.0.0.1:${port}/readyz`);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assertStringIncludes(metrics, "kafka_streams_");
    assertEquals(await program.stop(), { code: 0, signal: null });
  } catch (error) {
    await program.kill();
    const text = `${program.stdout}${program.stderr}`.slice(-8_000);
    throw new Error(`${(error as Error).message}\n${text}`, { cause: error });
  }
}

/** Waits until `url` answers 200, at most a minute. */
async function answersOk(program: Program, url: string): Promise<void> {
  let last = "nothing";
  for (let attempt = 0; attempt < 600; attempt++) {
    assert(program.running, `The program ended before ${url} answered`);
    try {
      const answer = await fetch(url);
      last = `${answer.status} ${await answer.text()}`;
      if (answer.ok) return;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer 200 in a minute: ${last}`);
}
