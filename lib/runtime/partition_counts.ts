/**
 * How many partitions internal topics need. Pure functions of the plan and of the topics that exist. Follows Kafka Streams'
 * `RepartitionTopics`, `CopartitionedTopicsEnforcer` and `ChangelogTopics`.
 *
 * @module
 */
import { MissingSourceTopicException, StreamsException, TopologyException } from "../errors.ts";
import type { SubtopologyPlan, TopologyPlan } from "../topology/compile.ts";
import { matchesWhole } from "../topology/topology.ts";

/** Partition counts by full topic name. */
export type TopicCounts = ReadonlyMap<string, number>;

/** The topics a subtopology reads: those it names, and those that exist and match its patterns. */
export function sourceTopicsOf(plan: SubtopologyPlan, existing: TopicCounts): string[] {
  const topics = new Set(plan.sourceTopics);
  for (const topic of existing.keys()) {
    if (plan.sourcePatterns.some((pattern) => matchesWhole(pattern, topic))) topics.add(topic);
  }
  return [...topics];
}

/** @throws {MissingSourceTopicException} when a topic that the user has to make does not exist */
export function refuseMissingSources(plan: TopologyPlan, existing: TopicCounts): void {
  const named = new Set(plan.subtopologies.flatMap((s) => s.sourceTopics));
  for (const { topic } of plan.global?.stores ?? []) named.add(topic);
  const missing = [...named].filter((topic) =>
    !plan.repartitionTopics.has(topic) && !existing.has(topic)
  );
  if (missing.length > 0) throw new MissingSourceTopicException(missing.sort());
}

/**
 * The partition count of each repartition topic: what the user asked for, else the most partitions that anything upstream has, and equal within a
 * copartition group.
 * @throws {TopologyException} when topics that are joined have different counts
 * @throws {StreamsException} when a count cannot be found
 */
export function repartitionCounts(plan: TopologyPlan, existing: TopicCounts): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [topic, { partitions }] of plan.repartitionTopics) {
    if (partitions !== undefined) counts.set(topic, partitions);
  }
  // A repartition topic may feed another one, so counts spread from the sources until nothing is open.
  for (let open = true; open;) {
    open = false;
    let progress = false;
    for (const topic of plan.repartitionTopics.keys()) {
      if (counts.has(topic)) continue;
      const count = countUpstream(plan, topic, counts, existing);
      if (count === undefined) open = true;
      else {
        counts.set(topic, count);
        progress = true;
      }
    }
    if (open && !progress) {
      throw new StreamsException(
        "Failed to compute number of partitions for all repartition topics, make sure all user input topics are created " +
          "and all Pattern subscriptions match at least one topic in the cluster",
      );
    }
  }
  for (const group of plan.copartitionGroups) enforceCopartition(group, plan, counts, existing);
  return counts;
}

function countUpstream(
  plan: TopologyPlan,
  topic: string,
  counts: TopicCounts,
  existing: TopicCounts,
): number | undefined {
  let most: number | undefined;
  for (const subtopology of plan.subtopologies) {
    if (!subtopology.sinkTopics.includes(topic)) continue;
    for (const source of sourceTopicsOf(subtopology, existing)) {
      const count = plan.repartitionTopics.has(source) ? counts.get(source) : existing.get(source);
      if (count !== undefined && (most === undefined || count > most)) most = count;
    }
  }
  return most;
}

function enforceCopartition(
  group: readonly string[],
  plan: TopologyPlan,
  counts: Map<string, number>,
  existing: TopicCounts,
): void {
  const internal = group.filter((topic) => plan.repartitionTopics.has(topic));
  const external = group.filter((topic) => !plan.repartitionTopics.has(topic));
  const asked = internal.filter((t) => plan.repartitionTopics.get(t)!.partitions !== undefined);
  const wanted = external.length > 0
    ? sameCount(external, existing, "Topics not co-partitioned")
    : asked.length > 0
    ? sameCount(
      asked,
      counts,
      "Following topics do not have the same number of partitions",
      internal,
    )
    : Math.max(...internal.map((topic) => counts.get(topic)!));
  for (const topic of internal) {
    const own = plan.repartitionTopics.get(topic)!.partitions;
    if (own !== undefined && own !== wanted) {
      throw new TopologyException(
        `Number of partitions [${own}] of repartition topic [${topic}] doesn't match number of partitions [${wanted}] of the source topic.`,
      );
    }
    counts.set(topic, wanted);
  }
}

function sameCount(
  topics: readonly string[],
  counts: TopicCounts,
  complaint: string,
  listed: readonly string[] = topics,
): number {
  const first = counts.get(topics[0])!;
  if (topics.every((topic) => counts.get(topic) === first)) return first;
  const shown = [...listed].sort().map((topic) => `${topic}=${counts.get(topic)}`);
  throw new TopologyException(`${complaint}: [{${shown.join(", ")}}]`);
}

/** How many tasks a subtopology has: the most partitions of its source topics. Kafka Streams: `PartitionGrouper`. */
export function taskCount(plan: SubtopologyPlan, counts: TopicCounts): number {
  return Math.max(0, ...sourceTopicsOf(plan, counts).map((topic) => counts.get(topic) ?? 0));
}
