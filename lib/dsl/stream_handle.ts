import type { Serde } from "../serde/serde.ts";
import { type GraphNode, type GraphTraits, processorNode } from "./graph.ts";
import type { Plan } from "./plan.ts";
import { planRepartition } from "./repartition_node.ts";
import type { SupplierOrFactory } from "../topology/suppliers.ts";

/** Where a stream stands in its plan. */
export interface StreamPlace {
  readonly plan: Plan;
  readonly name: string;
  readonly node: GraphNode;
  /** Names of the sources whose partitions decide where the stream's records are processed. */
  readonly sources: ReadonlySet<string>;
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
  /** Whether the key may have changed since the records were partitioned. */
  readonly repartitionRequired: boolean;
}

/** What a stream knows of its place in the plan: the untyped half of `KStream`. Kafka Streams: `AbstractStream`, `KStreamImpl`. */
export class StreamHandle implements StreamPlace {
  readonly plan: Plan;
  readonly name: string;
  readonly node: GraphNode;
  readonly sources: ReadonlySet<string>;
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
  readonly repartitionRequired: boolean;
  /** The repartition step of this stream's unnamed joins, which they share. */
  #joinRepartition: GraphNode | undefined;

  constructor(place: StreamPlace) {
    this.plan = place.plan;
    this.name = place.name;
    this.node = place.node;
    this.sources = place.sources;
    this.key = place.key;
    this.value = place.value;
    this.repartitionRequired = place.repartitionRequired;
  }

  /** The same place but for these facts. */
  with(changes: Partial<StreamPlace>): StreamHandle {
    return new StreamHandle({
      plan: this.plan,
      name: this.name,
      node: this.node,
      sources: this.sources,
      key: this.key,
      value: this.value,
      repartitionRequired: this.repartitionRequired,
      ...changes,
    });
  }

  /** Adds one processor behind this stream. */
  step(
    name: string,
    supplier: SupplierOrFactory,
    options: {
      readonly traits?: GraphTraits;
      readonly storeNames?: readonly string[];
      readonly changes?: Partial<StreamPlace>;
    } = {},
  ): StreamHandle {
    const { traits, storeNames, changes } = options;
    const node = processorNode(name, supplier, traits, { storeNames });
    this.plan.add(node, this.node);
    return this.with({ name, node, ...changes });
  }

  /**
   * The stream behind a repartition topic, as joins need it. Kafka Streams: `repartitionForJoin`.
   *
   * @param prefix the topic's name but for `-repartition`
   * @throws {TopologyException} when a serde is not known
   */
  repartitionForJoin(
    prefix: string,
    options: {
      readonly key: Serde<any> | undefined;
      readonly value: Serde<any> | undefined;
      readonly isNamed: boolean;
    },
  ): StreamHandle {
    const step = `the repartition topic ${prefix}-repartition`;
    const key = this.plan.keySerde(options.key ?? this.key, step);
    const value = this.plan.valueSerde(options.value ?? this.value, step);
    const planned = planRepartition(this.plan, prefix, {
      key,
      value,
      mergeable: true,
      isNamed: options.isNamed,
    });
    if (this.#joinRepartition === undefined || prefix !== this.name) {
      this.#joinRepartition = planned;
      this.plan.add(planned, this.node);
    }
    const node = this.#joinRepartition;
    return this.with({
      name: node.name,
      node,
      sources: new Set([node.name]),
      key,
      value,
      repartitionRequired: false,
    });
  }
}
