import type { Serde } from "../serde/serde.ts";
import { failOnInvalidTimestamp } from "../topology/timestamp_extractors.ts";
import type { StreamPartitioner } from "../topology/processor.ts";
import type { Topology } from "../topology/topology.ts";
import type { GraphNode, WriteChoices } from "./graph.ts";
import { isGeneratedStreamName, PREFIX } from "./naming.ts";
import type { Plan } from "./plan.ts";
import { PassThrough } from "./processors/kstream_branch.ts";
import { NullKeyFilter } from "./processors/kstream_filter.ts";

/** What a repartition step is made of. */
export interface RepartitionOptions {
  /** The topic's name without the application's prefix. */
  readonly topic: string;
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
  /** Whether the optimizer may merge it with others. */
  readonly mergeable: boolean;
  readonly partitioner?: StreamPartitioner<any, any>;
  readonly partitions?: number;
  /** Names of the nodes, where they are generated ones. */
  readonly names?: { readonly sink: string; readonly filter: string; readonly source: string };
}

/** A filter, a sink, the topic between, and a source. The step has the source's name. Kafka Streams: `BaseRepartitionNode`. */
export function repartitionNode(options: RepartitionOptions): GraphNode {
  const { topic, key, value, mergeable, partitioner, partitions } = options;
  const names = options.names ??
    { sink: `${topic}-sink`, filter: `${topic}-filter`, source: `${topic}-source` };
  return Object.freeze({
    name: names.source,
    traits: { repartition: { topic, key, value, mergeable, filtersNullKeys: true } },
    write(topology: Topology, { parents, dropNullKeys }: WriteChoices) {
      topology.addInternalTopic(topic, { partitions });
      const supplier = dropNullKeys ? new NullKeyFilter() : new PassThrough();
      topology.addProcessor(names.filter, supplier, ...parents);
      topology.addSink(names.sink, topic, { key, value, partitioner }, names.filter);
      topology.addSource(names.source, topic, {
        key,
        value,
        timestampExtractor: failOnInvalidTimestamp,
      });
    },
  });
}

/**
 * The repartition step of a stream. Three numbers are used up for its nodes, whatever they are called in the end.
 * Kafka Streams: `KStreamImpl.createRepartitionedSource`.
 *
 * @param prefix the topic's name but for `-repartition`
 */
export function planRepartition(
  plan: Plan,
  prefix: string,
  options: Omit<RepartitionOptions, "topic" | "names"> & { readonly isNamed: boolean },
): GraphNode {
  const topic = prefix.endsWith("-repartition") ? prefix : `${prefix}-repartition`;
  if (!options.isNamed) plan.noteGenerated(topic);
  const generated = {
    sink: plan.generate(PREFIX.sink),
    filter: plan.generate(PREFIX.filter),
    source: plan.generate(PREFIX.source),
  };
  const names = isGeneratedStreamName(prefix) ? generated : undefined;
  return repartitionNode({ ...options, topic, names });
}
