/**
 * Child processes for tests: started, listened to, killed. Children never outlive the test process: a guard that holds a
 * pipe to it ends them when it goes, however it goes.
 *
 * @module
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import process from "node:process";
import { guard, unguard } from "./process_guard.ts";

/** The top of the repository. */
export const repositoryRoot: string = fileURLToPath(new URL("../../", import.meta.url));

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What to start. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A started child with all that it has printed. */
export class Program {
  readonly pid: number;
  /** Resolves when the process has ended and its output is read. */
  readonly exited: Promise<Exit>;
  #child: ChildProcess;
  #stdout = "";
  #stderr = "";
  #ended: Exit | undefined;
  #listeners = new Set<() => void>();

  constructor(command: string, args: readonly string[], options: ProgramOptions = {}) {
    const child = spawn(command, [...args], spawnOptions(options));
    this.#child = child;
    this.pid = child.pid ?? -1;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#take("out", text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#take("err", text));
    this.exited = new Promise((resolve, reject) => {
      child.on("error", (cause) => reject(new Error(`Cannot start ${command}`, { cause })));
      const ended = (code: number | null, signal: string | null) => {
        this.#ended ??= { code, signal };
        unguard(this.pid);
        this.#notify();
        resolve(this.#ended);
      };
      child.on("close", ended);
      // A grandchild may hold the pipes open after the child has gone; it is not waited for.
      child.on("exit", (code, signal) => setTimeout(() => ended(code, signal), 500));
    });
    this.exited.catch(() => {});
    if (this.pid > 0) guard(this.pid);
  }

  get stdout(): string {
    return this.#stdout;
  }
  get stderr(): string {
    return this.#stderr;
  }
  get running(): boolean {
    return this.#ended === undefined;
  }

  /** The first line of either output that matches; fails with all output when the process ends or `timeoutMs` pass. */
  waitForLine(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpMatchArray> {
    return this.waitForNth(pattern, 0, timeoutMs);
  }

  /** As `waitForLine`, for the matching line number `n`, from 0. */
  waitForNth(pattern: RegExp, n: number, timeoutMs = 60_000): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const done = (act: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        act();
      };
      const look = () => {
        const match = nthMatch([this.#stdout, this.#stderr], pattern, n);
        if (match) return done(() => resolve(match));
        if (this.#ended) done(() => reject(this.#failure(`ended without ${pattern}`)));
      };
      const timer = setTimeout(
        () => done(() => reject(this.#failure(`did not print ${pattern} in ${timeoutMs} ms`))),
        timeoutMs,
      );
      this.#listeners.add(look);
      look();
    });
  }

  /** Writes to the child's standard input. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Sends a signal, when it is still running. */
  signal(signal: NodeJS.Signals): void {
    if (!this.running) return;
    try {
      // Not the child's own `kill`: on Deno a child that handles the signal would then seem to have died of it.
      process.kill(this.pid, signal);
    } catch (error) {
      // It has ended, and the news is under way.
      if ((error as { code?: string }).code !== "ESRCH") throw error;
    }
  }

  /** Sends a signal and waits for the end. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<Exit> {
    this.signal(signal);
    return await this.exited;
  }

  /** Asks for a graceful end; kills after `timeoutMs`, which is an error. */
  async stop(timeoutMs = 30_000): Promise<Exit> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), timeoutMs);
    const exit = await this.exited;
    clearTimeout(timer);
    if (exit.signal === "SIGKILL") throw this.#failure(`did not stop in ${timeoutMs} ms`);
    return exit;
  }

  #take(stream: "out" | "err", text: string): void {
    if (stream === "out") this.#stdout += text;
    else this.#stderr += text;
    this.#notify();
  }
  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
  #failure(what: string): Error {
    return new Error(
      `Process ${this.pid} ${what}; exit ${JSON.stringify(this.#ended ?? null)}\n--- stdout\n${
        this.#stdout.slice(-8_000)
      }\n--- stderr\n${this.#stderr.slice(-8_000)}`,
    );
  }
}

/** Match number `n` among whole lines: one that is still being written does not count. */
function nthMatch(texts: readonly string[], pattern: RegExp, n: number): RegExpMatchArray | null {
  let left = n;
  for (const text of texts) {
    for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
      const match = line.match(pattern);
      if (match && left-- === 0) return match;
    }
  }
  return null;
}

function spawnOptions(options: ProgramOptions): SpawnOptions {
  return {
    cwd: options.cwd ?? repositoryRoot,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  };
}

/** Runs a program to its end; fails with its output when the exit code is not 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  const program = new Program(command, args, options);
  const exit = await program.exited;
  if (exit.code !== 0) {
    throw new Error(
      `${command} ${args.join(" ")} ended with ${JSON.stringify(exit)}\n${
        program.stdout.slice(-8_000)
      }${program.stderr.slice(-8_000)}`,
    );
  }
  return { stdout: program.stdout, stderr: program.stderr };
}

/** Starts a TypeScript file of this repository on Deno, which stays silent itself: on a new machine it tells of each package whose facts it asks for. */
export function spawnDeno(
  script: string,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): Program {
  return new Program(denoPath(), ["run", "--quiet", "-A", "--no-check", script, ...args], options);
}

/** Starts a TypeScript file of this repository on Bun. */
export function spawnBun(
  script: string,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): Program {
  return new Program(bunPath(), ["run", script, ...args], options);
}

/** Starts a TypeScript file on the runtime that the test itself runs on. */
export function spawnSame(
  script: string,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): Program {
  return "Bun" in globalThis ? spawnBun(script, args, options) : spawnDeno(script, args, options);
}

/** The Deno to start children with: this one, or the one on the path. */
export function denoPath(): string {
  return "Deno" in globalThis ? process.execPath : "deno";
}

/**
 * The Bun to start children with. The `bun` package's own file is a placeholder until its install script has run, so the
 * platform's package is looked up.
 */
export function bunPath(): string {
  if ("Bun" in globalThis) return process.execPath;
  const store = join(repositoryRoot, "node_modules", ".deno");
  const musl = !existsSync("/lib64/ld-linux-x86-64.so.2") &&
    existsSync("/lib/ld-musl-x86_64.so.1");
  const names = existsSync(store) ? readdirSync(store) : [];
  for (const name of names.filter((n) => n.startsWith("@oven+bun-")).sort()) {
    if (name.includes("musl") !== musl) continue;
    const packageName = name.slice("@oven+".length, name.lastIndexOf("@"));
    const path = join(store, name, "node_modules", "@oven", packageName, "bin", "bun");
    if (packageName.includes(process.arch === "arm64" ? "aarch64" : "x64") && existsSync(path)) {
      return path;
    }
  }
  return "bun";
}
