import { createHash, randomUUID } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type NativeFiles, nativeFiles } from "./native_files.ts";

/**
 * The path of a native file of the binary on the disk, as the system loads libraries from there only. It is written once, under its hash, and
 * checked each time: nobody else's file of that name is ever loaded.
 *
 * @throws {Error} when neither the cache nor the temporary directory can be written to
 */
export function extractNative(which: keyof NativeFiles): string {
  const files: NativeFiles | undefined = nativeFiles;
  if (files === undefined) {
    throw new Error("Cannot extract native files as that is for the binary: current value is none");
  }
  const { path: embedded, hash } = files[which];
  const failures: unknown[] = [];
  for (const directory of places()) {
    const path = join(directory, `${which}-${hash.slice(0, 16)}.node`);
    try {
      claim(directory);
      if (!hasHash(path, hash)) writeWhole(path, readFileSync(embedded));
      return path;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new Error(
    `Cannot extract the native ${which} as a directory must be writable: current value is ${
      places().join(", ")
    }. Set XDG_CACHE_HOME or TMPDIR`,
    { cause: failures[0] },
  );
}

function places(): string[] {
  const user = process.getuid?.() ?? 0;
  return [
    join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "weir"),
    join(tmpdir(), `weir-${user}`),
  ];
}

/** Makes the directory. One that somebody else has made could have its files changed between the check and the load. */
function claim(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const owner = lstatSync(directory).uid;
  const user = process.getuid?.() ?? owner;
  if (owner !== user) {
    throw new Error(`${directory} belongs to another user: current value is uid ${owner}`);
  }
}

function hasHash(path: string, hash: string): boolean {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex") === hash;
  } catch {
    return false;
  }
}

/** Written beside and renamed: a process that starts at the same moment sees all of it or nothing. */
function writeWhole(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}.${randomUUID()}`;
  try {
    writeFileSync(temporary, bytes);
    chmodSync(temporary, 0o755);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}
