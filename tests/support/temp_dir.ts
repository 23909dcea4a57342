/** Directories that end with the test that asked for them, or at the latest with its process, however that ends. @module */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new empty directory under the system's temporary one. */
export function makeTempDir(label = "test"): string {
  return mkdtempSync(join(root ??= makeRoot(), `${label}-`));
}

/** Removes a directory with all that is in it; one that is gone already is fine. */
export function removeDir(path: string): void {
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

// All of a process's directories lie in one, which a sweeper removes when a pipe ends that only this process holds. Runtimes do not tell
// a test file that its process ends, and a killed one could not act on it.
let root: string | undefined;
// Held so that the pipe is not closed by the garbage collector.
const sweepers: ChildProcess[] = [];

function makeRoot(): string {
  const path = mkdtempSync(join(tmpdir(), "weir-"));
  const script = 'cat >/dev/null; rm -rf "$1"';
  const sweeper = spawn("setsid", ["sh", "-c", script, "sweeper", path], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  sweeper.on("error", () => {});
  sweeper.unref();
  (sweeper.stdin as unknown as { unref?(): void } | null)?.unref?.();
  sweepers.push(sweeper);
  return path;
}
