import type { Serde } from "../serde/serde.ts";
import type { StoreBuilder } from "../state/store.ts";
import { type GraphNode, type GraphTraits, processorNode } from "./graph.ts";
import {
  type AnyStoreSupplier,
  type NamedMaterialized,
  type StoreSpec,
  storeSpec,
} from "./materialized.ts";
import { PREFIX } from "./naming.ts";
import type { Plan } from "./plan.ts";
import type { Aggregator } from "./processors/functions.ts";
import { KTablePassThrough } from "./processors/ktable_pass_through.ts";
import type { KStreamAggProcessorSupplier } from "./processors/table.ts";
import type { GroupedHandle } from "./stream_aggregation.ts";
import { derivedOrigin, TableHandle } from "./table_handle.ts";

/** A grouped stream with what aggregates it. */
export interface CogroupSource {
  readonly grouped: GroupedHandle;
  readonly aggregator: Aggregator<any, any, any>;
}

/** The streams of a cogroup, and the steps behind which they are aggregated: those of its first aggregate serve the others too. */
export interface Cogroup {
  readonly sources: readonly CogroupSource[];
  readonly parents: Map<GroupedHandle, GraphNode>;
}

/** What differs between kinds of windows. */
export interface CogroupParts<Supplier extends AnyStoreSupplier> {
  store(plan: Plan, spec: StoreSpec<Supplier>): StoreBuilder;
  supplier(
    store: StoreBuilder,
    aggregator: Aggregator<any, any, any>,
  ): KStreamAggProcessorSupplier<any, any, any, any>;
  tableKey(key: Serde<any>): Serde<any>;
  traits(spec: StoreSpec<Supplier>): GraphTraits;
}

/**
 * Adds one aggregate per stream, on one store, and the step where they meet. Kafka Streams: `CogroupedStreamAggregateBuilder`.
 *
 * @throws {TopologyException} when a serde is not known
 */
export function addCogroup<Supplier extends AnyStoreSupplier>(
  { sources, parents: known }: Cogroup,
  options: NamedMaterialized<any, any, Supplier>,
  parts: CogroupParts<Supplier>,
): TableHandle {
  const { plan } = sources[0].grouped.stream;
  const inherited = sources.map(({ grouped }) => grouped.stream.key).find(Boolean);
  const key = plan.keySerde(options.key ?? inherited, "the cogrouped aggregate");
  const value = plan.valueSerde(options.value, "the cogrouped aggregate");
  const spec = storeSpec<Supplier>(plan, { ...options, key, value }, PREFIX.cogroupAggregate);
  const parents = planParents(plan, { sources, parents: known }, spec);
  const store = parts.store(plan, spec);
  const nodes: GraphNode[] = [];
  const suppliers: KStreamAggProcessorSupplier<any, any, any, any>[] = [];
  sources.forEach(({ aggregator }, index) => {
    const supplier = parts.supplier(store, aggregator);
    const name = plan.suffixedOr(options.name, `-cogroup-agg-${index}`, PREFIX.cogroupAggregate);
    const node = processorNode(name, supplier, parts.traits(spec));
    plan.add(node, parents[index]);
    suppliers.push(supplier);
    nodes.push(node);
  });
  const name = plan.suffixedOr(options.name, "-cogroup-merge", PREFIX.cogroupMerge);
  const supplier = new KTablePassThrough<any, any>({ parents: suppliers });
  const node = processorNode(name, supplier);
  plan.add(node, ...nodes);
  return new TableHandle({
    plan,
    name,
    node,
    sources: new Set(sources.flatMap((_, index) => [...sourcesOf(sources[index], parents[index])])),
    key: parts.tableKey(key),
    value,
    queryableName: spec.queryableName,
    origin: derivedOrigin(supplier),
  });
}

/** The step behind which each stream is aggregated; the streams' partitions must be equal. */
function planParents(
  plan: Plan,
  { sources, parents: known }: Cogroup,
  spec: StoreSpec<any>,
): GraphNode[] {
  const parents = sources.map(({ grouped }) => {
    const { stream } = grouped;
    if (!stream.repartitionRequired) return stream.node;
    const planned = grouped.planRepartition(spec.name, spec.queryableName);
    const parent = known.get(grouped) ?? planned;
    if (parent === planned) plan.add(planned, stream.node);
    known.set(grouped, parent);
    return parent;
  });
  plan.copartition(...sources.map((source, index) => sourcesOf(source, parents[index])));
  return parents;
}

function sourcesOf({ grouped }: CogroupSource, parent: GraphNode): ReadonlySet<string> {
  return grouped.stream.repartitionRequired ? new Set([parent.name]) : grouped.stream.sources;
}
