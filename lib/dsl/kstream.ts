import { NotBuiltError } from "../errors.ts";
import type { Serde } from "../serde/serde.ts";
import { type BranchedKStream, type BranchTests, type NamedBranches, split } from "./branching.ts";
import { mayHaveFunction, needFunctions, needSamePlan } from "./checks.ts";
import { deduplicate, type DeduplicateOptions } from "./deduplicate.ts";
import { GlobalKTable } from "./global_ktable.ts";
import { processorNode } from "./graph.ts";
import { KGroupedStream } from "./grouped_stream.ts";
import { joinStream, type StreamJoined } from "./kstream_join.ts";
import { joinGlobalTable, joinTable, type TableJoinedWith } from "./kstream_table_join.ts";
import { KTable } from "./ktable.ts";
import type { NamedMaterialized } from "./materialized.ts";
import { PREFIX } from "./naming.ts";
import {
  type AnyProcessing,
  type FixedKeyProcessing,
  process,
  type Processing,
  type ProcessOptions,
  processValues,
  type StoreBuilders,
} from "./process.ts";
import { PassThrough } from "./processors/kstream_branch.ts";
import { KStreamFilter } from "./processors/kstream_filter.ts";
import { KStreamFlatMap, KStreamFlatMapValues } from "./processors/kstream_flat_map.ts";
import { KStreamMap, KStreamMapValues, KStreamSelectKey } from "./processors/kstream_map.ts";
import { KStreamForeach, KStreamPeek, KStreamPrint } from "./processors/kstream_peek.ts";
import type {
  ForeachAction,
  KeyMapper,
  PairMapper,
  Predicate,
  ValueJoiner,
  ValueMapper,
} from "./processors/functions.ts";
import { rateLimit, type RateLimitOptions } from "./rate_limit.ts";
import { repartition, type Repartitioned } from "./repartition.ts";
import { type Produced, type ProducedAny, sink, type TopicChooser } from "./sink.ts";
import type { StreamHandle } from "./stream_handle.ts";
import type {
  KeyNeed,
  MovedValueNeed,
  OptionsArgument,
  RecordMark,
  StateMark,
  StreamOf,
  StreamState,
  TableOf,
  ValueNeed,
  WithSerdes,
} from "./stream_state.ts";
import { toTable } from "./to_table.ts";
import type { TopicFor } from "./topic.ts";
import type { JoinWindows } from "./windows.ts";

/** A step's own name; without one it gets a generated one. Kafka Streams: `Named`. */
export interface Named {
  readonly name?: string;
}

/** How a stream is grouped. Kafka Streams: `Grouped`. */
export type Grouped<State, K, V> =
  & { /** The repartition topic's name but for `-repartition`. */ readonly name?: string }
  & KeyNeed<State, K>
  & MovedValueNeed<State, V>;

/** What `print` writes. Kafka Streams: `Printed`. */
export interface Printed<K, V> extends Named {
  /** Stands before each record in brackets. Default: the name of the step before. */
  readonly label?: string;
  /** What is printed of a record. Default: `key, value`. */
  readonly mapper?: (value: V, key: K) => string;
  /** Where a line goes, with its end. Default: standard output. */
  readonly write?: (line: string) => void;
}

/** The state of a grouped stream: whether its value serde is known. */
type GroupedState<State> = "placed" extends State ? Extract<State, "value"> : "value";

/**
 * A stream of records of keys `K` and values `V`. Each method adds a step to the plan and gives its result; nothing runs.
 * `State` is what the compiler knows of serdes and partitioning; it is inferred. Kafka Streams: `KStream`.
 *
 * ```ts
 * builder.stream(orders)
 *   .filter((order) => order.amount > 0)
 *   .groupBy((order) => order.customerId, { key: string() })
 *   .count({ store: "orders-by-customer" })
 *   .toStream()
 *   .to(topic("counts", { key: string(), value: long() }));
 * ```
 */
export class KStream<K, V, State extends StreamState = StreamState> {
  /** Only in the type. */
  declare readonly "~state": StateMark<State>;
  declare readonly "~record": RecordMark<K, V>;
  /** The stream's place in the plan; for steps of one's own. */
  readonly handle: StreamHandle;

  constructor(handle: StreamHandle) {
    this.handle = handle;
  }

  #then(
    name: string | undefined,
    prefix: string,
    supplier: Parameters<StreamHandle["step"]>[1],
    options?: Parameters<StreamHandle["step"]>[2],
  ): StreamHandle {
    return this.handle.step(this.handle.plan.nameOr(name, prefix), supplier, options);
  }

  /** Says which serdes write the stream's keys and values from here on; adds no step. */
  withSerdes<O extends { readonly key?: Serde<K>; readonly value?: Serde<NonNullable<V>> }>(
    serdes: O,
  ): KStream<K, V, WithSerdes<State, O>> {
    const { key = this.handle.key, value = this.handle.value } = serdes;
    return new KStream(this.handle.with({ key, value }));
  }

  /** Keeps the records that the predicate accepts; a type guard narrows the value's type. */
  filter<V2 extends V>(
    predicate: (value: V, key: K) => value is V2,
    options?: Named,
  ): KStream<K, V2, State>;
  filter(predicate: Predicate<K, V>, options?: Named): KStream<K, V, State>;
  filter(predicate: Predicate<K, V>, options: Named = {}): KStream<K, any, State> {
    needFunctions("filter", { predicate });
    return new KStream(this.#then(options.name, PREFIX.filter, new KStreamFilter({ predicate })));
  }

  /** Keeps the records that the predicate refuses. */
  filterNot(predicate: Predicate<K, V>, options: Named = {}): KStream<K, V, State> {
    needFunctions("filterNot", { predicate });
    const supplier = new KStreamFilter({ predicate, not: true });
    return new KStream(this.#then(options.name, PREFIX.filter, supplier));
  }

  /** Gives each record a new key and value. Its key has changed: grouping and joining repartition. */
  map<K2, V2>(mapper: PairMapper<K, V, K2, V2>, options: Named = {}): KStream<K2, V2, never> {
    needFunctions("map", { mapper });
    return new KStream(this.#then(options.name, PREFIX.map, new KStreamMap({ mapper }), {
      traits: { changesKey: true },
      changes: { key: undefined, value: undefined, repartitionRequired: true },
    }));
  }

  /** Gives each record a new value; null values are mapped too. */
  mapValues<V2>(
    mapper: ValueMapper<K, V, V2>,
    options: Named = {},
  ): KStream<K, V2, Exclude<State, "value">> {
    needFunctions("mapValues", { mapper });
    const supplier = new KStreamMapValues({ mapper });
    return new KStream(this.#then(options.name, PREFIX.mapValues, supplier, {
      traits: { changesValue: true },
      changes: { value: undefined },
    }));
  }

  /** Makes any number of records of each one. */
  flatMap<K2, V2>(
    mapper: KeyMapper<K, V, Iterable<readonly [K2, V2]>>,
    options: Named = {},
  ): KStream<K2, V2, never> {
    needFunctions("flatMap", { mapper });
    return new KStream(this.#then(options.name, PREFIX.flatMap, new KStreamFlatMap({ mapper }), {
      traits: { changesKey: true },
      changes: { key: undefined, value: undefined, repartitionRequired: true },
    }));
  }

  /** Makes any number of records with the same key of each one. */
  flatMapValues<V2>(
    mapper: ValueMapper<K, V, Iterable<V2>>,
    options: Named = {},
  ): KStream<K, V2, Exclude<State, "value">> {
    needFunctions("flatMapValues", { mapper });
    const supplier = new KStreamFlatMapValues({ mapper });
    return new KStream(this.#then(options.name, PREFIX.flatMapValues, supplier, {
      traits: { changesValue: true },
      changes: { value: undefined },
    }));
  }

  /** Gives each record a new key. Grouping and joining repartition from here on. */
  selectKey<K2>(
    mapper: KeyMapper<K, V, K2>,
    options: Named = {},
  ): KStream<K2, V, Exclude<State, "key" | "placed">> {
    needFunctions("selectKey", { mapper });
    const supplier = new KStreamSelectKey({ mapper });
    return new KStream(this.#then(options.name, PREFIX.selectKey, supplier, {
      traits: { changesKey: true },
      changes: { key: undefined, repartitionRequired: true },
    }));
  }

  /** Does something with each record and passes it on. */
  peek(action: ForeachAction<K, V>, options: Named = {}): KStream<K, V, State> {
    needFunctions("peek", { action });
    return new KStream(this.#then(options.name, PREFIX.peek, new KStreamPeek({ action })));
  }

  /** Does something with each record; the stream ends here. */
  foreach(action: ForeachAction<K, V>, options: Named = {}): void {
    needFunctions("foreach", { action });
    this.#then(options.name, PREFIX.foreach, new KStreamForeach({ action }));
  }

  /** Prints each record; the stream ends here. */
  print(options: Printed<K, V> = {}): void {
    const { label = this.handle.name, mapper, write } = options;
    mayHaveFunction("print", "mapper", mapper);
    mayHaveFunction("print", "write", write);
    this.#then(options.name, PREFIX.print, new KStreamPrint<K, V>({ label, mapper, write }));
  }

  /** Both streams' records as one stream, in the order in which they are processed. */
  merge<State2 extends StreamState>(
    other: StreamOf<K, V, State2>,
    options: Named = {},
  ): KStream<K, V, State & State2> {
    const { handle } = this;
    const { plan, key, value } = handle;
    if (!(other instanceof KStream)) {
      throw new TypeError(
        `Cannot merge as the other side must be a KStream: current value is ${other}`,
      );
    }
    needSamePlan("merge", plan, other.handle.plan);
    const name = plan.nameOr(options.name, PREFIX.merge);
    const node = processorNode(name, new PassThrough(), { merges: true });
    plan.add(node, handle.node, other.handle.node);
    return new KStream(handle.with({
      name,
      node,
      sources: new Set([...handle.sources, ...other.handle.sources]),
      key: other.handle.key && key,
      value: other.handle.value && value,
      repartitionRequired: handle.repartitionRequired || other.handle.repartitionRequired,
    }));
  }

  /**
   * Parts the stream: each record goes to the first branch whose test accepts it. With named tests all branches come at once, `otherwise`
   * takes the rest; without, they are added one by one, as in Kafka Streams.
   *
   * ```ts
   * const { eu, us } = orders.split({ eu: (order) => order.region === "eu", us: otherwise });
   * ```
   */
  split<B extends BranchTests<K, V>>(tests: B, options?: Named): NamedBranches<K, V, State, B>;
  split(options?: Named): BranchedKStream<K, V, State>;
  split(first: BranchTests<K, V> | Named = {}, options: Named = {}): unknown {
    return split(this as KStream<K, V, any>, first, options);
  }

  /** Sends the records through a topic of the engine's own, partitioned by their key. */
  repartition(
    ...[options]: OptionsArgument<Repartitioned<K, V> & KeyNeed<State, K> & ValueNeed<State, V>>
  ): KStream<K, V, StreamState> {
    return new KStream(repartition(this.handle, options ?? {}));
  }

  /** The stream as a table: each record replaces its key's row, null deletes it. */
  toTable(
    ...[options]: OptionsArgument<
      & NamedMaterialized<K, NonNullable<V>>
      & KeyNeed<State, K>
      & ValueNeed<State, V>
    >
  ): KTable<K, NonNullable<V>, "key" | "value"> {
    return new KTable(toTable(this.handle, options ?? {}));
  }

  /** Writes the records to a topic; the stream ends here. The topic may be chosen for each record. */
  to(topic: TopicFor<K, NonNullable<V>>, options?: Produced<K, V>): void;
  to(
    topic: string | TopicChooser<K, V>,
    ...options: OptionsArgument<Produced<K, V> & KeyNeed<State, K> & ValueNeed<State, V>>
  ): void;
  to(
    topic: TopicFor<K, any> | string | TopicChooser<K, V>,
    options?: ProducedAny,
  ): void {
    sink(this.handle, topic as string, options ?? {});
  }

  /**
   * Runs a processor on the records: an object with stores by name, or a supplier. Its key may have changed: grouping and
   * joining repartition. With `key` and `value` serdes, these say what it forwards.
   */
  process<B extends StoreBuilders, K2 = K, V2 = V>(
    processing: Processing<K, V, K2, V2, B>,
    options?: ProcessOptions,
  ): KStream<K2, V2, never>;
  process(processing: AnyProcessing, options: ProcessOptions = {}): KStream<any, any, any> {
    return new KStream(process(this.handle, processing, options));
  }

  /** Runs a processor that cannot change the key. */
  processValues<B extends StoreBuilders, V2 = V>(
    processing: FixedKeyProcessing<K, V, V2, B>,
    options?: ProcessOptions,
  ): KStream<K, V2, Exclude<State, "value">>;
  processValues(processing: AnyProcessing, options: ProcessOptions = {}): KStream<K, any, any> {
    return new KStream(processValues(this.handle, processing, options));
  }

  /** Groups the records by their key. */
  groupByKey(
    options: Grouped<State, K, V> & { readonly value: Serde<NonNullable<V>> },
  ): KGroupedStream<K, V, "value">;
  groupByKey(
    ...[options]: OptionsArgument<Grouped<State, K, V>>
  ): KGroupedStream<K, V, GroupedState<State>>;
  groupByKey(options: object = {}): KGroupedStream<K, V, any> {
    const { name, key, value } = options as Grouped<never, K, V>;
    return new KGroupedStream(
      this.handle.with({
        key: key ?? this.handle.key,
        value: value ?? this.handle.value,
      }),
      name,
    );
  }

  /** Groups the records by a new key, by way of a repartition topic. */
  groupBy<K2>(
    mapper: KeyMapper<K, V, K2>,
    options: { readonly name?: string; readonly key: Serde<K2> } & ValueNeed<State, V>,
  ): KGroupedStream<K2, V, "value"> {
    needFunctions("groupBy", { mapper });
    const { name, key, value } = options as Grouped<never, K2, V>;
    const grouped = this.#then(name, PREFIX.selectKey, new KStreamSelectKey({ mapper }), {
      traits: { changesKey: true },
      changes: { key, value: value ?? this.handle.value, repartitionRequired: true },
    });
    return new KGroupedStream(grouped, name);
  }

  /** Joins each pair of records of both streams with the same key whose times lie in the windows. */
  join<R, State2 extends StreamState, Out>(
    other: StreamOf<K, R, State2>,
    joiner: ValueJoiner<K, V, R, Out>,
    windows: JoinWindows,
    ...options: OptionsArgument<StreamJoined<State, State2, K, V, R>>
  ): KStream<K, Out, "key" | "placed">;
  /** Joins each record with its key's row in the table as it is now. */
  join<R, Out>(
    table: TableOf<K, R>,
    joiner: ValueJoiner<K, V, R, Out>,
    ...options: OptionsArgument<TableJoinedWith<State, K, V>>
  ): KStream<K, Out, "key" | "placed">;
  /** Joins each record with the row of the global table whose key the mapper gives. */
  join<RK, R, Out>(
    table: GlobalKTable<RK, R>,
    keyMapper: KeyMapper<K, V, RK | null>,
    joiner: ValueJoiner<K, V, R, Out>,
    options?: Named,
  ): KStream<K, Out, Exclude<State, "value">>;
  join(other: unknown, ...rest: unknown[]): KStream<K, any, any> {
    return this.#join("inner", other, rest);
  }

  /** As `join`, and records of this stream without a match are joined with null. */
  leftJoin<R, State2 extends StreamState, Out>(
    other: StreamOf<K, R, State2>,
    joiner: ValueJoiner<K, V, R | null, Out>,
    windows: JoinWindows,
    ...options: OptionsArgument<StreamJoined<State, State2, K, V, R>>
  ): KStream<K, Out, "key" | "placed">;
  leftJoin<R, Out>(
    table: TableOf<K, R>,
    joiner: ValueJoiner<K, V, R | null, Out>,
    ...options: OptionsArgument<TableJoinedWith<State, K, V>>
  ): KStream<K, Out, "key" | "placed">;
  leftJoin<RK, R, Out>(
    table: GlobalKTable<RK, R>,
    keyMapper: KeyMapper<K, V, RK | null>,
    joiner: ValueJoiner<K, V, R | null, Out>,
    options?: Named,
  ): KStream<K, Out, Exclude<State, "value">>;
  leftJoin(other: unknown, ...rest: unknown[]): KStream<K, any, any> {
    return this.#join("left", other, rest);
  }

  /** As `join`, and records of both streams without a match are joined with null. */
  outerJoin<R, State2 extends StreamState, Out>(
    other: StreamOf<K, R, State2>,
    joiner: ValueJoiner<K, V | null, R | null, Out>,
    windows: JoinWindows,
    ...options: OptionsArgument<StreamJoined<State, State2, K, V, R>>
  ): KStream<K, Out, "key" | "placed"> {
    return this.#join("outer", other, [joiner, windows, ...options]);
  }

  #join(kind: "inner" | "left" | "outer", other: any, rest: any[]): KStream<K, any, any> {
    const step = kind === "inner" ? "join" : `${kind}Join`;
    if (other instanceof KStream) {
      const [joiner, windows, options] = rest;
      needFunctions(step, { joiner });
      needSamePlan(step, this.handle.plan, other.handle.plan);
      return new KStream(
        joinStream(this.handle, other.handle, { kind, joiner, windows, options: options ?? {} }),
      );
    }
    if (kind === "outer" || !(other instanceof KTable || other instanceof GlobalKTable)) {
      throw new TypeError(
        `Cannot add the step ${step} as the other side must be a KStream${
          kind === "outer" ? "" : ", KTable or GlobalKTable"
        }: current value is ${other === null ? null : other?.constructor?.name ?? other}`,
      );
    }
    if (other instanceof KTable) {
      const [joiner, options] = rest;
      needFunctions(step, { joiner });
      needSamePlan(step, this.handle.plan, other.handle.plan);
      return new KStream(
        joinTable(this.handle, other.handle, joiner, kind === "left", options ?? {}),
      );
    }
    const [keyMapper, joiner, options] = rest;
    needFunctions(step, { keyMapper, joiner });
    const join = { keyMapper, joiner, options: options ?? {}, left: kind === "left" };
    return new KStream(joinGlobalTable(this.handle, other, join));
  }

  /**
   * Leaves out records whose id was seen before within `windowMs` (ms of the records' time, before and after). Only records
   * of one partition are compared. Beyond Kafka Streams (KIP-655).
   */
  deduplicate<Id>(
    windowMs: number,
    by: (value: V, key: K) => Id,
    options: DeduplicateOptions<Id>,
  ): KStream<K, V, State> {
    needFunctions("deduplicate", { by });
    return new KStream(deduplicate(this.handle, windowMs, by, options));
  }

  /** Takes at most so many records a second in each task, by holding the sources, not the thread. Beyond Kafka Streams. */
  rateLimit(options: RateLimitOptions): KStream<K, V, State> {
    return new KStream(rateLimit(this.handle, options));
  }

  /** Not built. @throws {NotBuiltError} always */
  mapAsync(): never {
    throw new NotBuiltError(
      "Cannot map asynchronously as mapAsync is not built: do the asynchronous work before the topic or behind it",
    );
  }
}
