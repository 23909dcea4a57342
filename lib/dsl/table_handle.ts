import type { Serde } from "../serde/serde.ts";
import { type GraphNode, type GraphTraits, processorNode } from "./graph.ts";
import type { Plan } from "./plan.ts";
import type { KTableSource } from "./processors/ktable_source.ts";
import type {
  KStreamAggProcessorSupplier,
  KTableProcessorSupplier,
  KTableValueGetterSupplier,
  ParentTable,
} from "./processors/table.ts";

/** How a table is read, and asked for old values, whatever makes it. */
export interface TableOrigin {
  view(): KTableValueGetterSupplier<any, any>;
  enableSendingOldValues(forceMaterialization: boolean): boolean;
}

/** A table read from a topic or stream: it gets its store when somebody reads it or needs old values. */
export function sourceOrigin(source: KTableSource<any, any>): TableOrigin {
  return {
    view() {
      source.materialize();
      return source.view();
    },
    enableSendingOldValues(forceMaterialization) {
      if (!forceMaterialization && !source.materialized) return false;
      source.enableSendingOldValues();
      return true;
    },
  };
}

/** A table aggregated of a stream: it always has a store. */
export function aggregateOrigin(
  supplier: KStreamAggProcessorSupplier<any, any, any, any>,
): TableOrigin {
  return {
    view: () => supplier.view(),
    enableSendingOldValues() {
      supplier.enableSendingOldValues();
      return true;
    },
  };
}

/** A table made of tables. */
export function derivedOrigin(supplier: KTableProcessorSupplier<any, any, any, any>): TableOrigin {
  return supplier;
}

/** Where a table stands in its plan. */
export interface TablePlace {
  readonly plan: Plan;
  readonly name: string;
  readonly node: GraphNode;
  readonly sources: ReadonlySet<string>;
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
  /** The store's name, if the user chose it. */
  readonly queryableName: string | undefined;
  readonly origin: TableOrigin;
}

/** What a table knows of its place in the plan: the untyped half of `KTable`. Kafka Streams: `KTableImpl`. */
export class TableHandle implements TablePlace, ParentTable<any, any> {
  readonly plan: Plan;
  readonly name: string;
  readonly node: GraphNode;
  readonly sources: ReadonlySet<string>;
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
  readonly queryableName: string | undefined;
  readonly origin: TableOrigin;

  constructor(place: TablePlace) {
    this.plan = place.plan;
    this.name = place.name;
    this.node = place.node;
    this.sources = place.sources;
    this.key = place.key;
    this.value = place.value;
    this.queryableName = place.queryableName;
    this.origin = place.origin;
  }

  /** The same place but for these facts. */
  with(changes: Partial<TablePlace>): TableHandle {
    return new TableHandle({
      plan: this.plan,
      name: this.name,
      node: this.node,
      sources: this.sources,
      key: this.key,
      value: this.value,
      queryableName: this.queryableName,
      origin: this.origin,
      ...changes,
    });
  }

  /** Adds a step that makes a table of this one. */
  step(
    name: string,
    supplier: KTableProcessorSupplier<any, any, any, any>,
    options: {
      readonly traits?: GraphTraits;
      readonly storeNames?: readonly string[];
      readonly useVersionedParent?: (parentName: string) => void;
      readonly changes?: Partial<TablePlace>;
    } = {},
  ): TableHandle {
    const { traits, changes, ...rest } = options;
    const node = processorNode(name, supplier, traits, rest);
    this.plan.add(node, this.node);
    return this.with({
      name,
      node,
      origin: derivedOrigin(supplier),
      queryableName: undefined,
      ...changes,
    });
  }

  valueGetterSupplier(): KTableValueGetterSupplier<any, any> {
    return this.origin.view();
  }
  /** Asking again costs nothing: what was granted stays. */
  enableSendingOldValues(forceMaterialization: boolean): boolean {
    return this.origin.enableSendingOldValues(forceMaterialization);
  }
}
