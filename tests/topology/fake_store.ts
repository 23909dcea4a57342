import type { StateStore, StoreBuilder } from "../../lib/state/store.ts";

/** A builder that is only named and connected, never built. */
export function fakeStoreBuilder(name: string): StoreBuilder {
  const builder: StoreBuilder = {
    name,
    kind: "keyValue",
    loggingEnabled: true,
    cachingEnabled: false,
    logConfig: {},
    changelogPolicy: { cleanup: "compact" },
    serdes: [],
    withLoggingEnabled: () => builder,
    withLoggingDisabled: () => builder,
    withCachingEnabled: () => builder,
    withCachingDisabled: () => builder,
    build(): StateStore {
      throw new Error(`${name} is not meant to be built`);
    },
  };
  return builder;
}
