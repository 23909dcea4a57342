import type { Serde } from "../serde/serde.ts";
import { needFunctions } from "./checks.ts";
import { CogroupedKStream } from "./cogrouped_stream.ts";
import { KTable } from "./ktable.ts";
import {
  givenStoreName,
  isMaterialized,
  isVersionedSpec,
  type NamedMaterialized,
  storeSpec,
} from "./materialized.ts";
import { PREFIX } from "./naming.ts";
import type { Aggregator, Initializer, Reducer } from "./processors/functions.ts";
import { KStreamAggregate, KStreamReduce } from "./processors/kstream_aggregate.ts";
import type { KStreamAggProcessorSupplier } from "./processors/table.ts";
import { tableStoreBuilder } from "./store_builders.ts";
import { COUNT_SERDE, GroupedHandle, increment, zero } from "./stream_aggregation.ts";
import type { StreamHandle } from "./stream_handle.ts";
import type { OptionsArgument, RecordMark, StateMark, ValueNeed } from "./stream_state.ts";
import { SessionWindowedKStream, TimeWindowedKStream } from "./windowed_stream.ts";
import {
  type EnumerableWindows,
  refuseWindows,
  type SessionWindows,
  type SlidingWindows,
} from "./windows.ts";
import type { StoreBuilder } from "../state/store.ts";

/** A stream's records by key, ready to be aggregated. Kafka Streams: `KGroupedStream`. */
export class KGroupedStream<K, V, State extends "value" = "value"> {
  /** Only in the type. */
  declare readonly "~state": StateMark<State>;
  declare readonly "~record": RecordMark<K, V>;
  /** The place in the plan. */
  readonly handle: GroupedHandle;

  constructor(stream: StreamHandle, name: string | undefined) {
    this.handle = new GroupedHandle(stream, name);
  }

  /** How many records each key has; those without key or value are dropped. */
  count(
    options: NamedMaterialized<K, number> = {},
  ): KTable<K, number, "key" | "value" | "dense"> {
    const { plan } = this.handle.stream;
    // Java's count takes two numbers where it is given a Materialized without a name.
    if (isMaterialized(options) && givenStoreName(options) === undefined) {
      plan.generateStore(PREFIX.aggregate);
    }
    const serdes = { key: options.key, value: options.value ?? COUNT_SERDE };
    return this.#aggregate(
      { ...options, ...serdes },
      PREFIX.aggregate,
      (store) =>
        new KStreamAggregate<K, V, number>({ store, initializer: zero, aggregator: increment }),
    );
  }

  /** Combines the values of each key; those without key or value are dropped. */
  reduce(
    reducer: Reducer<NonNullable<V>>,
    ...[options]: OptionsArgument<NamedMaterialized<K, NonNullable<V>> & ValueNeed<State, V>>
  ): KTable<K, NonNullable<V>, "key" | "value"> {
    needFunctions("reduce", { reducer });
    const given: NamedMaterialized<any, any> = options ?? {};
    const value = given.value ?? this.handle.stream.value;
    return this.#aggregate(
      { ...given, value },
      PREFIX.reduce,
      (store) => new KStreamReduce<K, NonNullable<V>>({ store, reducer }),
    );
  }

  /**
   * Aggregates the values of each key; those without key or value are dropped. An aggregator that gives null deletes the row.
   *
   * ```ts
   * grouped.aggregate(() => 0, (sum, order) => sum + order.amount, { value: double(), store: "sums" })
   * ```
   */
  aggregate<A>(
    initializer: Initializer<A>,
    aggregator: Aggregator<K, NonNullable<V>, A>,
    options: NamedMaterialized<K, A> & { readonly value: Serde<A> },
  ): KTable<K, A, "key" | "value"> {
    needFunctions("aggregate", { initializer, aggregator });
    return this.#aggregate(
      options,
      PREFIX.aggregate,
      (store) => new KStreamAggregate<K, NonNullable<V>, A>({ store, initializer, aggregator }),
    );
  }

  #aggregate(
    options: NamedMaterialized<any, any>,
    prefix: string,
    supplier: (store: StoreBuilder) => KStreamAggProcessorSupplier<any, any, any, any>,
  ): KTable<K, any, any> {
    const { plan } = this.handle.stream;
    const key = plan.keySerde(options.key ?? this.handle.stream.key, "the aggregate");
    const value = plan.valueSerde(options.value, "the aggregate");
    const spec = storeSpec(plan, { ...options, key, value }, prefix);
    const name = plan.nameOr(options.name, prefix);
    return new KTable(this.handle.aggregate({
      name,
      supplier: supplier(tableStoreBuilder(plan, spec)),
      storeName: spec.name,
      queryableName: spec.queryableName,
      key,
      value,
      traits: { versioned: isVersionedSpec(spec) },
    }));
  }

  /** Groups by windows too: made by `tumbling`, `hopping`, `sliding`, `session` or `unlimited`. */
  windowedBy(windows: SessionWindows): SessionWindowedKStream<K, V, State>;
  windowedBy(windows: EnumerableWindows | SlidingWindows): TimeWindowedKStream<K, V, State>;
  windowedBy(
    windows: EnumerableWindows | SlidingWindows | SessionWindows,
  ): TimeWindowedKStream<K, V, State> | SessionWindowedKStream<K, V, State> {
    switch (windows?.kind) {
      case "session":
        return new SessionWindowedKStream(this.handle, windows);
      case "time":
      case "sliding":
      case "unlimited":
        return new TimeWindowedKStream(this.handle, windows);
      default:
        return refuseWindows(windows);
    }
  }

  /** Aggregates this and further grouped streams into one table; the type of the aggregate is the aggregator's first parameter's. */
  cogroup<A>(aggregator: Aggregator<K, NonNullable<V>, A>): CogroupedKStream<K, A> {
    return new CogroupedKStream<K, A>().cogroup(this, aggregator);
  }
}
