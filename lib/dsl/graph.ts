/**
 * The logical plan: steps as frozen nodes, in the order in which the DSL's calls made them. A node knows how to write itself into a
 * topology and what the optimizer may know of it; nobody asks for its kind. Kafka Streams: `kstream.internals.graph`.
 *
 * @module
 */
import type { Serde } from "../serde/serde.ts";
import type { SupplierOrFactory } from "../topology/suppliers.ts";
import type { Topology } from "../topology/topology.ts";

/** What the optimizer asks of a source that it may merge with others of the same topics. */
export interface SourceTraits {
  readonly topics: readonly string[];
  readonly pattern: RegExp | undefined;
  /** The reset policy in one comparable text; merged sources must agree on it. */
  readonly offsetReset: string;
}

/** What the optimizer asks of a repartition step. */
export interface RepartitionTraits {
  readonly topic: string;
  readonly key: Serde<any> | undefined;
  readonly value: Serde<any> | undefined;
  /** Whether it may be merged with others of the same key change. */
  readonly mergeable: boolean;
  /** Whether it has the filter that leaves out records without a key. */
  readonly filtersNullKeys: boolean;
}

/** What the optimizer asks of a join of two streams. */
export interface StreamJoinTraits {
  readonly thisWindowed: string;
  readonly otherWindowed: string;
}

/** What can be known of a node without knowing its kind. */
export interface GraphTraits {
  /** The result's key differs from its input's. */
  readonly changesKey?: boolean;
  readonly changesValue?: boolean;
  /** Two streams meet here. */
  readonly merges?: boolean;
  /** A left or outer join: it wants records without a key, so that a repartition upstream must not leave them out. */
  readonly acceptsNullKeys?: boolean;
  /** How long (ms) after its end a window still takes records. */
  readonly graceMs?: number;
  /** Whether the resulting table keeps versions; undefined: as the tables it stands on. */
  readonly versioned?: boolean;
  /** Final results are asked for here; impossible for versioned tables. */
  readonly suppresses?: boolean;
  readonly source?: SourceTraits;
  readonly isTableSource?: boolean;
  readonly repartition?: RepartitionTraits;
  readonly streamJoin?: StreamJoinTraits;
}

/** What the optimizer decided for one node. */
export interface WriteChoices {
  /** Names of the nodes before it, as optimized. */
  readonly parents: readonly string[];
  /** A table's source topic is its changelog. */
  readonly reuseSourceTopic: boolean;
  /** Records without a key stay in front of the repartition topic. */
  readonly dropNullKeys: boolean;
  /** Both sides of the join are one stream. */
  readonly selfJoin: boolean;
}

/** A step of the plan. Frozen. */
export interface GraphNode {
  readonly name: string;
  readonly traits: GraphTraits;
  write(topology: Topology, choices: WriteChoices): void;
  /** The parent of that name gives a versioned table: out-of-order updates are told apart (KIP-914). */
  useVersionedParent?(parentName: string): void;
}

/** That `child` stands behind `parent`, or at the root. A node may be linked again, which moves it back in the order of building. */
export interface Link {
  readonly parent: GraphNode | undefined;
  readonly child: GraphNode;
}

/** A step that is one processor. Kafka Streams: `ProcessorGraphNode`. */
export function processorNode(
  name: string,
  supplier: SupplierOrFactory,
  traits: GraphTraits = {},
  options: {
    readonly storeNames?: readonly string[];
    readonly useVersionedParent?: (parentName: string) => void;
  } = {},
): GraphNode {
  const { storeNames = [], useVersionedParent } = options;
  return Object.freeze({
    name,
    traits,
    write(topology: Topology, { parents }: WriteChoices) {
      topology.addProcessor(name, supplier, ...parents);
      if (storeNames.length > 0) topology.connectProcessorAndStateStores(name, ...storeNames);
    },
    useVersionedParent,
  });
}
