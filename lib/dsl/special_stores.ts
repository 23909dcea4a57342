import { NotBuiltError } from "../errors.ts";
import type { StateStore, StoreBuilder } from "../state/store.ts";
import type { StoreSerdes } from "../state/stores.ts";
import type { KeyValueStoreSupplier, VersionedStoreSupplier } from "../state/suppliers.ts";

/** Rows with their history. */
export function versionedKeyValueStoreBuilder(
  supplier: VersionedStoreSupplier,
  _serdes: StoreSerdes<any, any>,
): StoreBuilder<StateStore> {
  throw missing("versioned stores", supplier.name);
}

/** Several values a key, in the order of their addition. */
export function listValueStoreBuilder(
  supplier: KeyValueStoreSupplier,
  _serdes: StoreSerdes<any, any>,
): StoreBuilder<StateStore> {
  throw missing("list stores", supplier.name);
}

/** Changes by time, one a key. */
export function changeBufferBuilder(
  name: string,
  _serdes: StoreSerdes<any, any>,
): StoreBuilder<StateStore> {
  throw missing("buffers of changes", name);
}

/** Records by time. */
export function recordBufferBuilder(
  name: string,
  _serdes: StoreSerdes<any, any>,
  _graceMs: number,
): StoreBuilder<StateStore> {
  throw missing("buffers of records", name);
}

function missing(what: string, name: string): NotBuiltError {
  return new NotBuiltError(`Cannot make the store ${name} as ${what} are not built`);
}
