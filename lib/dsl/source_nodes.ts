/**
 * The steps at a topology's ends: sources, sinks, and stores that are added by themselves.
 *
 * @module
 */
import type { Serde } from "../serde/serde.ts";
import type { StoreBuilder } from "../state/store.ts";
import type { AutoOffsetReset, StreamPartitioner } from "../topology/processor.ts";
import type { TopicNameExtractor } from "../topology/processor.ts";
import type { Topology } from "../topology/topology.ts";
import type {
  GlobalStoreOptions,
  SinkOptions,
  SourceOptions,
} from "../topology/topology_options.ts";
import type { GraphNode, WriteChoices } from "./graph.ts";
import type { KTableSource } from "./processors/ktable_source.ts";

/** Reads topics or those of a pattern. Kafka Streams: `StreamSourceNode`. */
export function streamSourceNode(
  name: string,
  topics: readonly string[] | RegExp,
  options: SourceOptions,
): GraphNode {
  const pattern = topics instanceof RegExp ? topics : undefined;
  const list = topics instanceof RegExp ? [] : [...new Set(topics)];
  return Object.freeze({
    name,
    traits: { source: { topics: list, pattern, offsetReset: resetText(options.offsetReset) } },
    write: (topology: Topology) => void topology.addSource(name, pattern ?? list, options),
  });
}

function resetText(reset: AutoOffsetReset | undefined): string {
  return reset === undefined ? "default" : JSON.stringify(reset);
}

/** What a table's source is made of. */
export interface TableSourceOptions {
  readonly name: string;
  readonly sourceName: string;
  readonly topic: string;
  readonly source: SourceOptions;
  readonly table: KTableSource<any, any>;
  readonly store: StoreBuilder;
  readonly versioned: boolean;
}

/** Reads a topic into a table; the optimizer may make the topic the store's changelog. Kafka Streams: `TableSourceNode`. */
export function tableSourceNode(options: TableSourceOptions): GraphNode {
  const { name, sourceName, topic, source, table, store, versioned } = options;
  return Object.freeze({
    name,
    traits: { isTableSource: true, versioned },
    write(topology: Topology, { reuseSourceTopic }: WriteChoices) {
      topology.addSource(sourceName, topic, source);
      topology.addProcessor(name, table, sourceName);
      if (reuseSourceTopic && table.materialized) {
        topology.overrideStateStore(store.withLoggingDisabled());
        topology.connectSourceStoreAndTopic(store.name, topic);
      }
    },
  });
}

/** Fills a store of every instance from a topic. Kafka Streams: `GlobalStoreNode`, and `TableSourceNode` of a global table. */
export function globalStoreNode(options: GlobalStoreOptions): GraphNode {
  return Object.freeze({
    name: options.processorName,
    traits: {},
    write: (topology: Topology) => void topology.addGlobalStore(options),
  });
}

/** Adds a store that steps connect to by name. Kafka Streams: `StateStoreNode`. */
export function stateStoreNode(store: StoreBuilder): GraphNode {
  return Object.freeze({
    name: store.name,
    traits: {},
    write: (topology: Topology) => void topology.addStateStore(store),
  });
}

/** Writes to a topic, internal or the user's. Kafka Streams: `StreamSinkNode`. */
export function sinkNode(
  name: string,
  topic: string | TopicNameExtractor<any, any>,
  options: SinkOptions & { readonly isInternal?: boolean },
): GraphNode {
  const { isInternal = false, ...sink } = options;
  return Object.freeze({
    name,
    traits: {},
    write(topology: Topology, { parents }: WriteChoices) {
      if (isInternal && typeof topic === "string") topology.addInternalTopic(topic);
      topology.addSink(name, topic, sink, ...parents);
    },
  });
}

/** The repartition topic of a grouped table: no filter, changes as values. Kafka Streams: `GroupedTableOperationRepartitionNode`. */
export function changesRepartitionNode(options: {
  readonly topic: string;
  readonly sinkName: string;
  readonly sourceName: string;
  readonly key: Serde<any>;
  readonly value: Serde<any>;
  readonly source: SourceOptions;
  readonly partitioner?: StreamPartitioner<any, any>;
}): GraphNode {
  const { topic, sinkName, sourceName, key, value, source, partitioner } = options;
  return Object.freeze({
    name: sourceName,
    traits: { repartition: { topic, key, value, mergeable: false, filtersNullKeys: false } },
    write(topology: Topology, { parents }: WriteChoices) {
      topology.addInternalTopic(topic);
      topology.addSink(sinkName, topic, { key, value, partitioner }, ...parents);
      topology.addSource(sourceName, topic, { ...source, key, value });
    },
  });
}
