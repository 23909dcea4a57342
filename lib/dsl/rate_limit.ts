import type { StreamRecord } from "../record/record.ts";
import type { Processor, ProcessorContext } from "../topology/processor.ts";
import { PREFIX } from "./naming.ts";
import type { StreamHandle } from "./stream_handle.ts";

/** How many records a step takes. */
export interface RateLimitOptions {
  /** Records a second of the wall clock, in each task. */
  readonly recordsPerSecond: number;
  /** Records that may come at once after a quiet time. Default: those of one second. */
  readonly burst?: number;
  readonly name?: string;
}

/**
 * Adds a step that passes records on and, when there were too many, holds the sources until the rate is kept. No record waits in memory,
 * and other tasks of the thread go on.
 *
 * @throws {RangeError} when the rate or the burst is not positive
 */
export function rateLimit(stream: StreamHandle, options: RateLimitOptions): StreamHandle {
  const { recordsPerSecond, burst = Math.max(1, recordsPerSecond) } = options;
  for (const [what, value] of Object.entries({ recordsPerSecond, burst })) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new RangeError(
        `Cannot limit the rate as ${what} must be a positive number: current value is ${value}`,
      );
    }
  }
  const name = stream.plan.nameOr(options.name, PREFIX.rateLimit);
  return stream.step(name, () => new RateLimitProcessor(recordsPerSecond / 1000, burst));
}

/** A bucket of permits that fills with the wall clock; when it is empty the sources are held until there is one again. */
class RateLimitProcessor implements Processor<any, any, any, any> {
  readonly #permitsPerMs: number;
  readonly #burst: number;
  #permits: number;
  #filledAt = -1;
  #context!: ProcessorContext<any, any>;

  constructor(permitsPerMs: number, burst: number) {
    this.#permitsPerMs = permitsPerMs;
    this.#burst = burst;
    this.#permits = burst;
  }
  init(context: ProcessorContext<any, any>): void {
    this.#context = context;
  }
  process(record: StreamRecord<any, any>): void {
    const now = this.#context.currentSystemTimeMs();
    if (this.#filledAt >= 0 && now > this.#filledAt) {
      const filled = this.#permits + (now - this.#filledAt) * this.#permitsPerMs;
      this.#permits = filled < this.#burst ? filled : this.#burst;
    }
    this.#filledAt = now;
    this.#permits--;
    this.#context.forward(record);
    if (this.#permits < 1) {
      this.#context.pauseSources(now + Math.ceil((1 - this.#permits) / this.#permitsPerMs));
    }
  }
}
