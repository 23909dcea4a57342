/**
 * The steps that make a table of one table's rows.
 *
 * @module
 */
import type { StoreBuilder } from "../state/store.ts";
import { needFunctions } from "./checks.ts";
import type { GraphTraits } from "./graph.ts";
import {
  asksForVersions,
  isMaterialized,
  type NamedMaterialized,
  type StoreSpec,
  storeSpec,
} from "./materialized.ts";
import { PREFIX } from "./naming.ts";
import type { Predicate, ValueMapper } from "./processors/functions.ts";
import { KTableFilter } from "./processors/ktable_filter.ts";
import { KTableMapValues } from "./processors/ktable_map_values.ts";
import {
  KTableTransformValues,
  type ValueTransformer,
} from "./processors/ktable_transform_values.ts";
import { tableStoreBuilder } from "./store_builders.ts";
import type { TableHandle } from "./table_handle.ts";

/** What a step's own store comes to: none unless the user named one. */
interface OwnStore {
  readonly store: StoreBuilder | undefined;
  readonly queryableName: string | undefined;
  readonly traits: GraphTraits;
}

/** Whether the number of an unnamed store is used up although no store is made; transformValues does not. */
type Numbering = "counts" | "does not count";

function ownStore(
  table: TableHandle,
  options: NamedMaterialized<any, any>,
  prefix: string,
  numbering: Numbering,
): OwnStore {
  if (!isMaterialized(options)) return { store: undefined, queryableName: undefined, traits: {} };
  const { plan } = table;
  const traits = { versioned: asksForVersions(options) };
  if (options.store === undefined) {
    if (numbering === "counts") plan.generateStore(prefix);
    return { store: undefined, queryableName: undefined, traits };
  }
  const key = options.key ?? table.key;
  const spec: StoreSpec = storeSpec(plan, { ...options, key }, prefix);
  return { store: tableStoreBuilder(plan, spec), queryableName: spec.queryableName, traits };
}

/** Adds a filter of rows. Kafka Streams: `KTableImpl.doFilter`. */
export function filterRows(
  table: TableHandle,
  predicate: Predicate<any, any>,
  accepted: "keep" | "drop",
  options: NamedMaterialized<any, any>,
): TableHandle {
  needFunctions(accepted === "keep" ? "filter" : "filterNot", { predicate });
  const key = options.key ?? table.key;
  const value = options.value ?? table.value;
  const withSerdes = isMaterialized(options) ? { ...options, key, value } : options;
  const own = ownStore(table, withSerdes, PREFIX.tableFilter, "counts");
  const name = table.plan.nameOr(options.name, PREFIX.tableFilter);
  const { store } = own;
  const not = accepted === "drop";
  const supplier = new KTableFilter<any, any>({ parent: table, predicate, not, store });
  return table.step(name, supplier, {
    traits: own.traits,
    useVersionedParent: () => supplier.useVersionedSemantics(true),
    changes: { key, value, queryableName: own.queryableName },
  });
}

/** Adds a mapper of rows. Kafka Streams: `KTableImpl.doMapValues`. */
export function mapRows(
  table: TableHandle,
  mapper: ValueMapper<any, any, any>,
  options: NamedMaterialized<any, any>,
): TableHandle {
  needFunctions("mapValues", { mapper });
  const own = ownStore(table, options, PREFIX.tableMapValues, "counts");
  const name = table.plan.nameOr(options.name, PREFIX.tableMapValues);
  const { store } = own;
  const supplier = new KTableMapValues<any, any, any>({ parent: table, mapper, store });
  return table.step(name, supplier, {
    traits: own.traits,
    changes: {
      key: options.key ?? table.key,
      value: options.value,
      queryableName: own.queryableName,
    },
  });
}

/** A value transformer, with the names of the stores it uses. Kafka Streams: `ValueTransformerWithKeySupplier`. */
export type Transforming<K, V, R> =
  | (() => ValueTransformer<K, V, R>)
  | { readonly stores: readonly string[]; get(): ValueTransformer<K, V, R> };

/** Adds a transformer of rows. Kafka Streams: `KTableImpl.doTransformValues`. */
export function transformRows(
  table: TableHandle,
  transforming: Transforming<any, any, any>,
  options: NamedMaterialized<any, any>,
): TableHandle {
  const isFunction = typeof transforming === "function";
  const transformer = isFunction ? transforming : () => transforming.get();
  needFunctions("transformValues", { get: isFunction ? transforming : transforming?.get });
  const own = ownStore(table, options, PREFIX.tableTransformValues, "does not count");
  const name = table.plan.nameOr(options.name, PREFIX.tableTransformValues);
  const { store } = own;
  const supplier = new KTableTransformValues<any, any, any>({ parent: table, transformer, store });
  return table.step(name, supplier, {
    traits: own.traits,
    storeNames: isFunction ? [] : transforming.stores,
    changes: {
      key: options.key ?? table.key,
      value: options.value,
      queryableName: own.queryableName,
    },
  });
}
