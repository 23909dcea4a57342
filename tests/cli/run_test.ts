import { test } from "node:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSame } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const weir = new URL("../../mod.ts", import.meta.url).href;
const directory = makeTempDir("run");

function topologyFile(name: string, body: string): string {
  const path = join(directory, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(
    path,
    `import { defineTopology, string, topic } from ${JSON.stringify(weir)};
const text = { key: string(), value: string() };
export const topology = defineTopology((builder) => { ${body} });
`,
  );
  return path;
}

function settings(more: Record<string, string> = {}): string[] {
  return Object.entries({
    "application.id": "run-test",
    "bootstrap.servers": "embedded://?partitions=2",
    "state.dir": join(directory, "state"),
    "admin.port": "0",
    "log.format": "json",
    ...more,
  }).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
}

test("weir run serves each file of a folder as an application and ends on SIGTERM", async () => {
  topologyFile("both/first.ts", 'builder.stream(topic("a", text)).to(topic("out", text));');
  topologyFile(
    "both/second.ts",
    'builder.stream(topic("b", text)).groupByKey().count({ store: "s" });',
  );
  const program = spawnSame("main.ts", ["run", join(directory, "both"), ...settings()]);
  try {
    const url = (await program.waitForLine(/The admin server listens on (http:[^"]+)/))[1];
    for (let i = 0; (await fetch(`${url}/readyz`)).status !== 200; i++) {
      assert(i < 600, program.stderr);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const states = await (await fetch(`${url}/api/v1/state`)).json();
    assertEquals(Object.keys(states), ["run-test-first", "run-test-second"]);
    const topology = await (await fetch(`${url}/topology?application=run-test-second`)).text();
    assertStringIncludes(topology, "(topics: [b])");
    assertEquals(await program.stop(), { code: 0, signal: null });
    assertEquals(program.stdout, "");
  } finally {
    await program.kill();
  }
});

test("weir run exits with 1 when the admin server's address is not ours", async () => {
  const path = topologyFile("here.ts", 'builder.stream(topic("a", text)).print();');
  const program = spawnSame("main.ts", ["run", path, ...settings({ "admin.host": "203.0.113.1" })]);
  assertEquals((await program.exited).code, 1);
  assertStringIncludes(program.stderr, "203.0.113.1:0");
});

test("weir run exits with 3 for a topology that is wrong, before anything starts", async () => {
  const path = topologyFile(
    "wrong.ts",
    'const g = builder.stream(topic("a", text)).groupByKey(); g.count({ store: "s" }); g.count({ store: "s" });',
  );
  const program = spawnSame("main.ts", ["run", path, ...settings()]);
  assertEquals((await program.exited).code, 3);
  assertStringIncludes(program.stderr, "Invalid topology");
});

test("weir run exits with 2 and names every setting that is wrong", async () => {
  const path = topologyFile("fine.ts", 'builder.stream(topic("a", text)).print();');
  const program = spawnSame("main.ts", [
    "run",
    path,
    ...settings({ "num.stream.thread": "2", "commit.interval.ms": "soon" }),
  ]);
  assertEquals((await program.exited).code, 2);
  assertStringIncludes(program.stderr, "did you mean num.stream.threads?");
  assertStringIncludes(program.stderr, "commit.interval.ms");
});
