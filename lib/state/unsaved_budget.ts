/** How much may be committed in Kafka and wait for the disk in memory (bytes), over all tasks of a thread. The commit that goes beyond it is saved. */
const DEFAULT_BYTES = 16 * 1024 * 1024;
/** How long after the last save a commit may still wait (ms): where commits are farther apart than that, each is saved at once. */
const DEFAULT_MS = 5_000;

/** Limits of an `UnsavedBudget`. */
export interface UnsavedLimits {
  readonly maxBytes?: number;
  readonly maxMs?: number;
}

/**
 * The memory for commits that are not on the disk yet, and how long they may stay there until a commit, or the time for one, saves them. What a killed process had not saved is replayed from the
 * changelog. Until then rows that are written again, or expire, cost the disk nothing.
 */
export class UnsavedBudget {
  readonly maxBytes: number;
  readonly maxMs: number;
  readonly #held = new Map<object, number>();
  #bytes = 0;

  constructor({ maxBytes = DEFAULT_BYTES, maxMs = DEFAULT_MS }: UnsavedLimits = {}) {
    this.maxBytes = maxBytes;
    this.maxMs = maxMs;
  }

  /** Notes how much an environment holds now. */
  hold(environment: object, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(environment) ?? 0);
    if (bytes === 0) this.#held.delete(environment);
    else this.#held.set(environment, bytes);
  }

  get isExceeded(): boolean {
    return this.#bytes >= this.maxBytes;
  }
}

/** The budget of this thread: Workers have their own copy of this module. */
export const threadUnsavedBudget: UnsavedBudget = new UnsavedBudget();
