/** What the repository's modules import, read from their text. @module */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { repositoryRoot } from "./spawn.ts";

// Strings are matched so that what looks like a comment in one is not taken for one.
const COMMENT =
  /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;

/** A module's text without its comments. */
export function codeOf(path: string): string {
  return readFileSync(path, "utf8").replace(COMMENT, (_, text?: string) => text ?? "");
}

// `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`. A clause never holds a quote or a semicolon.
const IMPORT =
  /(?:^|[\n;}])\s*(?:import|export)\s+(?:[^'";]*?\sfrom\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g;

/** The specifiers of a module's imports and re-exports, static and dynamic, as they are written. */
export function importsOf(path: string): string[] {
  return [...codeOf(path).matchAll(IMPORT)].map((match) => match[1] ?? match[2]);
}

/** The files of this repository that a module needs, with all that those need, and itself. */
export function closureOf(path: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const specifier of importsOf(path)) {
    const target = specifier === "@std/assert"
      ? join(repositoryRoot, "tests/support/assert.ts")
      : resolve(dirname(path), specifier);
    if ((specifier.startsWith(".") || specifier === "@std/assert") && existsSync(target)) {
      closureOf(target, seen);
    }
  }
  return seen;
}

/** All files under `dir` (relative to the repository) whose path ends with `ending`, sorted, relative to the repository. */
export function filesUnder(dir: string, ending: string): string[] {
  const top = join(repositoryRoot, dir);
  if (!existsSync(top)) return [];
  if (!statSync(top).isDirectory()) return dir.endsWith(ending) ? [dir] : [];
  return readdirSync(top, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending) && !name.includes("node_modules"))
    .map((name) => relative(repositoryRoot, join(top, name)))
    .sort();
}
