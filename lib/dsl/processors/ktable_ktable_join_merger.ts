import { Change } from "../../record/change.ts";
import { StreamRecord } from "../../record/record.ts";
import type { StoreBuilder } from "../../state/store.ts";
import type { Processor, ProcessorContext } from "../../topology/processor.ts";
import {
  type KTableProcessorSupplier,
  type KTableValueGetterSupplier,
  unionOfStoreNames,
} from "./table.ts";
import { TableOutput } from "./table_output.ts";
import { KTableMaterializedValueGetterSupplier } from "./table_store.ts";

/** Options of `KTableKTableJoinMerger`. */
export interface KTableKTableJoinMergerOptions<K, V> {
  readonly left: KTableProcessorSupplier<K, never, K, V>;
  readonly right: KTableProcessorSupplier<K, never, K, V>;
  /** The result's own store, when it is materialized. */
  readonly store?: StoreBuilder;
}

/** Where the two sides of a table-table join meet as one table. Kafka Streams: `KTableKTableJoinMerger`. */
export class KTableKTableJoinMerger<K, V> implements KTableProcessorSupplier<K, V, K, V> {
  readonly #options: KTableKTableJoinMergerOptions<K, V>;
  #sendOldValues = false;
  constructor(options: KTableKTableJoinMergerOptions<K, V>) {
    this.#options = options;
  }
  get(): Processor<K, Change<V>, K, Change<V>> {
    const { store } = this.#options;
    return store === undefined
      ? new MergeProcessor(this.#sendOldValues)
      : new StoringMergeProcessor(store, this.#sendOldValues);
  }
  stores(): readonly StoreBuilder[] {
    return this.#options.store === undefined ? [] : [this.#options.store];
  }
  view(): KTableValueGetterSupplier<K, V> {
    const { store, left, right } = this.#options;
    if (store !== undefined) return new KTableMaterializedValueGetterSupplier(store.name);
    return {
      get: () => left.view().get(),
      storeNames: () => unionOfStoreNames(left.view(), right.view()),
    };
  }
  enableSendingOldValues(_forceMaterialization: boolean): boolean {
    this.#options.left.enableSendingOldValues(true);
    this.#options.right.enableSendingOldValues(true);
    this.#sendOldValues = true;
    return true;
  }
}

class MergeProcessor<K, V> implements Processor<K, Change<V>, K, Change<V>> {
  readonly #sendOldValues: boolean;
  #context!: ProcessorContext<K, Change<V>>;
  constructor(sendOldValues: boolean) {
    this.#sendOldValues = sendOldValues;
  }
  init(context: ProcessorContext<K, Change<V>>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, Change<V>>): void {
    if (this.#sendOldValues || record.value.oldValue === null) {
      this.#context.forward(record);
      return;
    }
    const change = new Change(record.value.newValue, null, record.value.isLatest);
    this.#context.forward(new StreamRecord(record.key, change, record.timestamp, record.headers));
  }
}

class StoringMergeProcessor<K, V> implements Processor<K, Change<V>, K, Change<V>> {
  readonly #store: StoreBuilder;
  readonly #sendOldValues: boolean;
  #output!: TableOutput<K, V>;
  constructor(store: StoreBuilder, sendOldValues: boolean) {
    this.#store = store;
    this.#sendOldValues = sendOldValues;
  }
  init(context: ProcessorContext<K, Change<V>>): void {
    this.#output = new TableOutput(context, this.#store, this.#sendOldValues);
  }
  process(record: StreamRecord<K, Change<V>>): void {
    this.#output.emit(record, record.value.newValue, record.value.oldValue);
  }
}
