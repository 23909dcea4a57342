import { type ByteEntry, OrderedBytes, type OrderedCursor } from "./ordered_bytes.ts";
import { type CommittedBytes, OverlaidStore } from "./overlay.ts";
import type { ByteCursor, ByteStore, StateEnvironment } from "./store.ts";

/** The state of a task in memory: for tests, for the test driver and for tasks whose stores are all in memory. */
export class MemoryEnvironment implements StateEnvironment {
  readonly #stores = new Map<string, OverlaidStore>();
  readonly #offsets = new Map<string, number>();

  open(name: string): ByteStore {
    let store = this.#stores.get(name);
    if (store === undefined) {
      store = new OverlaidStore(name, new MemoryBytes());
      this.#stores.set(name, store);
    }
    return store;
  }

  committedOffset(storeName: string): number | undefined {
    return this.#offsets.get(storeName);
  }

  commit(offsets: ReadonlyMap<string, number>): void {
    for (const store of this.#stores.values()) store.commit();
    for (const [name, offset] of offsets) this.#offsets.set(name, offset);
  }

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

/** Committed rows in memory. */
export class MemoryBytes implements CommittedBytes {
  readonly #rows = new OrderedBytes();

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#rows.find(key)?.value ?? undefined;
  }

  cursor(from: Uint8Array | undefined, to: Uint8Array | undefined, reverse: boolean): ByteCursor {
    return new MemoryCursor(this.#rows.cursor(from, to, reverse));
  }

  apply(rows: readonly ByteEntry[]): void {
    for (const { key, value } of rows) {
      if (value === null) this.#rows.remove(key);
      else this.#rows.set(key, value);
    }
  }

  removeBelow(floor: Uint8Array, limit: number): number {
    const cursor = this.#rows.cursor(undefined, floor, false);
    let removed = 0;
    while (removed < limit && cursor.advance()) {
      this.#rows.remove(cursor.entry!.key);
      removed++;
    }
    return removed;
  }

  count(): number {
    return this.#rows.size;
  }

  clear(): void {
    this.#rows.clear();
  }

  /** Memory takes any key. */
  checkKey(): void {}
}

class MemoryCursor implements ByteCursor {
  readonly #rows: OrderedCursor;
  constructor(rows: OrderedCursor) {
    this.#rows = rows;
  }
  advance(): boolean {
    return this.#rows.advance();
  }
  get key(): Uint8Array {
    return this.#rows.entry!.key;
  }
  get value(): Uint8Array {
    return this.#rows.entry!.value!;
  }
  close(): void {}
}
