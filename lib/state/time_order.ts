import { compareBytes } from "../record/bytes.ts";

/** Something that waits for its time. */
export interface TimedEntry {
  readonly time: number;
  /** Decides among entries of the same time. */
  readonly keyBytes: Uint8Array;
}

interface Bucket<E> {
  readonly time: number;
  entries: E[];
  /** The entries before it are gone. */
  first: number;
  isSorted: boolean;
}

/**
 * Entries in order of time, then of key bytes. Adding costs the same however many there are: entries of one time (the windows that close
 * together) share a bucket, which is only sorted when its turn has come; the times are in a heap.
 */
export class TimeOrder<E extends TimedEntry> {
  readonly #buckets = new Map<number, Bucket<E>>();
  readonly #times: number[] = [];

  /** The time of the first entry; `Infinity` when there is none. */
  get firstTime(): number {
    return this.#times.length === 0 ? Infinity : this.#times[0];
  }

  add(entry: E): void {
    let bucket = this.#buckets.get(entry.time);
    if (bucket === undefined) {
      bucket = { time: entry.time, entries: [], first: 0, isSorted: true };
      this.#buckets.set(entry.time, bucket);
      push(this.#times, entry.time);
    }
    bucket.entries.push(entry);
    bucket.isSorted = false;
  }

  /** The first entry, still there. */
  first(): E | undefined {
    if (this.#times.length === 0) return undefined;
    const bucket = this.#buckets.get(this.#times[0])!;
    if (!bucket.isSorted) {
      bucket.entries = bucket.entries.slice(bucket.first);
      bucket.first = 0;
      bucket.entries.sort((a, b) => compareBytes(a.keyBytes, b.keyBytes));
      bucket.isSorted = true;
    }
    return bucket.entries[bucket.first];
  }

  /** Removes an entry: quick for the first one, by search for others. */
  remove(entry: E): void {
    const bucket = this.#buckets.get(entry.time);
    if (bucket === undefined) return;
    if (bucket.entries[bucket.first] === entry) bucket.first++;
    else {
      const at = bucket.entries.indexOf(entry, bucket.first);
      if (at < 0) return;
      bucket.entries.splice(at, 1);
    }
    if (bucket.first < bucket.entries.length) return;
    this.#buckets.delete(entry.time);
    removeTime(this.#times, entry.time);
  }

  clear(): void {
    this.#buckets.clear();
    this.#times.length = 0;
  }
}

function push(heap: number[], time: number): void {
  let at = heap.length;
  heap.push(time);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent] <= time) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = time;
}

function removeTime(heap: number[], time: number): void {
  let at = heap[0] === time ? 0 : heap.indexOf(time);
  const last = heap.pop()!;
  if (at >= heap.length) return;
  // The last one takes the place and sinks, or rises when it came from another branch.
  while (true) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
    if (heap[child] >= last) break;
    heap[at] = heap[child];
    at = child;
  }
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent] <= last) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = last;
}
