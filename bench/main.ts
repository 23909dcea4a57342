/**
 * `deno task bench`: every benchmark in a fresh process, as JSON lines, and a table at the end. `-- --only avro` runs one.
 * Compare ratios of one run; bare numbers of different runs tell nothing.
 */
import process from "node:process";
import { join } from "node:path";
import { type Measurement, readArgs, runBenchmark, table } from "./report.ts";

const PROGRAMS: readonly {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
}[] = [
  { name: "transport", script: "transport.ts", args: [] },
  { name: "state", script: "state.ts", args: [] },
  { name: "avro", script: "avro.ts", args: [] },
  { name: "operators", script: "operators.ts", args: [] },
  { name: "pipelines", script: "pipelines.ts", args: [] },
];

async function main(): Promise<void> {
  const { only } = readArgs(process.argv.slice(2), { only: "" });
  const chosen = PROGRAMS.filter(({ name }) => only === "" || name === only);
  if (chosen.length === 0) {
    throw new Error(
      `Cannot run "${only}" as only ${PROGRAMS.map((p) => p.name).join(", ")} are known`,
    );
  }
  const rows: Measurement[] = [];
  for (const { name, script, args } of chosen) {
    const measured = await runBenchmark(join(import.meta.dirname!, script), args);
    rows.push(...measured.map((row) => ({ program: name, ...row })));
  }
  console.log(table(rows, ["program", "bench", "runtime", "records", "seconds", "records_per_s"]));
}

await main();
