import { TopologyException } from "../errors.ts";
import type { StateStore, StoreBuilder } from "../state/store.ts";
import {
  type DeclaredTopic,
  declaredTopic,
  noteDeclaration,
  type TopicDeclaration,
} from "./declared_topic.ts";
import { describeTopology, type TopologyDescription } from "./describe.ts";
import { NodeGroups } from "./node_groups.ts";
import type { TopologyNode } from "./nodes.ts";
import type { TopicNameExtractor } from "./processor.ts";
import { checkOffsetReset } from "./offset_reset.ts";
import { checkStoreBuilder } from "./store_check.ts";
import { checkedSupplier, type ProcessorWrapper, type SupplierOrFactory } from "./suppliers.ts";
import type {
  GlobalStoreOptions,
  SinkOptions,
  SourceOptions,
  TopologyOptions,
} from "./topology_options.ts";

/** A store of the topology with the processors that use it. */
export interface StoreEntry {
  readonly builder: StoreBuilder;
  /** In the order in which they were connected. */
  readonly processors: readonly string[];
}

/** A global store with its source. */
export interface GlobalStoreEntry {
  readonly builder: StoreBuilder;
  readonly topic: string;
  readonly sourceName: string;
  readonly processorName: string;
  readonly reprocessOnRestore: boolean;
}

/**
 * A graph of sources, processors, sinks and stores. Each method checks its arguments and adds to the graph; nothing runs.
 * Kafka Streams: `Topology` (and `InternalTopologyBuilder`, whose rules and messages it keeps).
 *
 * @example
 * ```ts
 * const topology = new Topology()
 *   .addSource("orders", "orders-input", { key: string(), value: json() })
 *   .addProcessor("count", () => new CountProcessor(), "orders")
 *   .addStateStore(keyValueStoreBuilder(persistentKeyValueStore("counts"), string(), int64()), "count")
 *   .addSink("out", "counts", { key: string(), value: int64() }, "count");
 * ```
 */
export class Topology {
  readonly #nodes = new Map<string, TopologyNode>();
  readonly #groups = new NodeGroups();
  readonly #stores = new Map<string, { builder: StoreBuilder; processors: string[] }>();
  readonly #nodeStores = new Map<string, Set<string>>();
  readonly #globalStores = new Map<string, GlobalStoreEntry>();
  readonly #internalTopics = new Map<string, { partitions: number | undefined }>();
  readonly #declaredTopics = new Map<string, DeclaredTopic>();
  readonly #copartitionGroups: Set<string>[] = [];
  readonly #storeToSourceTopic = new Map<string, string>();
  readonly #wrapper: ProcessorWrapper | undefined;

  constructor(options: TopologyOptions = {}) {
    this.#wrapper = options.processorWrapper;
  }

  /** The nodes in the order of their addition, which is topological. */
  get nodes(): ReadonlyMap<string, TopologyNode> {
    return this.#nodes;
  }
  /** Stores by name, in the order of their addition. */
  get stores(): ReadonlyMap<string, StoreEntry> {
    return this.#stores;
  }
  /** Global stores by name. */
  get globalStores(): ReadonlyMap<string, GlobalStoreEntry> {
    return this.#globalStores;
  }
  /** Repartition and other internal topics, without the application's prefix. */
  get internalTopics(): ReadonlyMap<string, { readonly partitions: number | undefined }> {
    return this.#internalTopics;
  }
  /** Topics of the user's own that are made at the start, or checked. */
  get declaredTopics(): ReadonlyMap<string, DeclaredTopic> {
    return this.#declaredTopics;
  }
  /** Groups of source nodes whose topics must have equal partition counts. */
  get copartitionGroups(): readonly ReadonlySet<string>[] {
    return this.#copartitionGroups;
  }
  /** Stores whose changelog is a source topic. */
  get storeToSourceTopic(): ReadonlyMap<string, string> {
    return this.#storeToSourceTopic;
  }
  /** The names of the stores connected to a node, in the order of their connection. */
  storesOf(node: string): readonly string[] {
    return [...(this.#nodeStores.get(node) ?? [])];
  }
  /** The nodes by subtopology number, global ones included. */
  nodeGroups(): string[][] {
    return this.#groups.groups(this.#nodes.keys());
  }

  /**
   * Adds a source that reads these topics, or those whose whole name matches the pattern.
   * @throws {TopologyException} when the name or a topic is taken, or no topic is given
   */
  addSource(
    name: string,
    topics: string | readonly string[] | RegExp,
    options: SourceOptions = {},
  ): this {
    this.#verifyName(name);
    if (topics === null || topics === undefined) {
      throw new TypeError(
        `Cannot add the source "${name}" as it needs topics or a pattern: current value is ${topics}`,
      );
    }
    checkOffsetReset(`the topics of ${name}`, options.offsetReset);
    const pattern = topics instanceof RegExp ? topics : undefined;
    const list = topics instanceof RegExp
      ? []
      : typeof topics === "string"
      ? [topics]
      : [...topics];
    if (!pattern && list.length === 0) {
      throw new TopologyException("topics cannot be empty. Name a topic, or give a pattern");
    }
    if (pattern) this.#verifyPattern(pattern);
    for (const topic of list) this.#verifyTopic(topic);
    for (const topic of list) {
      if (list.indexOf(topic) !== list.lastIndexOf(topic)) {
        throw new TopologyException(
          `Topic ${topic} has already been registered by another source. ${READ_ONCE}`,
        );
      }
    }
    this.#add({
      kind: "source",
      name,
      parents: [],
      topics: list,
      pattern,
      key: options.key,
      value: options.value,
      timestampExtractor: options.timestampExtractor,
      offsetReset: options.offsetReset,
    });
    return this;
  }

  /**
   * Adds a processor behind its parents, with the stores that its supplier names.
   * @throws {TopologyException} when the name is taken or a parent is unknown or a sink
   */
  addProcessor(name: string, supplier: SupplierOrFactory, ...parents: string[]): this {
    this.#verifyName(name);
    const checked = checkedSupplier(name, supplier, this.#wrapper);
    this.#verifyParents(name, parents);
    this.#add({ kind: "processor", name, parents, supplier: checked });
    for (const store of checked.stores?.() ?? []) this.addStateStore(store, name);
    return this;
  }

  /**
   * Adds a sink that writes to a topic, or to the topic that a function chooses for each record.
   * @throws {TopologyException} when the name is taken or a parent is unknown or a sink
   */
  addSink(
    name: string,
    topic: string | TopicNameExtractor<any, any>,
    options: SinkOptions = {},
    ...parents: string[]
  ): this {
    this.#verifyName(name);
    if (topic === undefined || topic === null) {
      throw new TypeError(
        `Cannot add the sink "${name}" as it needs a topic, or a function that chooses one: current value is ${topic}`,
      );
    }
    this.#verifyParents(name, parents);
    this.#add({
      kind: "sink",
      name,
      parents,
      topic,
      key: options.key,
      value: options.value,
      partitioner: options.partitioner,
    });
    return this;
  }

  /**
   * Adds a store and connects it to these processors. The same builder may be added again; `allowOverride` is the DSL's, which
   * adds a store again with another configuration.
   * @throws {TopologyException} when another store has the name
   */
  addStateStore<S extends StateStore>(builder: StoreBuilder<S>, ...processors: string[]): this {
    return this.#addStore(builder, false, processors);
  }

  /** As `addStateStore`, but replaces a store of that name. */
  overrideStateStore(builder: StoreBuilder, ...processors: string[]): this {
    return this.#addStore(builder, true, processors);
  }

  #addStore(builder: StoreBuilder, allowOverride: boolean, processors: string[]): this {
    checkStoreBuilder(builder);
    const existing = this.#stores.get(builder.name);
    if (existing && !allowOverride && existing.builder !== builder) {
      throw new TopologyException(
        takenStore("StateStore", builder.name),
      );
    }
    if (this.#globalStores.has(builder.name)) {
      throw new TopologyException(
        takenStore("GlobalStateStore", builder.name),
      );
    }
    if (existing) existing.builder = builder;
    else this.#stores.set(builder.name, { builder, processors: [] });
    for (const processor of processors) this.#connect(processor, builder.name);
    return this;
  }

  /**
   * Adds a store that is filled from a topic and only read by others; the topic is its changelog (KIP-813).
   * @throws {TopologyException} when a name or the topic is taken
   */
  addReadOnlyStateStore(options: Omit<GlobalStoreOptions, "reprocessOnRestore">): this {
    checkStoreBuilder(options.store);
    const builder = options.store.withLoggingDisabled();
    this.addSource(options.sourceName, options.topic, options);
    this.addProcessor(options.processorName, options.supplier, options.sourceName);
    this.addStateStore(builder, options.processorName);
    return this.connectSourceStoreAndTopic(builder.name, options.topic);
  }

  /**
   * Adds a store that holds a whole topic in every instance. Kafka Streams: `addGlobalStore`.
   * @throws {TopologyException} when a name or the topic is taken
   */
  addGlobalStore(options: GlobalStoreOptions): this {
    const { sourceName, processorName, topic } = options;
    this.#verifyName(sourceName);
    this.#verifyTopic(topic);
    this.#verifyName(processorName);
    if (sourceName === processorName) {
      throw new TopologyException(
        "sourceName and processorName must be different. Give the processor another name",
      );
    }
    checkStoreBuilder(options.store);
    const builder = options.store.withLoggingDisabled();
    if (this.#stores.has(builder.name)) {
      throw new TopologyException(
        takenStore("StateStore", builder.name),
      );
    }
    if (this.#globalStores.has(builder.name)) {
      throw new TopologyException(
        takenStore("GlobalStateStore", builder.name),
      );
    }
    const supplier = checkedSupplier(processorName, options.supplier, this.#wrapper);
    this.#add({
      kind: "source",
      name: sourceName,
      parents: [],
      topics: [topic],
      pattern: undefined,
      key: options.key,
      value: options.value,
      timestampExtractor: options.timestampExtractor,
      offsetReset: undefined,
    });
    this.#add({ kind: "processor", name: processorName, parents: [sourceName], supplier });
    this.#nodeStores.set(processorName, new Set([builder.name]));
    this.#globalStores.set(builder.name, {
      builder,
      topic,
      sourceName,
      processorName,
      reprocessOnRestore: options.reprocessOnRestore ?? true,
    });
    return this.connectSourceStoreAndTopic(builder.name, topic);
  }

  /**
   * Lets a processor use stores that were added before.
   * @throws {TopologyException} when the processor or a store is unknown, or the node is a source or sink
   */
  connectProcessorAndStateStores(processor: string, ...stores: string[]): this {
    if (stores.length === 0) {
      throw new TopologyException(
        "stateStoreNames cannot be empty. Name the stores that the processor uses",
      );
    }
    const node = this.#nodes.get(processor);
    if (node && node.kind !== "processor") {
      throw new TopologyException(
        "State stores cannot be connect to sources or sinks. Connect them to a processor",
      );
    }
    for (const store of stores) this.#connect(processor, store);
    return this;
  }

  /** Declares a topic that the engine makes itself; its name gets the application's prefix. */
  addInternalTopic(topic: string, options: { readonly partitions?: number } = {}): this {
    this.#internalTopics.set(topic, { partitions: options.partitions });
    return this;
  }

  /**
   * Declares a topic of the user's own, whether the topology reads it, writes it or only knows it: at the start it is made when it is
   * missing, and otherwise checked. Kafka Streams has no such thing.
   * @throws {RangeError} when a number is not a positive whole one
   * @throws {TopologyException} when the topic was declared otherwise before
   */
  declareTopic(topic: string, declaration: TopicDeclaration): this {
    noteDeclaration(this.#declaredTopics, topic, declaredTopic(topic, declaration));
    return this;
  }

  /** Demands equal partition counts of the topics of these source nodes. */
  copartitionSources(sourceNodes: Iterable<string>): this {
    this.#copartitionGroups.push(new Set(sourceNodes));
    return this;
  }

  /** Puts one source node in the place of another in all copartition groups (the optimizer's merging of repartition topics). */
  replaceCopartitionSource(replaced: string, by: string): this {
    for (const group of this.#copartitionGroups) if (group.delete(replaced)) group.add(by);
    return this;
  }

  /** Makes a source topic the changelog of a store. @throws {TopologyException} when the store has one already. */
  connectSourceStoreAndTopic(store: string, topic: string): this {
    if (this.#storeToSourceTopic.has(store)) {
      throw new TopologyException(
        `Source store ${store} is already added. Give it one topic as its changelog`,
      );
    }
    this.#storeToSourceTopic.set(store, topic);
    return this;
  }

  /** The graph in Kafka Streams' words; `toString()` gives its text. */
  describe(): TopologyDescription {
    return describeTopology(this);
  }

  #add(node: TopologyNode): void {
    this.#nodes.set(node.name, Object.freeze(node));
    this.#groups.add(node.name);
    this.#groups.unite(node.name, node.parents);
  }

  #verifyName(name: string): void {
    if (typeof name !== "string" || name === "") {
      throw new TypeError(
        `Cannot add a node as its name is missing: current value is ${JSON.stringify(name)}`,
      );
    }
    if (this.#nodes.has(name)) {
      throw new TopologyException(
        `Processor ${name} is already added. Give one of both another name`,
      );
    }
  }

  #verifyParents(name: string, parents: readonly string[]): void {
    if (parents.length === 0) {
      throw new TopologyException(
        `predecessorNames cannot be empty. Name the nodes that ${name} follows`,
      );
    }
    for (const parent of parents) {
      const node = this.#nodes.get(parent);
      if (!node) {
        throw new TopologyException(
          `Parent node ${parent} is unknown${
            parent === name ? " (self-reference). Name another parent" : `. Add it before ${name}`
          }`,
        );
      }
      if (node.kind === "sink") {
        throw new TopologyException(
          `Sink ${parent} cannot be used a parent. Name the node before it, or read its topic by a source`,
        );
      }
    }
  }

  #verifyTopic(topic: string): void {
    if (typeof topic !== "string" || topic === "") {
      throw new TypeError(
        `Cannot read a topic as its name must be a text that is not empty: current value is ${topic}`,
      );
    }
    for (const node of this.#nodes.values()) {
      if (node.kind !== "source") continue;
      if (node.topics.includes(topic)) {
        throw new TopologyException(
          `Topic ${topic} has already been registered by another source. ${READ_ONCE}`,
        );
      }
      if (node.pattern && matchesWhole(node.pattern, topic)) {
        throw new TopologyException(
          `Topic ${topic} matches a Pattern already registered by another source. Leave it out of the pattern, or read it by the pattern alone`,
        );
      }
    }
  }

  #verifyPattern(pattern: RegExp): void {
    for (const node of this.#nodes.values()) {
      if (node.kind === "source" && node.topics.some((topic) => matchesWhole(pattern, topic))) {
        throw new TopologyException(
          `Pattern ${pattern.source} will match a topic that has already been registered by another source. Leave the topic out of the pattern, or read it by the pattern alone`,
        );
      }
    }
  }

  #connect(processor: string, store: string): void {
    if (this.#globalStores.has(store)) {
      throw new TopologyException(
        `Global StateStore ${store} can be used by a Processor without being specified; it should not be explicitly passed. Leave it out of the processor's stores`,
      );
    }
    const entry = this.#stores.get(store);
    if (!entry) {
      throw new TopologyException(
        `StateStore ${store} is not added yet. Add it by addStateStore, or give its builder to the processor`,
      );
    }
    const node = this.#nodes.get(processor);
    if (!node) {
      throw new TopologyException(
        `Processor ${processor} is not added yet. Add it before its stores are connected`,
      );
    }
    if (node.kind !== "processor") {
      throw new TopologyException(
        `cannot connect a state store ${store} to a source node or a sink node. Connect it to a processor`,
      );
    }
    if (entry.processors.length > 0) this.#groups.unite(entry.processors[0], [processor]);
    if (!entry.processors.includes(processor)) entry.processors.push(processor);
    const stores = this.#nodeStores.get(processor);
    if (stores) stores.add(store);
    else this.#nodeStores.set(processor, new Set([store]));
  }
}

const READ_ONCE = "Read it once, and use that stream or table twice";

function takenStore(kind: string, name: string): string {
  return `A different ${kind} has already been added with the name ${name}. Give one of both another name`;
}

/** Whether the pattern matches the topic's whole name, as Java's `matches()`. */
export function matchesWhole(pattern: RegExp, topic: string): boolean {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, "")).test(topic);
}
