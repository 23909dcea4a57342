/**
 * Walks threads × cache × commit interval for one topology and prints a table with the best setting marked.
 *
 *     deno run -A bench/tune.ts [--bootstrap HOST:PORT] [--topology agg] [--topic orders] [--records N]
 *                               [--guarantee exactly_once_v2] [--threads 1,2] [--cache 0,1048576,10485760] [--commit 100,1000]
 *
 * Workers count in their own isolates, so with more threads the clock starts when all run. Without `--bootstrap` it runs on the embedded broker with generated orders. Memory is cache + stores + librdkafka's queues; a larger cache
 * delays what is downstream; threads beyond tasks or cores idle.
 */
import process from "node:process";
import { join } from "node:path";
import { type Measurement, readArgs, runBenchmark, table } from "./report.ts";

const DEFAULTS = {
  bootstrap: "embedded",
  topology: "agg",
  topic: "orders",
  records: "200000",
  guarantee: "exactly_once_v2",
  threads: "1,2",
  cache: "0,1048576,10485760",
  commit: "100,1000",
};

async function main(): Promise<void> {
  const options = readArgs(process.argv.slice(2), DEFAULTS);
  const rows: Measurement[] = [];
  let failed = 0;
  for (const threads of options.threads.split(",")) {
    for (const cache of options.cache.split(",")) {
      for (const commit of options.commit.split(",")) {
        const { bootstrap, topology, topic, records, guarantee } = options;
        const setting = { bootstrap, topology, topic, records, guarantee, threads, cache, commit };
        const args = Object.entries(setting).flatMap(([name, value]) => [`--${name}`, value]);
        try {
          rows.push(...await runBenchmark(join(import.meta.dirname!, "broker.ts"), args));
        } catch (error) {
          // One setting that cannot run (too little memory, say) leaves the others their table.
          failed++;
          console.error(`threads ${threads}, cache ${cache}, commit ${commit}: ${error}`);
          rows.push({ topology, threads, cache, commit_ms: commit, best: "failed" });
        }
      }
    }
  }
  const best = Math.max(...rows.map((row) => Number(row.records_per_s ?? 0)));
  const marked = rows.map((row) => ({
    ...row,
    best: row.best ?? (Number(row.records_per_s) === best ? "best" : ""),
  }));
  console.log(table(marked, [
    "topology",
    "threads",
    "cache",
    "commit_ms",
    "records_per_s",
    "second_half_records_per_s",
    "cpu_seconds",
    "rss_mb",
    "best",
  ]));
  if (failed > 0) process.exitCode = 1;
}

await main();
