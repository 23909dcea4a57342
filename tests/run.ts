/**
 * `deno task test` and `deno task test:bun`: does its own set-up, runs the tests, and ends with a line `N passed, N failed`.
 *
 *     deno run -A tests/run.ts [--bun] [PATH…]
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const ROOT = join(import.meta.dirname!, "..");
/** The rooms whose tests also run on Bun: the engine and the transport. */
const BUN_ROOMS = [
  "record",
  "serde",
  "state",
  "topology",
  "dsl",
  "runtime",
  "kafka",
  "testing",
  "conformance",
];

interface Counts {
  passed: number;
  failed: number;
}

async function main(args: readonly string[]): Promise<number> {
  const onBun = args.includes("--bun");
  const paths = args.filter((arg) => arg !== "--bun" && arg !== "--");
  const total: Counts = { passed: 0, failed: 0 };
  const add = ({ passed, failed }: Counts) => {
    total.passed += passed;
    total.failed += failed;
  };
  await buildAddon();
  if (!onBun && paths.length === 0) add(await typeCheck());
  const rooms = paths.length > 0
    ? paths
    : onBun
    ? BUN_ROOMS.map((room) => `tests/${room}`).filter((room) => existsSync(join(ROOT, room)))
    : ["tests"];
  add(onBun ? await runBun(rooms) : await runDeno(rooms));
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

async function buildAddon(): Promise<void> {
  const { nativeAddonPath } = await import("../lib/kafka/native/build.ts");
  await nativeAddonPath();
}

async function typeCheck(): Promise<Counts> {
  const { code } = await run("deno", denoPath(), ["check", "--quiet", "."]);
  if (code !== 0) console.log("FAILED the type check (deno check .)");
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function runDeno(rooms: readonly string[]): Promise<Counts> {
  const { code, output } = await run("deno", denoPath(), [
    "test",
    "-A",
    "--no-check",
    "--quiet",
    ...rooms,
  ]);
  return readCounts(code, output, /(\d+) passed(?: \([^)]*\))? \| (\d+) failed/g);
}

async function runBun(rooms: readonly string[]): Promise<Counts> {
  const { code, output } = await run("bun", bunPath(), [
    "test",
    "--timeout",
    "240000",
    ...rooms.map((r) => `./${r}/`),
  ]);
  const passed = Number(/(\d+) pass\b/.exec(output)?.[1] ?? 0);
  const failed = Number(/(\d+) fail\b/.exec(output)?.[1] ?? 0);
  return code !== 0 && failed === 0 ? { passed, failed: 1 } : { passed, failed };
}

function readCounts(code: number, output: string, pattern: RegExp): Counts {
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const matches = [...plain.matchAll(pattern)];
  const last = matches[matches.length - 1];
  const counts = { passed: Number(last?.[1] ?? 0), failed: Number(last?.[2] ?? 0) };
  // A run that crashed, or that matched no test, has failed even where no count says so.
  if ((code !== 0 && counts.failed === 0) || last === undefined) counts.failed++;
  return counts;
}

/** The Deno that runs this; `deno task` puts it on no PATH. */
function denoPath(): string {
  return process.execPath;
}

/** npm's `bun` package is only a stub until its install script ran; the program lies in the platform's package. */
export function bunPath(): string {
  const candidates = [join(ROOT, "node_modules/@oven")];
  const store = join(ROOT, "node_modules/.deno");
  for (const name of existsSync(store) ? readdirSync(store) : []) {
    if (name.startsWith("@oven+bun-")) candidates.push(join(store, name, "node_modules/@oven"));
  }
  const wanted = `bun-${process.platform}-${process.arch === "arm64" ? "aarch64" : process.arch}`;
  for (const candidate of candidates) {
    const path = join(candidate, wanted, "bin/bun");
    if (existsSync(path)) return path;
  }
  throw new Error(
    `Cannot find Bun in node_modules as ${wanted} is not installed: run "deno install"`,
  );
}

function run(
  label: string,
  command: string,
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, WEIR_DENO: denoPath() },
    });
    let output = "";
    const take = (chunk: Uint8Array) => {
      output += chunk.toString();
      process.stdout.write(chunk);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on(
      "error",
      (cause) => reject(new Error(`Cannot start ${label} at ${command}`, { cause })),
    );
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
