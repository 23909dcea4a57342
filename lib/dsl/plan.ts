import type { Serde } from "../serde/serde.ts";
import { TopologyException } from "../errors.ts";
import { type DslStoreSuppliers, inMemoryStores } from "../state/dsl_suppliers.ts";
import {
  type DeclaredTopic,
  declaredTopic,
  isDeclaration,
  noteDeclaration,
  type TopicDeclaration,
} from "../topology/declared_topic.ts";
import type { GraphNode, Link } from "./graph.ts";
import { checkName, stepNumber } from "./naming.ts";

/** What a builder knows before its first step. */
export interface PlanDefaults {
  readonly stores: DslStoreSuppliers;
  /** The serdes of steps that name none and cannot take one from upstream. */
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
}

/**
 * The steps of one builder, in the order of their calls, with the one counter that numbers generated names. Only grows.
 * Kafka Streams: `InternalStreamsBuilder`.
 */
export class Plan {
  readonly defaults: PlanDefaults;
  readonly #links: Link[] = [];
  readonly #copartitionGroups: (readonly string[])[] = [];
  readonly #declaredTopics = new Map<string, DeclaredTopic>();
  readonly #generatedResources = new Set<string>();
  readonly #historyRetention = new Map<string, number>();
  #next = 0;

  constructor(defaults: PlanDefaults) {
    this.defaults = defaults;
  }

  get links(): readonly Link[] {
    return this.#links;
  }
  /** Groups of source nodes whose topics must have equal partition counts. */
  get copartitionGroups(): readonly (readonly string[])[] {
    return this.#copartitionGroups;
  }
  /** Topics of the user's own that are made at the start, or checked. */
  get declaredTopics(): ReadonlyMap<string, DeclaredTopic> {
    return this.#declaredTopics;
  }
  /** Stores and topics whose names the user did not choose (KIP-1111). */
  get generatedResources(): ReadonlySet<string> {
    return this.#generatedResources;
  }

  /** Where buffers lie: with the stores. */
  get bufferEngine(): "lmdb" | "memory" {
    return this.defaults.stores === inMemoryStores ? "memory" : "lmdb";
  }

  /** The next generated name. */
  generate(prefix: string): string {
    return prefix + stepNumber(this.#next++);
  }
  /** The next generated store name: `<prefix>STATE-STORE-<number>`. */
  generateStore(prefix: string): string {
    return this.generate(`${prefix}STATE-STORE-`);
  }
  /**
   * The user's name if there is one. The number is used up either way, so that naming a step does not renumber those after it.
   * @throws {TopologyException} when the name is not one
   */
  nameOr(name: string | undefined, prefix: string): string {
    const generated = this.generate(prefix);
    return name === undefined ? generated : checkName(name);
  }
  /** As `nameOr`, with a suffix behind the user's name. */
  suffixedOr(name: string | undefined, suffix: string, prefix: string): string {
    const generated = this.generate(prefix);
    return name === undefined ? generated : checkName(name + suffix);
  }

  /** Adds a step behind its parents, in that order; without parents it stands at the root. */
  add(node: GraphNode, ...parents: GraphNode[]): void {
    if (parents.length === 0) this.#links.push({ parent: undefined, child: node });
    for (const parent of parents) this.#links.push({ parent, child: node });
  }

  /** Demands equal partition counts of these source nodes' topics; gives their union. */
  copartition(...groups: readonly ReadonlySet<string>[]): ReadonlySet<string> {
    const all = new Set<string>();
    for (const group of groups) for (const source of group) all.add(source);
    this.#copartitionGroups.push([...all]);
    return all;
  }

  /** Notes what is declared of a topic, if anything is. @throws {TopologyException} when it was declared otherwise before */
  declare(topic: string, given: TopicDeclaration): void {
    if (isDeclaration(given)) {
      noteDeclaration(this.#declaredTopics, topic, declaredTopic(topic, given));
    }
  }

  /** Notes a store or topic whose name was generated. */
  noteGenerated(resource: string): void {
    this.#generatedResources.add(resource);
  }

  /** Notes how long (ms) a versioned store keeps old versions. */
  noteHistoryRetention(store: string, retentionMs: number): void {
    this.#historyRetention.set(store, retentionMs);
  }
  /** How long (ms) a versioned store keeps old versions; undefined for other stores. */
  historyRetention(store: string): number | undefined {
    return this.#historyRetention.get(store);
  }

  /** The key serde, or the default one. @throws {TopologyException} when there is none */
  keySerde(serde: Serde<any> | undefined, step: string): Serde<any> {
    return usable(serde ?? this.defaults.key ?? missing("key", step), "key", step);
  }
  /** The value serde, or the default one. @throws {TopologyException} when there is none */
  valueSerde(serde: Serde<any> | undefined, step: string, option = "value"): Serde<any> {
    return usable(serde ?? this.defaults.value ?? missing(option, step), option, step);
  }
}

function usable(serde: Serde<any>, option: string, step: string): Serde<any> {
  if (typeof serde?.encode === "function" && typeof serde.decode === "function") return serde;
  throw new TypeError(
    `Cannot build ${step} as its ${option} must be a serde, such as string() or json(): current value is ${
      typeof serde === "function" ? "a function. Call it" : serde
    }`,
  );
}

function missing(option: string, step: string): never {
  throw new TopologyException(
    `Cannot build ${step} as its ${option} has to be written and no serde is known for it: ` +
      `current value is undefined. Give { ${option}: … } there, or withSerdes({ … }) before it`,
  );
}
