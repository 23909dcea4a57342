import type { Clock } from "../record/time.ts";
import type { TaskRegistry } from "./task_registry.ts";
import type { ThreadTelemetry } from "./thread_telemetry.ts";

/** How long one round of passes may take before the consumer is polled again (ms). */
const ROUND_MS = 20;

/** What a round needs of its thread. */
export interface RoundTools {
  readonly registry: TaskRegistry;
  readonly clock: Clock;
  /** Whether the producer has no room: nothing more may be processed until `drain` resolves. */
  backlog(): boolean;
  drain(): Promise<void>;
  /** Whether a commit is due at `now`. */
  commitDue(now: number): boolean;
  /** Commits; gives how many tasks had something to commit. */
  commit(): Promise<number>;
}

/**
 * Processes what is queued: up to N records of each task, then punctuations, then a commit if one is due, and again, until nothing is left or
 * the round has taken long enough. N grows by one with each quiet pass and is halved by a punctuation or a commit. Kafka Streams:
 * `StreamThread.runOnce`, `TaskExecutor`.
 */
export class ProcessingRound {
  readonly #tools: RoundTools;
  readonly #telemetry: ThreadTelemetry;
  #perTask = 1;

  constructor(tools: RoundTools, telemetry: ThreadTelemetry) {
    this.#tools = tools;
    this.#telemetry = telemetry;
  }

  /** Runs passes until nothing is left; gives how many records were processed. */
  async run(): Promise<number> {
    const { clock } = this.#tools;
    const began = clock.now();
    let total = 0;
    for (;;) {
      const now = clock.now();
      const processed = this.#process(now);
      if (this.#tools.backlog()) await this.#tools.drain();
      const punctuated = this.#punctuate(now);
      const committed = this.#tools.commitDue(now) ? await this.#tools.commit() : 0;
      total += processed;
      const disturbed = punctuated > 0 || committed > 0;
      if (processed === 0) break;
      if (disturbed) this.#perTask = Math.max(1, this.#perTask >> 1);
      else this.#perTask++;
      if (committed > 0 || now - began >= ROUND_MS) break;
    }
    return total;
  }

  #process(now: number): number {
    const { clock, registry } = this.#tools;
    let processed = 0;
    let began = clock.monotonic();
    const first = began;
    for (const task of registry.running) {
      const count = task.processUpTo(this.#perTask, now);
      if (count === 0) continue;
      processed += count;
      const ended = clock.monotonic();
      this.#telemetry.taskProcessed(task, ended - began, now, count);
      began = ended;
    }
    if (processed > 0) this.#telemetry.passed(processed, began - first, now);
    return processed;
  }

  #punctuate(now: number): number {
    const { clock, registry } = this.#tools;
    let punctuated = 0;
    for (const task of registry.running) {
      const began = clock.monotonic();
      if (!task.punctuate(now)) continue;
      punctuated++;
      this.#telemetry.taskPunctuated(task, clock.monotonic() - began, now);
    }
    return punctuated;
  }
}
