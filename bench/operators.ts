/**
 * How many records a second each operator takes in one task, without a broker: `deno run -A bench/operators.ts [name part]`.
 * Prints one JSON line per operator: the best of several rounds by the clock and by processor time (all threads of the process, which a busy
 * machine does not disturb), the records sent, and megabytes of heap after.
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
    let bestCpu = Infinity;
    let sent = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const task = new SingleTask(operator.topology(), { cacheBytes: operator.cacheBytes });
      const inputs = operator.inputs(records);
      const cpu = process.cpuUsage();
      best = Math.min(best, task.run(inputs));
      const { user, system } = process.cpuUsage(cpu);
      bestCpu = Math.min(bestCpu, (user + system) / 1000);
      sent = task.collector.sent;
    }
    console.log(JSON.stringify({
      operator: operator.name,
      records,
      ms: Math.round(best),
      recordsPerSecond: Math.round(records / best * 1000),
      perCpuSecond: Math.round(records / bestCpu * 1000),
      sent,
      heapMB: Math.round(process.memoryUsage().heapUsed / 1048576),
    }));
  }
}

main(process.argv[2] ?? "");
