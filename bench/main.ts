/**
 * `deno task bench`: every benchmark in a fresh process, as JSON lines, and a table at the end. `-- --only avro` runs one.
 * Compare ratios of one run; bare numbers of different runs tell nothing.
 */
import process from "node:process";
import { join } from "node:path";
import { type Measurement, readArgs, runBenchmark, table } from "./report.ts";

/** Whole applications on the embedded broker, in the settings of the comparison with the Java peer. */
const PIPELINE = [
  "--bootstrap",
  "embedded",
  "--guarantee",
  "exactly_once_v2",
  "--commit",
  "1000",
  "--records",
  "400000",
];

const PROGRAMS: readonly {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
}[] = [
  { name: "transport", script: "transport.ts", args: [] },
  { name: "state", script: "state.ts", args: [] },
  { name: "avro", script: "avro.ts", args: [] },
  { name: "operators", script: "operators.ts", args: [] },
  ...["passthrough", "agg", "agg-suppress", "join"].map((topology) => ({
    name: "pipelines",
    script: "broker.ts",
    args: PIPELINE.concat("--topology", topology),
  })),
];

async function main(): Promise<void> {
  const { only } = readArgs(process.argv.slice(2), { only: "" });
  const chosen = PROGRAMS.filter(({ name }) => only === "" || name === only);
  if (chosen.length === 0) {
    throw new Error(
      `Cannot run "${only}" as only ${
        [...new Set(PROGRAMS.map((p) => p.name))].join(", ")
      } are known`,
    );
  }
  const rows: Measurement[] = [];
  for (const { name, script, args } of chosen) {
    const measured = await runBenchmark(join(import.meta.dirname!, script), args);
    rows.push(...measured.map((row) => tabled(name, row)));
  }
  console.log(table(rows, ["program", "bench", "runtime", "records", "seconds", "records_per_s"]));
}

/** Each program names its measurements in its own way; the table has one. */
function tabled(program: string, row: Measurement): Measurement {
  return {
    ...row,
    program,
    bench: row.bench ?? row.measure ?? row.operator ?? row.topology,
    records: row.records ?? row.count,
    seconds: row.seconds ?? (typeof row.ms === "number" ? row.ms / 1_000 : null),
    records_per_s: row.records_per_s ?? row.recordsPerSecond,
  };
}

await main();
