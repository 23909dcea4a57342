import type { ByteStore } from "./store.ts";

/**
 * Which rows of a bounded store were used last. Rows beyond the bound are removed, the least recently used first.
 * Kafka Streams: `MemoryNavigableLRUCache`.
 */
export class RecentRows {
  readonly #rows: ByteStore;
  readonly #maxRows: number;
  /** In order of use, the oldest first; by the key's bytes as text. */
  readonly #order = new Map<string, Uint8Array>();

  constructor(rows: ByteStore, maxRows: number) {
    this.#rows = rows;
    this.#maxRows = maxRows;
    this.reload();
  }

  /** Takes over the rows that are there, in key order, and removes what is too much. */
  reload(): void {
    this.#order.clear();
    for (const [key] of this.#rows.range(undefined, undefined)) this.touch(key);
  }

  /** Notes a use; gives the keys of rows that were removed because of it. */
  touch(key: Uint8Array): readonly Uint8Array[] {
    const text = byteText(key);
    const order = this.#order;
    order.delete(text);
    order.set(text, key);
    if (order.size <= this.#maxRows) return NONE;
    const removed: Uint8Array[] = [];
    for (const [oldest, oldestKey] of order) {
      if (order.size <= this.#maxRows) break;
      order.delete(oldest);
      this.#rows.delete(oldestKey);
      removed.push(oldestKey);
    }
    return removed;
  }

  forget(key: Uint8Array): void {
    this.#order.delete(byteText(key));
  }
}

const NONE: readonly Uint8Array[] = [];

/** Bytes as text, one character a byte: a key for a `Map`. */
export function byteText(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
  return text;
}
