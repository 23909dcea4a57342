/**
 * How many records a second each operator takes in one task, without a broker: `deno run -A bench/operators.ts [name part]`.
 * Prints one JSON line per operator: name, records, ms, records a second, bytes of heap after.
 */
import process from "node:process";
import { OPERATORS } from "./operator_cases.ts";
import { SingleTask } from "./single_task.ts";

const RECORDS = Number(process.env.BENCH_RECORDS ?? 1_000_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);

function main(part: string): void {
  for (const operator of OPERATORS) {
    if (!operator.name.includes(part)) continue;
    const records = Math.ceil(RECORDS * (operator.share ?? 1));
    let best = Infinity;
    let sent = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const task = new SingleTask(operator.topology(), { cacheBytes: operator.cacheBytes });
      best = Math.min(best, task.run(operator.inputs(records)));
      sent = task.collector.sent;
    }
    console.log(JSON.stringify({
      operator: operator.name,
      records,
      ms: Math.round(best),
      recordsPerSecond: Math.round(records / best * 1000),
      sent,
      heapMB: Math.round(process.memoryUsage().heapUsed / 1048576),
    }));
  }
}

main(process.argv[2] ?? "");
