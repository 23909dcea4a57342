import type { Change } from "../../record/change.ts";
import type { StreamRecord } from "../../record/record.ts";
import type { StoreBuilder } from "../../state/store.ts";
import type { Processor, ProcessorContext } from "../../topology/processor.ts";
import { type Aggregator, type Initializer, type Reducer, synchronous } from "./functions.ts";
import type { KStreamAggProcessorSupplier, KTableValueGetterSupplier } from "./table.ts";
import {
  IS_LATEST,
  KTableMaterializedValueGetterSupplier,
  NOT_PUT,
  type TableStore,
  tableStore,
} from "./table_store.ts";
import { TupleForwarder } from "./tuple_forwarder.ts";

/** Options of `KStreamAggregate`. */
export interface KStreamAggregateOptions<K, V, A> {
  /** A timestamped or a versioned key-value store. */
  readonly store: StoreBuilder;
  readonly initializer: Initializer<A>;
  readonly aggregator: Aggregator<K, V, A>;
}

/** Options of `KStreamReduce`. */
export interface KStreamReduceOptions<V> {
  /** A timestamped or a versioned key-value store. */
  readonly store: StoreBuilder;
  readonly reducer: Reducer<V>;
}

abstract class KeyedAggregate<K, V, A> implements KStreamAggProcessorSupplier<K, V, K, A> {
  readonly #store: StoreBuilder;
  protected sendOldValues = false;
  constructor(store: StoreBuilder) {
    this.#store = store;
  }
  abstract get(): Processor<K, V, K, Change<A>>;
  stores(): readonly StoreBuilder[] {
    return [this.#store];
  }
  view(): KTableValueGetterSupplier<K, A> {
    return new KTableMaterializedValueGetterSupplier(this.#store.name);
  }
  enableSendingOldValues(): void {
    this.sendOldValues = true;
  }
}

/** Aggregates the records of each key; those without key or value are dropped. Kafka Streams: `KStreamAggregate`. */
export class KStreamAggregate<K, V, A> extends KeyedAggregate<K, V, A> {
  readonly #options: KStreamAggregateOptions<K, V, A>;
  constructor(options: KStreamAggregateOptions<K, V, A>) {
    super(options.store);
    this.#options = options;
  }
  get(): Processor<K, V, K, Change<A>> {
    return new AggregateProcessor(this.#options, this.sendOldValues);
  }
}

/** Combines the values of each key; records without key or value are dropped. Kafka Streams: `KStreamReduce`. */
export class KStreamReduce<K, V> extends KeyedAggregate<K, V, V> {
  readonly #options: KStreamReduceOptions<V>;
  constructor(options: KStreamReduceOptions<V>) {
    super(options.store);
    this.#options = options;
  }
  get(): Processor<K, V, K, Change<V>> {
    return new ReduceProcessor(this.#options, this.sendOldValues);
  }
}

class AggregateProcessor<K, V, A> implements Processor<K, V, K, Change<A>> {
  readonly #initializer: Initializer<A>;
  readonly #aggregator: Aggregator<K, V, A>;
  readonly #storeName: string;
  readonly #sendOldValues: boolean;
  #context!: ProcessorContext<K, Change<A>>;
  #store!: TableStore<K, A>;
  #forwarder!: TupleForwarder<K, A>;

  constructor(options: KStreamAggregateOptions<K, V, A>, sendOldValues: boolean) {
    this.#initializer = options.initializer;
    this.#aggregator = options.aggregator;
    this.#storeName = options.store.name;
    this.#sendOldValues = sendOldValues;
  }

  init(context: ProcessorContext<K, Change<A>>): void {
    this.#context = context;
    this.#store = tableStore(context, this.#storeName);
    this.#forwarder = TupleForwarder.timestamped(context, this.#store.store, this.#sendOldValues);
  }

  process(record: StreamRecord<K, V>): void {
    const { key, value, timestamp } = record;
    if (isAbsent(key) || isAbsent(value)) {
      this.#context.dropped(isAbsent(key) ? "null-key" : "null-value");
      return;
    }
    const row = this.#store.get(key);
    const old = row === null ? synchronous(this.#initializer(), "initializer") : row.value;
    const newest = row === null || row.timestamp < timestamp ? timestamp : row.timestamp;
    const aggregate = synchronous(this.#aggregator(old, value, key), "aggregator");
    const validTo = this.#store.put(key, aggregate, newest);
    if (this.#forwarder.cached || validTo === NOT_PUT) return;
    // The old value of a new row is what the initializer gave, as in Kafka Streams.
    this.#forwarder.forward(key, aggregate, old, validTo === IS_LATEST, newest, record.headers);
  }
}

class ReduceProcessor<K, V> implements Processor<K, V, K, Change<V>> {
  readonly #reducer: Reducer<V>;
  readonly #storeName: string;
  readonly #sendOldValues: boolean;
  #context!: ProcessorContext<K, Change<V>>;
  #store!: TableStore<K, V>;
  #forwarder!: TupleForwarder<K, V>;

  constructor(options: KStreamReduceOptions<V>, sendOldValues: boolean) {
    this.#reducer = options.reducer;
    this.#storeName = options.store.name;
    this.#sendOldValues = sendOldValues;
  }

  init(context: ProcessorContext<K, Change<V>>): void {
    this.#context = context;
    this.#store = tableStore(context, this.#storeName);
    this.#forwarder = TupleForwarder.timestamped(context, this.#store.store, this.#sendOldValues);
  }

  process(record: StreamRecord<K, V>): void {
    const { key, value, timestamp } = record;
    if (isAbsent(key) || isAbsent(value)) {
      this.#context.dropped(isAbsent(key) ? "null-key" : "null-value");
      return;
    }
    const row = this.#store.get(key);
    const newest = row === null || row.timestamp < timestamp ? timestamp : row.timestamp;
    const reduced = row === null ? value : synchronous(this.#reducer(row.value, value), "reducer");
    const validTo = this.#store.put(key, reduced, newest);
    if (this.#forwarder.cached || validTo === NOT_PUT) return;
    const old = row === null ? null : row.value;
    this.#forwarder.forward(key, reduced, old, validTo === IS_LATEST, newest, record.headers);
  }
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
