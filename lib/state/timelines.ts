import { KeyIndex } from "./key_index.ts";
import { byteText } from "./lru.ts";
import type { ResidentBudget, ResidentStore } from "./resident_budget.ts";
import { Timeline } from "./timeline.ts";
import { isPlainKey } from "./typed_cache.ts";

/** What a row and a key cost beside the bytes of values, as measured, and a key that has several rows in addition: 190 for two, 580 for more. */
const ROW_BYTES = 140;
const KEY_BYTES = 150;
const GROWN_BYTES = 400;
/** How many rows come for each key before those that have expired are looked for: a quarter of the time that it takes to look with each of them. */
const PUTS_FOR_EACH_KEY = 4;
/** Of the thread's memory for recent rows: what takes more of it does not wait with rows that have expired. */
const SMALL_SHARE = 1 / 8;

/** The rows of one key, in order of time. */
export interface TimelineCursor {
  /** The row in hand: start and sequence of a window, end and start of a session. */
  readonly first: number;
  readonly second: number;
  readonly value: Uint8Array;
  advance(): boolean;
  close(): void;
}

/** Remembers where the rows of its key are, so that they are not looked up again. */
export interface TimelineHolder {
  timeline: Timeline | undefined;
}

/**
 * The recent rows of a window or session store, by key: what joins, sliding windows and sessions look up for every record. All rows
 * whose first time is `completeFrom` or later are here, so that neither the key is serialized nor the rows searched. Values stay
 * bytes: each reader decodes its own copy.
 */
export class Timelines<K> implements ResidentStore {
  completeFrom: number;
  readonly #encode: (key: K) => Uint8Array;
  readonly #timelines = new KeyIndex<Timeline>();
  readonly #budget: ResidentBudget | undefined;
  #last: Timeline | undefined = undefined;
  #bytes = 0;
  #newest = -1;
  /** Rows before it have expired and are still here; -1: none. */
  #expired = -1;
  #putsSinceWalk = 0;

  /** Without a budget nothing is ever given up but what has expired. */
  constructor(
    encode: (key: K) => Uint8Array,
    options: { readonly completeFrom: number; readonly budget: ResidentBudget | undefined },
  ) {
    this.#encode = encode;
    this.completeFrom = options.completeFrom;
    this.#budget = options.budget;
    this.#budget?.register(this);
  }

  close(): void {
    this.#budget?.unregister(this);
    this.#timelines.clear();
    this.#last = undefined;
  }

  get residentBytes(): number {
    return this.#bytes;
  }

  /** Sets or (null) removes a row. */
  put(
    key: K,
    first: number,
    second: number,
    value: Uint8Array | null,
    holder?: TimelineHolder,
  ): void {
    if (first < this.completeFrom) return;
    this.#putsSinceWalk++;
    let timeline = this.#held(key, holder);
    if (timeline === undefined) {
      if (value === null) return;
      timeline = new Timeline(this, key, first, second, value);
      this.#timelines.set(this.#identity(key), timeline);
      this.#last = timeline;
      if (holder !== undefined) holder.timeline = timeline;
      this.#bytes += KEY_BYTES + value.length + ROW_BYTES;
      if (first > this.#newest) this.#newest = first;
      return;
    }
    if (first > this.#newest) this.#newest = first;
    const at = timeline.indexOf(first, second);
    const isThere = timeline.isAt(at, first, second);
    if (isThere) this.#bytes -= timeline.value(at).length + ROW_BYTES;
    if (value === null) {
      if (isThere) timeline.cut(at, 1);
      return;
    }
    this.#bytes += value.length + ROW_BYTES;
    if (isThere) return timeline.replace(at, value);
    const wasGrown = timeline.isGrown;
    timeline.insert(at, first, second, value);
    if (timeline.isGrown && !wasGrown) this.#bytes += GROWN_BYTES;
  }

  /** The value of a row. Only to be asked for times from `completeFrom` on. */
  get(key: K, first: number, second: number, holder?: TimelineHolder): Uint8Array | undefined {
    // The first look-up of each key in a new window.
    if (first > this.#newest) return undefined;
    return this.#held(key, holder)?.get(first, second);
  }

  /** Rows of a key with a first time in [from, to]; undefined when some may not be here. */
  cursor(key: K, from: number, to: number, reverse: boolean): TimelineCursor | undefined {
    if (from < this.completeFrom) return undefined;
    const timeline = this.#find(key);
    if (timeline === undefined) return NOTHING;
    const low = timeline.indexOf(from, -1);
    const high = timeline.indexOf(to, Infinity);
    return low >= high ? NOTHING : new ArrayCursor(timeline, low, high, reverse);
  }

  /** Rows with a first time below `before` are asked for no more. They are forgotten when enough others have come to make the walk over all keys worth its time. */
  expireBefore(before: number): void {
    const isSmall = this.#bytes < (this.#budget?.maxBytes ?? Infinity) * SMALL_SHARE;
    const isEarly = this.#putsSinceWalk < PUTS_FOR_EACH_KEY * this.#timelines.size;
    if (isSmall && isEarly) this.#expired = before;
    else this.dropBefore(before);
  }

  /** Forgets rows with a first time below `before`. */
  dropBefore(before: number): void {
    this.#expired = -1;
    this.#putsSinceWalk = 0;
    const gone: Timeline[] = [];
    for (const timeline of this.#timelines.values()) {
      const count = timeline.indexOf(before, -1);
      for (let i = 0; i < count; i++) this.#bytes -= timeline.value(i).length + ROW_BYTES;
      if (count > 0) timeline.cut(0, count);
      // One whose rows were all deleted goes, too.
      if (timeline.size > 0) continue;
      gone.push(timeline);
      timeline.owner = undefined;
      this.#bytes -= timeline.isGrown ? KEY_BYTES + GROWN_BYTES : KEY_BYTES;
      if (this.#last === timeline) this.#last = undefined;
    }
    for (const { key } of gone) this.#timelines.delete(this.#identity(key as K));
  }

  /** Gives up the older half of the time that is covered. */
  shed(): void {
    const before = this.#bytes;
    if (this.#expired >= 0) this.dropBefore(this.#expired);
    if (this.#bytes < before) return;
    let oldest = Infinity;
    for (const timeline of this.#timelines.values()) {
      if (timeline.size > 0 && timeline.first(0) < oldest) oldest = timeline.first(0);
    }
    if (oldest === Infinity) return;
    this.completeFrom = Math.floor((oldest + this.#newest) / 2) + 1;
    this.dropBefore(this.completeFrom);
  }

  #held(key: K, holder: TimelineHolder | undefined): Timeline | undefined {
    if (holder === undefined) return this.#find(key);
    const held = holder.timeline;
    return held !== undefined && held.owner === this ? held : holder.timeline = this.#find(key);
  }

  #find(key: K): Timeline | undefined {
    const last = this.#last;
    if (last !== undefined && last.key === key) return last;
    const timeline = this.#timelines.get(isPlainKey(key) ? key : this.#identity(key));
    if (timeline !== undefined) this.#last = timeline;
    return timeline;
  }

  #identity(key: K): unknown {
    return isPlainKey(key) ? key : byteText(this.#encode(key));
  }
}

/** Walks a part of a timeline as it was when the walk began: rows that are added meanwhile may shift it. */
class ArrayCursor implements TimelineCursor {
  first = 0;
  second = 0;
  value: Uint8Array = EMPTY;
  readonly #firsts: number[];
  readonly #seconds: number[];
  readonly #values: Uint8Array[];
  readonly #reverse: boolean;
  #at: number;

  constructor(timeline: Timeline, low: number, high: number, reverse: boolean) {
    // Copies: a consumer may write rows of the same key while it walks.
    const { firsts, seconds, values } = timeline.slice(low, high);
    this.#firsts = firsts;
    this.#seconds = seconds;
    this.#values = values;
    this.#reverse = reverse;
    this.#at = reverse ? high - low : -1;
  }

  advance(): boolean {
    this.#at += this.#reverse ? -1 : 1;
    if (this.#at < 0 || this.#at >= this.#firsts.length) return false;
    this.first = this.#firsts[this.#at];
    this.second = this.#seconds[this.#at];
    this.value = this.#values[this.#at];
    return true;
  }
  close(): void {}
}

const EMPTY = new Uint8Array(0);
const NOTHING: TimelineCursor = {
  first: 0,
  second: 0,
  value: EMPTY,
  advance: () => false,
  close: () => {},
};
