/**
 * What a topology is told of its sources, sinks and global stores.
 *
 * @module
 */
import type { Serde } from "../serde/serde.ts";
import type { StoreBuilder } from "../state/store.ts";
import type { AutoOffsetReset, StreamPartitioner, TimestampExtractor } from "./processor.ts";
import type { ProcessorWrapper, SupplierOrFactory } from "./suppliers.ts";

/** How a source reads. Serdes that are left out are the configuration's defaults. */
export interface SourceOptions<K = any, V = any> {
  readonly key?: Serde<K>;
  readonly value?: Serde<V>;
  readonly timestampExtractor?: TimestampExtractor;
  readonly offsetReset?: AutoOffsetReset;
}

/** How a sink writes. */
export interface SinkOptions<K = any, V = any> {
  readonly key?: Serde<K>;
  readonly value?: Serde<V>;
  readonly partitioner?: StreamPartitioner<K, V>;
}

/** A store that every task sees whole. */
export interface GlobalStoreOptions<K = any, V = any> extends SourceOptions<K, V> {
  readonly store: StoreBuilder;
  readonly sourceName: string;
  readonly topic: string;
  readonly processorName: string;
  readonly supplier: SupplierOrFactory;
  /** Whether a restore runs the processor instead of copying bytes (KIP-813). Default true, as for `Topology.addGlobalStore`. */
  readonly reprocessOnRestore?: boolean;
}

/** What goes for a whole topology. */
export interface TopologyOptions {
  /** Put around every processor. */
  readonly processorWrapper?: ProcessorWrapper;
}
