import process from "node:process";
import { counter, gauge } from "./definition.ts";
import type { MetricsRegistry, Registration } from "./metrics.ts";
import { type Clock, systemClock } from "../record/time.ts";

/** Metrics of the process, by the names that Prometheus' client libraries share. */
export const PROCESS = {
  cpu: counter("process_cpu_seconds_total", "Processor time used, in seconds"),
  resident: gauge("process_resident_memory_bytes", "Resident memory, in bytes", "last"),
  heap: gauge("process_heap_bytes", "Heap of the main isolate that is in use, in bytes", "last"),
  start: gauge("process_start_time_seconds", "When the process started, in epoch seconds", "last"),
} as const;

/**
 * Shows the process' metrics; called once, in the main isolate. prom-client's own are not used: on Deno they break the scrape, and their observer of
 * the garbage collector costs latency. Each is tried once, and left out where the runtime has not got it.
 */
export function registerProcessMetrics(
  registry: MetricsRegistry,
  clock: Clock = systemClock,
): Registration {
  const scope = registry.scope({});
  const startedAt = clock.now() / 1000 - process.uptime();
  scope.observe(PROCESS.start, () => startedAt);
  const cpu = working(() => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  if (cpu) scope.observe(PROCESS.cpu, cpu);
  const resident = working(() => process.memoryUsage().rss);
  if (resident) scope.observe(PROCESS.resident, resident);
  const heap = working(() => process.memoryUsage().heapUsed);
  if (heap) scope.observe(PROCESS.heap, heap);
  return scope;
}

function working(read: () => number): (() => number) | undefined {
  try {
    return Number.isFinite(read()) ? read : undefined;
  } catch {
    // The runtime says "not implemented" by throwing.
    return undefined;
  }
}
