import type { Change } from "../../record/change.ts";
import type { Processor } from "../../topology/processor.ts";
import { PassThrough } from "./kstream_branch.ts";
import type {
  KStreamAggProcessorSupplier,
  KTableProcessorSupplier,
  KTableValueGetterSupplier,
} from "./table.ts";

/** Options of `KTablePassThrough`. */
export interface KTablePassThroughOptions<K, V> {
  /** The aggregates that share one store; at least one. */
  readonly parents: readonly KStreamAggProcessorSupplier<never, never, K, V>[];
}

/** Where the aggregates of a cogroup meet as one table; its rows are in their shared store. Kafka Streams: `KTablePassThrough`. */
export class KTablePassThrough<K, V> implements KTableProcessorSupplier<K, V, K, V> {
  readonly #parents: readonly KStreamAggProcessorSupplier<never, never, K, V>[];
  constructor(options: KTablePassThroughOptions<K, V>) {
    this.#parents = options.parents;
  }
  get(): Processor<K, Change<V>, K, Change<V>> {
    return new PassThrough<K, Change<V>>().get();
  }
  view(): KTableValueGetterSupplier<K, V> {
    return this.#parents[0].view();
  }
  enableSendingOldValues(_forceMaterialization: boolean): boolean {
    for (const parent of this.#parents) parent.enableSendingOldValues();
    return true;
  }
}
