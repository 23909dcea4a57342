import type { Windowed } from "../record/windowed.ts";
import type { Serde } from "../serde/serde.ts";
import { sessionWindowed, timeWindowed } from "../serde/windowed.ts";
import type { StoreBuilder } from "../state/store.ts";
import type { SessionStoreSupplier, WindowStoreSupplier } from "../state/suppliers.ts";
import { needFunctions } from "./checks.ts";
import { KTable } from "./ktable.ts";
import {
  givenStoreName,
  isMaterialized,
  type NamedMaterialized,
  type StoreSpec,
  storeSpec,
} from "./materialized.ts";
import { PREFIX } from "./naming.ts";
import type { Aggregator, Initializer, Merger, Reducer } from "./processors/functions.ts";
import { KStreamSessionWindowAggregate } from "./processors/kstream_session_window_aggregate.ts";
import { KStreamSlidingWindowAggregate } from "./processors/kstream_sliding_window_aggregate.ts";
import { KStreamWindowAggregate } from "./processors/kstream_window_aggregate.ts";
import type { KStreamAggProcessorSupplier } from "./processors/table.ts";
import { sessionsStoreBuilder, windowedStoreBuilder } from "./store_builders.ts";
import { COUNT_SERDE, type GroupedHandle, increment, zero } from "./stream_aggregation.ts";
import type { OptionsArgument, RecordMark, StateMark, ValueNeed } from "./stream_state.ts";
import {
  checkEmit,
  type EmitStrategy,
  type EnumerableWindows,
  type SessionWindows,
  type SlidingWindows,
  windowSizeMs,
} from "./windows.ts";

/** Options of a windowed aggregate. */
type WindowOptions<K, A> = NamedMaterialized<K, A, WindowStoreSupplier>;
type SessionOptions<K, A> = NamedMaterialized<K, A, SessionStoreSupplier>;

/** What both kinds of windowed aggregate add to the plan. */
function addWindowed<Supplier extends WindowStoreSupplier | SessionStoreSupplier>(
  handle: GroupedHandle,
  options: NamedMaterialized<any, any, Supplier>,
  parts: {
    readonly prefix: string;
    readonly graceMs: number;
    readonly store: (spec: StoreSpec<Supplier>) => StoreBuilder;
    readonly supplier: (store: StoreBuilder) => KStreamAggProcessorSupplier<any, any, any, any>;
    readonly windowedKey: (key: Serde<any>) => Serde<any>;
  },
): KTable<any, any, any> {
  const { plan } = handle.stream;
  const key = plan.keySerde(options.key ?? handle.stream.key, "the windowed aggregate");
  const value = plan.valueSerde(options.value, "the windowed aggregate");
  const spec = storeSpec(plan, { ...options, key, value }, parts.prefix);
  const name = plan.nameOr(options.name, parts.prefix);
  return new KTable(handle.aggregate({
    name,
    supplier: parts.supplier(parts.store(spec)),
    storeName: spec.name,
    queryableName: spec.queryableName,
    key: parts.windowedKey(key),
    value,
    traits: { graceMs: parts.graceMs, versioned: false },
  }));
}

function reducing<V>(reducer: Reducer<V>): Aggregator<any, V, V | null> {
  return (aggregate, value) => aggregate === null ? value : reducer(aggregate, value);
}

/** A grouped stream in tumbling, hopping, sliding or unlimited windows. Kafka Streams: `TimeWindowedKStream`. */
export class TimeWindowedKStream<K, V, State extends "value" = "value"> {
  /** Only in the type. */
  declare readonly "~state": StateMark<State>;
  declare readonly "~record": RecordMark<K, V>;
  readonly #handle: GroupedHandle;
  readonly #windows: EnumerableWindows | SlidingWindows;
  readonly #emit: EmitStrategy;

  constructor(
    handle: GroupedHandle,
    windows: EnumerableWindows | SlidingWindows,
    emit: EmitStrategy = "onWindowUpdate",
  ) {
    this.#handle = handle;
    this.#windows = windows;
    this.#emit = emit;
  }

  /**
   * When results are forwarded: at each update, the default, or once, when the window has closed (KIP-825).
   *
   * @throws {RangeError} when windows that never end are to be forwarded on close
   */
  emitStrategy(emit: EmitStrategy): TimeWindowedKStream<K, V, State> {
    checkEmit(emit, this.#windows);
    return new TimeWindowedKStream(this.#handle, this.#windows, emit);
  }

  /** How many records each key has in each window. */
  count(
    options: WindowOptions<K, number> = {},
  ): KTable<Windowed<K>, number, "key" | "value" | "dense"> {
    // Java's count takes two numbers where it is given a Materialized without a name, but not for sliding windows.
    const isUnnamed = isMaterialized(options) && givenStoreName(options) === undefined;
    if (isUnnamed && this.#windows.kind !== "sliding") {
      this.#handle.stream.plan.generateStore(PREFIX.aggregate);
    }
    const value = options.value ?? COUNT_SERDE;
    return this.#aggregate({ ...options, value }, PREFIX.aggregate, zero, increment);
  }

  /** Combines the values of each key in each window. */
  reduce(
    reducer: Reducer<NonNullable<V>>,
    ...[options]: OptionsArgument<WindowOptions<K, NonNullable<V>> & ValueNeed<State, V>>
  ): KTable<Windowed<K>, NonNullable<V>, "key" | "value"> {
    needFunctions("reduce", { reducer });
    const given: WindowOptions<any, any> = options ?? {};
    const value = given.value ?? this.#handle.stream.value;
    return this.#aggregate({ ...given, value }, PREFIX.reduce, () => null, reducing(reducer));
  }

  /** Aggregates the values of each key in each window; null values reach the aggregator, but in sliding windows. */
  aggregate<A>(
    initializer: Initializer<A>,
    aggregator: Aggregator<K, V, A>,
    options: WindowOptions<K, A> & { readonly value: Serde<A> },
  ): KTable<Windowed<K>, A, "key" | "value"> {
    needFunctions("aggregate", { initializer, aggregator });
    return this.#aggregate(options, PREFIX.aggregate, initializer, aggregator);
  }

  #aggregate(
    options: WindowOptions<any, any>,
    prefix: string,
    initializer: Initializer<any>,
    aggregator: Aggregator<any, any, any>,
  ): KTable<any, any, any> {
    const { plan } = this.#handle.stream;
    const windows = this.#windows;
    const emit = this.#emit;
    return addWindowed(this.#handle, options, {
      prefix,
      graceMs: windows.kind === "unlimited" ? 0 : windows.graceMs,
      store: (spec) => windowedStoreBuilder(plan, spec, windows, emit),
      supplier: (store) => timeWindowsAggregate({ windows, store, emit, initializer, aggregator }),
      windowedKey: (key) => timeWindowed(key, windowSizeMs(windows)),
    });
  }
}

/** The aggregate that fits the windows. */
export function timeWindowsAggregate(options: {
  readonly windows: EnumerableWindows | SlidingWindows;
  readonly store: StoreBuilder;
  readonly emit: EmitStrategy;
  readonly initializer: Initializer<any>;
  readonly aggregator: Aggregator<any, any, any>;
}): KStreamAggProcessorSupplier<any, any, any, any> {
  const { windows, ...rest } = options;
  return windows.kind === "sliding"
    ? new KStreamSlidingWindowAggregate({ windows, ...rest })
    : new KStreamWindowAggregate({ windows, ...rest });
}

/** A grouped stream in sessions. Kafka Streams: `SessionWindowedKStream`. */
export class SessionWindowedKStream<K, V, State extends "value" = "value"> {
  /** Only in the type. */
  declare readonly "~state": StateMark<State>;
  declare readonly "~record": RecordMark<K, V>;
  readonly #handle: GroupedHandle;
  readonly #windows: SessionWindows;
  readonly #emit: EmitStrategy;

  constructor(
    handle: GroupedHandle,
    windows: SessionWindows,
    emit: EmitStrategy = "onWindowUpdate",
  ) {
    this.#handle = handle;
    this.#windows = windows;
    this.#emit = emit;
  }

  /** When results are forwarded: at each update, the default, or once, when the session has closed (KIP-825). */
  emitStrategy(emit: EmitStrategy): SessionWindowedKStream<K, V, State> {
    checkEmit(emit, this.#windows);
    return new SessionWindowedKStream(this.#handle, this.#windows, emit);
  }

  /** How many records each session has. */
  count(options: SessionOptions<K, number> = {}): KTable<Windowed<K>, number, "key" | "value"> {
    if (isMaterialized(options) && givenStoreName(options) === undefined) {
      this.#handle.stream.plan.generateStore(PREFIX.aggregate);
    }
    const value = options.value ?? COUNT_SERDE;
    return this.#aggregate({ ...options, value }, PREFIX.aggregate, {
      initializer: zero,
      aggregator: increment,
      merger: (left: number, right: number) => left + right,
    });
  }

  /** Combines the values of each session. */
  reduce(
    reducer: Reducer<NonNullable<V>>,
    ...[options]: OptionsArgument<SessionOptions<K, NonNullable<V>> & ValueNeed<State, V>>
  ): KTable<Windowed<K>, NonNullable<V>, "key" | "value"> {
    needFunctions("reduce", { reducer });
    const given: SessionOptions<any, any> = options ?? {};
    const value = given.value ?? this.#handle.stream.value;
    const aggregator = reducing(reducer);
    return this.#aggregate({ ...given, value }, PREFIX.reduce, {
      initializer: () => null,
      aggregator,
      merger: (left, right, key) => aggregator(left, right, key),
    });
  }

  /** Aggregates the values of each session; the merger makes one aggregate of two sessions that a record joins. */
  aggregate<A>(
    initializer: Initializer<A>,
    aggregator: Aggregator<K, V, A>,
    merger: Merger<K, A>,
    options: SessionOptions<K, A> & { readonly value: Serde<A> },
  ): KTable<Windowed<K>, A, "key" | "value"> {
    needFunctions("aggregate", { initializer, aggregator, merger });
    return this.#aggregate(options, PREFIX.aggregate, { initializer, aggregator, merger });
  }

  #aggregate(
    options: SessionOptions<any, any>,
    prefix: string,
    functions: {
      readonly initializer: Initializer<any>;
      readonly aggregator: Aggregator<any, any, any>;
      readonly merger: Merger<any, any>;
    },
  ): KTable<any, any, any> {
    const { plan } = this.#handle.stream;
    const windows = this.#windows;
    const emit = this.#emit;
    return addWindowed(this.#handle, options, {
      prefix,
      graceMs: windows.graceMs + windows.gapMs,
      store: (spec) => sessionsStoreBuilder(plan, spec, windows, emit),
      supplier: (store) =>
        new KStreamSessionWindowAggregate({ windows, store, emit, ...functions }),
      windowedKey: sessionWindowed,
    });
  }
}
