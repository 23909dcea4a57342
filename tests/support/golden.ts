/** Expected texts kept in files: `UPDATE_GOLDEN=1` writes them anew. @module */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";

/** Compares `actual` with the file `name` under `tests/golden/`, or writes that file when it is asked to. */
export function assertGolden(name: string, actual: string): void {
  const path = fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
  if (process.env.UPDATE_GOLDEN === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
    return;
  }
  if (!existsSync(path)) throw new Error(`No golden file ${path}: run with UPDATE_GOLDEN=1 once`);
  assertEquals(actual, readFileSync(path, "utf8"), undefined);
}
