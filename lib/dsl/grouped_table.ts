import type { Serde } from "../serde/serde.ts";
import type { StoreBuilder } from "../state/store.ts";
import { failOnInvalidTimestamp } from "../topology/timestamp_extractors.ts";
import { needFunctions } from "./checks.ts";
import { type GraphNode, processorNode } from "./graph.ts";
import { KTable } from "./ktable.ts";
import { isVersionedSpec, type NamedMaterialized, storeSpec } from "./materialized.ts";
import { checkName, PREFIX } from "./naming.ts";
import { ChangedSerde } from "./processors/changed_serde.ts";
import type { Aggregator, Initializer, Reducer } from "./processors/functions.ts";
import { KTableAggregate, KTableReduce } from "./processors/ktable_aggregate.ts";
import type { KTableRepartitionMap } from "./processors/ktable_repartition_map.ts";
import type { KTableProcessorSupplier } from "./processors/table.ts";
import { changesRepartitionNode } from "./source_nodes.ts";
import { tableStoreBuilder } from "./store_builders.ts";
import { COUNT_SERDE, zero } from "./stream_aggregation.ts";
import { derivedOrigin, TableHandle } from "./table_handle.ts";

/** How a table was grouped. */
export interface TableGrouping {
  /** The name of the repartition topic but for `-repartition`. */
  readonly name?: string;
  readonly key: Serde<any>;
  readonly value: Serde<any>;
  /** The name of the step that selects key and value. */
  readonly selectName: string;
  readonly supplier: KTableRepartitionMap<any, any, any, any>;
}

/** A table's rows by a new key, ready to be aggregated: rows are added to their group, and taken out of it when they change or go. Kafka Streams: `KGroupedTable`. */
export class KGroupedTable<K, V> {
  readonly #table: TableHandle;
  readonly #grouping: TableGrouping;
  readonly #select: GraphNode;
  /** The repartition topic, which aggregates of a named grouping share. */
  #repartition: GraphNode | undefined;

  constructor(table: TableHandle, grouping: TableGrouping) {
    const { plan } = table;
    if (grouping.name !== undefined) checkName(grouping.name);
    plan.keySerde(grouping.key, "the grouping of a table");
    plan.valueSerde(grouping.value, "the grouping of a table");
    const { selectName, supplier } = grouping;
    this.#table = table;
    this.#grouping = grouping;
    this.#select = processorNode(selectName, supplier, {}, {
      useVersionedParent: () => supplier.useVersionedSemantics(true),
    });
    plan.add(this.#select, table.node);
    table.enableSendingOldValues(true);
  }

  /** How many rows each group has. */
  count(options: NamedMaterialized<K, number> = {}): KTable<K, number, "key" | "value"> {
    const value = options.value ?? COUNT_SERDE;
    return this.#aggregate(
      { ...options, value },
      PREFIX.tableAggregate,
      (store) =>
        new KTableAggregate<K, V, number>({
          store,
          initializer: zero,
          adder: (count) => count + 1,
          subtractor: (count) => count - 1,
        }),
    );
  }

  /** Combines the values of each group; the subtractor takes an old one out. */
  reduce(
    adder: Reducer<V>,
    subtractor: Reducer<V>,
    options: NamedMaterialized<K, V> = {},
  ): KTable<K, V, "key" | "value"> {
    needFunctions("reduce", { adder, subtractor });
    const value = options.value ?? this.#grouping.value;
    return this.#aggregate(
      { ...options, value },
      PREFIX.tableReduce,
      (store) => new KTableReduce<K, V>({ store, adder, subtractor }),
    );
  }

  /** Aggregates the values of each group; the subtractor takes an old one out. */
  aggregate<A>(
    initializer: Initializer<A>,
    adder: Aggregator<K, V, A>,
    subtractor: Aggregator<K, V, A>,
    options: NamedMaterialized<K, A> & { readonly value: Serde<A> },
  ): KTable<K, A, "key" | "value"> {
    needFunctions("aggregate", { initializer, adder, subtractor });
    return this.#aggregate(
      options,
      PREFIX.tableAggregate,
      (store) => new KTableAggregate<K, V, A>({ store, initializer, adder, subtractor }),
    );
  }

  /** Kafka Streams: `KGroupedTableImpl.doAggregate`. */
  #aggregate(
    options: NamedMaterialized<any, any>,
    prefix: string,
    makeSupplier: (store: StoreBuilder) => KTableProcessorSupplier<any, any, any, any>,
  ): KTable<K, any, any> {
    const { plan } = this.#table;
    const { name: groupName, key: groupKey } = this.#grouping;
    const key = options.key ?? groupKey;
    const value = plan.valueSerde(options.value, "the aggregate of a table");
    // Generated stores of reduce are called by aggregate too, as in Kafka Streams.
    const spec = storeSpec(plan, { ...options, key, value }, PREFIX.tableAggregate);
    const sinkName = plan.suffixedOr(options.name, "-sink", PREFIX.sink);
    const sourceName = plan.suffixedOr(options.name, "-source", PREFIX.source);
    const name = plan.nameOr(options.name, prefix);
    const topic = `${groupName ?? spec.name}-repartition`;
    if (groupName === undefined && spec.queryableName === undefined) plan.noteGenerated(topic);
    if (this.#repartition === undefined || groupName === undefined) {
      this.#repartition = changesRepartitionNode({
        topic,
        sinkName,
        sourceName,
        key: groupKey,
        value: new ChangedSerde(this.#grouping.value),
        source: { timestampExtractor: failOnInvalidTimestamp },
      });
    }
    const repartition = this.#repartition;
    plan.add(repartition, this.#select);
    const supplier = makeSupplier(tableStoreBuilder(plan, spec));
    const node = processorNode(name, supplier, { versioned: isVersionedSpec(spec) });
    plan.add(node, repartition);
    return new KTable(
      new TableHandle({
        plan,
        name,
        node,
        sources: new Set([repartition.name]),
        key,
        value,
        queryableName: spec.queryableName,
        origin: derivedOrigin(supplier),
      }),
    );
  }
}
