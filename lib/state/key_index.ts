/**
 * What caches and recent rows are found by: a map from keys, for look-ups by keys that were decoded just now.
 *
 * @module
 */

const FEWEST_SLOTS = 64;

/**
 * Items by key, in slots by hash (open addressing, at most three quarters full). A `Map` with string keys follows a chain whose links, keys and hashes all lie
 * apart, and most of a look-up is waiting for them; here it reads one run of hashes, one key and one item. Keys are equal as in a `Map`.
 */
export class KeyIndex<T> {
  /** 0: the slot is free. */
  #hashes = new Int32Array(FEWEST_SLOTS);
  #keys: unknown[] = slots(FEWEST_SLOTS);
  #items: (T | undefined)[] = slots(FEWEST_SLOTS);
  #mask = FEWEST_SLOTS - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: unknown): T | undefined {
    const at = this.#find(key, hashOf(key));
    return at < 0 ? undefined : this.#items[at];
  }

  set(key: unknown, item: T): void {
    const hash = hashOf(key);
    const at = this.#find(key, hash);
    if (at >= 0) {
      this.#items[at] = item;
      return;
    }
    if (this.#size * 4 >= this.#mask * 3) this.#resize((this.#mask + 1) * 2);
    this.#place(key, hash, item);
    this.#size++;
  }

  /** Not to be called while `values` is walked: the items behind it move. */
  delete(key: unknown): boolean {
    const at = this.#find(key, hashOf(key));
    if (at < 0) return false;
    this.#size--;
    this.#close(at);
    return true;
  }

  clear(): void {
    this.#size = 0;
    this.#allot(FEWEST_SLOTS);
  }

  /** All items, in no order that means anything. */
  *values(): IterableIterator<T> {
    const hashes = this.#hashes;
    const items = this.#items;
    for (let at = 0; at < hashes.length; at++) if (hashes[at] !== 0) yield items[at]!;
  }

  #find(key: unknown, hash: number): number {
    const hashes = this.#hashes;
    const mask = this.#mask;
    for (let at = hash & mask; hashes[at] !== 0; at = (at + 1) & mask) {
      if (hashes[at] === hash && isSame(this.#keys[at], key)) return at;
    }
    return -1;
  }

  #place(key: unknown, hash: number, item: T): void {
    const hashes = this.#hashes;
    const mask = this.#mask;
    let at = hash & mask;
    while (hashes[at] !== 0) at = (at + 1) & mask;
    hashes[at] = hash;
    this.#keys[at] = key;
    this.#items[at] = item;
  }

  /** Moves the items behind a slot that becomes free, so that none is cut off from where its search begins. */
  #close(free: number): void {
    const hashes = this.#hashes;
    const mask = this.#mask;
    for (let at = (free + 1) & mask; hashes[at] !== 0; at = (at + 1) & mask) {
      const distance = (at - hashes[at]) & mask;
      if (distance < ((at - free) & mask)) continue;
      hashes[free] = hashes[at];
      this.#keys[free] = this.#keys[at];
      this.#items[free] = this.#items[at];
      free = at;
    }
    hashes[free] = 0;
    this.#keys[free] = undefined;
    this.#items[free] = undefined;
  }

  #allot(count: number): void {
    this.#hashes = new Int32Array(count);
    this.#keys = slots(count);
    this.#items = slots(count);
    this.#mask = count - 1;
  }

  #resize(count: number): void {
    const hashes = this.#hashes;
    const keys = this.#keys;
    const items = this.#items;
    this.#allot(count);
    for (let at = 0; at < hashes.length; at++) {
      if (hashes[at] !== 0) this.#place(keys[at], hashes[at], items[at]!);
    }
  }
}

function slots<T>(count: number): (T | undefined)[] {
  return new Array<T | undefined>(count).fill(undefined);
}

/** Equality of a `Map`: `===`, and NaN is NaN. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a !== a && b !== b);
}

/** Another one in each process: nobody who writes keys can choose them to share one slot. */
const SEED = crypto.getRandomValues(new Int32Array(1))[0];

/** A whole number, never 0, that equal keys have in common. */
function hashOf(key: unknown): number {
  let hash = SEED;
  if (typeof key === "string") {
    const length = key.length;
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  } else if (typeof key === "number") {
    hash = mixed(mixed(hash ^ key) ^ (key / 0x100000000));
    if (!Number.isInteger(key)) hash ^= key * 0x10000000;
  } else if (typeof key === "bigint") {
    const low = Number(BigInt.asIntN(32, key));
    hash = mixed(mixed(hash ^ low) ^ Number(BigInt.asIntN(32, key >> 32n)));
  } else if (key === true) hash = ~hash;
  // The low bits choose the slot: the high ones are mixed into them.
  return mixed(hash) || 1;
}

function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return hash ^ (hash >>> 15);
}
