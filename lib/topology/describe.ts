import { javaHashOrder } from "./java_hash_order.ts";
import { JavaTreeSet } from "./java_tree_set.ts";
import type { TopologyNode } from "./nodes.ts";
import type { Topology } from "./topology.ts";

/** A node as `describe()` shows it. Kafka Streams: `TopologyDescription.Node`. */
export interface DescribedNode {
  readonly kind: "source" | "processor" | "sink";
  readonly name: string;
  /** Topics of a source (sorted); a pattern's text; the topic of a sink, `*` when a function chooses it. */
  readonly topics: readonly string[];
  readonly pattern: string | undefined;
  readonly stores: readonly string[];
  readonly predecessors: readonly string[];
  readonly successors: readonly string[];
}

/** A subtopology; a global one has no tasks. */
export interface DescribedSubtopology {
  readonly id: number;
  readonly isGlobal: boolean;
  readonly nodes: readonly DescribedNode[];
}

/** Kafka Streams: `TopologyDescription`. */
export interface TopologyDescription {
  readonly subtopologies: readonly DescribedSubtopology[];
  /** The text that Kafka Streams prints. */
  toString(): string;
}

interface Sized {
  readonly node: TopologyNode;
  size: number;
  readonly predecessors: JavaTreeSet<Sized>;
  readonly successors: JavaTreeSet<Sized>;
}

/** Describes a topology, in Kafka Streams' order and words. */
export function describeTopology(topology: Topology): TopologyDescription {
  const globalSources = new Set([...topology.globalStores.values()].map((g) => g.sourceName));
  const subtopologies = topology.nodeGroups().map((names, id) => {
    const isGlobal = names.some((name) => globalSources.has(name));
    return { id, isGlobal, nodes: describeGroup(topology, names, isGlobal) };
  });
  return Object.freeze({ subtopologies, toString: () => renderText(subtopologies) });
}

function describeGroup(
  topology: Topology,
  names: readonly string[],
  isGlobal: boolean,
): DescribedNode[] {
  const byName = new Map<string, Sized>();
  for (const name of javaHashOrder(javaHashOrder(names))) {
    byName.set(name, {
      node: topology.nodes.get(name)!,
      size: 1,
      predecessors: new JavaTreeSet(compareNodes),
      successors: new JavaTreeSet(compareNodes),
    });
  }
  // Sizes grow while the sorted sets are filled, and these are not sorted again: Kafka Streams' text depends on it.
  for (const sized of byName.values()) {
    for (const parent of sized.node.parents) {
      const predecessor = byName.get(parent)!;
      sized.predecessors.add(predecessor);
      predecessor.successors.add(sized);
      grow(predecessor, sized.size);
    }
  }
  const ordered = isGlobal
    ? names.map((name) => byName.get(name)!)
    : [...byName.values()].sort(compareNodes);
  return ordered.map((sized) => describeNode(topology, sized));
}

function compareNodes(a: Sized, b: Sized): number {
  return b.size - a.size || (a.node.name < b.node.name ? -1 : a.node.name > b.node.name ? 1 : 0);
}

function grow(sized: Sized, by: number): void {
  sized.size += by;
  for (const predecessor of sized.predecessors) grow(predecessor, by);
}

function describeNode(topology: Topology, sized: Sized): DescribedNode {
  const { node } = sized;
  const topics = node.kind === "source"
    ? [...node.topics].sort()
    : node.kind === "sink"
    ? [typeof node.topic === "string" ? node.topic : "*"]
    : [];
  return Object.freeze({
    kind: node.kind,
    name: node.name,
    topics,
    pattern: node.kind === "source" ? node.pattern?.source : undefined,
    stores: node.kind === "processor"
      ? javaHashOrder(javaHashOrder(topology.storesOf(node.name)))
      : [],
    predecessors: [...sized.predecessors].map((p) => p.node.name),
    successors: [...sized.successors].map((s) => s.node.name),
  });
}

function renderText(subtopologies: readonly DescribedSubtopology[]): string {
  let text = "Topologies:\n ";
  for (const { id, isGlobal, nodes } of subtopologies) {
    text += isGlobal
      ? `  Sub-topology: ${id} for global store (will not generate tasks)\n`
      : `  Sub-topology: ${id}\n`;
    for (const node of nodes) text += `    ${renderNode(node)}\n`;
    if (!isGlobal) text += "\n";
  }
  return text;
}

function renderNode(node: DescribedNode): string {
  const after = node.successors.length > 0 ? node.successors.join(", ") : "none";
  const before = node.predecessors.length > 0 ? node.predecessors.join(", ") : "none";
  switch (node.kind) {
    case "source":
      return `Source: ${node.name} (topics: ${
        node.pattern ?? `[${node.topics.join(", ")}]`
      })\n      --> ${after}`;
    case "processor":
      return `Processor: ${node.name} (stores: [${
        node.stores.join(", ")
      }])\n      --> ${after}\n      <-- ${before}`;
    case "sink":
      return node.topics[0] === "*"
        ? `Sink: ${node.name} (extractor class: *)\n      <-- ${before}`
        : `Sink: ${node.name} (topic: ${node.topics[0]})\n      <-- ${before}`;
  }
}
