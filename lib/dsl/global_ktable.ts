import type { KTableValueGetterSupplier } from "./processors/table.ts";

/**
 * A table that every instance holds whole: streams join it by any key, without repartitioning, and without waiting for it in time.
 * Kafka Streams: `GlobalKTable`.
 */
export class GlobalKTable<K, V> {
  /** Only in the type. */
  declare readonly "~row": (row: readonly [K, V]) => readonly [K, V];
  /** The store's name for queries. */
  readonly queryableStoreName: string | undefined;
  /** Reads the table. */
  readonly view: KTableValueGetterSupplier<K, V>;

  constructor(options: {
    readonly queryableStoreName: string | undefined;
    readonly view: KTableValueGetterSupplier<K, V>;
  }) {
    this.queryableStoreName = options.queryableStoreName;
    this.view = options.view;
  }
}
