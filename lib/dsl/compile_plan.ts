import { TopologyException } from "../errors.ts";
import type { ProcessorWrapper } from "../topology/suppliers.ts";
import { Topology } from "../topology/topology.ts";
import { type Optimization, optimize } from "./optimize.ts";
import type { Plan } from "./plan.ts";
import { WorkingGraph, type WorkingNode } from "./working_graph.ts";

/** What compiling a plan needs to know. */
export interface PlanCompileOptions {
  readonly optimizations: ReadonlySet<Optimization>;
  /** Refuse generated names of stores and topics (`ensure.explicit.internal.resource.naming`, KIP-1111). */
  readonly requireNames: boolean;
  /** Put around every processor (`processor.wrapper`). */
  readonly processorWrapper: ProcessorWrapper | undefined;
}

/**
 * Writes a plan as a topology; the plan stays as it is. Kafka Streams: `InternalStreamsBuilder.buildAndOptimizeTopology`.
 *
 * @throws {TopologyException} when names clash, sources overlap, versioned tables are suppressed, or names are required and missing
 */
export function compilePlan(plan: Plan, options: PlanCompileOptions): Topology {
  const topology = new Topology({ processorWrapper: options.processorWrapper });
  for (const group of plan.copartitionGroups) topology.copartitionSources(group);
  for (const [topic, declared] of plan.declaredTopics) topology.declareTopic(topic, declared);
  const graph = new WorkingGraph(plan.links);
  optimize(graph, options.optimizations, topology);
  applyVersionedSemantics(graph);
  writeInOrder(graph.root, topology);
  if (options.requireNames && plan.generatedResources.size > 0) {
    throw new TopologyException(
      `Cannot build with ensure.explicit.internal.resource.naming as each store and internal topic must have a name of the user's: ` +
        `current value is generated names [${[...plan.generatedResources].sort().join(", ")}]. ` +
        `Give { store: … } to the stores and { name: … } to grouping, joins, suppress and repartition`,
    );
  }
  return topology;
}

/** Writes each node once its parents are written; of those that can be written the earliest first. */
function writeInOrder(root: WorkingNode, topology: Topology): void {
  const queue: WorkingNode[] = [];
  const offer = (nodes: Iterable<WorkingNode>) => {
    for (const node of nodes) if (!node.isWritten && !queue.includes(node)) queue.push(node);
    queue.sort((a, b) => a.priority - b.priority);
  };
  offer(root.children);
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    if ([...node.parents].every((parent) => parent.isWritten)) {
      node.step.write(topology, {
        parents: [...node.parents].filter((parent) => parent !== root)
          .map((parent) => parent.step.name),
        reuseSourceTopic: node.reusesSourceTopic,
        dropNullKeys: node.dropsNullKeys,
        selfJoin: node.isSelfJoin,
      });
      node.isWritten = true;
    }
    offer(node.children);
  }
}

/** Tells the steps on versioned tables so (KIP-914), and refuses suppress there. */
function applyVersionedSemantics(graph: WorkingGraph): void {
  for (const node of graph.nodes) {
    const { useVersionedParent, traits, name } = node.step;
    if (useVersionedParent) {
      for (const parent of node.parents) {
        if (isVersioned(parent, graph.root)) useVersionedParent(parent.step.name);
      }
    }
    if (traits.suppresses && hasOnlyVersionedParents(node, graph.root)) {
      throw new TopologyException(
        `Cannot suppress a versioned table as only tables without versions have final results: current value is ${name} behind a versioned table`,
      );
    }
  }
}

function isVersioned(node: WorkingNode, root: WorkingNode): boolean {
  return node.step.traits.versioned ?? hasOnlyVersionedParents(node, root);
}

function hasOnlyVersionedParents(node: WorkingNode, root: WorkingNode): boolean {
  return node !== root && [...node.parents].every((parent) => isVersioned(parent, root));
}
