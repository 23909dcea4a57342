import { readInt64 } from "../record/bytes.ts";
import type { Serde } from "../serde/serde.ts";
import { KeyCodec, PlainCodec } from "./codecs.ts";
import { closed } from "./key_value_store.ts";
import { rowBytes, rowCopy, writeInt64 } from "./row_bytes.ts";
import {
  type ByteStore,
  type ChangelogWriter,
  NOT_PUT,
  type RestoreRows,
  type StoreContext,
  type StoreMeter,
  type VersionedKeyValueStore,
  type VersionedRecord,
} from "./store.ts";
import type { VersionedStoreSupplier } from "./suppliers.ts";
import { type StoredVersion, VersionHistory } from "./versioned_rows.ts";

/** What a versioned store is made of. */
export interface VersionedStoreOptions<K, V> {
  readonly supplier: VersionedStoreSupplier;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly logging: boolean;
}

/** What `put` gives when the new version is the latest. Java: `PUT_RETURN_CODE_VALID_TO_UNDEFINED`. */
export const VALID_TO_UNDEFINED = -1;

/** How a put fared: the time of the next version, or one of the two codes. */
type PutResult = number;

/**
 * Rows with their history. The latest version of a row is never forgotten; older ones are kept until the history retention after the next one
 * took their place. A version older than the retention allows is refused and counted. Kafka Streams: `RocksDBVersionedStore` (KIP-889).
 */
export class SerializedVersionedStore<K, V> implements VersionedKeyValueStore<K, V> {
  readonly name: string;
  readonly kind = "versioned";
  readonly persistent: boolean;
  readonly historyRetentionMs: number;
  readonly #options: VersionedStoreOptions<K, V>;
  #keys!: KeyCodec<K>;
  #values!: PlainCodec<V>;
  /** Key → int64 timestamp, value. */
  #latest!: ByteStore;
  #history!: VersionHistory;
  #changelog: ChangelogWriter | undefined = undefined;
  #context!: StoreContext;
  #meter: StoreMeter | undefined = undefined;
  #observedStreamTime = -1;
  #isOpen = false;

  constructor(options: VersionedStoreOptions<K, V>) {
    this.#options = options;
    this.name = options.supplier.name;
    this.persistent = options.supplier.engine === "lmdb";
    this.historyRetentionMs = options.supplier.historyRetentionMs;
  }

  init(context: StoreContext): void {
    const { keySerde, valueSerde, logging, supplier } = this.#options;
    const topic = context.changelogTopic(this.name);
    const memory = { volatile: !this.persistent };
    this.#context = context;
    this.#keys = new KeyCodec(keySerde, topic, this.name);
    this.#values = new PlainCodec(valueSerde, topic);
    this.#latest = context.environment.open(this.name, memory);
    this.#history = new VersionHistory(context.environment.open(`${this.name}:history`, memory), {
      retentionMs: supplier.historyRetentionMs,
      segmentIntervalMs: supplier.segmentIntervalMs,
    });
    this.#changelog = logging ? context.changelog(this.name) : undefined;
    this.#meter = context.storeMetrics;
    this.#isOpen = true;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }
  flush(): void {}
  close(): void {
    this.#isOpen = false;
  }

  put(key: K, value: V | null, timestamp: number): number {
    this.#check();
    if (this.#meter !== undefined) this.#meter.puts++;
    const keyBytes = this.#keys.encode(key);
    const gone = value === null || value === undefined;
    const stored = gone ? null : this.#values.encode(value);
    const result = this.#isExpired(timestamp)
      ? this.#refuse()
      : this.#put(keyBytes, stored, timestamp);
    this.#changelog?.log(keyBytes, stored, timestamp);
    return result;
  }

  delete(key: K, timestamp: number): VersionedRecord<V> | null {
    this.#check();
    const keyBytes = this.#keys.encode(key);
    let existing: VersionedRecord<V> | null = null;
    if (this.#isExpired(timestamp)) this.#refuse();
    else {
      existing = this.#at(keyBytes, timestamp);
      this.#put(keyBytes, null, timestamp);
    }
    this.#changelog?.log(keyBytes, null, timestamp);
    return existing;
  }

  get(key: K, asOf?: number): VersionedRecord<V> | null {
    this.#check();
    if (this.#meter !== undefined) this.#meter.gets++;
    const keyBytes = this.#keys.encode(key);
    if (asOf !== undefined) return this.#at(keyBytes, asOf);
    const latest = this.#latest.get(keyBytes);
    return latest === undefined ? null : this.#record(latestVersion(latest));
  }

  *history(
    key: K,
    from: number,
    to: number,
    ascending = false,
  ): IterableIterator<VersionedRecord<V>> {
    this.#check();
    const keyBytes = this.#keys.encode(key);
    const versions: StoredVersion[] = [];
    // Beyond the retention nothing but the latest version is to be relied on.
    if (to >= this.#observedStreamTime - this.historyRetentionMs) {
      for (const version of this.#history.ofKey(keyBytes)) {
        const { validFrom, validTo, value } = version;
        if (value !== null && validFrom <= to && validTo > from) versions.push(version);
      }
    }
    const latest = this.#latest.get(keyBytes);
    if (latest !== undefined && readInt64(latest, 0) <= to) versions.push(latestVersion(latest));
    if (!ascending) versions.reverse();
    for (const version of versions) yield this.#record(version);
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const keyLength = rows.keyLengths[i];
      const timestamp = rows.timestamps[i];
      // What was refused then is refused now.
      if (keyLength < 0 || this.#isExpired(timestamp)) continue;
      const keyStart = rows.keyStarts[i];
      const value = rows.valueLengths[i] < 0 ? null : this.#values.restored(rows, i);
      this.#put(rowCopy(rows.slab, keyStart, keyStart + keyLength), value, timestamp);
    }
  }

  #isExpired(timestamp: number): boolean {
    return timestamp < this.#observedStreamTime - this.historyRetentionMs;
  }

  #refuse(): PutResult {
    this.#context.dropped("expired");
    return NOT_PUT;
  }

  #put(key: Uint8Array, value: Uint8Array | null, timestamp: number): PutResult {
    if (timestamp > this.#observedStreamTime) this.#observedStreamTime = timestamp;
    const history = this.#history;
    history.segments.advance(timestamp);
    const latest = this.#latest.get(key);
    const latestTime = latest === undefined ? undefined : readInt64(latest, 0);
    if (latestTime !== undefined && timestamp > latestTime) {
      const old = { validFrom: latestTime, validTo: timestamp, value: latest!.subarray(8) };
      history.put(key, old);
      if (value === null) this.#putDeletion(key, timestamp);
      else this.#latest.put(key, stampedValue(value, timestamp));
      return VALID_TO_UNDEFINED;
    }
    if (latestTime === timestamp) {
      this.#replaceLatest(key, value, timestamp);
      return VALID_TO_UNDEFINED;
    }
    return this.#putAmong(key, value, timestamp, latestTime);
  }

  /** Notes that the row is gone since `timestamp`, with nothing after it. */
  #putDeletion(key: Uint8Array, timestamp: number): void {
    this.#latest.delete(key);
    this.#history.put(key, { validFrom: timestamp, validTo: -1, value: null });
  }

  #replaceLatest(key: Uint8Array, value: Uint8Array | null, timestamp: number): void {
    if (value !== null) return this.#latest.put(key, stampedValue(value, timestamp));
    this.#latest.delete(key);
    // Where no older version ends here there is no trace of the deletion, as in Kafka Streams: one that was the latest deletion does not end.
    for (const { validTo } of this.#history.endingAfter(key, timestamp - 1)) {
      if (validTo === timestamp) return this.#putDeletion(key, timestamp);
    }
  }

  /** Puts a version that is older than the latest, or when there is no latest. */
  #putAmong(
    key: Uint8Array,
    value: Uint8Array | null,
    timestamp: number,
    latestTime: number | undefined,
  ): PutResult {
    let before: StoredVersion | undefined;
    let nextTime = latestTime ?? -1;
    for (const version of this.#history.endingAfter(key, timestamp)) {
      if (version.validFrom > timestamp) {
        nextTime = version.validFrom;
        break;
      }
      before = version;
    }
    if (nextTime !== -1) {
      if (before !== undefined && before.validTo !== -1) this.#shorten(key, before, timestamp);
      this.#history.put(key, { validFrom: timestamp, validTo: nextTime, value });
    } else if (value !== null) this.#latest.put(key, stampedValue(value, timestamp));
    else this.#putDeletion(key, timestamp);
    return nextTime;
  }

  /** Ends a version at `timestamp`, where another one takes its place. */
  #shorten(key: Uint8Array, version: StoredVersion, timestamp: number): void {
    this.#history.remove(key, version);
    if (version.validFrom === timestamp) return;
    this.#history.put(key, { ...version, validTo: timestamp });
  }

  #at(key: Uint8Array, asOf: number): VersionedRecord<V> | null {
    const latest = this.#latest.get(key);
    if (latest !== undefined && readInt64(latest, 0) <= asOf) {
      return this.#record(latestVersion(latest));
    }
    if (asOf < this.#observedStreamTime - this.historyRetentionMs) return null;
    let found: StoredVersion | undefined;
    for (const version of this.#history.endingAfter(key, asOf)) {
      if (version.validFrom > asOf) break;
      found = version;
    }
    return found === undefined || found.value === null ? null : this.#record(found);
  }

  #record({ value, validFrom, validTo }: StoredVersion): VersionedRecord<V> {
    return {
      value: this.#values.decode(value!),
      timestamp: validFrom,
      validTo: validTo === -1 ? undefined : validTo,
    };
  }

  #check(): void {
    if (!this.#isOpen) throw closed(this.name);
  }
}

function stampedValue(value: Uint8Array, timestamp: number): Uint8Array {
  const stamped = rowBytes(8 + value.length);
  writeInt64(stamped, 0, timestamp);
  stamped.set(value, 8);
  return stamped;
}

function latestVersion(stamped: Uint8Array): StoredVersion {
  return { validFrom: readInt64(stamped, 0), validTo: -1, value: stamped.subarray(8) };
}
