import { ProcessorStateException } from "../errors.ts";
import { readInt32 } from "../record/bytes.ts";
import type { Serde } from "../serde/serde.ts";
import { KeyCodec, PlainCodec } from "./codecs.ts";
import { closed } from "./key_value_store.ts";
import { changelogRows, RowLogger } from "./row_logger.ts";
import type { ByteStore, KeyValueStore, RestoreRows, StoreContext } from "./store.ts";
import type { KeyValueStoreSupplier } from "./suppliers.ts";

/** What a list store is made of. */
export interface ListStoreOptions<K, V> {
  readonly supplier: KeyValueStoreSupplier;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly logging: boolean;
}

/**
 * Several values per key: `put` adds one at the end, null removes all of them, `all` gives each with its key. For the records of a
 * stream-stream join that wait without a match. What it cannot answer it refuses. Kafka Streams: `ListValueStore`.
 */
export class ListStore<K, V> implements KeyValueStore<K, V> {
  readonly name: string;
  readonly kind = "list";
  readonly persistent: boolean;
  readonly #options: ListStoreOptions<K, V>;
  #keys!: KeyCodec<K>;
  #values!: PlainCodec<V>;
  #rows!: ByteStore;
  #logger!: RowLogger;
  #isOpen = false;

  constructor(options: ListStoreOptions<K, V>) {
    this.#options = options;
    this.name = options.supplier.name;
    this.persistent = options.supplier.engine === "lmdb";
  }

  init(context: StoreContext): void {
    const { keySerde, valueSerde, logging } = this.#options;
    const topic = context.changelogTopic(this.name);
    this.#keys = new KeyCodec(keySerde, topic, this.name);
    this.#values = new PlainCodec(valueSerde, topic);
    this.#rows = context.environment.open(this.name, { volatile: !this.persistent });
    this.#logger = new RowLogger(this.name, context, { logging, codec: this.#values });
    this.#isOpen = true;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }
  flush(): void {}
  close(): void {
    this.#isOpen = false;
  }

  put(key: K, value: V | null): void {
    this.#check();
    const keyBytes = this.#keys.encode(key);
    if (value === null || value === undefined) this.#write(keyBytes, null);
    else this.#write(keyBytes, appended(this.#rows.get(keyBytes), this.#values.encode(value)));
  }

  /** Adds to a list that is there, or with null removes it; a missing list stays missing. Gives null always, as Kafka Streams' does. */
  putIfAbsent(key: K, value: V | null): V | null {
    this.#check();
    const keyBytes = this.#keys.encode(key);
    const list = this.#rows.get(keyBytes);
    if (list === undefined) return null;
    const gone = value === null || value === undefined;
    this.#write(keyBytes, gone ? null : appended(list, this.#values.encode(value)));
    return null;
  }

  *all(): IterableIterator<[K, V]> {
    this.#check();
    for (const [keyBytes, list] of this.#rows.range(undefined, undefined)) {
      const key = this.#keys.decode(keyBytes);
      for (const value of elements(list, this.name)) yield [key, this.#values.decode(value)];
    }
  }

  approximateNumEntries(): number {
    this.#check();
    return this.#rows.approximateCount();
  }

  putAll(): void {
    throw this.#unsupported("putAll");
  }
  delete(): V | null {
    throw this.#unsupported("delete");
  }
  get(): V | null {
    throw this.#unsupported("get");
  }
  range(): IterableIterator<[K, V]> {
    throw this.#unsupported("range");
  }
  reverseRange(): IterableIterator<[K, V]> {
    throw this.#unsupported("reverseRange");
  }
  reverseAll(): IterableIterator<[K, V]> {
    throw this.#unsupported("reverseAll");
  }
  prefixScan(): IterableIterator<[K, V]> {
    throw this.#unsupported("prefixScan");
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    this.#rows.bulk(changelogRows(rows, from, to, this.#values));
  }

  #write(key: Uint8Array, list: Uint8Array | null): void {
    if (list === null) this.#rows.delete(key);
    else this.#rows.put(key, list);
    this.#logger.log(key, list);
  }

  #unsupported(method: string): TypeError {
    return new TypeError(
      `Cannot call ${method} of store ${this.name} as a list store has put, putIfAbsent and all only: current value is ${method}`,
    );
  }

  #check(): void {
    if (!this.#isOpen) throw closed(this.name);
  }
}

/** Flag of Kafka's `ListSerializer` for elements that each have a length. */
const VARIABLE_SIZE = 1;
const HEAD_BYTES = 5;

/** The list with one more element: `1 | int32 count | (int32 length | bytes)…`, as Kafka's `ListSerializer` writes it. */
function appended(list: Uint8Array | undefined, element: Uint8Array): Uint8Array {
  const before = list?.length ?? HEAD_BYTES;
  const longer = new Uint8Array(before + 4 + element.length);
  const view = new DataView(longer.buffer);
  if (list !== undefined) longer.set(list);
  else longer[0] = VARIABLE_SIZE;
  view.setInt32(1, (list === undefined ? 0 : readInt32(list, 1)) + 1);
  view.setInt32(before, element.length);
  longer.set(element, before + 4);
  return longer;
}

function* elements(list: Uint8Array, storeName: string): IterableIterator<Uint8Array> {
  if (list[0] !== VARIABLE_SIZE) {
    throw new ProcessorStateException(
      `Cannot read a row of store ${storeName} as a list must begin with 1: current value is ${
        list[0]
      }`,
    );
  }
  let at = HEAD_BYTES;
  for (let left = readInt32(list, 1); left > 0; left--) {
    const length = readInt32(list, at);
    yield list.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
}
