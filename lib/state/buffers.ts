import type { Serde } from "../serde/serde.ts";
import { GraceBuffer } from "./grace_buffer.ts";
import { ListStore } from "./list_store.ts";
import type { Change } from "../record/change.ts";
import type { KeyValueStore, StoreBuilder, TimeOrderedBuffer } from "./store.ts";
import { serdeList, StoreDefinition } from "./store_definition.ts";
import type { StoreSerdes } from "./stores.ts";
import { SuppressBuffer } from "./suppress_buffer.ts";
import type { KeyValueStoreSupplier } from "./suppliers.ts";

/** Where a buffer's rows lie between two runs. */
export interface BufferOptions<K, V> extends StoreSerdes<K, V> {
  /** Default: `lmdb`; in memory the rows come back from the changelog at each start. */
  readonly engine?: "lmdb" | "memory";
}

const NO_CACHE = { why: "a buffer holds records back itself", reaction: "ignored" } as const;

/** A builder of the buffer of `suppress`. Kafka Streams: `InMemoryTimeOrderedKeyValueChangeBuffer.Builder`. */
export function suppressBufferBuilder<K, V>(
  name: string,
  options: BufferOptions<K, V>,
): StoreBuilder<TimeOrderedBuffer<K, Change<V>, V>> {
  return new StoreDefinition<TimeOrderedBuffer<K, Change<V>, V>>({
    name,
    kind: "buffer",
    changelogPolicy: { cleanup: "compact" },
    serdes: serdeList(options.key, options.value),
    uncacheable: NO_CACHE,
    make: ({ logging }) =>
      new SuppressBuffer<K, V>({
        name,
        keySerde: options.key,
        valueSerde: options.value,
        persistent: options.engine !== "memory",
        logging,
      }),
  });
}

/**
 * A builder of the buffer of a stream-table join with a grace (ms). Kafka Streams: `RocksDBTimeOrderedKeyValueBuffer.Builder`.
 *
 * @throws {RangeError} when the grace is negative
 */
export function graceBufferBuilder<K, V>(
  name: string,
  options: BufferOptions<K, V> & { readonly graceMs: number },
): StoreBuilder<TimeOrderedBuffer<K, V>> {
  if (!(options.graceMs >= 0)) {
    throw new RangeError(
      `Cannot make buffer ${name} as its grace must not be negative: current value is ${options.graceMs}`,
    );
  }
  return new StoreDefinition<TimeOrderedBuffer<K, V>>({
    name,
    kind: "buffer",
    changelogPolicy: { cleanup: "compact" },
    serdes: serdeList(options.key, options.value),
    uncacheable: NO_CACHE,
    make: ({ logging }) =>
      new GraceBuffer<K, V>({
        name,
        keySerde: options.key,
        valueSerde: options.value,
        graceMs: options.graceMs,
        persistent: options.engine !== "memory",
        logging,
      }),
  });
}

/** A builder of list stores: several values per key, for the unmatched records of left and outer joins. Kafka Streams: `ListValueStoreBuilder`. */
export function listStoreBuilder<K, V>(
  supplier: KeyValueStoreSupplier,
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
): StoreBuilder<KeyValueStore<K, V>> {
  return new StoreDefinition<KeyValueStore<K, V>>({
    name: supplier.name,
    kind: "list",
    changelogPolicy: { cleanup: "compact" },
    serdes: serdeList(serdes.key, serdes.value),
    uncacheable: { why: "a list store is read rarely", reaction: "ignored" },
    make: ({ logging }) =>
      new ListStore<K, V>({
        supplier,
        keySerde: serdes.key,
        valueSerde: serdes.value,
        logging,
      }),
  });
}
