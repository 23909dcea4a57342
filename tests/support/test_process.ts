/** One test file in a process of its own: run, timed, counted. @module */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { bunPath, denoPath, repositoryRoot } from "./spawn.ts";

/** The runtimes that tests run on. */
export type Runtime = "deno" | "bun";

/** What a test file came to. */
export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** All that it printed, and why it counts as failed when its own tests did not. */
  readonly output: string;
}

const DEFAULT_LIMIT_SECONDS = 300;

/** Runs the tests of one file. A file that crashes, hangs, runs no test or ends badly counts as one failure. */
export async function runTestFile(
  runtime: Runtime,
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<FileResult> {
  const started = performance.now();
  const limit = limitOf(file);
  const [command, ...args] = commandFor(runtime, file);
  const child = spawn(command, args, {
    cwd: repositoryRoot,
    env: { ...process.env, ...env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let late = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output += text);
  }
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, limit * 1_000);
  const ended = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    // A grandchild may hold the pipes open after the file's own process has gone; it is not waited for.
    child.on("exit", (code, signal) => setTimeout(() => resolve(signal ?? `code ${code}`), 200));
    child.on("close", (code, signal) => resolve(signal ?? `code ${code}`));
  });
  clearTimeout(timer);
  const counts = countTests(runtime, output);
  const seconds = (performance.now() - started) / 1_000;
  const fault = late
    ? `It was ended after its time limit of ${limit} s`
    : counts === undefined
    ? `It ended with ${ended} before its tests were counted`
    : counts.failed === 0 && ended !== "code 0"
    ? `It ended with ${ended} though no test failed`
    : counts.passed + counts.failed + counts.skipped === 0
    ? "It ran no test"
    : undefined;
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  return fault === undefined
    ? { file, passed, failed, skipped, seconds, output }
    : { file, passed, failed: failed + 1, skipped, seconds, output: `${output}\n${fault}\n` };
}

/** Reads the runtime's own summary; undefined when there is none. */
export function countTests(
  runtime: Runtime,
  output: string,
): { passed: number; failed: number; skipped: number } | undefined {
  const number = (pattern: RegExp) => Number(output.match(pattern)?.[1] ?? 0);
  if (runtime === "bun") {
    if (!/^Ran \d+ tests? across/m.test(output)) return undefined;
    const skipped = number(/^ *(\d+) skip$/m) + number(/^ *(\d+) todo$/m);
    return { passed: number(/^ *(\d+) pass$/m), failed: number(/^ *(\d+) fail$/m), skipped };
  }
  const line = [...output.matchAll(/^(?:ok|FAILED) \| \d+ passed.*$/gm)].at(-1)?.[0];
  if (line === undefined) return undefined;
  const part = (pattern: RegExp) => Number(line.match(pattern)?.[1] ?? 0);
  const failed = part(/\| (\d+) failed/);
  return { passed: part(/\| (\d+) passed/), failed, skipped: part(/\| (\d+) ignored/) };
}

function commandFor(runtime: Runtime, file: string): string[] {
  // Bun ends a test after 5 seconds when it is not told otherwise; the limit here is the file's.
  if (runtime === "bun") {
    return [bunPath(), "test", "--timeout", "3600000", resolve(repositoryRoot, file)];
  }
  return [denoPath(), "test", "-A", "--no-check", file];
}

/** Seconds that a file may take: 300, or what a comment `time limit: N s` in it says. */
function limitOf(file: string): number {
  const text = readFileSync(resolve(repositoryRoot, file), "utf8");
  return Number(text.match(/^\/\/ time limit: (\d+) s/m)?.[1] ?? DEFAULT_LIMIT_SECONDS);
}
