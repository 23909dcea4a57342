/**
 * V8's heap settings on Deno, which are read when the process starts and cannot be changed afterwards.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import process from "node:process";

/**
 * Half spaces of 8 MB in place of 32, as a stream's values die as young in them, and a heap that may grow to three times what was alive, not to four or more: values
 * of aggregates live just long enough to grow old. docs/tuning.md has what that saves and costs; deno.json has it for `deno task start`.
 */
export const HEAP_FLAGS = "--max-semi-space-size=8,--heap-growing-percent=200";

/** Blocks of each size that a thread of C keeps for itself when they are freed. By default it is 7: the records of a batch are more. */
const KEPT_BLOCKS = 10_000;

/** What of Deno's own API is used; absent on Bun. */
interface DenoRuntime {
  readonly build: { readonly os: string };
  execPath(): string;
  readonly permissions: {
    querySync(wanted: { readonly name: string }): { readonly state: string };
  };
  readonly UnsafePointer: {
    of(bytes: Uint8Array): unknown;
    value(pointer: unknown): bigint;
  };
  dlopen(library: string, symbols: Record<string, unknown>): {
    readonly symbols: { execve(path: Uint8Array, args: Uint8Array, env: Uint8Array): number };
  };
}

/**
 * Starts the program anew in its own process, with the same arguments and with `HEAP_FLAGS`, when it runs on Deno for Linux with all permissions and nobody has
 * said how V8 is to be set, by `DENO_V8_FLAGS` or `--v8-flags`. Does not return where it starts anew. To be called first, before anything is opened. The process
 * keeps its id, its directory and its standard streams. `MALLOC_ARENA_MAX`, where it is not set, becomes one arena for each core, and `GLIBC_TUNABLES` lets
 * a thread keep as many freed blocks as it has records on their way.
 */
export function startWithHeapFlags(): void {
  const deno = (globalThis as unknown as { readonly Deno?: DenoRuntime }).Deno;
  if (deno?.build.os !== "linux" || process.env.DENO_V8_FLAGS !== undefined) return;
  const permitted = ["ffi", "run", "env", "read"].every((name) =>
    deno.permissions.querySync({ name }).state === "granted"
  );
  if (!permitted) return;
  const args = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
  if (args.some((arg) => arg.startsWith("--v8-flags"))) return;
  const env = {
    GLIBC_TUNABLES: `glibc.malloc.tcache_count=${KEPT_BLOCKS}`,
    MALLOC_ARENA_MAX: String(Math.min(16, Math.max(2, availableParallelism()))),
    ...process.env,
    DENO_V8_FLAGS: HEAP_FLAGS,
  };
  let reason = "execve failed";
  try {
    replaceProcess(deno, args, Object.entries(env).map(([name, value]) => `${name}=${value}`));
  } catch (error) {
    reason = (error as Error).message;
  }
  process.stderr.write(
    `weir: V8's heap keeps its own settings, as the program could not be started anew: ${reason}\n`,
  );
}

/** execve(2): returns only when it fails. */
function replaceProcess(deno: DenoRuntime, args: readonly string[], env: readonly string[]): void {
  const { symbols } = deno.dlopen("libc.so.6", {
    execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  });
  symbols.execve(
    new TextEncoder().encode(`${deno.execPath()}\0`),
    stringTable(deno, args),
    stringTable(deno, env),
  );
}

/** C's array of strings in one block, so that what its pointers point to is there for as long as it is. */
function stringTable(deno: DenoRuntime, texts: readonly string[]): Uint8Array {
  const strings = texts.map((text) => new TextEncoder().encode(`${text}\0`));
  let at = (texts.length + 1) * BigUint64Array.BYTES_PER_ELEMENT;
  const block = new Uint8Array(strings.reduce((sum, { length }) => sum + length, at));
  const pointers = new BigUint64Array(block.buffer, 0, texts.length);
  const start = deno.UnsafePointer.value(deno.UnsafePointer.of(block));
  strings.forEach((bytes, i) => {
    pointers[i] = start + BigInt(at);
    block.set(bytes, at);
    at += bytes.length;
  });
  return block;
}
