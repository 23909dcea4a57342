import { StreamsException } from "../../errors.ts";
import type { Change } from "../../record/change.ts";
import type { StreamRecord } from "../../record/record.ts";
import type { StoreBuilder } from "../../state/store.ts";
import type { Processor, ProcessorContext } from "../../topology/processor.ts";
import { type Aggregator, type Initializer, type Reducer, synchronous } from "./functions.ts";
import type { KTableProcessorSupplier, KTableValueGetterSupplier } from "./table.ts";
import {
  IS_LATEST,
  KTableMaterializedValueGetterSupplier,
  NOT_PUT,
  type TableStore,
  tableStore,
} from "./table_store.ts";
import { TupleForwarder } from "./tuple_forwarder.ts";

/** Options of `KTableAggregate`. */
export interface KTableAggregateOptions<K, V, A> {
  /** A timestamped or a versioned key-value store. */
  readonly store: StoreBuilder;
  readonly initializer: Initializer<A>;
  /** Called for a row's new value. */
  readonly adder: Aggregator<K, V, A>;
  /** Called first, for the row's old value. */
  readonly subtractor: Aggregator<K, V, A>;
}

/** Options of `KTableReduce`. */
export interface KTableReduceOptions<V> {
  /** A timestamped or a versioned key-value store. */
  readonly store: StoreBuilder;
  readonly adder: Reducer<V>;
  readonly subtractor: Reducer<V>;
}

/** What a group's aggregate becomes of one changed row. */
interface Fold<K, V, A> {
  subtract(aggregate: A, old: V, key: K): A | null;
  add(aggregate: A | null, value: V, key: K): A | null;
}

abstract class GroupedTable<K, V, A> implements KTableProcessorSupplier<K, V, K, A> {
  readonly #store: StoreBuilder;
  #sendOldValues = false;
  constructor(store: StoreBuilder) {
    this.#store = store;
  }
  protected abstract fold(): Fold<K, V, A>;
  get(): Processor<K, Change<V>, K, Change<A>> {
    return new GroupedTableProcessor(this.#store.name, this.fold(), this.#sendOldValues);
  }
  stores(): readonly StoreBuilder[] {
    return [this.#store];
  }
  view(): KTableValueGetterSupplier<K, A> {
    return new KTableMaterializedValueGetterSupplier(this.#store.name);
  }
  /** Always possible: an aggregate has a store. */
  enableSendingOldValues(_forceMaterialization: boolean): boolean {
    this.#sendOldValues = true;
    return true;
  }
}

/** Aggregates the rows of each group: the old value is subtracted, then the new one added. Kafka Streams: `KTableAggregate`. */
export class KTableAggregate<K, V, A> extends GroupedTable<K, V, A> {
  readonly #options: KTableAggregateOptions<K, V, A>;
  constructor(options: KTableAggregateOptions<K, V, A>) {
    super(options.store);
    this.#options = options;
  }
  protected fold(): Fold<K, V, A> {
    const { initializer, adder, subtractor } = this.#options;
    return {
      subtract: (aggregate, old, key) => synchronous(subtractor(aggregate, old, key), "subtractor"),
      add(aggregate, value, key) {
        const base = aggregate === null ? synchronous(initializer(), "initializer") : aggregate;
        return synchronous(adder(base, value, key), "adder");
      },
    };
  }
}

/** Combines the rows of each group: the old value is taken out, then the new one put in. Kafka Streams: `KTableReduce`. */
export class KTableReduce<K, V> extends GroupedTable<K, V, V> {
  readonly #options: KTableReduceOptions<V>;
  constructor(options: KTableReduceOptions<V>) {
    super(options.store);
    this.#options = options;
  }
  protected fold(): Fold<K, V, V> {
    const { adder, subtractor } = this.#options;
    return {
      subtract: (aggregate, old) => synchronous(subtractor(aggregate, old), "subtractor"),
      add: (aggregate, value) =>
        aggregate === null ? value : synchronous(adder(aggregate, value), "adder"),
    };
  }
}

class GroupedTableProcessor<K, V, A> implements Processor<K, Change<V>, K, Change<A>> {
  readonly #storeName: string;
  readonly #fold: Fold<K, V, A>;
  readonly #sendOldValues: boolean;
  #store!: TableStore<K, A>;
  #forwarder!: TupleForwarder<K, A>;

  constructor(storeName: string, fold: Fold<K, V, A>, sendOldValues: boolean) {
    this.#storeName = storeName;
    this.#fold = fold;
    this.#sendOldValues = sendOldValues;
  }

  init(context: ProcessorContext<K, Change<A>>): void {
    this.#store = tableStore(context, this.#storeName);
    this.#forwarder = TupleForwarder.timestamped(context, this.#store.store, this.#sendOldValues);
  }

  process(record: StreamRecord<K, Change<V>>): void {
    const { key, value: change, timestamp } = record;
    if (key === null || key === undefined) throw nullGroup(this.#storeName);
    const row = this.#store.get(key);
    const old = row === null ? null : row.value;
    let aggregate = old;
    let newest = timestamp;
    if (change.oldValue !== null && old !== null) {
      aggregate = this.#fold.subtract(old, change.oldValue, key) ?? null;
      newest = Math.max(timestamp, row!.timestamp);
    }
    if (change.newValue !== null) {
      aggregate = this.#fold.add(aggregate, change.newValue, key) ?? null;
      if (row !== null) newest = Math.max(timestamp, row.timestamp);
    }
    const validTo = this.#store.put(key, aggregate, newest);
    if (this.#forwarder.cached || validTo === NOT_PUT) return;
    this.#forwarder.forward(key, aggregate, old, validTo === IS_LATEST, newest, record.headers);
  }
}

function nullGroup(storeName: string): StreamsException {
  return new StreamsException(
    `Cannot aggregate into ${storeName} as a group needs a key: current value is null`,
  );
}
