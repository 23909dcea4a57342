/**
 * The stores of operators: from what the user said and the operator needs to a builder of the state room.
 *
 * @module
 */
import type { StateStore, StoreBuilder } from "../state/store.ts";
import {
  sessionStoreBuilder,
  timestampedKeyValueStoreBuilder,
  timestampedWindowStoreBuilder,
  versionedKeyValueStoreBuilder,
} from "../state/stores.ts";
import type { SessionStoreSupplier, WindowStoreSupplier } from "../state/suppliers.ts";
import type { StoreSpec } from "./materialized.ts";
import type { Plan } from "./plan.ts";
import {
  type EmitStrategy,
  type EnumerableWindows,
  type SessionWindows,
  type SlidingWindows,
  windowSizeMs,
} from "./windows.ts";

/**
 * The store of a table without windows. Kafka Streams: `KeyValueStoreMaterializer`.
 *
 * @throws {TopologyException} when a serde is not known
 */
export function tableStoreBuilder(plan: Plan, spec: StoreSpec): StoreBuilder {
  const step = `the store ${spec.name}`;
  const key = plan.keySerde(spec.key, step);
  const value = plan.valueSerde(spec.value, step);
  const supplier = spec.supplier ??
    spec.stores.keyValueStore({ name: spec.name, timestamped: true });
  needKind(spec.name, supplier, ["keyValue", "versioned"], "rows without windows");
  if (supplier.kind === "versioned") {
    return withLogging(versionedKeyValueStoreBuilder(supplier, { key, value }), spec);
  }
  return withCaching(
    withLogging(timestampedKeyValueStoreBuilder(supplier, { key, value }), spec),
    spec.caching,
  );
}

/**
 * The store of tumbling, hopping, unlimited or sliding windows. Kafka Streams: `WindowStoreMaterializer`, `SlidingWindowStoreMaterializer`.
 *
 * @throws {TopologyException} when a serde is not known
 * @throws {RangeError} when the retention is shorter than the windows take records
 */
export function windowedStoreBuilder(
  plan: Plan,
  spec: StoreSpec<WindowStoreSupplier>,
  windows: EnumerableWindows | SlidingWindows,
  emit: EmitStrategy,
): StoreBuilder {
  const needed = neededRetention(windows);
  const retentionMs = spec.retention ?? needed;
  if (needed > retentionMs) refuseRetention(spec.name, needed, retentionMs);
  const emitOnClose = emit === "onWindowClose";
  const supplier = spec.supplier ?? spec.stores.windowStore({
    name: spec.name,
    retentionMs,
    windowSizeMs: windowSizeMs(windows),
    retainDuplicates: false,
    emitOnClose,
    timestamped: true,
  });
  needKind(spec.name, supplier, ["window"], "windows");
  if (needed > supplier.retentionMs) refuseRetention(spec.name, needed, supplier.retentionMs);
  const step = `the store ${spec.name}`;
  const builder = timestampedWindowStoreBuilder(supplier, {
    key: plan.keySerde(spec.key, step),
    value: plan.valueSerde(spec.value, step),
  });
  // Only tumbling and hopping windows stay cached when they are emitted on close, as in Kafka Streams: what has expired
  // in the store can still be emitted from its cache.
  const cacheable = !emitOnClose || windows.kind === "time";
  return withCaching(withLogging(builder, spec), spec.caching && cacheable);
}

function neededRetention(windows: EnumerableWindows | SlidingWindows): number {
  switch (windows.kind) {
    case "time":
      return windows.sizeMs + windows.graceMs;
    case "sliding":
      return 2 * windows.timeDifferenceMs + windows.graceMs;
    default:
      return windowSizeMs(windows);
  }
}

/**
 * The store of sessions. Kafka Streams: `SessionStoreMaterializer`.
 *
 * @throws {TopologyException} when a serde is not known
 * @throws {RangeError} when the retention is shorter than the sessions take records
 */
export function sessionsStoreBuilder(
  plan: Plan,
  spec: StoreSpec<SessionStoreSupplier>,
  windows: SessionWindows,
  emit: EmitStrategy,
): StoreBuilder {
  const needed = windows.gapMs + windows.graceMs;
  const retentionMs = spec.retention ?? needed;
  if (needed > retentionMs) refuseRetention(spec.name, needed, retentionMs);
  const emitOnClose = emit === "onWindowClose";
  const supplier = spec.supplier ??
    spec.stores.sessionStore({ name: spec.name, retentionMs, emitOnClose });
  needKind(spec.name, supplier, ["session"], "sessions");
  if (needed > supplier.retentionMs) refuseRetention(spec.name, needed, supplier.retentionMs);
  const step = `the store ${spec.name}`;
  const builder = sessionStoreBuilder(supplier, {
    key: plan.keySerde(spec.key, step),
    value: plan.valueSerde(spec.value, step),
  });
  return withCaching(withLogging(builder, spec), spec.caching && !emitOnClose);
}

function needKind(
  name: string,
  { kind }: { readonly kind: string },
  kinds: readonly string[],
  what: string,
): void {
  if (kinds.includes(kind)) return;
  throw new TypeError(
    `Cannot keep ${what} in the store ${name} as its supplier must be of kind ${
      kinds.join(" or ")
    }: current value is ${kind}`,
  );
}

function refuseRetention(name: string, needed: number, given: number): never {
  throw new RangeError(
    `Cannot keep the windows of store ${name} as its retention must be at least their length and grace, ${needed} ms: current value is ${given} ms`,
  );
}

function withLogging<S extends StateStore>(
  builder: StoreBuilder<S>,
  spec: StoreSpec<unknown>,
): StoreBuilder<S> {
  return spec.logging ? builder.withLoggingEnabled(spec.logConfig) : builder.withLoggingDisabled();
}

function withCaching<S extends StateStore>(
  builder: StoreBuilder<S>,
  caching: boolean,
): StoreBuilder<S> {
  return caching ? builder.withCachingEnabled() : builder.withCachingDisabled();
}
