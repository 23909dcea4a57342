import { execFileSync } from "node:child_process";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { LockException } from "../errors.ts";
import { currentBoot } from "./boot_mark.ts";

/** Who holds a lock: a process, told from a later one of the same number by when it started. */
export interface LockHolder {
  readonly pid: number;
  readonly started: string;
}

/**
 * Takes the lock file for this process. It is held until `releaseProcessLock`, by all Workers of the process together. A lock whose process
 * has died, in whatever way, is taken over.
 *
 * @throws {LockException} when another process that lives holds it; the message names its pid
 */
export function takeProcessLock(lockFile: string): void {
  const self: LockHolder = { pid: process.pid, started: startOf(process.pid) };
  while (!create(lockFile, self)) {
    const holder = readHolder(lockFile);
    // It was released between the two looks.
    if (holder === undefined) continue;
    if (isSame(holder, self)) return;
    if (isAlive(holder)) throw held(lockFile, holder);
    takeOver(lockFile, self);
  }
}

/** Gives the lock back, if this process holds it. */
export function releaseProcessLock(lockFile: string): void {
  const holder = readHolder(lockFile);
  if (holder?.pid === process.pid) rmSync(lockFile, { force: true });
}

/**
 * Removes a dead process's lock. Two processes may find it dead at once: whoever makes the guard file looks again and removes it, so that
 * the other can never remove the new holder's.
 */
function takeOver(lockFile: string, self: LockHolder): void {
  const guard = `${lockFile}.takeover`;
  if (!create(guard, self)) {
    const owner = readHolder(guard);
    if (owner !== undefined && !isAlive(owner)) rmSync(guard, { force: true });
    return;
  }
  try {
    const holder = readHolder(lockFile);
    if (holder !== undefined && !isAlive(holder)) rmSync(lockFile, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/** Makes the file with the holder in it, at once or not at all: a reader never finds it empty while its maker lives. */
function create(file: string, holder: LockHolder): boolean {
  const text = `${JSON.stringify(holder)}\n`;
  const draft = `${file}.${holder.pid}.draft`;
  writeFileSync(draft, text, { mode: 0o640 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    return createWithoutLinks(file, text);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** For file systems that have no hard links. */
function createWithoutLinks(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "wx", mode: 0o640 });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    throw error;
  }
}

function readHolder(file: string): LockHolder | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as LockHolder;
  } catch {
    // Its writer died while it wrote: nobody holds it.
    return NOBODY;
  }
}
const NOBODY: LockHolder = { pid: -1, started: "" };

function isSame(a: LockHolder, b: LockHolder): boolean {
  return a.pid === b.pid && a.started === b.started;
}

function isAlive(holder: LockHolder): boolean {
  if (!(holder.pid > 0)) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // The process of another user lives too.
    if ((error as { code?: string }).code !== "EPERM") return false;
  }
  const started = startOf(holder.pid);
  return started === "" || holder.started === "" || started === holder.started;
}

/** When a process started, in words that no other process of that number shares; empty when the system does not tell. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything; the start is the 20th field after it.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${currentBoot()}:${ticks}`;
  } catch {
    return startByPs(pid);
  }
}

function startByPs(pid: number): string {
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", `${pid}`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "";
  }
}

function held(lockFile: string, holder: LockHolder): LockException {
  return new LockException(
    `Cannot use the state directory as another process holds its lock ${lockFile}: current value is pid ${holder.pid}. ` +
      "Stop that process, or give this one its own state.dir",
  );
}

/** Writes a file so that readers see the old or the new text, never a part. */
export function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { flush: true, mode: 0o640 });
  renameSync(temporary, file);
}
