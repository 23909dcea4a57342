/** Children do not outlive the process that started them, even when it is killed. @module */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";

// A guard reads a pipe that only this process writes to. It ends when the pipe does, and takes the child with it.
const guards = new Map<number, ChildProcess>();

/** Ends process `pid`, and removes `dir`, when this process goes without having done so. */
export function guard(pid: number, dir = ""): void {
  const script = 'cat >/dev/null; kill -9 "$1" 2>/dev/null; [ -z "$2" ] || rm -rf "$2"';
  const watcher = spawn("setsid", ["sh", "-c", script, "guard", String(pid), dir], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.on("error", () => {});
  watcher.unref();
  (watcher.stdin as unknown as { unref?(): void } | null)?.unref?.();
  guards.set(pid, watcher);
}

/** Takes back `guard`, after `pid` has ended. */
export function unguard(pid: number): void {
  const watcher = guards.get(pid);
  guards.delete(pid);
  if (watcher?.pid === undefined) return;
  try {
    // Not the child's own `kill`: on Deno that closes the pipe first, and the guard may be quick enough to act on it.
    process.kill(watcher.pid, "SIGKILL");
  } catch (error) {
    // It has ended already.
    if ((error as { code?: string }).code !== "ESRCH") throw error;
  }
}
