import { type GraphNode, processorNode, type WriteChoices } from "./graph.ts";
import {
  asksForVersions,
  isMaterialized,
  type NamedMaterialized,
  storeSpec,
} from "./materialized.ts";
import { PREFIX } from "./naming.ts";
import { reverseJoiner, type ValueJoiner } from "./processors/functions.ts";
import {
  KTableKTableInnerJoin,
  KTableKTableLeftJoin,
  KTableKTableOuterJoin,
  KTableKTableRightJoin,
} from "./processors/ktable_ktable_join.ts";
import { KTableKTableJoinMerger } from "./processors/ktable_ktable_join_merger.ts";
import { tableStoreBuilder } from "./store_builders.ts";
import { derivedOrigin, TableHandle } from "./table_handle.ts";
import type { Topology } from "../topology/topology.ts";

type Joiner = ValueJoiner<any, any, any, any>;

function joinSides(
  left: TableHandle,
  right: TableHandle,
  kind: "inner" | "left" | "outer",
  joiner: Joiner,
) {
  const forThis = { thisTable: left, otherTable: right, joiner };
  const forOther = { thisTable: right, otherTable: left, joiner: reverseJoiner(joiner) };
  switch (kind) {
    case "inner":
      return [new KTableKTableInnerJoin(forThis), new KTableKTableInnerJoin(forOther)] as const;
    case "left":
      return [new KTableKTableLeftJoin(forThis), new KTableKTableRightJoin(forOther)] as const;
    default:
      return [new KTableKTableOuterJoin(forThis), new KTableKTableOuterJoin(forOther)] as const;
  }
}

/**
 * Joins two tables by key: a processor for the changes of each, and the step where their results meet. Kafka Streams: `KTableImpl.doJoin`.
 *
 * @throws {TopologyException} when the result has a store and a serde is not known
 */
export function joinTables(
  left: TableHandle,
  right: TableHandle,
  join: {
    readonly kind: "inner" | "left" | "outer";
    readonly joiner: Joiner;
    readonly options: NamedMaterialized<any, any>;
  },
): TableHandle {
  const { kind, joiner, options } = join;
  const { plan } = left;
  const key = options.key ?? left.key ?? right.key;
  const spec = isMaterialized(options)
    ? storeSpec(plan, { ...options, key }, PREFIX.tableMerge)
    : undefined;
  const name = plan.nameOr(options.name, PREFIX.tableMerge);
  const sources = plan.copartition(left.sources, right.sources);
  if (kind !== "inner") left.enableSendingOldValues(true);
  if (kind === "outer") right.enableSendingOldValues(true);
  const [joinThis, joinOther] = joinSides(left, right, kind, joiner);
  const thisName = plan.suffixedOr(options.name, "-join-this", PREFIX.tableJoinThis);
  const otherName = plan.suffixedOr(options.name, "-join-other", PREFIX.tableJoinOther);
  const store = spec && tableStoreBuilder(plan, spec);
  const merger = new KTableKTableJoinMerger<any, any>({ left: joinThis, right: joinOther, store });
  const node = joinNode(name, {
    left: { parent: left.name, name: thisName, supplier: joinThis },
    right: { parent: right.name, name: otherName, supplier: joinOther },
    merger,
    leftStores: left.valueGetterSupplier().storeNames(),
    rightStores: right.valueGetterSupplier().storeNames(),
    versioned: asksForVersions(options),
  });
  plan.add(node, left.node, right.node);
  return new TableHandle({
    plan,
    name,
    node,
    sources,
    key,
    value: options.value,
    queryableName: spec?.name,
    origin: derivedOrigin(merger),
  });
}

interface JoinSide {
  readonly parent: string;
  readonly name: string;
  readonly supplier: ReturnType<typeof joinSides>[number];
}

/** Kafka Streams: `KTableKTableJoinNode`. */
function joinNode(
  name: string,
  parts: {
    readonly left: JoinSide;
    readonly right: JoinSide;
    readonly merger: KTableKTableJoinMerger<any, any>;
    readonly leftStores: readonly string[];
    readonly rightStores: readonly string[];
    readonly versioned: boolean;
  },
): GraphNode {
  const { left, right, merger, leftStores, rightStores, versioned } = parts;
  const written = processorNode(name, merger);
  return Object.freeze({
    name,
    traits: { versioned },
    write(topology: Topology, choices: WriteChoices) {
      topology.addProcessor(left.name, left.supplier, left.parent);
      topology.addProcessor(right.name, right.supplier, right.parent);
      written.write(topology, { ...choices, parents: [left.name, right.name] });
      if (rightStores.length > 0) {
        topology.connectProcessorAndStateStores(left.name, ...rightStores);
      }
      if (leftStores.length > 0) {
        topology.connectProcessorAndStateStores(right.name, ...leftStores);
      }
    },
    useVersionedParent(parentName: string) {
      for (const side of [left, right]) {
        if (side.parent === parentName) side.supplier.useVersionedSemantics(true);
      }
    },
  });
}
