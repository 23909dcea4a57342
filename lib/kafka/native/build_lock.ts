/**
 * One build at a time on a machine: a lock file that names its process. A lock whose process is gone is taken over.
 *
 * @module
 */
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import process from "node:process";
import { systemClock } from "../../record/time.ts";

/** A build takes about a minute; one that is older than this has hung or ran on another machine of a shared cache. */
const STALE_AFTER_MS = 15 * 60_000;

/** Runs `action` while holding the lock file; waits while another process holds it. */
export async function withBuildLock(
  path: string,
  report: (line: string) => void,
  action: () => Promise<void>,
): Promise<void> {
  let told = false;
  while (!take(path)) {
    if (!told) report("waiting for another process that builds the Kafka addon");
    told = true;
    await systemClock.sleep(200);
  }
  try {
    await action();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    const file = openSync(path, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
  }
  if (isStale(path)) rmSync(path, { force: true });
  return false;
}

function isStale(path: string): boolean {
  try {
    const age = systemClock.now() - statSync(path).mtimeMs;
    if (age > STALE_AFTER_MS) return true;
    const pid = Number(readFileSync(path, "utf8"));
    if (!(pid > 0)) return age > 5_000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    const code = (error as { code?: string }).code;
    return code === "ESRCH";
  }
}
