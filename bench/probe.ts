/**
 * Counts the records of a benchmark at the head of its topology and asks for a commit with the last one, as the Java peer does: a long
 * commit interval then adds no waiting.
 */
import { systemClock } from "../lib/record/time.ts";
import type { StreamRecord } from "../lib/record/record.ts";
import type { FixedKeyProcessorContext, FixedKeyRecord } from "../lib/topology/processor.ts";
import process from "node:process";

/** What one isolate has measured. */
export interface ProbeTimes {
  count: number;
  /** Monotonic ms and CPU seconds at the first record. */
  startedMs: number;
  startedCpu: number;
  /** Monotonic ms at record N/2. */
  halfMs: number;
}

/** The times of this isolate; the benchmark and the topology it runs share them. */
export const probe: ProbeTimes = { count: 0, startedMs: -1, startedCpu: 0, halfMs: -1 };

const QUIET_MS = 20;

/** CPU seconds of this process so far. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** A step that counts and hands on. `records` is how many there are over all. */
export class ProbeProcessor {
  readonly #records: number;
  #context: FixedKeyProcessorContext<unknown, unknown> | undefined;

  constructor(records: number) {
    this.#records = records;
  }
  init(context: FixedKeyProcessorContext<unknown, unknown>): void {
    this.#context = context;
    // A Worker sees its own records alone: when no more come, it commits what it has.
    let seen = 0;
    context.schedule(QUIET_MS, "wall-clock-time", () => {
      if (seen > 0 && seen === probe.count) context.commit();
      seen = probe.count;
    });
  }
  process(record: FixedKeyRecord<unknown, unknown> & StreamRecord<unknown, unknown>): void {
    if (probe.count === 0) {
      probe.startedMs = systemClock.monotonic();
      probe.startedCpu = cpuSeconds();
    }
    probe.count++;
    if (probe.count === this.#records >> 1) probe.halfMs = systemClock.monotonic();
    this.#context!.forward(record);
    if (probe.count === this.#records) this.#context!.commit();
  }
}
