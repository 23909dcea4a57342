/**
 * The stores of a stream-stream join: a window store of each side, and the shared list of records that wait for a match.
 * Kafka Streams: `StreamJoinedStoreFactory`, `OuterStreamJoinStoreFactory`.
 *
 * @module
 */
import { StreamsException } from "../errors.ts";
import type { Serde } from "../serde/serde.ts";
import { inMemoryStores, lmdbStores } from "../state/dsl_suppliers.ts";
import type { StateStore, StoreBuilder } from "../state/store.ts";
import { listStoreBuilder } from "../state/buffers.ts";
import { windowStoreBuilder } from "../state/stores.ts";
import type { WindowStoreSupplier } from "../state/suppliers.ts";
import type { StreamJoinSettings } from "./kstream_join.ts";
import { noteGeneratedStore } from "./materialized.ts";
import { checkName, PREFIX } from "./naming.ts";
import type { Plan } from "./plan.ts";
import { LeftOrRightValueSerde, TimestampedKeyAndJoinSideSerde } from "./processors/join_side.ts";
import { type JoinWindows, windowSizeMs } from "./windows.ts";

/** What the stores of a join are made of. */
export interface JoinStoreOptions {
  readonly kind: "inner" | "left" | "outer";
  readonly windows: JoinWindows;
  readonly options: StreamJoinSettings;
  readonly key: Serde<any>;
  readonly value: Serde<any>;
  readonly otherValue: Serde<any>;
  readonly names: {
    readonly generatedThis: string;
    readonly generatedOther: string;
    readonly thisSuffix: string;
    readonly otherSuffix: string;
  };
}

/** The stores of a join. */
export interface JoinStores {
  readonly thisStore: StoreBuilder;
  readonly otherStore: StoreBuilder;
  /** Absent for an inner join. */
  readonly outerStore: StoreBuilder | undefined;
}

/** Makes the stores. @throws {StreamsException} when given suppliers do not fit the windows or share a name */
export function joinStores(plan: Plan, join: JoinStoreOptions): JoinStores {
  const { options, names } = join;
  const { store, thisStore, otherStore } = options;
  if (store !== undefined) checkName(store);
  if (thisStore !== undefined && thisStore.name === otherStore?.name) {
    throw new StreamsException(
      `Cannot join streams as both stores must have names of their own: current value is ${thisStore.name} for both`,
    );
  }
  const nameOf = (generated: string, suffix: string) =>
    `${store === undefined ? generated : store + suffix}-store`;
  const stores: JoinStores = {
    thisStore: windowStore(
      plan,
      join,
      thisStore,
      nameOf(names.generatedThis, names.thisSuffix),
      join.value,
    ),
    otherStore: windowStore(
      plan,
      join,
      otherStore,
      nameOf(names.generatedOther, names.otherSuffix),
      join.otherValue,
    ),
    outerStore: join.kind === "inner" ? undefined : waitingStore(plan, join),
  };
  if (store === undefined) {
    for (const made of [stores.thisStore, stores.otherStore, stores.outerStore]) {
      if (made !== undefined) noteGeneratedStore(plan, made.name, made.loggingEnabled);
    }
  }
  return stores;
}

function windowStore(
  plan: Plan,
  { windows, options, key }: JoinStoreOptions,
  given: WindowStoreSupplier | undefined,
  name: string,
  value: Serde<any>,
): StoreBuilder {
  const sizeMs = windowSizeMs(windows);
  const retentionMs = sizeMs + windows.graceMs;
  if (given !== undefined) assertFits(given, sizeMs, retentionMs);
  const supplier = given ?? (options.stores ?? plan.defaults.stores).windowStore({
    name,
    retentionMs,
    windowSizeMs: sizeMs,
    retainDuplicates: true,
    emitOnClose: false,
    timestamped: false,
  });
  return logged(windowStoreBuilder(supplier, { key, value }), options, {
    "cleanup.policy": "delete",
  });
}

function assertFits(supplier: WindowStoreSupplier, sizeMs: number, retentionMs: number): void {
  if (!supplier.retainDuplicates) {
    throw new StreamsException(
      `Cannot join streams with the store ${supplier.name} as it must keep duplicates: current value is retainDuplicates false`,
    );
  }
  if (supplier.windowSizeMs === sizeMs && supplier.retentionMs === retentionMs) return;
  throw new StreamsException(
    `Cannot join streams with the store ${supplier.name} as its window size must be ${sizeMs} ms and its retention ${retentionMs} ms, those of the windows: ` +
      `current value is ${supplier.windowSizeMs} ms and ${supplier.retentionMs} ms`,
  );
}

function waitingStore(plan: Plan, join: JoinStoreOptions): StoreBuilder {
  const { kind, options, names, key, value, otherValue } = join;
  const suffix = kind === "outer" ? "-outer-shared-join" : "-left-shared-join";
  const base = options.thisStore?.name ?? options.store;
  const prefix = kind === "outer" ? PREFIX.outerThis : PREFIX.joinThis;
  const name = base === undefined
    ? PREFIX.outerShared + names.generatedThis.slice(prefix.length)
    : base + suffix;
  const supplier = suppliersOf(plan, options)
    .keyValueStore({ name: `${name}-store`, timestamped: false });
  const builder = listStoreBuilder(supplier, {
    key: new TimestampedKeyAndJoinSideSerde(key),
    value: new LeftOrRightValueSerde(value, otherValue),
  });
  return logged(builder, options, {});
}

/** Where this side's store is in memory, so are the waiting records. */
function suppliersOf(plan: Plan, { stores, thisStore }: StreamJoinSettings) {
  if (stores !== undefined) return stores;
  if (thisStore === undefined) return plan.defaults.stores;
  return thisStore.engine === "memory" ? inMemoryStores : lmdbStores;
}

function logged<S extends StateStore>(
  builder: StoreBuilder<S>,
  { logging = true }: StreamJoinSettings,
  config: Readonly<Record<string, string>>,
): StoreBuilder<S> {
  if (logging === false) return builder.withLoggingDisabled();
  return builder.withLoggingEnabled({ ...(logging === true ? {} : logging), ...config });
}
