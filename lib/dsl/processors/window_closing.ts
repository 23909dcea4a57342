import type { ProcessingContext } from "../../topology/processor.ts";

/** How much wall-clock time (ms) lies at least between two looks for closed windows. Internal, as in Kafka Streams. */
export const EMIT_INTERVAL_SETTING = "__emit.interval.ms.kstreams.windowed.aggregation__";
const DEFAULT_EMIT_INTERVAL_MS = 1000;

/**
 * When windows that have closed are looked for and emitted: throttled by the wall clock, and only when the close time
 * moved since the last emission. That time survives a restart in the committed offsets' metadata. Kafka Streams:
 * `AbstractKStreamTimeWindowAggregateProcessor`, KIP-825.
 */
export class WindowClosing {
  /** The close time (epoch ms) of the last emission, -1 before the first. */
  lastCloseTime: number;
  readonly #context: ProcessingContext;
  readonly #storeName: string;
  readonly #intervalMs: number;
  #nextLook = 0;

  constructor(context: ProcessingContext, storeName: string) {
    this.#context = context;
    this.#storeName = storeName;
    this.#intervalMs = Number(context.setting(EMIT_INTERVAL_SETTING) ?? DEFAULT_EMIT_INTERVAL_MS);
    this.lastCloseTime = context.processorMetadata(storeName) ?? -1;
  }

  /** Whether to look now for windows that `closeTime` has closed. */
  isDue(closeTime: number): boolean {
    const now = this.#context.currentSystemTimeMs();
    if (now < this.#nextLook) return false;
    // From now on, not from the last due time: a clock that jumps must not cause a burst of looks.
    this.#nextLook = now + this.#intervalMs;
    return this.lastCloseTime === -1 || this.lastCloseTime < closeTime;
  }

  /** Notes that all windows closed by `closeTime` were emitted. */
  emitted(closeTime: number): void {
    this.lastCloseTime = closeTime;
    this.#context.setProcessorMetadata(this.#storeName, closeTime);
  }
}
