import type { ProcessingContext } from "./processor.ts";

/** How many records pass. */
export interface Rate {
  /** Records a second of the wall clock. */
  readonly recordsPerSecond: number;
  /** Records that may come at once after a quiet time. Default: those of one second, at least 1. */
  readonly burst?: number;
}

/**
 * A bucket of permits that fills with the wall clock. A processor takes one for each record; when none is left the sources of its task are
 * held until there is one again. No record waits in memory, the thread is not blocked, and its other tasks go on. One limiter
 * belongs to one processor object, so the rate is that of a task. Beyond Kafka Streams.
 *
 * ```ts
 * const limiter = new RateLimiter({ recordsPerSecond: 100 });
 * // in process():
 * limiter.take(context);
 * context.forward(record);
 * ```
 */
export class RateLimiter {
  readonly #permitsPerMs: number;
  readonly #burst: number;
  #permits: number;
  #filledAt = -1;

  /** @throws {RangeError} when the rate or the burst is not positive */
  constructor({ recordsPerSecond, burst = Math.max(1, recordsPerSecond) }: Rate) {
    for (const [what, value] of Object.entries({ recordsPerSecond, burst })) {
      if (!(value > 0 && Number.isFinite(value))) {
        throw new RangeError(
          `Cannot limit the rate as ${what} must be a positive number: current value is ${value}`,
        );
      }
    }
    this.#permitsPerMs = recordsPerSecond / 1000;
    this.#burst = burst;
    this.#permits = burst;
  }

  /** Takes permits for what is processed now; the record in hand is never refused. */
  take(context: Pick<ProcessingContext, "currentSystemTimeMs" | "pauseSources">, count = 1): void {
    const now = context.currentSystemTimeMs();
    if (this.#filledAt >= 0 && now > this.#filledAt) {
      const filled = this.#permits + (now - this.#filledAt) * this.#permitsPerMs;
      this.#permits = filled < this.#burst ? filled : this.#burst;
    }
    this.#filledAt = now;
    this.#permits -= count;
    if (this.#permits < 1) {
      context.pauseSources(now + Math.ceil((1 - this.#permits) / this.#permitsPerMs));
    }
  }
}
