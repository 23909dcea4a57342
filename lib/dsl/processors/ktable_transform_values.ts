import type { Change } from "../../record/change.ts";
import type { StreamRecord } from "../../record/record.ts";
import { type StoreBuilder, ValueAndTimestamp } from "../../state/store.ts";
import type { ProcessingContext, Processor, ProcessorContext } from "../../topology/processor.ts";
import { LookupContext } from "./lookup_context.ts";
import { synchronous } from "./functions.ts";
import { MappedView, type RowMapping } from "./mapped_view.ts";
import type { KTableProcessorSupplier, KTableValueGetterSupplier, ParentTable } from "./table.ts";
import { TableOutput } from "./table_output.ts";
import { KTableMaterializedValueGetterSupplier } from "./table_store.ts";

/** Gives a table's rows new values, with stores at hand; deleted rows are asked for too. Kafka Streams: `ValueTransformerWithKey`. */
export interface ValueTransformer<K, V, R> {
  /** The context cannot forward. */
  init?(context: ProcessingContext): void;
  transform(value: V | null, key: K): R | null;
  close?(): void;
}

/** Options of `KTableTransformValues`. */
export interface KTableTransformValuesOptions<K, V, R> {
  readonly parent: ParentTable<K, V>;
  /** Makes the transformer of a processor, and one more for each reader of a table without a store. */
  readonly transformer: () => ValueTransformer<K, V, R>;
  /** The result's own store, when it is materialized. */
  readonly store?: StoreBuilder;
}

/** Gives each row a new value by a transformer that may keep state. Kafka Streams: `KTableTransformValues`. */
export class KTableTransformValues<K, V, R> implements KTableProcessorSupplier<K, V, K, R> {
  readonly #options: KTableTransformValuesOptions<K, V, R>;
  #sendOldValues = false;
  constructor(options: KTableTransformValuesOptions<K, V, R>) {
    this.#options = options;
  }
  get(): Processor<K, Change<V>, K, Change<R>> {
    return new TransformValuesProcessor(this.#options, this.#sendOldValues);
  }
  stores(): readonly StoreBuilder[] {
    return this.#options.store === undefined ? [] : [this.#options.store];
  }
  view(): KTableValueGetterSupplier<K, R> {
    const { store, parent, transformer } = this.#options;
    if (store !== undefined) return new KTableMaterializedValueGetterSupplier(store.name);
    return new MappedView(
      parent.valueGetterSupplier(),
      () => new TransformedRow(transformer()),
    );
  }
  enableSendingOldValues(forceMaterialization: boolean): boolean {
    if (
      this.#options.store !== undefined ||
      this.#options.parent.enableSendingOldValues(forceMaterialization)
    ) this.#sendOldValues = true;
    return this.#sendOldValues;
  }
}

class TransformValuesProcessor<K, V, R> implements Processor<K, Change<V>, K, Change<R>> {
  readonly #options: KTableTransformValuesOptions<K, V, R>;
  readonly #sendOldValues: boolean;
  readonly #transformer: ValueTransformer<K, V, R>;
  #output!: TableOutput<K, R>;

  constructor(options: KTableTransformValuesOptions<K, V, R>, sendOldValues: boolean) {
    this.#options = options;
    this.#sendOldValues = sendOldValues;
    this.#transformer = options.transformer();
  }
  init(context: ProcessorContext<K, Change<R>>): void {
    this.#transformer.init?.(new LookupContext(context));
    this.#output = new TableOutput(context, this.#options.store, this.#sendOldValues);
  }
  process(record: StreamRecord<K, Change<V>>): void {
    const { key, value: change } = record;
    const newValue = this.#transform(change.newValue, key);
    const oldValue = !this.#sendOldValues || this.#output.cached
      ? null
      : this.#output.store === null
      ? this.#transform(change.oldValue, key)
      : this.#output.stored(key);
    this.#output.emit(record, newValue, oldValue);
  }
  close(): void {
    this.#transformer.close?.();
  }
  #transform(value: V | null, key: K): R | null {
    return synchronous(this.#transformer.transform(value, key), "value transformer") ?? null;
  }
}

class TransformedRow<K, V, R> implements RowMapping<K, V, R> {
  readonly #transformer: ValueTransformer<K, V, R>;
  #context!: LookupContext;
  constructor(transformer: ValueTransformer<K, V, R>) {
    this.#transformer = transformer;
  }
  init(context: ProcessingContext): void {
    this.#context = new LookupContext(context);
    this.#transformer.init?.(this.#context);
  }
  map(key: K, row: ValueAndTimestamp<V> | null): ValueAndTimestamp<R> | null {
    // The row's own record is long gone: the transformer must not take the record in hand for it.
    this.#context.isLookup = true;
    try {
      const result = this.#transformer.transform(row === null ? null : row.value, key);
      const value = synchronous(result, "value transformer");
      if (value === null || value === undefined) return null;
      return new ValueAndTimestamp(value, row === null ? -1 : row.timestamp);
    } finally {
      this.#context.isLookup = false;
    }
  }
  close(): void {
    this.#transformer.close?.();
  }
}
