/** Directories that end with the test that asked for them, or at the latest with its process. @module */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const open = new Set<string>();
process.on("exit", () => {
  for (const path of open) removeDir(path);
});

/** A new empty directory under the system's temporary one. */
export function makeTempDir(label = "test"): string {
  const path = mkdtempSync(join(tmpdir(), `weir-${label}-`));
  open.add(path);
  return path;
}

/** Removes a directory with all that is in it; one that is gone already is fine. */
export function removeDir(path: string): void {
  open.delete(path);
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Runs `use` with a new directory and removes it afterwards, whatever happened. */
export async function withTempDir<T>(use: (path: string) => T | Promise<T>): Promise<T> {
  const path = makeTempDir();
  try {
    return await use(path);
  } finally {
    removeDir(path);
  }
}
