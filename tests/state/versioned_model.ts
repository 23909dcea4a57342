/** A versioned row the way Kafka Streams' `RocksDBVersionedStore` keeps it: segments of time with one run of versions each. What stores are compared with. */

/** A version of a row; `validTo` is undefined for the latest. */
export interface ModelVersion {
  readonly value: string;
  readonly timestamp: number;
  readonly validTo?: number | undefined;
}

type Found = Omit<ModelVersion, "value"> & { readonly value: string | null };

interface Entry {
  from: number;
  value: string | null;
}

/** The versions of a key in one segment, newest first: each ends where the one before it begins, the newest at `next`. */
interface Run {
  next: number;
  entries: Entry[];
}

/** Given by `put` for a version that is too old. */
export const REFUSED = Number.MIN_SAFE_INTEGER;

const UNDEFINED = -1;

/** What the rows of a store share. */
interface Clock {
  time: number;
  readonly retention: number;
  readonly interval: number;
}

/** A store. */
export class VersionedStoreModel {
  readonly #clock: Clock;
  readonly #rows = new Map<string, VersionedRow>();

  constructor(retention: number, interval: number) {
    this.#clock = { time: -1, retention, interval };
  }

  put(key: string, value: string | null, at: number): number {
    const clock = this.#clock;
    if (at < clock.time - clock.retention) return REFUSED;
    clock.time = Math.max(clock.time, at);
    for (const row of this.#rows.values()) row.removeExpired();
    return this.row(key).put(value, at);
  }

  /** The greatest time put so far. */
  get time(): number {
    return this.#clock.time;
  }

  row(key: string): VersionedRow {
    let row = this.#rows.get(key);
    if (row === undefined) this.#rows.set(key, row = new VersionedRow(this.#clock));
    return row;
  }
}

/** The versions of a key. */
export class VersionedRow {
  readonly #clock: Clock;
  readonly #segments = new Map<number, Run>();
  #latest: { at: number; value: string } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  put(value: string | null, at: number): number {
    const latest = this.#latest;
    if (latest !== undefined && at >= latest.at) {
      if (at > latest.at) this.#insertAsLatest(latest.at, at, latest.value);
      this.#latest = value === null ? undefined : { at, value };
      return UNDEFINED;
    }
    let next = latest?.at ?? UNDEFINED;
    for (const [id, run] of this.#newestFirst(at)) {
      if (run.next <= at) break;
      const first = run.entries.at(-1)!.from;
      if (first <= at) return this.#putInto(id, run, value, at);
      next = first;
    }
    this.#finish(value, at, next);
    return next;
  }

  get(asOf?: number): ModelVersion | undefined {
    const latest = this.#latest;
    if (asOf === undefined || (latest !== undefined && latest.at <= asOf)) {
      return latest && { value: latest.value, timestamp: latest.at };
    }
    if (asOf < this.#clock.time - this.#clock.retention) return undefined;
    for (const [, run] of this.#newestFirst(asOf)) {
      if (run.next <= asOf) return undefined;
      if (run.entries.at(-1)!.from <= asOf) {
        const found = versionsOf(run).find(({ timestamp }) => timestamp <= asOf)!;
        return found.value === null ? undefined : found as ModelVersion;
      }
    }
    return undefined;
  }

  /** All versions, newest first; those that are already expired but not yet removed are among them. */
  history(from: number, to: number): ModelVersion[] {
    const versions = this.#newestFirst(Number.MIN_SAFE_INTEGER)
      .flatMap(([, run]) => versionsOf(run))
      .filter(({ timestamp, validTo }) => timestamp <= to && validTo! > from);
    const latest = this.#latest;
    if (latest !== undefined && latest.at <= to) {
      versions.unshift({ value: latest.value, timestamp: latest.at });
    }
    return versions.filter(({ value }) => value !== null) as ModelVersion[];
  }

  #segmentOf(time: number): number {
    return Math.trunc(time / this.#clock.interval);
  }

  #newestFirst(from: number): [number, Run][] {
    return [...this.#segments].filter(([id]) => id >= this.#segmentOf(from)).sort(([a], [b]) =>
      b - a
    );
  }

  #isLive(time: number): boolean {
    return this.#segmentOf(time) >= this.#segmentOf(this.#clock.time - this.#clock.retention);
  }

  #insertAsLatest(from: number, next: number, value: string | null): void {
    if (!this.#isLive(next)) return;
    const run = this.#segments.get(this.#segmentOf(next));
    if (run === undefined) {
      this.#segments.set(this.#segmentOf(next), { next, entries: [{ from, value }] });
      return;
    }
    if (from < run.next) throw new Error(`a run that ends at ${run.next} goes on at ${from}`);
    if (isMarkOnly(run)) run.entries = [];
    if (run.next !== from) run.entries.unshift({ from: run.next, value: null });
    run.entries.unshift({ from, value });
    run.next = next;
  }

  #putInto(id: number, run: Run, value: string | null, at: number): number {
    const index = run.entries.findIndex(({ from }) => from <= at);
    const found = run.entries[index];
    const validTo = index === 0 ? run.next : run.entries[index - 1].from;
    if (found.from === at) found.value = value;
    else if (this.#segmentOf(at) === id) run.entries.splice(index, 0, { from: at, value });
    else {
      this.#insertAsLatest(found.from, at, found.value);
      run.entries[index] = { from: at, value };
    }
    return validTo;
  }

  #finish(value: string | null, at: number, next: number): void {
    if (next === UNDEFINED && value !== null) {
      this.#latest = { at, value };
      return;
    }
    const time = next === UNDEFINED ? at : next;
    const run = this.#segments.get(this.#segmentOf(time));
    if (run === undefined) {
      this.#segments.set(this.#segmentOf(time), { next: time, entries: [{ from: at, value }] });
    } else if (next === UNDEFINED) {
      if (run.next !== at) this.#insertAsLatest(run.next, at, null);
    } else if (run.next <= at) this.#insertAsLatest(at, next, value);
    else if (isMarkOnly(run)) run.entries = [{ from: at, value }];
    else run.entries.push({ from: at, value });
  }

  removeExpired(): void {
    for (const id of this.#segments.keys()) {
      if (id < this.#segmentOf(this.#clock.time - this.#clock.retention)) this.#segments.delete(id);
    }
  }
}

/** A run that says only that the row was deleted at an instant. */
function isMarkOnly({ next, entries }: Run): boolean {
  return entries.length === 1 && entries[0].from === next;
}

function versionsOf(
  { next, entries }: Run,
): Found[] {
  return entries.map(({ from, value }, i) => ({
    value,
    timestamp: from,
    validTo: i === 0 ? next : entries[i - 1].from,
  }));
}
