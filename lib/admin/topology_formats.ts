import type { DescribedNode, TopologyDescription } from "../topology/describe.ts";

/** A topology as plain data, for tools. Follows the model of KIP-1331. */
export function topologyAsJson(description: TopologyDescription): unknown {
  return {
    subtopologies: description.subtopologies.filter((s) => !s.isGlobal)
      .map(({ id, nodes }) => ({ id, nodes: nodes.map(nodeAsJson) })),
    globalStores: description.subtopologies.filter((s) => s.isGlobal)
      .map(({ id, nodes }) => ({ id, nodes: nodes.map(nodeAsJson) })),
  };
}

function nodeAsJson(node: DescribedNode): unknown {
  return {
    name: node.name,
    type: node.kind.toUpperCase(),
    ...(node.kind === "processor" ? {} : { topics: node.topics }),
    ...(node.pattern === undefined ? {} : { topicPattern: node.pattern }),
    ...(node.stores.length === 0 ? {} : { stores: node.stores }),
    predecessors: node.predecessors,
    successors: node.successors,
  };
}

/** A topology as a Mermaid flow chart, which GitHub and GitLab draw. */
export function topologyAsMermaid(description: TopologyDescription): string {
  const lines = ["flowchart TD"];
  const topics = new Set<string>();
  const stores = new Set<string>();
  const links: string[] = [];
  for (const { id, isGlobal, nodes } of description.subtopologies) {
    lines.push(`  subgraph s${id}["Sub-topology ${id}${isGlobal ? " (global)" : ""}"]`);
    for (const node of nodes) lines.push(`    ${idOf("n", node.name)}["${escaped(node.name)}"]`);
    lines.push("  end");
    for (const node of nodes) {
      const self = idOf("n", node.name);
      for (const child of node.successors) links.push(`  ${self} --> ${idOf("n", child)}`);
      for (const store of node.stores) {
        stores.add(store);
        links.push(`  ${self} -.- ${idOf("s", store)}`);
      }
      for (const topic of node.pattern === undefined ? node.topics : [node.pattern]) {
        topics.add(topic);
        const other = idOf("t", topic);
        links.push(node.kind === "source" ? `  ${other} --> ${self}` : `  ${self} --> ${other}`);
      }
    }
  }
  for (const topic of topics) lines.push(`  ${idOf("t", topic)}(["${escaped(topic)}"])`);
  for (const store of stores) lines.push(`  ${idOf("s", store)}[("${escaped(store)}")]`);
  return `${[...lines, ...links].join("\n")}\n`;
}

/** Dots and hyphens break Mermaid's identifiers; two names never become the same one. */
function idOf(kind: string, name: string): string {
  return `${kind}_${name.replaceAll(/[^a-zA-Z0-9]/g, (c) => `_${c.charCodeAt(0).toString(16)}`)}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
