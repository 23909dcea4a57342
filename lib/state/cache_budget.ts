import type { CacheBudget, EvictableCache } from "./store.ts";

/**
 * The memory that the caches of one stream thread share, in bytes of what their entries would take serialized. A put that goes beyond it
 * evicts from its own cache, as in Kafka Streams' `ThreadCache`.
 *
 * @throws {RangeError} when `maxBytes` is negative
 */
export function cacheBudget(maxBytes: number): CacheBudget {
  if (!(maxBytes >= 0)) {
    throw new RangeError(
      `Cannot share a cache as its size must not be negative: current value is ${maxBytes}`,
    );
  }
  return new SharedBudget(maxBytes);
}

class SharedBudget implements CacheBudget {
  readonly maxBytes: number;
  usedBytes = 0;
  readonly #caches = new Set<EvictableCache>();

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  register(cache: EvictableCache): void {
    this.#caches.add(cache);
  }

  unregister(cache: EvictableCache): void {
    if (this.#caches.delete(cache)) this.usedBytes -= cache.usedBytes;
  }

  evictIfNeeded(cache: EvictableCache): void {
    // An empty cache ends it: what is too much then lies in another one, whose next put will evict.
    while (this.usedBytes > this.maxBytes && cache.evictOne());
  }
}
