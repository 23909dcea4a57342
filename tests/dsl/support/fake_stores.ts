/** Stores in plain maps, for tests of single processors: no bytes, no cache, no changelog. Keys are compared by their JSON text. */
import type { Change } from "../../../lib/record/change.ts";
import type { StreamRecord } from "../../../lib/record/record.ts";
import { Windowed } from "../../../lib/record/windowed.ts";
import {
  NOT_PUT,
  type StateStore,
  type StoreBuilder,
  type StoreKind,
  ValueAndTimestamp,
  type VersionedRecord,
} from "../../../lib/state/store.ts";

/** Just enough of a builder for a supplier. */
export function fakeBuilder(name: string, kind: StoreKind = "timestampedKeyValue"): StoreBuilder {
  return { name, kind } as StoreBuilder;
}

class FakeStore implements StateStore {
  readonly name = "store";
  readonly persistent = false;
  readonly isOpen = true;
  /** What was called, in order. */
  readonly calls: string[] = [];
  /** Set: the store caches, and this is who it tells at flush. */
  listener: ((record: StreamRecord<any, Change<any>>) => void) | undefined;
  caches = false;
  sendOldValues = false;
  init(): void {}
  flush(): void {}
  close(): void {}
  restore(): void {}
  setFlushListener(
    listener: (record: StreamRecord<any, Change<any>>) => void,
    sendOldValues: boolean,
  ): boolean {
    this.listener = listener;
    this.sendOldValues = sendOldValues;
    return this.caches;
  }
}

/** Rows by key, in the order of the keys' JSON text. */
export class FakeKeyValueStore extends FakeStore {
  readonly rows = new Map<string, [any, any]>();
  get(key: unknown): any {
    this.calls.push("get");
    return this.rows.get(JSON.stringify(key))?.[1] ?? null;
  }
  put(key: unknown, value: unknown): void {
    this.calls.push("put");
    if (value === null) this.rows.delete(JSON.stringify(key));
    else this.rows.set(JSON.stringify(key), [key, value]);
  }
  *all(): IterableIterator<[any, any]> {
    for (const text of [...this.rows.keys()].sort()) yield this.rows.get(text)!;
  }
  *prefixScan(prefix: Uint8Array): IterableIterator<[any, any]> {
    for (const [key, value] of this.all()) {
      if (prefix.every((byte, i) => key[i] === byte)) yield [key, value];
    }
  }
}

/** Unmatched records of a stream-stream join: several values a key, in order of time, right side first. */
export class FakeListStore extends FakeStore {
  entries: [any, any][] = [];
  #same(a: any, b: any): boolean {
    return a.timestamp === b.timestamp && a.isLeft === b.isLeft && a.key === b.key;
  }
  put(key: any, value: any): void {
    if (value === null) this.entries = this.entries.filter(([k]) => !this.#same(k, key));
    else this.entries.push([key, value]);
  }
  putIfAbsent(key: any, value: any): null {
    if (this.entries.some(([k]) => this.#same(k, key))) this.put(key, value);
    return null;
  }
  *all(): IterableIterator<[any, any]> {
    const order = ([k]: [any, any]) =>
      `${String(k.timestamp).padStart(16, "0")}${k.isLeft ? 1 : 0}${k.key}`;
    yield* [...this.entries].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }
}

/** Windows by key and start; duplicates on request. Nothing expires. */
export class FakeWindowStore extends FakeStore {
  rows: { key: any; start: number; value: any }[] = [];
  readonly windowSizeMs: number;
  readonly retainDuplicates: boolean;
  constructor(windowSizeMs: number, retainDuplicates = false) {
    super();
    this.windowSizeMs = windowSizeMs;
    this.retainDuplicates = retainDuplicates;
  }
  put(key: unknown, value: unknown, start: number): void {
    this.calls.push("put");
    if (!this.retainDuplicates) {
      this.rows = this.rows.filter((row) => row.key !== key || row.start !== start);
    }
    if (value !== null) this.rows.push({ key, start, value });
    this.rows.sort((a, b) => a.start - b.start);
  }
  fetch(key: unknown, start: number): any {
    this.calls.push("fetch");
    return this.rows.find((row) => row.key === key && row.start === start)?.value ?? null;
  }
  *fetchRange(key: unknown, from: number, to: number): IterableIterator<[number, any]> {
    for (const row of this.rows) {
      if (row.key === key && row.start >= from && row.start <= to) yield [row.start, row.value];
    }
  }
  *backwardFetchRange(key: unknown, from: number, to: number): IterableIterator<[number, any]> {
    yield* [...this.fetchRange(key, from, to)].reverse();
  }
  *fetchAll(from: number, to: number): IterableIterator<[Windowed<any>, any]> {
    const rows = this.rows.filter((row) => row.start >= from && row.start <= to);
    rows.sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1));
    for (const { key, start, value } of rows) {
      yield [new Windowed(key, start, start + this.windowSizeMs), value];
    }
  }
}

/** Sessions in order of end, then start. */
export class FakeSessionStore extends FakeStore {
  rows: [Windowed<any>, any][] = [];
  put(session: Windowed<any>, value: unknown): void {
    this.remove(session);
    if (value !== null) this.rows.push([session, value]);
    this.rows.sort(([a], [b]) => a.end - b.end || a.start - b.start);
  }
  remove(session: Windowed<any>): void {
    this.rows = this.rows.filter(([s]) =>
      s.key !== session.key || s.start !== session.start || s.end !== session.end
    );
  }
  fetchSession(key: unknown, start: number, end: number): any {
    const found = this.rows.find(([s]) => s.key === key && s.start === start && s.end === end);
    return found === undefined ? null : found[1];
  }
  *findSessions(key: unknown, from: number, to: number): IterableIterator<[Windowed<any>, any]> {
    for (const row of [...this.rows]) {
      if (row[0].key === key && row[0].end >= from && row[0].start <= to) yield row;
    }
  }
  *findSessionsByEnd(from: number, to: number): IterableIterator<[Windowed<any>, any]> {
    for (const row of [...this.rows]) if (row[0].end >= from && row[0].end <= to) yield row;
  }
}

/** Versions of rows; what is older than `historyRetentionMs` behind the newest timestamp put is refused. */
export class FakeVersionedStore extends FakeStore {
  readonly historyRetentionMs: number;
  readonly versions = new Map<unknown, { value: any; timestamp: number }[]>();
  #observed = -1;
  constructor(historyRetentionMs: number) {
    super();
    this.historyRetentionMs = historyRetentionMs;
  }
  put(key: unknown, value: unknown, timestamp: number): number {
    this.#observed = Math.max(this.#observed, timestamp);
    if (timestamp < this.#observed - this.historyRetentionMs) return NOT_PUT;
    const versions = (this.versions.get(key) ?? []).filter((v) => v.timestamp !== timestamp);
    versions.push({ value, timestamp });
    versions.sort((a, b) => a.timestamp - b.timestamp);
    this.versions.set(key, versions);
    return versions.find((v) => v.timestamp > timestamp)?.timestamp ?? -1;
  }
  get(key: unknown, asOf = Infinity): VersionedRecord<any> | null {
    const found = (this.versions.get(key) ?? []).findLast((v) => v.timestamp <= asOf);
    if (found === undefined || found.value === null) return null;
    return { ...found, validTo: undefined };
  }
}

/** A suppress buffer (`changes`: one entry a key, first time kept) or a stream-table buffer with a grace. */
export class FakeBuffer extends FakeStore {
  entries: { time: number; record: StreamRecord<any, any>; prior: any }[] = [];
  #observed = -1;
  readonly #graceMs: number | undefined;
  constructor(graceMs?: number) {
    super();
    this.#graceMs = graceMs;
  }
  get recordCount(): number {
    return this.entries.length;
  }
  get byteSize(): number {
    return this.entries.length * 10;
  }
  get minTimestamp(): number {
    return this.entries.length === 0 ? Infinity : this.entries[0].time;
  }
  put(time: number, record: StreamRecord<any, any>): boolean {
    if (this.#graceMs !== undefined) {
      this.#observed = Math.max(this.#observed, record.timestamp);
      if (record.timestamp < this.#observed - this.#graceMs) return false;
      this.entries.push({ time: record.timestamp, record, prior: undefined });
    } else {
      const held = this.entries.find((entry) =>
        JSON.stringify(entry.record.key) === JSON.stringify(record.key)
      );
      if (held) held.record = record;
      else {
        const old = record.value.oldValue;
        const prior = old === null ? null : new ValueAndTimestamp(old, -1);
        this.entries.push({ time, record, prior });
      }
    }
    this.entries.sort((a, b) => a.time - b.time || (a.record.key < b.record.key ? -1 : 1));
    return true;
  }
  evictWhile(more: () => boolean, emit: (record: StreamRecord<any, any>) => void): void {
    const last = this.#graceMs === undefined ? Infinity : this.#observed - this.#graceMs;
    while (this.entries.length > 0 && more() && this.minTimestamp <= last) {
      emit(this.entries.shift()!.record);
    }
  }
  priorValue(key: unknown): any {
    return this.entries.find((entry) => entry.record.key === key)?.prior;
  }
}
