/**
 * `deno task differential -- --seed S --cases N --family F`: random topologies and records through Weir and through the real Kafka Streams, outputs, stores, drops, topics and descriptions
 * compared. A case that differs is shrunk and printed as a scenario file. Exits with 1 when one differs.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { firstDifference } from "../conformance/compare.ts";
import { runScenario } from "../conformance/run_scenario.ts";
import type { Scenario } from "../conformance/scenario.ts";
import { type Oracle, startOracle } from "../support/oracle.ts";
import { type Family, FAMILY_NAMES, scenarioOf } from "./families.ts";
import { shrink } from "./shrink.ts";
import { makeTempDir } from "../support/temp_dir.ts";

type Named = Scenario & { readonly name: string };

/** A case in which the two engines differ, as small as it got. */
export interface Difference {
  readonly seed: number;
  readonly scenario: Named;
  readonly what: string;
}

/** What a run came to. */
export interface DifferentialResult {
  /** Cases that both engines ran. */
  readonly compared: number;
  /** Cases that Kafka Streams itself could not run. */
  readonly refused: number;
  /** What it said to those. */
  readonly refusals: readonly string[];
  /** Cases in which its persistent and its in-memory stores differ, so that there is nothing to be equal to. */
  readonly undecided: number;
  readonly differences: readonly Difference[];
}

/** Compares `cases` scenarios, from `seed` on. Stops shrinking after a few: one bug makes many cases differ. */
export async function runDifferential(
  seed: number,
  cases: number,
  { maxShrunk = 3, batch = 200, family = "all" }: {
    readonly maxShrunk?: number;
    readonly batch?: number;
    readonly family?: Family;
  } = {},
): Promise<DifferentialResult> {
  const oracle = await startOracle();
  const differences: Difference[] = [];
  const refusals: string[] = [];
  let compared = 0;
  let undecided = 0;
  try {
    for (let from = 0; from < cases; from += batch) {
      const scenarios = Array.from(
        { length: Math.min(batch, cases - from) },
        (_, i) => scenarioOf(family, seed + from + i),
      );
      const { judged, log } = await judge(oracle, scenarios);
      refusals.push(...log.split("\n").filter((line) => line.startsWith("FAILED")));
      compared += judged.length;
      for (const scenario of judged) {
        const what = differenceOf(scenario);
        if (what === undefined) continue;
        if (scenario.expected.dependsOnStore === true) {
          undecided++;
          continue;
        }
        const caseSeed = Number(scenario.name.split("-").pop());
        const small = differences.length < maxShrunk
          ? await shrink(scenario, (c) => stillDiffering(oracle, c))
          : scenario;
        differences.push({ seed: caseSeed, scenario: small, what: differenceOf(small) ?? what });
      }
    }
  } finally {
    await oracle.stop();
  }
  return { compared, refused: cases - compared, refusals, undecided, differences };
}

/** The scenarios with what Kafka Streams gives for them; those that it could not run are left out. */
async function judge(
  oracle: Oracle,
  scenarios: readonly Named[],
): Promise<{ readonly judged: Named[]; readonly log: string }> {
  const dir = makeTempDir("differential");
  const [input, output] = [join(dir, "in"), join(dir, "out")];
  try {
    for (const path of [input, output]) mkdirSync(path);
    scenarios.forEach((scenario, i) =>
      writeFileSync(join(input, `${String(i).padStart(6, "0")}.json`), JSON.stringify(scenario))
    );
    const { log } = await oracle.run(input, output);
    const judged = readdirSync(output).sort().map((name) =>
      JSON.parse(readFileSync(join(output, name), "utf8"))
    );
    return { judged, log };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function stillDiffering(oracle: Oracle, candidates: readonly Named[]): Promise<Named[]> {
  return (await judge(oracle, candidates)).judged.filter((scenario) =>
    scenario.expected.dependsOnStore !== true && differenceOf(scenario) !== undefined
  );
}

function differenceOf(scenario: Named): string | undefined {
  try {
    return firstDifference(scenario.expected, runScenario(scenario));
  } catch (error) {
    return `threw ${(error as Error).stack}`;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const value = (name: string, fallback: number) => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? fallback : Number(args[at + 1]);
  };
  const seed = value("seed", crypto.getRandomValues(new Uint32Array(1))[0] >>> 8);
  const cases = value("cases", 500);
  const family = (args[args.indexOf("--family") + 1 || args.length] ?? "all") as Family;
  if (!FAMILY_NAMES.includes(family)) {
    throw new RangeError(
      `Cannot generate scenarios as --family is one of ${FAMILY_NAMES.join(", ")}: ` +
        `current value is ${family}`,
    );
  }
  console.log(`differential: --seed ${seed} --cases ${cases} --family ${family}`);
  const { compared, refused, refusals, undecided, differences } = await runDifferential(
    seed,
    cases,
    {
      maxShrunk: value("shrink", 3),
      family,
    },
  );
  for (const { seed: caseSeed, scenario, what } of differences) {
    console.log(`\n--- seed ${caseSeed}: ${what}\n${JSON.stringify(scenario)}`);
  }
  for (const refusal of refusals) console.log(refusal);
  console.log(
    `${compared} compared, ${refused} refused by Kafka Streams, ${undecided} depend on its kind of store`,
  );
  console.log(`${compared - differences.length} passed, ${differences.length} failed`);
  return differences.length === 0 && compared > 0 ? 0 : 1;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
