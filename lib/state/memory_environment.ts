import { OverlaidStore } from "./overlay.ts";
import type { ByteStore, StateEnvironment } from "./store.ts";

/** The state of a task in memory: for tests, for the test driver and for tasks whose stores are all in memory. */
export class MemoryEnvironment implements StateEnvironment {
  readonly #stores = new Map<string, OverlaidStore>();
  readonly #offsets = new Map<string, number>();

  open(name: string): ByteStore {
    let store = this.#stores.get(name);
    if (store === undefined) {
      store = new OverlaidStore(name);
      this.#stores.set(name, store);
    }
    return store;
  }

  committedOffset(storeName: string): number | undefined {
    return this.#offsets.get(storeName);
  }

  commit(offsets: ReadonlyMap<string, number>): void {
    for (const store of this.#stores.values()) store.seal();
    for (const [name, offset] of offsets) {
      if (offset > (this.#offsets.get(name) ?? -1)) this.#offsets.set(name, offset);
    }
  }

  save(): void {}
  saveIfDue(): void {}

  rollback(): void {
    for (const store of this.#stores.values()) store.rollback();
  }

  get uncommittedBytes(): number {
    let bytes = 0;
    for (const store of this.#stores.values()) bytes += store.uncommittedBytes;
    return bytes;
  }

  wipe(): void {
    for (const store of this.#stores.values()) store.wipe();
    this.#offsets.clear();
  }

  /** Forgets everything. */
  close(): void {
    this.wipe();
    this.#stores.clear();
  }
}
