import type { StoreBuilder } from "../state/store.ts";

/** @throws {TypeError} when what is to be added as a store is no builder of one */
export function checkStoreBuilder(builder: StoreBuilder): void {
  if (typeof builder?.build === "function" && typeof builder.name === "string") return;
  throw new TypeError(
    `Cannot add a store as it must be made by a store builder, such as keyValueStoreBuilder(…): current value is ${builder}`,
  );
}
