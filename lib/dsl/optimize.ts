/**
 * The rewriting of a plan before it is written: equal sources become one, repartition topics of one key change are merged, a stream that
 * joins itself needs one store. Kafka Streams: `InternalStreamsBuilder.optimizeTopology`.
 *
 * @module
 */
import { ConfigException, StreamsException, TopologyException } from "../errors.ts";
import type { Topology } from "../topology/topology.ts";
import type { GraphNode, RepartitionTraits } from "./graph.ts";
import { repartitionNode } from "./repartition_node.ts";
import { findUpwards, type WorkingGraph, type WorkingNode } from "./working_graph.ts";

/** One of the optimizations of `topology.optimization`. */
export type Optimization =
  | "reuse.ktable.source.topics"
  | "merge.repartition.topics"
  | "single.store.self.join";

const ALL: readonly Optimization[] = [
  "reuse.ktable.source.topics",
  "merge.repartition.topics",
  "single.store.self.join",
];

/**
 * The optimizations of a setting `topology.optimization`: `none`, `all`, or a list with commas.
 *
 * @throws {ConfigException} when it is another text
 */
export function parseOptimizations(setting: unknown): ReadonlySet<Optimization> {
  if (setting === undefined || setting === null) return new Set();
  const names = String(setting).split(",").map((name) => name.trim());
  if (names.length === 1 && names[0] === "none") return new Set();
  if (names.length === 1 && names[0] === "all") return new Set(ALL);
  const known: readonly string[] = ALL;
  if (names.some((name) => !known.includes(name))) {
    throw new ConfigException([{
      key: "topology.optimization",
      given: JSON.stringify(setting),
      rule: `must be "none", "all" or a list of ${ALL.join(", ")}`,
    }]);
  }
  return new Set(names as Optimization[]);
}

/** Rewrites the graph by these optimizations, and by those that are always done. */
export function optimize(
  graph: WorkingGraph,
  optimizations: ReadonlySet<Optimization>,
  topology: Topology,
): void {
  mergeDuplicateSources(graph.root);
  if (optimizations.has("reuse.ktable.source.topics")) {
    for (const source of graph.tableSources) source.reusesSourceTopic = true;
  }
  if (optimizations.has("merge.repartition.topics")) mergeRepartitionTopics(graph, topology);
  if (optimizations.has("single.store.self.join")) rewriteSelfJoins(graph.root, new Set());
  filterNullKeys(graph.root);
}

function mergeDuplicateSources(root: WorkingNode): void {
  const byTopic = new Map<string, WorkingNode>();
  const byPattern = new Map<string, WorkingNode>();
  for (const node of [...root.children]) {
    const { source } = node.step.traits;
    if (source === undefined) continue;
    if (source.pattern !== undefined) {
      const pattern = String(source.pattern);
      const main = byPattern.get(pattern);
      if (main === undefined) byPattern.set(pattern, node);
      else mergeSource(root, main, node);
      continue;
    }
    for (const topic of source.topics) {
      const main = byTopic.get(topic);
      if (main === undefined) byTopic.set(topic, node);
      else mergeSource(root, main, node);
    }
  }
}

function mergeSource(root: WorkingNode, main: WorkingNode, other: WorkingNode): void {
  if (main === other) return;
  const ours = main.step.traits.source!;
  const theirs = other.step.traits.source!;
  if ([...ours.topics].sort().join() !== [...theirs.topics].sort().join()) {
    throw new TopologyException(
      `Cannot read topics in two streams as these must have either the same topics or none in common: current value is [${ours.topics}] and [${theirs.topics}]`,
    );
  }
  if (ours.offsetReset !== theirs.offsetReset) {
    throw new TopologyException(
      `Cannot read [${ours.topics}${
        ours.pattern ?? ""
      }] in two streams as these must have the same offsetReset: current value is ${ours.offsetReset} and ${theirs.offsetReset}`,
    );
  }
  for (const child of [...other.children]) {
    other.removeChild(child);
    main.addChild(child);
  }
  root.removeChild(other);
}

function mergeRepartitionTopics(graph: WorkingGraph, topology: Topology): void {
  regardMergers(graph);
  for (const [changer, repartitions] of [...graph.keyChangers]) {
    if (repartitions.size === 0) continue;
    const merged = graph.mergedRepartition(mergedRepartitionNode(repartitions), changer.priority);
    for (const replaced of repartitions) {
      moveBehind(merged, changer, replaced);
      topology.replaceCopartitionSource(replaced.step.name, merged.step.name);
    }
    changer.addChild(merged);
    graph.keyChangers.delete(changer);
  }
}

/** Where the lines of several key changes are merged before they are repartitioned, the repartition stands behind the merge. */
function regardMergers(graph: WorkingGraph): void {
  const changersOf = new Map<WorkingNode, Set<WorkingNode>>();
  const moved = new Set<WorkingNode>();
  for (const merger of graph.mergers) {
    const changers = new Set<WorkingNode>();
    changersOf.set(merger, changers);
    for (const [changer, repartitions] of graph.keyChangers) {
      const areBehindMerger = [...repartitions].every((repartition) =>
        findUpwards(repartition, (node) => node.parents.has(merger)) !== undefined
      );
      if (!areBehindMerger) continue;
      if (findUpwards(merger, (node) => node.parents.has(changer))) changers.add(changer);
    }
  }
  for (const [merger, changers] of changersOf) {
    const repartitions = new Set<WorkingNode>();
    for (const changer of changers) {
      for (const repartition of graph.keyChangers.get(changer)!) repartitions.add(repartition);
      moved.add(changer);
    }
    graph.keyChangers.set(merger, repartitions);
  }
  for (const changer of moved) graph.keyChangers.delete(changer);
}

function mergedRepartitionNode(repartitions: ReadonlySet<WorkingNode>): GraphNode {
  const all = [...repartitions].map((node) => node.step.traits.repartition as RepartitionTraits);
  return repartitionNode({
    topic: all[0].topic,
    key: all.find((traits) => traits.key !== undefined)?.key,
    value: all.find((traits) => traits.value !== undefined)?.value,
    mergeable: true,
  });
}

/** Puts `merged` between the key change and the line to `replaced`, and takes `replaced` out of that line. */
function moveBehind(merged: WorkingNode, changer: WorkingNode, replaced: WorkingNode): void {
  const head = findUpwards(replaced, (node) => node.parents.has(changer));
  if (head === undefined) {
    throw new StreamsException(
      `Cannot merge repartition topics as ${replaced.step.name} must stand behind ${changer.step.name}: current value is no way between them`,
    );
  }
  merged.addChild(head);
  changer.removeChild(head);
  const children = [...replaced.children];
  const parents = [...replaced.parents];
  for (const child of children) for (const parent of parents) parent.addChild(child);
  for (const parent of parents) parent.removeChild(replaced);
  replaced.clearChildren();
}

function rewriteSelfJoins(node: WorkingNode, visited: Set<WorkingNode>): void {
  visited.add(node);
  const { streamJoin } = node.step.traits;
  if (streamJoin !== undefined && node.parents.size === 1) {
    const [parent] = node.parents;
    const windows = [...parent.children].filter((child) => child.priority < node.priority);
    const right = windows.find((child) => child.step.name === streamJoin.otherWindowed);
    if (right !== undefined) parent.removeChild(right);
    node.isSelfJoin = true;
  }
  for (const child of [...node.children]) {
    if (!visited.has(child)) rewriteSelfJoins(child, visited);
  }
}

/** A repartition leaves records without a key out, unless a join downstream wants them. */
function filterNullKeys(root: WorkingNode): void {
  const visited = new Set<WorkingNode>();
  const wanted = new Set<WorkingNode>();
  const visit = (node: WorkingNode): void => {
    if (visited.has(node)) return;
    for (const child of node.children) {
      visit(child);
      if (child.step.traits.acceptsNullKeys || wanted.has(child)) wanted.add(node);
    }
    visited.add(node);
  };
  visit(root);
  for (const node of visited) {
    node.dropsNullKeys = node.step.traits.repartition?.filtersNullKeys === true &&
      !wanted.has(node);
  }
}
