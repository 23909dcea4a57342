/**
 * How the results of an operator are kept: the options, and what they come to once names and defaults are known.
 *
 * @module
 */
import type { Serde } from "../serde/serde.ts";
import type { DslStoreSuppliers } from "../state/dsl_suppliers.ts";
import type {
  KeyValueStoreSupplier,
  SessionStoreSupplier,
  VersionedStoreSupplier,
  WindowStoreSupplier,
} from "../state/suppliers.ts";
import { checkName } from "./naming.ts";
import type { Plan } from "./plan.ts";

/** Suppliers of stores for tables without windows. */
export type TableStoreSupplier = KeyValueStoreSupplier | VersionedStoreSupplier;
/** Any supplier that an operator takes. */
export type AnyStoreSupplier = TableStoreSupplier | WindowStoreSupplier | SessionStoreSupplier;

/** How an operator keeps its results. Kafka Streams: `Materialized`. */
export interface Materialized<K, V, Supplier = TableStoreSupplier> {
  /** The store's name, which makes it queryable and keeps its changelog over changes of the topology; or its supplier. */
  readonly store?: string | Supplier;
  readonly key?: Serde<K>;
  readonly value?: Serde<V>;
  /** Hold updates back until the commit, so that several to one key become one. Default: true. */
  readonly caching?: boolean;
  /** Write a changelog; settings of its topic may be given. Default: true. */
  readonly logging?: boolean | Readonly<Record<string, string>>;
  /** How long (ms) windows or sessions are kept. Default: as long as they take records. */
  readonly retention?: number;
  /** Chooses the store where no supplier is given. Default: that of the builder. */
  readonly stores?: DslStoreSuppliers;
}

/** `Materialized`, and the name of the operator's own node. */
export interface NamedMaterialized<K, V, Supplier = TableStoreSupplier>
  extends Materialized<K, V, Supplier> {
  /** The processor's name. */
  readonly name?: string;
}

/** What a `Materialized` comes to. */
export interface StoreSpec<Supplier = TableStoreSupplier> {
  readonly name: string;
  /** The name, if the user chose it. */
  readonly queryableName: string | undefined;
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
  readonly supplier: Supplier | undefined;
  readonly caching: boolean;
  readonly logging: boolean;
  readonly logConfig: Readonly<Record<string, string>>;
  readonly retention: number | undefined;
  readonly stores: DslStoreSuppliers;
}

/** Whether options say anything of a store or its serdes: what in Java is whether a `Materialized` is passed. */
export function isMaterialized(options: Materialized<any, any, any> | undefined): boolean {
  if (options === undefined) return false;
  const { store, key, value, caching, logging, retention, stores } = options;
  return [store, key, value, caching, logging, retention, stores].some((o) => o !== undefined);
}

/** The name that the user gave the store, by itself or by a supplier. */
export function givenStoreName(
  options: Materialized<any, any, AnyStoreSupplier> | undefined,
): string | undefined {
  const store = options?.store;
  return store === undefined || typeof store === "string" ? store : store?.name;
}

/**
 * The store of an operator; without a name of the user's one is generated.
 *
 * @param prefix what a generated name begins with
 * @throws {TopologyException} when the name is not one
 * @throws {RangeError} when the retention is negative, or a supplier and a choice of suppliers are given
 */
export function storeSpec<Supplier extends AnyStoreSupplier>(
  plan: Plan,
  options: Materialized<any, any, Supplier>,
  prefix: string,
): StoreSpec<Supplier> {
  const { store, logging = true, retention } = options;
  const isSupplier = store !== undefined && typeof store !== "string";
  if (retention !== undefined && !(retention >= 0)) {
    throw new RangeError(
      `Cannot keep results as the retention must not be negative: current value is ${retention}`,
    );
  }
  if (isSupplier && typeof (store as AnyStoreSupplier | null)?.kind !== "string") {
    throw new TypeError(
      `Cannot keep results as store must be a name or a supplier, such as persistentKeyValueStore("name"): current value is ${store}`,
    );
  }
  if (options.stores !== undefined && typeof options.stores?.keyValueStore !== "function") {
    throw new TypeError(
      `Cannot keep results as stores must be lmdbStores, inMemoryStores or other suppliers: current value is ${options.stores}`,
    );
  }
  if (isSupplier && options.stores !== undefined) {
    throw new RangeError(
      `Cannot choose the stores of ${store.name} as its supplier is given already: current value is both store and stores`,
    );
  }
  if (typeof store === "string") checkName(store);
  const given = isSupplier ? store.name : store;
  const name = given ?? plan.generateStore(prefix);
  const spec: StoreSpec<Supplier> = Object.freeze({
    name,
    queryableName: given,
    key: options.key,
    value: options.value,
    supplier: isSupplier ? store : undefined,
    caching: options.caching ?? true,
    logging: logging !== false,
    logConfig: typeof logging === "object" ? logging : {},
    retention,
    stores: options.stores ?? plan.defaults.stores,
  });
  if (given === undefined) noteGeneratedStore(plan, name, spec.logging);
  if (isSupplier && store.kind === "versioned") {
    plan.noteHistoryRetention(name, store.historyRetentionMs);
  }
  return spec;
}

/** Notes that a store's name, and its changelog's, were generated. */
export function noteGeneratedStore(plan: Plan, name: string, logging: boolean): void {
  plan.noteGenerated(name);
  if (logging) plan.noteGenerated(`${name}-changelog`);
}

/** Whether the store keeps versions. */
export function isVersionedSpec(spec: StoreSpec | undefined): boolean {
  return spec?.supplier?.kind === "versioned";
}

/** Whether the options ask for a versioned store. */
export function asksForVersions(options: Materialized<any, any> | undefined): boolean {
  const store = options?.store;
  return typeof store === "object" && store?.kind === "versioned";
}
