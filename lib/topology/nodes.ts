/**
 * A topology's nodes as plain, frozen data. Topic names are as the user wrote them; the prefix of internal topics is added when the
 * topology is compiled for an application.
 *
 * @module
 */
import type { Serde } from "../serde/serde.ts";
import type {
  AutoOffsetReset,
  FixedKeyProcessorSupplier,
  ProcessorSupplier,
  StreamPartitioner,
  TimestampExtractor,
  TopicNameExtractor,
} from "./processor.ts";

/** Reads topics. */
export interface SourceNode {
  readonly kind: "source";
  readonly name: string;
  readonly parents: readonly string[];
  /** Empty when it reads by pattern. */
  readonly topics: readonly string[];
  readonly pattern: RegExp | undefined;
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
  readonly timestampExtractor: TimestampExtractor | undefined;
  readonly offsetReset: AutoOffsetReset | undefined;
}

/** Any supplier of processors: a fixed-key processor is driven the same way, it only sees less. */
export type AnyProcessorSupplier =
  | ProcessorSupplier<any, any, any, any>
  | FixedKeyProcessorSupplier<any, any, any>;

/** Runs a processor. */
export interface ProcessorNode {
  readonly kind: "processor";
  readonly name: string;
  readonly parents: readonly string[];
  readonly supplier: AnyProcessorSupplier;
}

/** Writes to a topic. */
export interface SinkNode {
  readonly kind: "sink";
  readonly name: string;
  readonly parents: readonly string[];
  /** A topic name, or a function that chooses one for each record. */
  readonly topic: string | TopicNameExtractor<any, any>;
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
  readonly partitioner: StreamPartitioner<any, any> | undefined;
}

/** A step of a topology. */
export type TopologyNode = SourceNode | ProcessorNode | SinkNode;
