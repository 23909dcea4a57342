import { Change } from "../../record/change.ts";
import { StreamRecord } from "../../record/record.ts";
import type { StoreBuilder } from "../../state/store.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import type { KTableValueGetterSupplier } from "./table.ts";
import {
  IS_LATEST,
  KTableMaterializedValueGetterSupplier,
  NOT_PUT,
  type TableStore,
  tableStore,
} from "./table_store.ts";
import { TupleForwarder } from "./tuple_forwarder.ts";

/** Options of `KTableSource`. */
export interface KTableSourceOptions {
  /** The table's store, used once the table is materialized. */
  readonly store: StoreBuilder;
  /** Whether the store is there from the start: the user named it, or the table is global. */
  readonly materialized: boolean;
}

/**
 * Makes a table of a topic or a stream: each record replaces its key's row, null deletes it, records without a key are
 * dropped. The store is made only if somebody needs it. Kafka Streams: `KTableSource`.
 */
export class KTableSource<K, V> implements ProcessorSupplier<K, V, K, Change<V>> {
  readonly #store: StoreBuilder;
  #materialized: boolean;
  #sendOldValues = false;

  constructor(options: KTableSourceOptions) {
    this.#store = options.store;
    this.#materialized = options.materialized;
  }
  get(): Processor<K, V, K, Change<V>> {
    return this.#materialized
      ? new MaterializedSourceProcessor(this.#store.name, this.#sendOldValues)
      : new SourceProcessor();
  }
  stores(): readonly StoreBuilder[] {
    return this.#materialized ? [this.#store] : [];
  }
  /** Reads the store; the caller has to `materialize` first. */
  view(): KTableValueGetterSupplier<K, V> {
    return new KTableMaterializedValueGetterSupplier(this.#store.name);
  }
  get materialized(): boolean {
    return this.#materialized;
  }
  /** Makes the store after all: a step downstream reads the table. */
  materialize(): void {
    this.#materialized = true;
  }
  enableSendingOldValues(): void {
    this.#sendOldValues = true;
    this.#materialized = true;
  }
}

class SourceProcessor<K, V> implements Processor<K, V, K, Change<V>> {
  #context!: ProcessorContext<K, Change<V>>;
  init(context: ProcessorContext<K, Change<V>>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    const { key, value } = record;
    if (key === null || key === undefined) {
      this.#context.dropped("null-key");
      return;
    }
    const change = new Change<V>(value ?? null, null);
    this.#context.forward(new StreamRecord(key, change, record.timestamp, record.headers));
  }
}

class MaterializedSourceProcessor<K, V> implements Processor<K, V, K, Change<V>> {
  readonly #storeName: string;
  readonly #sendOldValues: boolean;
  #context!: ProcessorContext<K, Change<V>>;
  #store!: TableStore<K, V>;
  #forwarder!: TupleForwarder<K, V>;

  constructor(storeName: string, sendOldValues: boolean) {
    this.#storeName = storeName;
    this.#sendOldValues = sendOldValues;
  }

  init(context: ProcessorContext<K, Change<V>>): void {
    this.#context = context;
    this.#store = tableStore(context, this.#storeName);
    this.#forwarder = TupleForwarder.timestamped(context, this.#store.store, this.#sendOldValues);
  }

  process(record: StreamRecord<K, V>): void {
    const { key, value, timestamp } = record;
    if (key === null || key === undefined) {
      this.#context.dropped("null-key");
      return;
    }
    const forwarder = this.#forwarder;
    // A cache finds the old value by itself, at flush.
    const row = this.#sendOldValues && !forwarder.cached ? this.#store.get(key) : null;
    const validTo = this.#store.put(key, value, timestamp);
    if (forwarder.cached || validTo === NOT_PUT) return;
    const old = row === null ? null : row.value;
    forwarder.forward(key, value, old, validTo === IS_LATEST, timestamp, record.headers);
  }
}
