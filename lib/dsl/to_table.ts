import type { StoreBuilder } from "../state/store.ts";
import { processorNode } from "./graph.ts";
import { asksForVersions, type NamedMaterialized, storeSpec } from "./materialized.ts";
import { PREFIX } from "./naming.ts";
import { KTableSource } from "./processors/ktable_source.ts";
import { planRepartition } from "./repartition_node.ts";
import { tableStoreBuilder } from "./store_builders.ts";
import type { StreamHandle } from "./stream_handle.ts";
import { sourceOrigin, TableHandle } from "./table_handle.ts";

/**
 * Makes a table of a stream, by way of a repartition topic where the key has changed. Kafka Streams: `KStream.toTable`.
 *
 * @throws {TopologyException} when a serde is not known
 */
export function toTable(
  stream: StreamHandle,
  options: NamedMaterialized<any, any>,
): TableHandle {
  const { plan } = stream;
  const name = plan.nameOr(options.name, PREFIX.toTable);
  const key = plan.keySerde(options.key ?? stream.key, name);
  const value = plan.valueSerde(options.value ?? stream.value, name);
  const spec = storeSpec(plan, { ...options, key, value }, PREFIX.toTable);
  let parent = stream.node;
  let sources = stream.sources;
  if (stream.repartitionRequired) {
    const isNamed = options.name !== undefined;
    parent = planRepartition(plan, name, { key, value, mergeable: true, isNamed });
    plan.add(parent, stream.node);
    sources = new Set([parent.name]);
  }
  const store: StoreBuilder = tableStoreBuilder(plan, spec);
  const source = new KTableSource({ store, materialized: spec.queryableName !== undefined });
  const node = processorNode(name, source, { versioned: asksForVersions(options) });
  plan.add(node, parent);
  return new TableHandle({
    plan,
    name,
    node,
    sources,
    key,
    value,
    queryableName: spec.queryableName,
    origin: sourceOrigin(source),
  });
}
