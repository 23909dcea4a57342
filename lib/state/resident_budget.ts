/** A store that keeps saved rows in memory. */
export interface ResidentStore {
  readonly residentBytes: number;
  /** Gives up about half of them. */
  shed(): void;
}

/** What all stores of a thread may keep in memory together, beside their caches. */
const DEFAULT_BYTES = 96 * 1024 * 1024;

/**
 * The memory for saved rows that need not be read from the disk again. It is counted at each commit; when it is exceeded, the largest
 * store gives up half of what it holds, and so on.
 */
export class ResidentBudget {
  readonly maxBytes: number;
  readonly #stores = new Set<ResidentStore>();

  constructor(maxBytes: number = DEFAULT_BYTES) {
    this.maxBytes = maxBytes;
  }

  register(store: ResidentStore): void {
    this.#stores.add(store);
  }

  unregister(store: ResidentStore): void {
    this.#stores.delete(store);
  }

  /** Brings the stores back under the budget. */
  relieve(): void {
    // A store whose rows all wait for a commit or a save cannot give anything up: the loop must not wait for it.
    for (let tries = 0; tries < 64; tries++) {
      let total = 0;
      let largest: ResidentStore | undefined;
      for (const store of this.#stores) {
        total += store.residentBytes;
        if (largest === undefined || store.residentBytes > largest.residentBytes) largest = store;
      }
      if (total <= this.maxBytes || largest === undefined) return;
      const before = largest.residentBytes;
      largest.shed();
      if (largest.residentBytes === before) return;
    }
  }
}

/** The budget of this thread: Workers have their own copy of this module. */
export const threadResidentBudget: ResidentBudget = new ResidentBudget();
