import type { Serde } from "../serde/serde.ts";
import { mayHaveFunction } from "./checks.ts";
import { checkName, PREFIX } from "./naming.ts";
import { planRepartition } from "./repartition_node.ts";
import { type Partitioner, streamPartitioner } from "./sink.ts";
import type { StreamHandle } from "./stream_handle.ts";

/** How a stream is repartitioned. Kafka Streams: `Repartitioned`. */
export interface Repartitioned<K, V> {
  /** The topic's name but for `-repartition`. */
  readonly name?: string;
  /** The topic's partition count. Default: the greatest of the sources upstream. */
  readonly partitions?: number;
  readonly partitioner?: Partitioner<K, V>;
}

/**
 * Sends a stream through a topic of the engine's own. Kafka Streams: `KStream.repartition`.
 *
 * @throws {RangeError} when the partition count is not positive
 * @throws {TopologyException} when a serde is not known
 */
export function repartition(
  stream: StreamHandle,
  options: Repartitioned<any, any> & { readonly key?: Serde<any>; readonly value?: Serde<any> },
): StreamHandle {
  const { plan } = stream;
  const { partitions } = options;
  if (partitions !== undefined && !(Number.isSafeInteger(partitions) && partitions > 0)) {
    throw new RangeError(
      `Cannot repartition a stream as partitions must be a positive whole number: current value is ${partitions}`,
    );
  }
  mayHaveFunction("repartition", "partitioner", options.partitioner);
  const name = options.name === undefined
    ? plan.generate(PREFIX.repartition)
    : checkName(options.name);
  const step = `the repartition topic ${name}-repartition`;
  const key = plan.keySerde(options.key ?? stream.key, step);
  const value = plan.valueSerde(options.value ?? stream.value, step);
  const node = planRepartition(plan, name, {
    key,
    value,
    partitions,
    partitioner: options.partitioner && streamPartitioner(options.partitioner),
    mergeable: false,
    isNamed: options.name !== undefined,
  });
  plan.add(node, stream.node);
  return stream.with({
    name: node.name,
    node,
    sources: new Set([node.name]),
    key,
    value,
    repartitionRequired: false,
  });
}
