import type { CacheEntry } from "./cache_entry.ts";

/** Places beyond twice the entries at which they are closed up. */
const SPARE_PLACES = 1_024;

/**
 * Entries in order of their last update. An entry that is updated again gets a new place at the end, and the old one counts no more: to take it out
 * of a linked list would read both its neighbours, which lie anywhere in memory, with every update.
 */
export class DirtyList<K, V> {
  readonly #places: CacheEntry<K, V>[] = [];
  #first = 0;
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Puts an entry that is in no list, or in this one, at the end. */
  append(entry: CacheEntry<K, V>): void {
    const places = this.#places;
    if (entry.list === null) {
      entry.list = this;
      this.#size++;
    } else if (entry.place === places.length - 1) return;
    entry.place = places.length;
    places.push(entry);
    if (places.length - this.#first > 2 * this.#size + SPARE_PLACES) this.#closeUp();
  }

  remove(entry: CacheEntry<K, V>): void {
    entry.list = null;
    this.#size--;
  }

  /** Takes the first entry out; undefined: there is none. */
  take(): CacheEntry<K, V> | undefined {
    const places = this.#places;
    while (this.#first < places.length) {
      const at = this.#first++;
      const entry = places[at];
      if (!this.#isAt(entry, at)) continue;
      this.remove(entry);
      return entry;
    }
    return undefined;
  }

  /** An entry that is taken soon, so many places from now, unless it has left its place. */
  peek(ahead: number): CacheEntry<K, V> | undefined {
    return this.#places[this.#first + ahead];
  }

  /** The entries, in order. Those that are appended meanwhile come, too. */
  *entries(): IterableIterator<CacheEntry<K, V>> {
    for (let at = this.#first; at < this.#places.length; at++) {
      const entry = this.#places[at];
      if (this.#isAt(entry, at)) yield entry;
    }
  }

  #isAt(entry: CacheEntry<K, V>, place: number): boolean {
    return entry.list === this && entry.place === place;
  }

  #closeUp(): void {
    const places = this.#places;
    let kept = 0;
    for (let at = this.#first; at < places.length; at++) {
      const entry = places[at];
      if (!this.#isAt(entry, at)) continue;
      entry.place = kept;
      places[kept++] = entry;
    }
    places.length = kept;
    this.#first = 0;
  }
}
