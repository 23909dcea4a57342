import type { ByteCursor } from "./store.ts";
import type { CacheEntry, TypedCache } from "./typed_cache.ts";

/** How the rows of a cache and of the store below it are brought into one order. */
export interface MergeOrder<K, V, Row> {
  /** Below 0: the stored row comes before the entry. 0: they are the same row. */
  compare(storedKey: Uint8Array, entry: CacheEntry<K, V>): number;
  ofStored(key: Uint8Array, value: Uint8Array): Row;
  ofEntry(entry: CacheEntry<K, V>, value: V): Row;
}

/**
 * The rows of a store with the updates that its cache holds back: entries come in the same order as the cursor's rows, and count where
 * both have a row. Kafka Streams: `AbstractMergedSortedCacheStoreIterator`.
 */
export function* mergedRows<K, V, Row>(
  cursor: ByteCursor,
  dirty: readonly CacheEntry<K, V>[],
  cache: TypedCache<K, V, any> | undefined,
  order: MergeOrder<K, V, Row>,
): IterableIterator<Row> {
  let next = 0;
  try {
    let hasRow = cursor.advance();
    while (hasRow || next < dirty.length) {
      const entry = dirty[next];
      const place = entry === undefined ? -1 : hasRow ? order.compare(cursor.key, entry) : 1;
      if (place < 0) {
        const row = order.ofStored(cursor.key, cursor.value);
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
