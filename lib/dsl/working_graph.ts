import type { GraphNode, Link } from "./graph.ts";

/** A node while a plan is compiled: its frozen step, and edges that the optimizer may still change. */
export class WorkingNode {
  readonly step: GraphNode;
  /** In the order of their linking, as `children`. */
  readonly parents = new Set<WorkingNode>();
  readonly children = new Set<WorkingNode>();
  /** Nodes are written in this order, as far as their parents allow. */
  priority = 0;
  isWritten = false;
  reusesSourceTopic = false;
  dropsNullKeys = false;
  isSelfJoin = false;

  constructor(step: GraphNode) {
    this.step = step;
  }
  addChild(child: WorkingNode): void {
    this.children.add(child);
    child.parents.add(this);
  }
  removeChild(child: WorkingNode): void {
    this.children.delete(child);
    child.parents.delete(this);
  }
  clearChildren(): void {
    for (const child of this.children) child.parents.delete(this);
    this.children.clear();
  }
}

/** The edges of a plan as something that can be rewritten, with what the optimizer remembers of the order of linking. */
export class WorkingGraph {
  readonly root = new WorkingNode({ name: "root", traits: {}, write: () => {} });
  /** Steps that change the key, or merge such ones, each with the repartition steps that it alone makes necessary. */
  readonly keyChangers = new Map<WorkingNode, Set<WorkingNode>>();
  readonly mergers = new Set<WorkingNode>();
  readonly tableSources = new Set<WorkingNode>();
  readonly #nodes = new Map<GraphNode, WorkingNode>();

  constructor(links: readonly Link[]) {
    this.root.isWritten = true;
    links.forEach(({ parent, child }, index) => this.#link(parent, child, index));
  }

  /** All nodes but the root, in the order of their first linking. */
  get nodes(): Iterable<WorkingNode> {
    return this.#nodes.values();
  }

  /** A node of the optimizer's own, with the place in the order of building that another has. */
  mergedRepartition(step: GraphNode, priority: number): WorkingNode {
    const node = this.#node(step);
    node.priority = priority;
    return node;
  }

  #node(step: GraphNode): WorkingNode {
    let node = this.#nodes.get(step);
    if (node === undefined) {
      node = new WorkingNode(step);
      this.#nodes.set(step, node);
    }
    return node;
  }

  #link(parentStep: GraphNode | undefined, step: GraphNode, index: number): void {
    const node = this.#node(step);
    (parentStep === undefined ? this.root : this.#node(parentStep)).addChild(node);
    node.priority = index;
    const { traits } = step;
    if (traits.changesKey) this.keyChangers.set(node, new Set());
    else if (traits.repartition?.mergeable) {
      const changer = keyChangerOf(node);
      if (changer !== undefined) this.keyChangers.get(changer)!.add(node);
    } else if (traits.merges) this.mergers.add(node);
    else if (traits.isTableSource) this.tableSources.add(node);
  }
}

/**
 * The first node upwards that fits: the start itself, or one of its ancestors. As in Kafka Streams, of several parents without a direct
 * hit the last one's line decides.
 */
export function findUpwards(
  start: WorkingNode,
  fits: (node: WorkingNode) => boolean,
): WorkingNode | undefined {
  if (fits(start)) return start;
  let found: WorkingNode | undefined;
  for (const parent of start.parents) {
    if (fits(parent)) return parent;
    found = findUpwards(parent, fits);
  }
  return found;
}

/** The key change that makes a repartition necessary, unless a change of the value lies between: then moving it up would lose the value. */
function keyChangerOf(repartition: WorkingNode): WorkingNode | undefined {
  const changer = findUpwards(repartition, ({ step }) => step.traits.changesKey === true);
  const nearest = findUpwards(
    repartition,
    ({ step }) => step.traits.changesKey === true || step.traits.changesValue === true,
  );
  return changer === nearest ? changer : undefined;
}
