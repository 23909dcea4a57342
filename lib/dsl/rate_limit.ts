import type { StreamRecord } from "../record/record.ts";
import type { Processor, ProcessorContext } from "../topology/processor.ts";
import { type Rate, RateLimiter } from "../topology/rate_limiter.ts";
import { PREFIX } from "./naming.ts";
import type { StreamHandle } from "./stream_handle.ts";

/** How many records a step takes, in each task. */
export interface RateLimitOptions extends Rate {
  readonly name?: string;
}

/**
 * Adds a step that passes records on and, when there were too many, holds the sources until the rate is kept. No record waits in memory,
 * and other tasks of the thread go on.
 *
 * @throws {RangeError} when the rate or the burst is not positive
 */
export function rateLimit(stream: StreamHandle, options: RateLimitOptions): StreamHandle {
  // Checked where the step is written, not when the first task is made.
  new RateLimiter(options);
  const name = stream.plan.nameOr(options.name, PREFIX.rateLimit);
  return stream.step(name, () => new RateLimitProcessor(new RateLimiter(options)));
}

class RateLimitProcessor implements Processor<any, any, any, any> {
  readonly #limiter: RateLimiter;
  #context!: ProcessorContext<any, any>;

  constructor(limiter: RateLimiter) {
    this.#limiter = limiter;
  }
  init(context: ProcessorContext<any, any>): void {
    this.#context = context;
  }
  process(record: StreamRecord<any, any>): void {
    this.#limiter.take(this.#context);
    this.#context.forward(record);
  }
}
