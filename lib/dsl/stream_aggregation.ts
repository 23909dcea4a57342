import type { Serde } from "../serde/serde.ts";
import { long } from "../serde/primitives.ts";
import { type GraphNode, type GraphTraits, processorNode } from "./graph.ts";
import { checkName } from "./naming.ts";
import type { KStreamAggProcessorSupplier } from "./processors/table.ts";
import { planRepartition } from "./repartition_node.ts";
import type { StreamHandle } from "./stream_handle.ts";
import { aggregateOrigin, TableHandle } from "./table_handle.ts";

/** Counts are whole numbers in 64 bits. */
export const COUNT_SERDE: Serde<number> = long();
/** What counting starts with. */
export const zero = (): number => 0;
/** Counting. */
export const increment = (count: number): number => count + 1;

/** What an aggregate of a stream is made of. */
export interface StreamAggregation {
  /** The processor's name. */
  readonly name: string;
  readonly supplier: KStreamAggProcessorSupplier<any, any, any, any>;
  readonly storeName: string;
  /** The store's name, if the user chose it. */
  readonly queryableName: string | undefined;
  /** The serdes of the resulting table. */
  readonly key: Serde<any>;
  readonly value: Serde<any>;
  readonly traits: GraphTraits;
}

/** A grouped stream's place in the plan, and the repartition topic that a named grouping shares. Kafka Streams: `GroupedStreamAggregateBuilder`. */
export class GroupedHandle {
  readonly stream: StreamHandle;
  /** The name that the user gave the grouping, and so its repartition topic. */
  readonly name: string | undefined;
  #repartition: GraphNode | undefined;

  constructor(stream: StreamHandle, name: string | undefined) {
    if (name !== undefined) checkName(name);
    this.stream = stream;
    this.name = name;
  }

  /**
   * Plans the repartition step in front of an aggregate, whose store names the topic when the grouping does not.
   *
   * @throws {TopologyException} when a serde is not known
   */
  planRepartition(storeName: string, queryableName: string | undefined): GraphNode {
    const { plan, key, value } = this.stream;
    const prefix = this.name ?? storeName;
    const step = `the repartition topic ${prefix}-repartition`;
    return planRepartition(plan, prefix, {
      key: plan.keySerde(key, step),
      value: plan.valueSerde(value, step),
      mergeable: true,
      isNamed: this.name !== undefined || queryableName !== undefined,
    });
  }

  /** Adds an aggregate, behind a repartition topic where the key has changed. */
  aggregate(aggregation: StreamAggregation): TableHandle {
    const { stream } = this;
    const { plan } = stream;
    let parent = stream.node;
    let sources = stream.sources;
    if (stream.repartitionRequired) {
      const { storeName, queryableName } = aggregation;
      const planned = this.planRepartition(storeName, queryableName);
      // Aggregates of a named grouping share its topic.
      if (this.#repartition === undefined || this.name === undefined) this.#repartition = planned;
      plan.add(this.#repartition, stream.node);
      parent = this.#repartition;
      sources = new Set([parent.name]);
    }
    const node = processorNode(aggregation.name, aggregation.supplier, aggregation.traits);
    plan.add(node, parent);
    return new TableHandle({
      plan,
      name: aggregation.name,
      node,
      sources,
      key: aggregation.key,
      value: aggregation.value,
      queryableName: aggregation.queryableName,
      origin: aggregateOrigin(aggregation.supplier),
    });
  }
}
