import type { CacheEntry } from "./cache_entry.ts";
import type { TypedCache } from "./typed_cache.ts";

/** Walks the rows of a store: by bytes, or by the times of a key. */
interface RowCursor {
  advance(): boolean;
  close(): void;
}

/** How the rows of a cache and of the store below it are brought into one order. */
export interface MergeOrder<Cursor extends RowCursor, K, V, Row> {
  /** Below 0: the row in the cursor's hand comes before the entry. 0: they are the same row. */
  compare(stored: Cursor, entry: CacheEntry<K, V>): number;
  ofStored(stored: Cursor): Row;
  ofEntry(entry: CacheEntry<K, V>, value: V): Row;
  /** Entries of an exact cache that Kafka Streams' iteration comes past and leaves out. */
  readonly isPassed?: (entry: CacheEntry<K, V>) => boolean;
}

/**
 * The rows of a store with the updates that its cache holds back: entries come in the same order as the cursor's rows, and count where
 * both have a row. Kafka Streams: `AbstractMergedSortedCacheStoreIterator`.
 */
export function* mergedRows<Cursor extends RowCursor, K, V, Row>(
  cursor: Cursor,
  dirty: readonly CacheEntry<K, V>[],
  cache: TypedCache<K, V, any> | undefined,
  order: MergeOrder<Cursor, K, V, Row>,
): IterableIterator<Row> {
  let next = 0;
  let touched = -1;
  try {
    let hasRow = cursor.advance();
    while (true) {
      // An iteration of Kafka Streams uses each entry as it comes to it.
      while (cache?.isExact && next > touched && next < dirty.length) {
        touched = next;
        cache.touch(dirty[next]);
        if (order.isPassed?.(dirty[next])) next++;
      }
      if (!hasRow && next >= dirty.length) return;
      const entry = dirty[next];
      const place = entry === undefined ? -1 : hasRow ? order.compare(cursor, entry) : 1;
      if (place < 0) {
        const row = order.ofStored(cursor);
        hasRow = cursor.advance();
        yield row;
        continue;
      }
      if (place === 0) hasRow = cursor.advance();
      next++;
      const value = cache!.valueOf(entry);
      if (value !== null) yield order.ofEntry(entry, value);
    }
  } finally {
    cursor.close();
  }
}
