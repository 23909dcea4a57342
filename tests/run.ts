/**
 * All tests: `deno task test [--bun] [PATH…]`. Does its own set-up, starts one Kafka broker and one schema registry for the
 * files that need them, runs each file in a process of its own and ends with a line `N passed, N failed`.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { closureOf, filesUnder } from "./support/imports.ts";
import { startKafkaBroker } from "./support/kafka_broker.ts";
import { startRegistry } from "./support/registry.ts";
import { denoPath, repositoryRoot, run } from "./support/spawn.ts";
import { requireTool } from "./support/system_tools.ts";
import { type FileResult, runTestFile, type Runtime } from "./support/test_process.ts";

// What Bun has to prove: the engine, the transport, and what the binary serves. The command line and the documents run on Deno.
const BUN_ROOMS = [
  "record",
  "serde",
  "state",
  "topology",
  "dsl",
  "runtime",
  "kafka",
  "testing",
  "telemetry",
  "admin",
  "support",
];
// Two cores: one file with the broker, one without.
const LANES = 2;

const args = process.argv.slice(2).filter((arg) => arg !== "--");
const runtime: Runtime = args.includes("--bun") ? "bun" : "deno";
const verbose = args.includes("--verbose");
const paths = args.filter((arg) => !arg.startsWith("--"));
process.exitCode = await main();

async function main(): Promise<number> {
  const files = selectFiles();
  if (files.length === 0) throw new Error(`No test file under ${paths.join(" ") || "tests"}`);
  const results: FileResult[] = [];
  const report = (result: FileResult) => {
    results.push(result);
    print(result);
  };
  const ready = await setUp(report);
  if (ready) await runAll(files, report);
  const failures = results.filter((result) => result.failed > 0);
  const skipped = sum(results, (result) => result.skipped);
  if (skipped > 0) console.log(`\n${skipped} skipped`);
  if (failures.length > 0) console.log("\nFailed:");
  for (const result of failures) console.log(`  ${result.file}`);
  const failed = sum(results, (result) => result.failed);
  console.log(`\n${sum(results, (result) => result.passed)} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** The test files under the given paths, or all of the runtime's. */
function selectFiles(): string[] {
  const rooms = runtime === "bun" ? BUN_ROOMS.map((room) => `tests/${room}`) : ["tests"];
  const all = rooms.flatMap((room) => filesUnder(room, "_test.ts"));
  if (paths.length === 0) return all;
  const wanted = paths.map((path) => path.replace(/^\.\//, ""));
  return all.filter((file) => wanted.some((path) => file.includes(path)));
}

/** Packages, the native addon, types. Without the first two nothing else can run. */
async function setUp(report: (result: FileResult) => void): Promise<boolean> {
  if (!existsSync(join(repositoryRoot, "node_modules", ".deno"))) {
    const installed = await step("packages", [denoPath(), "install"]);
    if (installed.failed > 0) return report(installed), false;
  }
  const native = await step("native addon", [denoPath(), "run", "-A", "lib/kafka/native/build.ts"]);
  if (native.failed > 0) return report(native), false;
  if (runtime === "deno" && paths.length === 0) {
    report(await step("types", [denoPath(), "check", "--quiet", "."]));
  }
  return true;
}

async function runAll(files: readonly string[], report: (result: FileResult) => void) {
  const needs = new Map(files.map((file) => [file, needsOf(file)]));
  const env: Record<string, string> = {};
  const started: { stop(): Promise<void> }[] = [];
  try {
    // Before the lanes, as two of them would wait for one another's apt-get.
    if ([...needs.values()].some((need) => need.promtool)) await requireTool("promtool");
    if ([...needs.values()].some((need) => need.chromium)) await requireTool("chromium");
    if ([...needs.values()].some((need) => need.broker)) {
      const broker = await startKafkaBroker();
      started.push(broker);
      env.WEIR_TEST_BOOTSTRAP = broker.bootstrapServers;
    }
    if ([...needs.values()].some((need) => need.registry)) {
      const registry = await startRegistry();
      started.push(registry);
      env.WEIR_TEST_REGISTRY = registry.url;
    }
    const onBroker = files.filter((file) => needs.get(file)!.broker);
    const alone = files.filter((file) => !needs.get(file)!.broker);
    await Promise.all(Array.from({ length: LANES }, async (_, lane) => {
      // The first lane takes the files with the broker, one after the other, then helps with the others.
      for (;;) {
        const file = (lane === 0 ? onBroker.shift() : undefined) ?? alone.shift();
        if (file === undefined) return;
        report(await runTestFile(runtime, file, env));
      }
    }));
  } catch (error) {
    report(failure("broker, registry and programs", error));
  } finally {
    await Promise.all(started.map((server) => server.stop()));
  }
}

interface Needs {
  readonly broker: boolean;
  readonly registry: boolean;
  readonly promtool: boolean;
  readonly chromium: boolean;
}

/** Which shared servers and programs a file uses, by what it imports. */
function needsOf(file: string): Needs {
  const closure = closureOf(join(repositoryRoot, file));
  const uses = (name: string) => closure.has(join(repositoryRoot, "tests/support", name));
  const chromium = uses("browser.ts");
  return {
    broker: uses("kafka_broker.ts"),
    registry: uses("registry.ts"),
    promtool: uses("system_tools.ts") && !chromium,
    chromium,
  };
}

async function step(name: string, [command, ...args]: string[]): Promise<FileResult> {
  const started = performance.now();
  try {
    const { stdout, stderr } = await run(command, args, { env: { NO_COLOR: "1" } });
    const seconds = (performance.now() - started) / 1_000;
    return { file: name, passed: 1, failed: 0, skipped: 0, seconds, output: stdout + stderr };
  } catch (error) {
    return failure(name, error);
  }
}

function failure(file: string, error: unknown): FileResult {
  const output = error instanceof Error ? error.stack ?? error.message : String(error);
  return { file, passed: 0, failed: 1, skipped: 0, seconds: 0, output };
}

function print(result: FileResult): void {
  const { file, passed, failed, seconds, output } = result;
  if (failed > 0 || verbose) console.log(`\n--- ${file}\n${output.trimEnd()}\n---`);
  const counts = failed > 0 ? `${passed} passed, ${failed} FAILED` : `${passed} passed`;
  console.log(`${failed > 0 ? "FAILED" : "ok    "} ${file} | ${counts} (${seconds.toFixed(1)} s)`);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
