import { TopologyException } from "../errors.ts";
import type { StoreBuilder } from "../state/store.ts";
import type { DeclaredTopic } from "./declared_topic.ts";
import { javaHashOrder } from "./java_hash_order.ts";
import type { SourceNode, TopologyNode } from "./nodes.ts";
import type { GlobalStoreEntry } from "./topology.ts";
import { matchesWhole, type Topology } from "./topology.ts";

/** A node of a plan, with its place in the graph. Indexes point into the subtopology's `nodes`. */
export interface PlanNode {
  readonly node: TopologyNode;
  readonly children: readonly number[];
  /** Names of the connected stores. */
  readonly stores: readonly string[];
  /** Full topic names of a source by name; the full topic of a sink with a fixed one. */
  readonly topics: readonly string[];
}

/** A store of a subtopology. */
export interface PlanStore {
  readonly name: string;
  readonly builder: StoreBuilder;
  /** The topic to restore from; undefined when logging is off. */
  readonly changelogTopic: string | undefined;
  /** Whether the changelog is a source topic: then nothing is written to it. */
  readonly changelogIsSource: boolean;
}

/** A part of the graph that runs as one task for each partition. */
export interface SubtopologyPlan {
  readonly id: number;
  readonly nodes: readonly PlanNode[];
  /** In the order in which they are opened and flushed. */
  readonly stores: readonly PlanStore[];
  readonly sourceTopics: readonly string[];
  readonly sourcePatterns: readonly RegExp[];
  readonly sinkTopics: readonly string[];
  /** Source topics that the engine makes. */
  readonly repartitionTopics: readonly string[];
}

/** The part that holds global stores: it runs once in each instance. */
export interface GlobalPlan {
  readonly nodes: readonly PlanNode[];
  readonly stores: readonly (GlobalStoreEntry & { readonly builder: StoreBuilder })[];
}

/** A topology made ready for one application: full topic names, subtopologies, copartition groups. Plain data. */
export interface TopologyPlan {
  readonly applicationId: string;
  readonly subtopologies: readonly SubtopologyPlan[];
  readonly global: GlobalPlan | undefined;
  /** Repartition topics by full name, with the partition count that the user asked for. */
  readonly repartitionTopics: ReadonlyMap<string, { readonly partitions: number | undefined }>;
  /** The user's own topics that are made at the start, or checked. */
  readonly declaredTopics: ReadonlyMap<string, DeclaredTopic>;
  /** Groups of full topic names that must have equal partition counts; transitively closed. */
  readonly copartitionGroups: readonly (readonly string[])[];
  /** What `describe()` prints. */
  readonly description: string;
}

/** What compiling needs to know of the configuration. */
export interface CompileOptions {
  readonly applicationId: string;
  /** `statestore.cache.max.bytes`; 0 takes the caches out. */
  readonly cacheMaxBytes: number;
}

/**
 * Makes a topology ready for an application. A pure function.
 * @throws {TopologyException} when repartition topics that must be copartitioned ask for different partition counts
 */
export function compileTopology(topology: Topology, options: CompileOptions): TopologyPlan {
  const { applicationId } = options;
  const full = (topic: string) =>
    topology.internalTopics.has(topic) ? `${applicationId}-${topic}` : topic;
  validateCopartition(topology);
  const globalSources = new Set([...topology.globalStores.values()].map((g) => g.sourceName));
  const subtopologies: SubtopologyPlan[] = [];
  const globalNames: string[] = [];
  topology.nodeGroups().forEach((names, id) => {
    if (names.some((name) => globalSources.has(name))) globalNames.push(...names);
    else subtopologies.push(planSubtopology(topology, id, names, options, full));
  });
  const repartitionTopics = new Map(
    [...topology.internalTopics].map(([topic, { partitions }]) => [full(topic), { partitions }]),
  );
  return Object.freeze({
    applicationId,
    subtopologies,
    global: globalNames.length === 0 ? undefined : {
      nodes: planNodes(topology, globalNames, full),
      stores: [...topology.globalStores.values()].map((entry) => ({
        ...entry,
        builder: options.cacheMaxBytes === 0 ? entry.builder.withCachingDisabled() : entry.builder,
      })),
    },
    repartitionTopics,
    declaredTopics: topology.declaredTopics,
    copartitionGroups: closeCopartitionGroups(topology, full),
    description: topology.describe().toString(),
  });
}

/**
 * The whole topology but its global stores as one subtopology, number 0: what the test driver runs as a single task.
 * Kafka Streams: `InternalTopologyBuilder.buildTopology`.
 */
export function compileAsOneTask(topology: Topology, options: CompileOptions): SubtopologyPlan {
  const plan = compileTopology(topology, options);
  const globals = new Set(plan.global?.nodes.map((n) => n.node.name));
  const names = [...topology.nodes.keys()].filter((name) => !globals.has(name));
  const full = (topic: string) =>
    topology.internalTopics.has(topic) ? `${options.applicationId}-${topic}` : topic;
  return planSubtopology(topology, 0, names, options, full);
}

/** The global part in the form of a subtopology: its stores are filled from its source topics and log nothing. */
export function globalAsSubtopology(global: GlobalPlan): SubtopologyPlan {
  return {
    id: -1,
    nodes: global.nodes,
    stores: global.stores.map((entry) => ({
      name: entry.builder.name,
      builder: entry.builder,
      changelogTopic: entry.topic,
      changelogIsSource: true,
    })),
    sourceTopics: global.stores.map((entry) => entry.topic),
    sourcePatterns: [],
    sinkTopics: [],
    repartitionTopics: [],
  };
}

function planSubtopology(
  topology: Topology,
  id: number,
  names: readonly string[],
  options: CompileOptions,
  full: (topic: string) => string,
): SubtopologyPlan {
  const nodes = planNodes(topology, names, full);
  const sources = nodes.filter((n) => n.node.kind === "source");
  const sourceTopics = sources.flatMap((n) => n.topics);
  const storeNames: string[] = [];
  for (const { stores } of nodes) {
    for (const store of stores) {
      if (!storeNames.includes(store) && topology.stores.has(store)) storeNames.push(store);
    }
  }
  return Object.freeze({
    id,
    nodes,
    stores: storeNames.map((name) => planStore(topology, name, options, full)),
    sourceTopics,
    sourcePatterns: sources.flatMap(({ node }) => (node as SourceNode).pattern ?? []),
    sinkTopics: nodes.filter((n) => n.node.kind === "sink").flatMap((n) => n.topics),
    repartitionTopics: sources.flatMap(({ node }) =>
      (node as SourceNode).topics.filter((topic) => topology.internalTopics.has(topic)).map(full)
    ),
  });
}

function planNodes(
  topology: Topology,
  names: readonly string[],
  full: (topic: string) => string,
): PlanNode[] {
  const group = new Set(names);
  const ordered = [...topology.nodes.values()].filter((node) => group.has(node.name));
  return ordered.map((node) =>
    Object.freeze({
      node,
      children: ordered.flatMap((child, index) => child.parents.includes(node.name) ? [index] : []),
      stores: javaHashOrder(topology.storesOf(node.name)),
      topics: node.kind === "source"
        ? node.topics.map(full)
        : node.kind === "sink" && typeof node.topic === "string"
        ? [full(node.topic)]
        : [],
    })
  );
}

function planStore(
  topology: Topology,
  name: string,
  { applicationId, cacheMaxBytes }: CompileOptions,
  full: (topic: string) => string,
): PlanStore {
  const { builder } = topology.stores.get(name)!;
  const source = topology.storeToSourceTopic.get(name);
  return Object.freeze({
    name,
    builder: cacheMaxBytes === 0 ? builder.withCachingDisabled() : builder,
    changelogTopic: source !== undefined
      ? full(source)
      : builder.loggingEnabled
      ? changelogTopicName(applicationId, name)
      : undefined,
    changelogIsSource: source !== undefined,
  });
}

/** `<application.id>-<store>-changelog`. Kafka Streams: `ProcessorStateManager.storeChangelogTopic`. */
export function changelogTopicName(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

function validateCopartition(topology: Topology): void {
  for (const group of topology.copartitionGroups) {
    const topics = sourceTopicsOf(topology, group);
    const asked = new Map<string, number>();
    for (const topic of topics) {
      const partitions = topology.internalTopics.get(topic)?.partitions;
      if (partitions !== undefined) asked.set(topic, partitions);
    }
    if (asked.size !== topics.length || new Set(asked.values()).size <= 1) continue;
    const listed = [...asked].sort(([a], [b]) => (a < b ? -1 : 1)).map(([t, n]) => `${t}=${n}`);
    throw new TopologyException(
      `Following topics do not have the same number of partitions: [{${
        listed.join(", ")
      }}]. Give them the same number, as they are read together`,
    );
  }
}

function sourceTopicsOf(topology: Topology, sourceNodes: ReadonlySet<string>): string[] {
  return [...sourceNodes].flatMap((name) => {
    const node = topology.nodes.get(name);
    return node?.kind === "source" ? node.topics : [];
  });
}

function closeCopartitionGroups(topology: Topology, full: (topic: string) => string): string[][] {
  const groupOf = new Map<string, Set<string>>();
  for (const sources of topology.copartitionGroups) {
    const topics = sourceTopicsOf(topology, sources).map(full);
    const merged = new Set(topics);
    for (const topic of topics) for (const other of groupOf.get(topic) ?? []) merged.add(other);
    for (const topic of merged) groupOf.set(topic, merged);
  }
  return [...new Set(groupOf.values())].map((group) => [...group]);
}

/** The source node of a subtopology that reads the topic. @throws {TopologyException} when none does. */
export function sourceIndexFor(plan: Pick<SubtopologyPlan, "nodes">, topic: string): number {
  let byPattern = -1;
  for (let i = 0; i < plan.nodes.length; i++) {
    const { node, topics } = plan.nodes[i];
    if (node.kind !== "source") continue;
    if (topics.includes(topic)) return i;
    if (byPattern < 0 && node.pattern && matchesWhole(node.pattern, topic)) byPattern = i;
  }
  if (byPattern < 0) throw new TopologyException(`No source reads the topic ${topic}`);
  return byPattern;
}
