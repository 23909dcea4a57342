import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { codeOf, importsOf } from "./imports.ts";
import { withTempDir } from "./temp_dir.ts";

const SOURCE = `// import "a-comment"
import "alone";
import one, { type two } from "./two.ts";
import type {
  three,
} from '../three.ts';
export { four } from "./four.ts";
export type { five } from "./five.ts"; import * as six from "six";
/** See import("./doc.ts"). */
const seven = await import("./seven.ts");
export const text = "import x from 'y' // not a comment";
`;

test("importsOf finds every form of import and nothing in comments or strings", async () => {
  await withTempDir((dir) => {
    const path = join(dir, "module.ts");
    writeFileSync(path, SOURCE);
    assertEquals(importsOf(path), [
      "alone",
      "./two.ts",
      "../three.ts",
      "./four.ts",
      "./five.ts",
      "six",
      "./seven.ts",
    ]);
    assertEquals(codeOf(path).split("\n").at(-2), SOURCE.split("\n").at(-2));
  });
});
