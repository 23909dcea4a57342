/**
 * `deno task conformance DIR`: runs every scenario file in DIR, prints a line for each that differs with the first difference on both
 * sides, and ends with `N passed, N failed`. Exits with 1 when one fails. A step that is not known is a failure.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { firstDifference } from "./compare.ts";
import { runScenario } from "./run_scenario.ts";
import type { Scenario } from "./scenario.ts";

/** Runs the scenario in a file, with its stores in memory or in `stateDir`; gives the first difference, or undefined when all is as recorded. */
export function checkFile(file: string, stateDir?: string): string | undefined {
  const scenario = JSON.parse(readFileSync(file, "utf8")) as Scenario;
  try {
    return firstDifference(scenario.expected, runScenario(scenario, stateDir));
  } catch (error) {
    return `threw ${(error as Error).stack}`;
  }
}

/** The scenario files below a directory, sorted. */
export function scenarioFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(directory, name));
}

function main(args: readonly string[]): number {
  const directories = args.filter((arg) => arg !== "--");
  if (directories.length === 0) directories.push(import.meta.dirname!);
  let passed = 0;
  let failed = 0;
  for (const file of directories.flatMap(scenarioFiles)) {
    const difference = checkFile(file);
    if (difference === undefined) passed++;
    else {
      failed++;
      console.log(`${file}: ${difference}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

if (import.meta.main) process.exit(main(process.argv.slice(2)));
