import { NotBuiltError } from "../errors.ts";
import type { StateStore, StoreBuilder } from "../state/store.ts";
import type { StoreSerdes } from "../state/stores.ts";
import type { VersionedStoreSupplier } from "../state/suppliers.ts";

/** Rows with their history. @throws {NotBuiltError} always */
export function versionedKeyValueStoreBuilder(
  supplier: VersionedStoreSupplier,
  _serdes: StoreSerdes<any, any>,
): StoreBuilder<StateStore> {
  throw new NotBuiltError(
    `Cannot make the store ${supplier.name} as versioned stores are not built`,
  );
}
