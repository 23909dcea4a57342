/**
 * What tables offer to the operators downstream of them: a lookup by key, and old values on request.
 *
 * @module
 */
import type { Change } from "../../record/change.ts";
import type { ValueAndTimestamp } from "../../state/store.ts";
import type { ProcessingContext, ProcessorSupplier } from "../../topology/processor.ts";

/** Looks up rows of a table that is materialized, or computed from one that is. Kafka Streams: `KTableValueGetter`. */
export interface KTableValueGetter<K, V> {
  /** Called once, in the `init` of the processor that reads. */
  init(context: ProcessingContext): void;
  get(key: K): ValueAndTimestamp<V> | null;
  /** The row as it was at `timestamp` (epoch ms). Only where `isVersioned()`. */
  getAsOf(key: K, timestamp: number): ValueAndTimestamp<V> | null;
  /** Known after `init`. */
  isVersioned(): boolean;
  close?(): void;
}

/** Makes a getter for each task, and names the stores that its processor must be connected to. Kafka Streams: `KTableValueGetterSupplier`. */
export interface KTableValueGetterSupplier<K, V> {
  get(): KTableValueGetter<K, V>;
  storeNames(): readonly string[];
}

/** A step that makes a table of a table. Kafka Streams: `KTableProcessorSupplier`. */
export interface KTableProcessorSupplier<KIn, VIn, KOut, VOut>
  extends ProcessorSupplier<KIn, Change<VIn>, KOut, Change<VOut>> {
  view(): KTableValueGetterSupplier<KOut, VOut>;
  /**
   * Asks for old values in the changes that are forwarded, `forceMaterialization` also at the price of a store upstream.
   * Gives whether they will be there.
   */
  enableSendingOldValues(forceMaterialization: boolean): boolean;
}

/** A step that makes a table of a stream; it always has a store. Kafka Streams: `KStreamAggProcessorSupplier`. */
export interface KStreamAggProcessorSupplier<KIn, VIn, KOut, VOut>
  extends ProcessorSupplier<KIn, VIn, KOut, Change<VOut>> {
  view(): KTableValueGetterSupplier<KOut, VOut>;
  enableSendingOldValues(): void;
}

/** What a table operator needs of the table it stands on; the DSL's KTable is one. */
export interface ParentTable<K, V> {
  valueGetterSupplier(): KTableValueGetterSupplier<K, V>;
  enableSendingOldValues(forceMaterialization: boolean): boolean;
}

/** The names of several suppliers' stores, each once. */
export function unionOfStoreNames(
  ...suppliers: readonly { storeNames(): readonly string[] }[]
): readonly string[] {
  return [...new Set(suppliers.flatMap((supplier) => supplier.storeNames()))];
}
