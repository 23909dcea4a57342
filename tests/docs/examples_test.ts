/** Runs every TypeScript example of the documents, each as a program of its own, and checks its types. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { assert } from "@std/assert";
import { repositoryRoot } from "../support/spawn.ts";

// Not under .cache: what deno.json excludes is not checked either.
const OUT = join(repositoryRoot, "tests", "docs", ".examples");
mkdirSync(OUT, { recursive: true });
after(() => rmSync(OUT, { recursive: true, force: true }));

const PAGES = [
  "README.md",
  ...readdirSync(join(repositoryRoot, "docs")).map((name) => `docs/${name}`),
]
  .filter((name) => name.endsWith(".md"));

const files: string[] = [];
for (const page of PAGES) {
  const text = readFileSync(join(repositoryRoot, page), "utf8");
  for (const [index, match] of [...text.matchAll(/```ts\n([\s\S]*?)```/g)].entries()) {
    const file = join(OUT, `${page.replace(/\W+/g, "_")}_${index + 1}.ts`);
    writeFileSync(file, match[1]);
    files.push(file);
    test(`${page}: example ${index + 1} runs`, async () => {
      await import(pathToFileURL(file).href);
    });
  }
}

test("The documents have examples, and their types are right", () => {
  assert(files.length >= 10, `${files.length} examples`);
  const { status, stderr } = spawnSync(process.execPath, ["check", ...files], {
    cwd: repositoryRoot,
  });
  assert(status === 0, String(stderr));
});
