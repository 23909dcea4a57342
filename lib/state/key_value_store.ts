import { compareBytes } from "../record/bytes.ts";
import { InvalidStateStoreException } from "../errors.ts";
import { KeyCodec, type ValueCodec } from "./codecs.ts";
import { changelogRows, RowLogger } from "./row_logger.ts";
import { RecentRows } from "./lru.ts";
import type {
  ByteCursor,
  ByteStore,
  CachedStateStore,
  KeyValueStore,
  RestoreRows,
  StoreContext,
  StoreKind,
  StoreMeter,
} from "./store.ts";
import type { Serde } from "../serde/serde.ts";
import type { KeyValueStoreSupplier } from "./suppliers.ts";

/** What a key-value store is made of. */
export interface KeyValueStoreOptions<K, V> {
  readonly supplier: KeyValueStoreSupplier;
  readonly keySerde: Serde<K>;
  /** The codec of the values, once the topic that names their schemas is known. */
  readonly valueCodec: (topic: string) => ValueCodec<V>;
  readonly logging: boolean;
  readonly kind: StoreKind;
}

/** A key-value store that serializes at each access. Kafka Streams: `MeteredKeyValueStore` over change logging over RocksDB. */
export class SerializedKeyValueStore<K, V> implements KeyValueStore<K, V>, CachedStateStore<K, V> {
  readonly name: string;
  readonly kind: StoreKind;
  readonly persistent: boolean;
  readonly #options: KeyValueStoreOptions<K, V>;
  #keys!: KeyCodec<K>;
  #values!: ValueCodec<V>;
  #rows!: ByteStore;
  #logger!: RowLogger;
  #recent: RecentRows | undefined = undefined;
  #meter: StoreMeter | undefined = undefined;
  #isOpen = false;

  constructor(options: KeyValueStoreOptions<K, V>) {
    this.#options = options;
    this.kind = options.kind;
    this.name = options.supplier.name;
    this.persistent = options.supplier.engine === "lmdb";
  }

  init(context: StoreContext): void {
    const { keySerde, valueCodec, logging, supplier } = this.#options;
    const topic = context.changelogTopic(this.name);
    const rows = context.environment.open(this.name, { volatile: !this.persistent });
    this.#keys = new KeyCodec(keySerde, topic, this.name);
    this.#values = valueCodec(topic);
    this.#rows = rows;
    this.#logger = new RowLogger(this.name, context, { logging, codec: this.#values });
    if (supplier.engine === "lru") {
      this.#recent = new RecentRows(rows, supplier.maxEntries ?? 0);
    }
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
  setFlushListener(): boolean {
    return false;
  }

  get(key: K): V | null {
    if (this.#meter !== undefined) this.#meter.gets++;
    const stored = this.getStored(this.#keys.encode(key));
    return stored === undefined ? null : this.#values.decode(stored);
  }

  put(key: K, value: V | null): void {
    if (this.#meter !== undefined) this.#meter.puts++;
    this.putStored(
      this.#keys.encode(key),
      value === null || value === undefined ? null : this.#values.encode(value),
    );
  }

  putIfAbsent(key: K, value: V | null): V | null {
    const previous = this.get(key);
    if (previous === null) this.put(key, value);
    return previous;
  }

  putAll(entries: Iterable<readonly [K, V | null]>): void {
    for (const [key, value] of entries) this.put(key, value);
  }

  delete(key: K): V | null {
    const previous = this.get(key);
    this.put(key, null);
    return previous;
  }

  range(from: K | null, to: K | null): IterableIterator<[K, V]> {
    return this.#typed(this.cursor(this.#bound(from), this.#bound(to), false));
  }
  reverseRange(from: K | null, to: K | null): IterableIterator<[K, V]> {
    return this.#typed(this.cursor(this.#bound(from), this.#bound(to), true));
  }
  all(): IterableIterator<[K, V]> {
    return this.#typed(this.cursor(undefined, undefined, false));
  }
  reverseAll(): IterableIterator<[K, V]> {
    return this.#typed(this.cursor(undefined, undefined, true));
  }
  prefixScan<P>(prefix: P, serde?: Serde<P>): IterableIterator<[K, V]> {
    return this.#typed(this.prefixCursor(this.#keys.prefix(prefix, serde)));
  }

  approximateNumEntries(): number {
    this.#check();
    return this.#rows.approximateCount();
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    this.#rows.bulk(changelogRows(rows, from, to, this.#values));
    this.#recent?.reload();
  }

  /** For the cache: the codecs. */
  get keys(): KeyCodec<K> {
    return this.#keys;
  }
  get values(): ValueCodec<V> {
    return this.#values;
  }

  /** For the cache: the stored form of a row. */
  getStored(key: Uint8Array): Uint8Array | undefined {
    this.#check();
    const stored = this.#rows.get(key);
    if (stored !== undefined) this.#recent?.touch(key);
    return stored;
  }

  /** For the cache: writes and logs a row's stored form; null deletes. */
  putStored(key: Uint8Array, stored: Uint8Array | null): void {
    this.#check();
    if (stored === null) this.#rows.delete(key);
    else this.#rows.put(key, stored);
    this.#logger.log(key, stored);
    const recent = this.#recent;
    if (recent === undefined) return;
    if (stored === null) recent.forget(key);
    // What falls out is logged as deleted, so that a restore does not bring it back.
    else for (const oldest of recent.touch(key)) this.#logger.log(oldest, null);
  }

  /** For the cache: rows from `from` to `to`, both inclusive. Nothing when they are the wrong way round, as in Kafka Streams. */
  cursor(from: Uint8Array | undefined, to: Uint8Array | undefined, reverse: boolean): ByteCursor {
    this.#check();
    if (from !== undefined && to !== undefined && compareBytes(from, to) > 0) return NO_ROWS;
    return this.#rows.cursor(from, to === undefined ? undefined : justAfter(to), reverse);
  }

  /** For the cache: rows whose keys begin with these bytes. */
  prefixCursor(prefix: Uint8Array): ByteCursor {
    this.#check();
    return this.#rows.cursor(prefix, afterPrefix(prefix));
  }

  #bound(key: K | null): Uint8Array | undefined {
    return key === null || key === undefined ? undefined : this.#keys.encode(key);
  }

  *#typed(cursor: ByteCursor): IterableIterator<[K, V]> {
    try {
      while (cursor.advance()) {
        yield [this.#keys.decode(cursor.key), this.#values.decode(cursor.value)];
      }
    } finally {
      cursor.close();
    }
  }

  #check(): void {
    if (!this.#isOpen) throw closed(this.name);
  }
}

/** The error of a store that is used after its task has closed it. */
export function closed(name: string): InvalidStateStoreException {
  return new InvalidStateStoreException(
    `Cannot use store ${name} as it must be open: current value is closed`,
  );
}

/** The least key above `key`. */
export function justAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

/** The least key above all that begin with `prefix`; undefined when there is none. Java: `Bytes.increment`. */
export function afterPrefix(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 255) length--;
  if (length === 0) return undefined;
  const after = prefix.slice(0, length);
  after[length - 1]++;
  return after;
}

/** A cursor over nothing. */
export const NO_ROWS: ByteCursor = {
  key: new Uint8Array(0),
  value: new Uint8Array(0),
  advance: () => false,
  close: () => {},
};
