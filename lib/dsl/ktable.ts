import type { Windowed } from "../record/windowed.ts";
import type { Serde } from "../serde/serde.ts";
import { needFunctions, needSamePlan } from "./checks.ts";
import { joinForeignKey, type TableJoined } from "./foreign_key_join.ts";
import { KGroupedTable } from "./grouped_table.ts";
import { KStream, type Named } from "./kstream.ts";
import { joinTables } from "./ktable_join.ts";
import { filterRows, mapRows, type Transforming, transformRows } from "./ktable_steps.ts";
import type { Materialized, NamedMaterialized } from "./materialized.ts";
import { PREFIX } from "./naming.ts";
import type {
  KeyMapper,
  PairMapper,
  Predicate,
  ValueJoiner,
  ValueMapper,
} from "./processors/functions.ts";
import { KStreamSelectKey } from "./processors/kstream_map.ts";
import { KTableRepartitionMap } from "./processors/ktable_repartition_map.ts";
import { KTableToStream } from "./processors/ktable_map_values.ts";
import { StreamHandle } from "./stream_handle.ts";
import type {
  KeyNeed,
  OptionsArgument,
  RecordMark,
  StateMark,
  StreamState,
  TableOf,
  TableState,
  ValueNeed,
  WithSerdes,
} from "./stream_state.ts";
import { suppress, type Suppressed } from "./suppress.ts";
import type { TableHandle } from "./table_handle.ts";

/** What a stream of a table's changes has for values. */
type Changed<V, State> = "dense" extends State ? V : V | null;

/** A result whose serde is given: the serde decides its type, and the function has to fit. */
type WithValue<K, R> = NamedMaterialized<K, R> & { readonly value: Serde<R> };

/** A result without a store and without a known serde. */
type WithoutValue<K> = Named & { readonly key?: Serde<K> };

/** The state of a table whose value serde is known, and of one whose is not. */
type Known<State> = Exclude<State, "dense"> | "value";
type Unknown<State> = Exclude<State, "value" | "dense">;

/**
 * A table: the latest value of each key of type `K`, and its changes. Each method adds a step to the plan and gives its result.
 * `State` is what the compiler knows of serdes; it is inferred. Kafka Streams: `KTable`.
 *
 * ```ts
 * const customers = builder.table(customersTopic, { store: "customers" });
 * const rich = customers.filter((customer) => customer.balance > 1000);
 * orders.join(rich, (order, customer) => ({ ...order, name: customer.name })).to(enriched);
 * ```
 */
export class KTable<K, V, State extends TableState = "key" | "value"> {
  /** Only in the type. */
  declare readonly "~state": StateMark<State>;
  declare readonly "~record": RecordMark<K, V>;
  /** The table's place in the plan; for steps of one's own. */
  readonly handle: TableHandle;

  constructor(handle: TableHandle) {
    this.handle = handle;
  }

  /** The store's name for queries; undefined when the user named none. */
  get queryableStoreName(): string | undefined {
    return this.handle.queryableName;
  }

  /** Says which serdes write the table's keys and values from here on; adds no step. */
  withSerdes<O extends { readonly key?: Serde<K>; readonly value?: Serde<V> }>(
    serdes: O,
  ): KTable<K, V, WithSerdes<State, O>> {
    const { key = this.handle.key, value = this.handle.value } = serdes;
    return new KTable(this.handle.with({ key, value }));
  }

  /** Keeps the rows that the predicate accepts; others are deleted. A type guard narrows the value's type. */
  filter<V2 extends V>(
    predicate: (value: V, key: K) => value is V2,
    options?: NamedMaterialized<K, V2>,
  ): KTable<K, V2, Exclude<State, "dense">>;
  filter(
    predicate: Predicate<K, V>,
    options?: NamedMaterialized<K, V>,
  ): KTable<K, V, Exclude<State, "dense">>;
  filter(
    predicate: Predicate<K, V>,
    options: NamedMaterialized<K, any> = {},
  ): KTable<K, any, any> {
    return new KTable(filterRows(this.handle, predicate, "keep", options));
  }

  /** Keeps the rows that the predicate refuses. */
  filterNot(
    predicate: Predicate<K, V>,
    options: NamedMaterialized<K, V> = {},
  ): KTable<K, V, Exclude<State, "dense">> {
    return new KTable(filterRows(this.handle, predicate, "drop", options));
  }

  /** Gives each row a new value; deleted rows stay deleted without asking the mapper. A mapper that gives null deletes. */
  mapValues<R>(
    mapper: ValueMapper<K, V, NoInfer<R> | null>,
    options: WithValue<K, R>,
  ): KTable<K, R, Known<State>>;
  mapValues<R>(
    mapper: ValueMapper<K, V, R | null>,
    options?: WithoutValue<K>,
  ): KTable<K, R, Unknown<State>>;
  mapValues(
    mapper: ValueMapper<K, V, any>,
    options: NamedMaterialized<any, any> = {},
  ): KTable<K, any, any> {
    return new KTable(mapRows(this.handle, mapper, options));
  }

  /** Gives each row a new value by a transformer that may use stores; it is asked for deleted rows too. */
  transformValues<R>(
    transforming: Transforming<K, V, NoInfer<R>>,
    options: WithValue<K, R>,
  ): KTable<K, R, Known<State>>;
  transformValues<R>(
    transforming: Transforming<K, V, R>,
    options?: WithoutValue<K>,
  ): KTable<K, R, Unknown<State>>;
  transformValues(
    transforming: Transforming<K, V, any>,
    options: NamedMaterialized<any, any> = {},
  ): KTable<K, any, any> {
    return new KTable(transformRows(this.handle, transforming, options));
  }

  /** The table's changes as a stream: new values, null for deleted rows; with a mapper under a new key. */
  toStream<K2>(
    keyMapper: KeyMapper<K, Changed<V, State>, K2>,
    options?: Named,
  ): KStream<K2, Changed<V, State>, Extract<State, "value">>;
  toStream(options?: Named): KStream<K, Changed<V, State>, Extract<State, StreamState> | "placed">;
  toStream(
    first: KeyMapper<any, any, any> | Named = {},
    options: Named = {},
  ): KStream<any, any, any> {
    if (first === null) needFunctions("toStream", { keyMapper: first });
    const { plan, node, sources, key, value } = this.handle;
    const keyMapper = isMapper(first) ? first : undefined;
    const { name: given } = isMapper(first) ? options : first;
    const name = plan.nameOr(given, PREFIX.tableToStream);
    // A place to stand on: the table's node as a stream.
    const place = { plan, name, node, sources, key, value, repartitionRequired: false };
    const stream = new StreamHandle(place).step(name, new KTableToStream());
    if (keyMapper === undefined) return new KStream(stream);
    return new KStream(
      stream.step(
        plan.nameOr(undefined, PREFIX.selectKey),
        new KStreamSelectKey({ mapper: keyMapper }),
        {
          traits: { changesKey: true },
          changes: { key: undefined, repartitionRequired: true },
        },
      ),
    );
  }

  /**
   * Holds changes back: until the window closes, so that only final results come, or for a time after a row's first change.
   *
   * @throws {TopologyException} for `windowCloses` without windows upstream, and for versioned tables
   */
  suppress(
    options: Suppressed<"windowCloses"> & KeyNeed<State, K> & ValueNeed<State, V> & WindowedOnly<K>,
  ): KTable<K, V, State | "key" | "value" | "dense">;
  suppress(
    options: Suppressed<"timeLimit"> & KeyNeed<State, K> & ValueNeed<State, V>,
  ): KTable<K, V, State | "key" | "value">;
  suppress(options: Suppressed<any>): KTable<K, V, any> {
    return new KTable(suppress(this.handle, options));
  }

  /** Only the final result of each window: `suppress({ until: "windowCloses" })`. */
  final(
    ...[options]: OptionsArgument<
      & Omit<Suppressed<"windowCloses">, "until">
      & KeyNeed<State, K>
      & ValueNeed<State, V>
      & WindowedOnly<K>
    >
  ): KTable<K, V, State | "key" | "value" | "dense"> {
    return new KTable(suppress(this.handle, { ...options, until: "windowCloses" }));
  }

  /** Groups the rows by a new key, by way of a repartition topic. A mapper that gives null leaves the row out. */
  groupBy<K2, V2>(
    mapper: (value: V, key: K) => readonly [K2 | null, V2 | null] | null,
    options: { readonly name?: string; readonly key: Serde<K2>; readonly value: Serde<V2> },
  ): KGroupedTable<K2, V2> {
    needFunctions("groupBy", { mapper });
    const { plan } = this.handle;
    const name = plan.nameOr(options.name, PREFIX.tableSelect);
    const supplier = new KTableRepartitionMap({ mapper: mapper as PairMapper<K, V, K2, V2> });
    return new KGroupedTable(this.handle, { ...options, selectName: name, supplier });
  }

  /** Joins rows of both tables with the same key, or, with a foreign key, each row with the other table's row of that key. */
  join<R, Out>(
    other: TableOf<K, R>,
    joiner: ValueJoiner<K, V, R, NoInfer<Out> | null>,
    options: WithValue<K, Out>,
  ): KTable<K, Out, Known<State>>;
  join<R, Out>(
    other: TableOf<K, R>,
    joiner: ValueJoiner<K, V, R, Out | null>,
    options?: WithoutValue<K>,
  ): KTable<K, Out, Unknown<State>>;
  join<RK, R, Out>(
    other: TableOf<RK, R>,
    foreignKey: KeyMapper<K, V, RK | null>,
    joiner: ValueJoiner<K, V, R, NoInfer<Out> | null>,
    options: TableJoined<K, RK, Out>,
  ): KTable<K, Out, "key" | "value">;
  join(other: TableOf<any, any>, ...rest: any[]): KTable<any, any, any> {
    return this.#join("inner", other, rest);
  }

  /** As `join`, and rows of this table without a match are joined with null. */
  leftJoin<R, Out>(
    other: TableOf<K, R>,
    joiner: ValueJoiner<K, V, R | null, NoInfer<Out> | null>,
    options: WithValue<K, Out>,
  ): KTable<K, Out, Known<State>>;
  leftJoin<R, Out>(
    other: TableOf<K, R>,
    joiner: ValueJoiner<K, V, R | null, Out | null>,
    options?: WithoutValue<K>,
  ): KTable<K, Out, Unknown<State>>;
  leftJoin<RK, R, Out>(
    other: TableOf<RK, R>,
    foreignKey: KeyMapper<K, V, RK | null>,
    joiner: ValueJoiner<K, V, R | null, NoInfer<Out> | null>,
    options: TableJoined<K, RK, Out>,
  ): KTable<K, Out, "key" | "value">;
  leftJoin(other: TableOf<any, any>, ...rest: any[]): KTable<any, any, any> {
    return this.#join("left", other, rest);
  }

  /** As `join`, and rows of both tables without a match are joined with null. */
  outerJoin<R, Out>(
    other: TableOf<K, R>,
    joiner: ValueJoiner<K, V | null, R | null, NoInfer<Out> | null>,
    options: WithValue<K, Out>,
  ): KTable<K, Out, Known<State>>;
  outerJoin<R, Out>(
    other: TableOf<K, R>,
    joiner: ValueJoiner<K, V | null, R | null, Out | null>,
    options?: WithoutValue<K>,
  ): KTable<K, Out, Unknown<State>>;
  outerJoin(other: TableOf<any, any>, ...rest: any[]): KTable<any, any, any> {
    return this.#join("outer", other, rest);
  }

  #join(
    kind: "inner" | "left" | "outer",
    other: TableOf<any, any>,
    rest: any[],
  ): KTable<any, any, any> {
    const step = kind === "inner" ? "join" : `${kind}Join`;
    if (!(other instanceof KTable)) {
      throw new TypeError(
        `Cannot add the step ${step} as the other side must be a KTable: current value is ${
          other === null ? null : (other as object | undefined)?.constructor?.name
        }`,
      );
    }
    needSamePlan(step, this.handle.plan, other.handle.plan);
    if (rest.length > 2 || typeof rest[1] === "function") {
      const [foreignKey, joiner, options = {}] = rest;
      needFunctions(step, { foreignKey, joiner });
      return new KTable(
        joinForeignKey(this.handle, other.handle, { kind, foreignKey, joiner, options }),
      );
    }
    const [joiner, options = {}] = rest as [
      ValueJoiner<any, any, any, any>,
      Materialized<any, any>,
    ];
    needFunctions(step, { joiner });
    return new KTable(joinTables(this.handle, other.handle, { kind, joiner, options }));
  }
}

/** Makes options impossible for tables that have no windows. */
type WindowedOnly<K> = K extends Windowed<any> ? unknown : never;

function isMapper(first: KeyMapper<any, any, any> | Named): first is KeyMapper<any, any, any> {
  return typeof first === "function";
}
