/**
 * `to`: the writing of a stream to a topic.
 *
 * @module
 */
import type { Serde } from "../serde/serde.ts";
import type { StreamPartitioner, TopicNameExtractor } from "../topology/processor.ts";
import { mayHaveFunction } from "./checks.ts";
import { PREFIX } from "./naming.ts";
import { sinkNode } from "./source_nodes.ts";
import type { StreamHandle } from "./stream_handle.ts";
import { isTopic, type Topic } from "./topic.ts";

/**
 * Chooses partitions for a record: a number, several to send it to each, an empty list to drop it, undefined for the default,
 * which is by the key's bytes. Kafka Streams: `StreamPartitioner` (KIP-837).
 */
export type Partitioner<K, V> = (
  value: V,
  key: K,
  topic: string,
  partitionCount: number,
) => number | readonly number[] | undefined;

/** Chooses the topic of a record. Kafka Streams: `TopicNameExtractor`. */
export type TopicChooser<K, V> = (
  value: V,
  key: K,
  context: Parameters<TopicNameExtractor<K, V>>[2],
) => string;

/** How a stream is written. Kafka Streams: `Produced`. */
export interface Produced<K, V> {
  /** The sink's name. */
  readonly name?: string;
  readonly partitioner?: Partitioner<K, V>;
}

/** `Produced` with the serdes that may stand beside it. */
export interface ProducedAny extends Produced<any, any> {
  readonly key?: Serde<any>;
  readonly value?: Serde<any>;
}

/** Ends a stream in a topic. */
export function sink(
  stream: StreamHandle,
  target: Topic<any, any, any> | string | TopicChooser<any, any>,
  options: ProducedAny,
): void {
  const { plan } = stream;
  const isTyped = isTopic(target);
  const topic = isTyped ? target.topic : target;
  if (typeof topic !== "function" && (typeof topic !== "string" || topic === "")) {
    throw new TypeError(
      `Cannot write a stream as it needs a topic, its name, or a function that chooses it: current value is ${topic}`,
    );
  }
  const step = typeof topic === "string" ? `the sink to ${topic}` : "the sink";
  const key = plan.keySerde(options.key ?? (isTyped ? target.key : stream.key), step);
  const value = plan.valueSerde(options.value ?? (isTyped ? target.value : stream.value), step);
  mayHaveFunction("to", "partitioner", options.partitioner);
  if (isTyped) plan.declare(target.topic, target);
  const name = plan.nameOr(options.name, PREFIX.sink);
  const partitioner = options.partitioner && streamPartitioner(options.partitioner);
  plan.add(
    sinkNode(name, typeof topic === "string" ? topic : topicName(topic), {
      key,
      value,
      partitioner,
    }),
    stream.node,
  );
}

function topicName(chooser: TopicChooser<any, any>): TopicNameExtractor<any, any> {
  return (key, value, context) => chooser(value, key, context);
}

/** A partitioner in the form of the topology. */
export function streamPartitioner(partitioner: Partitioner<any, any>): StreamPartitioner<any, any> {
  // The lists of single partitions are made once, not per record.
  const single: (readonly number[])[] = [];
  return (topic, key, value, partitionCount) => {
    const chosen = partitioner(value, key, topic, partitionCount);
    return typeof chosen === "number" ? single[chosen] ??= [chosen] : chosen;
  };
}
