/** Runs every TypeScript example of the documents, each as a program of its own. A block whose first line is `// sketch` is only type-checked by its reader. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { assert } from "@std/assert";
import { repositoryRoot } from "../support/spawn.ts";

const OUT = join(repositoryRoot, ".cache", "docs-examples");
mkdirSync(OUT, { recursive: true });
after(() => rmSync(OUT, { recursive: true, force: true }));

const PAGES = [
  "README.md",
  ...readdirSync(join(repositoryRoot, "docs")).map((name) => `docs/${name}`),
]
  .filter((name) => name.endsWith(".md"));

let found = 0;
for (const page of PAGES) {
  const text = readFileSync(join(repositoryRoot, page), "utf8");
  for (const [index, match] of [...text.matchAll(/```ts\n([\s\S]*?)```/g)].entries()) {
    const code = match[1];
    if (code.startsWith("// sketch")) continue;
    found++;
    test(`${page}: example ${index + 1} runs`, async () => {
      const file = join(OUT, `${page.replace(/\W+/g, "_")}_${index + 1}.ts`);
      writeFileSync(file, code);
      await import(pathToFileURL(file).href);
    });
  }
}

test("The documents have examples", () => {
  assert(found >= 10, `${found} examples`);
});
