import type { Serde } from "../serde/serde.ts";
import { TopologyException } from "../errors.ts";
import { type DslStoreSuppliers, dslStoreSuppliers } from "../state/dsl_suppliers.ts";
import type { StateStore, StoreBuilder } from "../state/store.ts";
import type { TopicDeclaration } from "../topology/declared_topic.ts";
import type { ProcessorSupplier } from "../topology/processor.ts";
import { checkOffsetReset } from "../topology/offset_reset.ts";
import { checkStoreBuilder } from "../topology/store_check.ts";
import type { ProcessorWrapper } from "../topology/suppliers.ts";
import type { Topology } from "../topology/topology.ts";
import { compilePlan } from "./compile_plan.ts";
import { GlobalKTable } from "./global_ktable.ts";
import { KStream } from "./kstream.ts";
import { KTable } from "./ktable.ts";
import { asksForVersions, type Materialized, storeSpec } from "./materialized.ts";
import { checkName, PREFIX } from "./naming.ts";
import { parseOptimizations } from "./optimize.ts";
import { Plan } from "./plan.ts";
import { KTableSource } from "./processors/ktable_source.ts";
import {
  globalStoreNode,
  stateStoreNode,
  streamSourceNode,
  tableSourceNode,
} from "./source_nodes.ts";
import { tableStoreBuilder } from "./store_builders.ts";
import type { StreamState } from "./stream_state.ts";
import { sourceOrigin, TableHandle } from "./table_handle.ts";
import { type Consumed, isTopic, type Topic } from "./topic.ts";
import { StreamHandle } from "./stream_handle.ts";

/** What a builder takes of a configuration, by Kafka's names; other keys are left alone. */
export type BuilderConfig = Readonly<Record<string, unknown>>;

/** A step's own name. */
interface Named {
  readonly name?: string;
}

/** A topic as it is given: a typed one, or names or a pattern with serdes. */
type TopicLike =
  | Topic<any, any, any>
  | string
  | readonly (Topic<any, any, any> | string)[]
  | RegExp;

/**
 * Where a topology begins: streams and tables of topics. Its calls only note what is wanted; `build` makes the topology.
 * Kafka Streams: `StreamsBuilder`.
 *
 * ```ts
 * const builder = new StreamsBuilder();
 * builder.stream(orders).filter((order) => order.amount > 100).to(largeOrders);
 * const topology = builder.build();
 * ```
 */
export class StreamsBuilder {
  readonly #plan: Plan;
  readonly #config: BuilderConfig;

  /**
   * @param config of which it reads `default.dsl.store` or `dsl.store.suppliers`, `default.key.serde` and `default.value.serde` (serdes, not names),
   * and as defaults of `build` what that reads
   * @throws {TypeError} when the default store is unknown
   */
  constructor(config: BuilderConfig = {}) {
    this.#config = config;
    this.#plan = new Plan({
      stores: config["dsl.store.suppliers"] as DslStoreSuppliers | undefined ??
        dslStoreSuppliers(String(config["default.dsl.store"] ?? "lmdb")),
      key: serdeSetting(config, "default.key.serde"),
      value: serdeSetting(config, "default.value.serde"),
    });
  }

  /** A stream of a topic, of several that hold the same types, or of all whose whole names match a pattern. */
  stream<K, V, Absent extends null = never>(
    topic: Topic<K, V, Absent> | readonly Topic<K, V, Absent>[],
    options?: Named,
  ): KStream<K, V | Absent, StreamState>;
  stream<K, V>(
    topics: string | readonly string[] | RegExp,
    options: Consumed<K, V> & Named,
  ): KStream<K, V, StreamState>;
  stream(
    topics: TopicLike,
    options: Partial<Consumed<any, any>> & Named = {},
  ): KStream<any, any, any> {
    const list = Array.isArray(topics) ? topics : [topics];
    const typed = list.find(isTopic);
    const consumed = { ...typed, ...options };
    const names = topics instanceof RegExp ? topics : list.map(topicName);
    if (Array.isArray(names) && names.length === 0) {
      throw new TopologyException("Cannot read a stream as it needs a topic: current value is []");
    }
    for (const each of list) if (isTopic(each)) this.#plan.declare(each.topic, each);
    if (Array.isArray(names) && !typed) {
      for (const each of names) this.#plan.declare(each, options);
    }
    checkOffsetReset(String(names), consumed.offsetReset);
    const name = this.#plan.nameOr(options.name, PREFIX.source);
    const node = streamSourceNode(name, names, source(consumed));
    this.#plan.add(node);
    return new KStream(
      new StreamHandle({
        plan: this.#plan,
        name,
        node,
        sources: new Set([name]),
        key: consumed.key ?? this.#plan.defaults.key,
        value: consumed.value ?? this.#plan.defaults.value,
        repartitionRequired: false,
      }),
    );
  }

  /** A topic as a table: each record replaces its key's row, null deletes it. It gets a store if it is named or needed. */
  table<K, V>(
    topic: Topic<K, V, any>,
    options?: Named & Omit<Materialized<K, V>, "key" | "value">,
  ): KTable<K, V, "key" | "value">;
  table<K, V>(
    topic: string,
    options: Consumed<K, V> & Named & Omit<Materialized<K, V>, "key" | "value">,
  ): KTable<K, V, "key" | "value">;
  table(
    topic: Topic<any, any, any> | string,
    options: Partial<Consumed<any, any>> & Named & Materialized<any, any> = {},
  ): KTable<any, any, any> {
    const { plan, name, sourceName, topicName, consumed, spec, store } = this.#tableParts(
      topic,
      options,
    );
    const table = new KTableSource<any, any>({
      store,
      materialized: spec.queryableName !== undefined,
    });
    const node = tableSourceNode({
      name,
      sourceName,
      topic: topicName,
      source: source(consumed),
      table,
      store,
      versioned: asksForVersions(options),
    });
    plan.add(node);
    return new KTable(
      new TableHandle({
        plan,
        name,
        node,
        sources: new Set([sourceName]),
        key: spec.key,
        value: spec.value,
        queryableName: spec.queryableName,
        origin: sourceOrigin(table),
      }),
    );
  }

  /** A topic as a table that every instance holds whole. @throws {TopologyException} when its store is versioned */
  globalTable<K, V>(
    topic: Topic<K, V, any>,
    options?: Named & Omit<Materialized<K, V>, "key" | "value" | "logging">,
  ): GlobalKTable<K, V>;
  globalTable<K, V>(
    topic: string,
    options: Consumed<K, V> & Named & Omit<Materialized<K, V>, "key" | "value" | "logging">,
  ): GlobalKTable<K, V>;
  globalTable(
    topic: Topic<any, any, any> | string,
    options: Partial<Consumed<any, any>> & Named & Materialized<any, any> = {},
  ): GlobalKTable<any, any> {
    if (asksForVersions(options)) {
      throw new TopologyException(
        `Cannot make a global table of ${
          topicName(topic)
        } as its store must not keep versions: current value is a versioned store`,
      );
    }
    const parts = this.#tableParts(topic, { ...options, logging: false });
    const { plan, name, sourceName, consumed, spec, store } = parts;
    const table = new KTableSource<any, any>({ store, materialized: true });
    plan.add(globalStoreNode({
      ...source(consumed),
      store,
      sourceName,
      topic: parts.topicName,
      processorName: name,
      supplier: table,
      reprocessOnRestore: false,
    }));
    return new GlobalKTable({ queryableStoreName: spec.name, view: table.view() });
  }

  #tableParts(
    topic: Topic<any, any, any> | string,
    options: Partial<Consumed<any, any>> & Named & Materialized<any, any>,
  ) {
    const plan = this.#plan;
    const name = topicName(topic);
    const consumed = { ...(isTopic(topic) ? topic : {}), ...options };
    plan.declare(name, consumed);
    const step = `the table of ${name}`;
    const key = plan.keySerde(consumed.key, step);
    const value = plan.valueSerde(consumed.value, step);
    const spec = storeSpec(plan, { ...options, key, value }, `${name}-`);
    const sourceName = plan.suffixedOr(options.name, "-source", PREFIX.source);
    return {
      plan,
      topicName: name,
      sourceName,
      name: plan.nameOr(options.name, PREFIX.tableSource),
      consumed: { ...consumed, key, value },
      spec,
      store: tableStoreBuilder(plan, spec),
    };
  }

  /** Adds a store that processors connect to by name. */
  addStateStore<S extends StateStore>(store: StoreBuilder<S>): this {
    checkStoreBuilder(store);
    this.#plan.add(stateStoreNode(store));
    return this;
  }

  /**
   * Declares a topic that no step names, such as one that is chosen for each record or the dead letter topic. Those that steps
   * read and write by a typed topic are declared by it.
   *
   * @throws {TopologyException} when the topic was declared otherwise before
   */
  declareTopic(topic: Topic<any, any, any>): this;
  declareTopic(topic: string, declaration: TopicDeclaration): this;
  declareTopic(topic: Topic<any, any, any> | string, declaration?: TopicDeclaration): this {
    this.#plan.declare(topicName(topic), declaration ?? (isTopic(topic) ? topic : {}));
    return this;
  }

  /** Adds a store of every instance that a processor fills from a topic. The processor sees all records again when the store is restored. */
  addGlobalStore<K, V>(
    store: StoreBuilder,
    topic: Topic<K, V, any>,
    supplier: ProcessorSupplier<K, V, never, never> | ProcessorSupplier<K, V, never, never>["get"],
    options: Named = {},
  ): this {
    const plan = this.#plan;
    if (options.name !== undefined) checkName(options.name);
    checkStoreBuilder(store);
    plan.declare(topicName(topic), topic);
    const sourceName = plan.suffixedOr(options.name, "-source", PREFIX.source);
    const processorName = plan.nameOr(options.name, PREFIX.tableSource);
    plan.add(globalStoreNode({
      ...source(topic),
      store,
      sourceName,
      topic: topicName(topic),
      processorName,
      supplier: supplier as ProcessorSupplier,
      reprocessOnRestore: true,
    }));
    return this;
  }

  /**
   * The topology of all steps so far; the builder stays as it is. Optimizes by `topology.optimization` (`none`, `all` or a list), refuses
   * generated names by `ensure.explicit.internal.resource.naming`, and wraps all processors by `processor.wrapper`.
   *
   * @throws {TopologyException} when names clash, sources overlap, a store is missing, or final results are asked of versioned tables
   * @throws {ConfigException} when `topology.optimization` is unknown
   */
  build(config: BuilderConfig = {}): Topology {
    const all = { ...this.#config, ...config };
    return compilePlan(this.#plan, {
      optimizations: parseOptimizations(all["topology.optimization"]),
      processorWrapper: all["processor.wrapper"] as ProcessorWrapper | undefined,
      requireNames: String(all["ensure.explicit.internal.resource.naming"]) === "true",
    });
  }
}

function topicName(topic: Topic<any, any, any> | string): string {
  const name = isTopic(topic) ? topic.topic : topic;
  if (typeof name !== "string" || name === "") {
    throw new TypeError(
      `Cannot read a topic as it must be a topic or its name: current value is ${name}`,
    );
  }
  return name;
}

function source(consumed: Partial<Consumed<any, any>>): Partial<Consumed<any, any>> {
  const { key, value, timestampExtractor, offsetReset } = consumed;
  return { key, value, timestampExtractor, offsetReset };
}

function serdeSetting(config: BuilderConfig, key: string): Serde<any> | undefined {
  const value = config[key];
  return typeof (value as Serde<any> | undefined)?.decode === "function"
    ? value as Serde<any>
    : undefined;
}
