import type { Change } from "../../record/change.ts";
import type { StreamRecord } from "../../record/record.ts";
import type { StoreBuilder } from "../../state/store.ts";
import type { Processor, ProcessorContext } from "../../topology/processor.ts";
import { type Predicate, synchronous } from "./functions.ts";
import { MappedView } from "./mapped_view.ts";
import type { KTableProcessorSupplier, KTableValueGetterSupplier, ParentTable } from "./table.ts";
import { TableOutput } from "./table_output.ts";
import { KTableMaterializedValueGetterSupplier } from "./table_store.ts";

/** Options of `KTableFilter`. */
export interface KTableFilterOptions<K, V> {
  readonly parent: ParentTable<K, V>;
  readonly predicate: Predicate<K, V>;
  /** Keep what the predicate refuses: `filterNot`. */
  readonly not?: boolean;
  /** The result's own store, when it is materialized. */
  readonly store?: StoreBuilder;
}

/**
 * Keeps the rows that a predicate accepts, or refuses; a row that leaves is forwarded as deleted. Where old values are at hand, rows that were never
 * in are not forwarded. Kafka Streams: `KTableFilter`.
 */
export class KTableFilter<K, V> implements KTableProcessorSupplier<K, V, K, V> {
  readonly #options: KTableFilterOptions<K, V>;
  #sendOldValues: boolean;
  #versioned = false;

  constructor(options: KTableFilterOptions<K, V>) {
    this.#options = options;
    // Old values, where they cost nothing, spare needless tombstones.
    this.#sendOldValues = options.parent.enableSendingOldValues(false);
  }
  get(): Processor<K, Change<V>, K, Change<V>> {
    return new TableFilterProcessor(this.#options, this.#sendOldValues, this.#versioned);
  }
  stores(): readonly StoreBuilder[] {
    return this.#options.store === undefined ? [] : [this.#options.store];
  }
  view(): KTableValueGetterSupplier<K, V> {
    const { store, parent } = this.#options;
    if (store !== undefined) return new KTableMaterializedValueGetterSupplier(store.name);
    const options = this.#options;
    return new MappedView(parent.valueGetterSupplier(), () => ({
      map: (key, row) => row !== null && keep(options, key, row.value) ? row : null,
    }));
  }
  enableSendingOldValues(forceMaterialization: boolean): boolean {
    if (this.#options.store !== undefined) {
      this.#sendOldValues = true;
      return true;
    }
    if (this.#options.parent.enableSendingOldValues(forceMaterialization)) {
      this.#sendOldValues = true;
    }
    return this.#sendOldValues;
  }
  /** The table upstream is versioned: each update has to be passed on (KIP-914). */
  useVersionedSemantics(versioned: boolean): void {
    this.#versioned = versioned;
  }
}

function keep<K, V>(options: KTableFilterOptions<K, V>, key: K, value: V): boolean {
  const accepted = options.predicate(value, key);
  if (typeof accepted === "object") synchronous(accepted, "predicate");
  return !accepted === (options.not ?? false);
}

class TableFilterProcessor<K, V> implements Processor<K, Change<V>, K, Change<V>> {
  readonly #options: KTableFilterOptions<K, V>;
  readonly #sendOldValues: boolean;
  readonly #versioned: boolean;
  #output!: TableOutput<K, V>;

  constructor(options: KTableFilterOptions<K, V>, sendOldValues: boolean, versioned: boolean) {
    this.#options = options;
    this.#sendOldValues = sendOldValues;
    this.#versioned = versioned;
  }

  init(context: ProcessorContext<K, Change<V>>): void {
    this.#output = new TableOutput(context, this.#options.store, this.#sendOldValues);
  }

  process(record: StreamRecord<K, Change<V>>): void {
    const { key, value: change } = record;
    const newValue = this.#kept(key, change.newValue);
    const oldValue = !this.#sendOldValues
      ? null
      : this.#output.store === null
      ? this.#kept(key, change.oldValue)
      : this.#output.stored(key);
    const isNeedless = this.#sendOldValues && oldValue === null && newValue === null;
    if (isNeedless && !this.#versioned) return;
    this.#output.emit(record, newValue, oldValue);
  }

  #kept(key: K, value: V | null): V | null {
    return value !== null && value !== undefined && keep(this.#options, key, value) ? value : null;
  }
}
