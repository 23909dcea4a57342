import { test } from "node:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { serve } from "../../lib/admin/serve.ts";
import { main } from "../../lib/cli/program.ts";
import { applicationIdOf, findTopologies } from "../../lib/cli/topology_files.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const directory = makeTempDir("cli");
const weir = new URL("../../mod.ts", import.meta.url).href;

function topologyFile(name: string, topic: string): string {
  const path = join(directory, name);
  writeFileSync(
    path,
    `import { defineTopology, string, topic } from ${JSON.stringify(weir)};
const text = { key: string(), value: string() };
export const topology = defineTopology((builder) => {
  builder.stream(topic(${JSON.stringify(topic)}, text)).to(topic("out", text));
});
`,
  );
  return path;
}

async function weirCommand(...args: string[]) {
  let out = "";
  let err = "";
  const code = await main(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
  });
  return { code, out, err };
}

test("weir version prints the version of package.json", async () => {
  const { code, out } = await weirCommand("version");
  assertEquals(code, 0);
  assertMatch(out, /^weir \d+\.\d+\.\d+ \((deno|bun|node) /);
});

test("weir topology prints what describe() prints", async () => {
  const { code, out } = await weirCommand("topology", topologyFile("one.ts", "in"));
  assertEquals(code, 0);
  assertEquals(
    out,
    "Topologies:\n   Sub-topology: 0\n    Source: KSTREAM-SOURCE-0000000000 (topics: [in])\n" +
      "      --> KSTREAM-SINK-0000000001\n    Sink: KSTREAM-SINK-0000000001 (topic: out)\n" +
      "      <-- KSTREAM-SOURCE-0000000000\n\n",
  );
});

test("weir topology prints JSON and Mermaid", async () => {
  const path = topologyFile("two.ts", "in");
  const json = JSON.parse((await weirCommand("topology", path, "--format", "json")).out);
  assertEquals(json.subtopologies[0].nodes.length, 2);
  assertStringIncludes((await weirCommand("topology", path, "-f", "mermaid")).out, "flowchart TD");
});

const WRONG: [name: string, args: string[], code: number, says: string][] = [
  ["an unknown command", ["fly"], 2, "unknown command"],
  ["an unknown option", ["topology", "x.ts", "--colour"], 2, "unknown option"],
  ["a missing argument", ["topology"], 2, "missing required argument"],
  ["a missing file", ["topology", "/nowhere/x.ts"], 3, "/nowhere/x.ts"],
  ["a wrong setting", ["config", "explain", "--set", "poll.ms=soon"], 2, "poll.ms"],
  ["a run without settings", ["run", "x.ts"], 2, "bootstrap.servers"],
  [
    "two targets of a reset",
    [
      "reset",
      "--application-id",
      "a",
      "--bootstrap-server",
      "b:1",
      "--to-latest",
      "--shift-by",
      "-3",
    ],
    2,
    "--to-latest --shift-by",
  ],
];
for (const [name, args, code, says] of WRONG) {
  test(`weir exits with ${code} for ${name}`, async () => {
    const result = await weirCommand(...args);
    assertEquals(result.code, code, result.err);
    assertStringIncludes(result.err, says);
    assertEquals(result.out, "");
  });
}

for (
  const [name, text, says] of [
    ["throws", "throw new Error('broken here')", "broken here"],
    ["exports nothing", "export const other = 1", "must export `topology`"],
    ["exports something else", "export const topology = 5", "current value is number"],
    [
      "has a faulty definition",
      `import { defineTopology, string, topic } from ${JSON.stringify(weir)};
const t = topic("a", { key: string(), value: string() });
export const topology = defineTopology((b) => { const g = b.stream(t).groupByKey(); g.count({ store: "s" }); g.count({ store: "s" }); });`,
      "Invalid topology",
    ],
  ]
) {
  test(`weir exits with 3 for a file that ${name}`, async () => {
    const path = join(directory, `${name.replaceAll(" ", "-")}.ts`);
    writeFileSync(path, text);
    const { code, err } = await weirCommand("topology", path);
    assertEquals(code, 3);
    assertStringIncludes(err, says);
  });
}

test("findTopologies takes the topology files of a folder, in order", async () => {
  const folder = join(directory, "folder");
  mkdirSync(folder);
  for (const name of ["b", "a"]) topologyFile(`folder/${name}.ts`, name);
  writeFileSync(join(folder, "shared.ts"), "export const helper = 1;");
  writeFileSync(join(folder, "a_test.ts"), "throw new Error('a test')");
  writeFileSync(join(folder, "notes.md"), "#");
  const files = await findTopologies([folder]);
  assertEquals(files.map((file) => file.name), ["a", "b"]);
  assertEquals(files.map((file) => applicationIdOf("app", file, files)), ["app-a", "app-b"]);
  assertEquals(applicationIdOf("app", files[0], [files[0]]), "app");
});

test("weir health exits with 0 when the instance is healthy and with 4 when not", async () => {
  let status = 200;
  const seen: string[] = [];
  const server = await serve({
    fetch(request) {
      seen.push(new URL(request.url).pathname);
      return new Response("[+]state RUNNING\n", { status });
    },
  }, { host: "127.0.0.1", port: 0 });
  try {
    const healthy = await weirCommand("health", "--url", server.url);
    assertEquals([healthy.code, healthy.out], [0, "[+]state RUNNING\n"]);
    status = 503;
    assertEquals((await weirCommand("health", "--url", server.url, "-p", "ready")).code, 4);
    assertEquals(seen, ["/livez", "/readyz"]);
  } finally {
    await server.close();
  }
  assertEquals((await weirCommand("health", "--url", server.url)).code, 4);
});
