/**
 * Applies a unified diff to a copy of a source tree, exactly: a hunk whose old lines are not found where the diff says
 * is an error, so a new release of the source cannot be changed by accident.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Hunk {
  /** Index of the first old line. */
  readonly start: number;
  readonly old: string[];
  readonly fresh: string[];
}

/** Applies `diff` (paths `a/…` and `b/…`) below `root`. @throws {Error} when a hunk does not fit. */
export function applyPatch(root: string, diff: string): void {
  for (const [path, hunks] of parse(diff)) {
    const file = join(root, path);
    const lines = readFileSync(file, "utf8").split("\n");
    let shift = 0;
    for (const hunk of hunks) {
      const at = hunk.start + shift;
      const found = lines.slice(at, at + hunk.old.length);
      const wrong = hunk.old.findIndex((line, i) => line !== found[i]);
      if (wrong >= 0) {
        throw new Error(
          `Cannot patch ${path} as line ${
            at + wrong + 1
          } is not the expected one: current value is ` +
            `${JSON.stringify(found[wrong])}, expected ${JSON.stringify(hunk.old[wrong])}`,
        );
      }
      lines.splice(at, hunk.old.length, ...hunk.fresh);
      shift += hunk.fresh.length - hunk.old.length;
    }
    writeFileSync(file, lines.join("\n"));
  }
}

function parse(diff: string): Map<string, Hunk[]> {
  const files = new Map<string, Hunk[]>();
  let hunks: Hunk[] | undefined;
  let hunk: Hunk | undefined;
  for (const line of diff.split("\n")) {
    if (line.startsWith("+++ b/")) {
      hunks = [];
      hunk = undefined;
      files.set(line.slice(6).split("\t")[0], hunks);
    } else if (line.startsWith("@@") && hunks) {
      const match = /^@@ -(\d+)/.exec(line)!;
      hunk = { start: Number(match[1]) - 1, old: [], fresh: [] };
      hunks.push(hunk);
    } else if (hunk && (line.startsWith("--- ") || line.startsWith("diff "))) {
      hunk = undefined;
    } else if (hunk && (line[0] === " " || line[0] === "-" || line[0] === "+")) {
      if (line[0] !== "+") hunk.old.push(line.slice(1));
      if (line[0] !== "-") hunk.fresh.push(line.slice(1));
    }
  }
  return files;
}
