import type { Headers } from "../record/headers.ts";
import type { DirtyList } from "./dirty_list.ts";

/**
 * A row of a cache: the value as the processors see it, and the bytes that the store below holds for it. It carries its place in the order of
 * use and in that of last update, so that neither costs an allocation.
 */
export class CacheEntry<K, V> {
  readonly key: K;
  /** The window's or session's bounds; 0 for plain rows. */
  readonly start: number;
  readonly end: number;
  /** Undefined: it is to be decoded from `below`. */
  value: V | null | undefined;
  /** What the store below holds; null: no row; undefined: not known. */
  below: Uint8Array | null | undefined;
  /** What the store's index by key keeps the entry in, for windows and sessions. */
  group: unknown = undefined;
  /** The key's bytes, once something needed them. */
  keyBytes: Uint8Array | undefined = undefined;
  size: number;

  // The context of the last update.
  topic: string | null | undefined = undefined;
  partition = -1;
  offset = -1;
  timestamp = 0;
  headers: Headers | undefined = undefined;

  // Order of use.
  older: CacheEntry<K, V> | null = null;
  newer: CacheEntry<K, V> | null = null;
  /** It was used since it took its place in the order. */
  isUsed = false;
  // Order of last update; null list: clean.
  list: DirtyList<K, V> | null = null;
  place = 0;

  constructor(
    key: K,
    start: number,
    end: number,
    value: V | null | undefined,
    below: Uint8Array | null | undefined,
    size: number,
  ) {
    this.key = key;
    this.start = start;
    this.end = end;
    this.value = value;
    this.below = below;
    this.size = size;
  }
}
