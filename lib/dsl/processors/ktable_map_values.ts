import type { Change } from "../../record/change.ts";
import { StreamRecord } from "../../record/record.ts";
import { type StoreBuilder, ValueAndTimestamp } from "../../state/store.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import { type KeyMapper, synchronous, type ValueMapper } from "./functions.ts";
import { MappedView } from "./mapped_view.ts";
import type { KTableProcessorSupplier, KTableValueGetterSupplier, ParentTable } from "./table.ts";
import { TableOutput } from "./table_output.ts";
import { KTableMaterializedValueGetterSupplier } from "./table_store.ts";

/** Options of `KTableMapValues`. */
export interface KTableMapValuesOptions<K, V, R> {
  readonly parent: ParentTable<K, V>;
  readonly mapper: ValueMapper<K, V, R>;
  /** The result's own store, when it is materialized. */
  readonly store?: StoreBuilder;
}

/** Gives each row a new value; a deleted row stays deleted without asking the mapper. Kafka Streams: `KTableMapValues`. */
export class KTableMapValues<K, V, R> implements KTableProcessorSupplier<K, V, K, R> {
  readonly #options: KTableMapValuesOptions<K, V, R>;
  #sendOldValues = false;
  constructor(options: KTableMapValuesOptions<K, V, R>) {
    this.#options = options;
  }
  get(): Processor<K, Change<V>, K, Change<R>> {
    return new TableMapValuesProcessor(this.#options, this.#sendOldValues);
  }
  stores(): readonly StoreBuilder[] {
    return this.#options.store === undefined ? [] : [this.#options.store];
  }
  view(): KTableValueGetterSupplier<K, R> {
    const { store, parent, mapper } = this.#options;
    if (store !== undefined) return new KTableMaterializedValueGetterSupplier(store.name);
    return new MappedView(parent.valueGetterSupplier(), () => ({
      map(key, row) {
        const value = row === null ? null : mapped(mapper, key, row.value);
        return value === null ? null : new ValueAndTimestamp(value, row!.timestamp);
      },
    }));
  }
  enableSendingOldValues(forceMaterialization: boolean): boolean {
    if (
      this.#options.store !== undefined ||
      this.#options.parent.enableSendingOldValues(forceMaterialization)
    ) this.#sendOldValues = true;
    return this.#sendOldValues;
  }
}

function mapped<K, V, R>(mapper: ValueMapper<K, V, R>, key: K, value: V | null): R | null {
  if (value === null || value === undefined) return null;
  return synchronous(mapper(value, key), "value mapper") ?? null;
}

class TableMapValuesProcessor<K, V, R> implements Processor<K, Change<V>, K, Change<R>> {
  readonly #options: KTableMapValuesOptions<K, V, R>;
  readonly #sendOldValues: boolean;
  #output!: TableOutput<K, R>;

  constructor(options: KTableMapValuesOptions<K, V, R>, sendOldValues: boolean) {
    this.#options = options;
    this.#sendOldValues = sendOldValues;
  }
  init(context: ProcessorContext<K, Change<R>>): void {
    this.#output = new TableOutput(context, this.#options.store, this.#sendOldValues);
  }
  process(record: StreamRecord<K, Change<V>>): void {
    const { key, value: change } = record;
    const mapper = this.#options.mapper;
    const newValue = mapped(mapper, key, change.newValue);
    const oldValue = !this.#sendOldValues || this.#output.cached
      ? null
      : this.#output.store === null
      ? mapped(mapper, key, change.oldValue)
      : this.#output.stored(key);
    this.#output.emit(record, newValue, oldValue);
  }
}

/** Makes a stream of a table's updates: the new values, null for deleted rows. Kafka Streams: `KTable.toStream`. */
export class KTableToStream<K, V, K2 = K> implements ProcessorSupplier<K, Change<V>, K2, V | null> {
  readonly #keyMapper: KeyMapper<K, V | null, K2> | undefined;
  /** With a `keyMapper` each record gets that key; Java puts a second node there instead, and so may the DSL. */
  constructor(options: { readonly keyMapper?: KeyMapper<K, V | null, K2> } = {}) {
    this.#keyMapper = options.keyMapper;
  }
  get(): Processor<K, Change<V>, K2, V | null> {
    return new ToStreamProcessor(this.#keyMapper);
  }
}

class ToStreamProcessor<K, V, K2> implements Processor<K, Change<V>, K2, V | null> {
  readonly #keyMapper: KeyMapper<K, V | null, K2> | undefined;
  #context!: ProcessorContext<K2, V | null>;
  constructor(keyMapper: KeyMapper<K, V | null, K2> | undefined) {
    this.#keyMapper = keyMapper;
  }
  init(context: ProcessorContext<K2, V | null>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, Change<V>>): void {
    const value = record.value.newValue;
    const key = this.#keyMapper === undefined
      ? record.key as unknown as K2
      : synchronous(this.#keyMapper(value, record.key), "key mapper");
    this.#context.forward(new StreamRecord(key, value, record.timestamp, record.headers));
  }
}
