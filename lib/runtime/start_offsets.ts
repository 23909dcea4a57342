import { StreamsException } from "../errors.ts";
import type { Consumer, PartitionOffset, TopicPartition } from "../kafka/client.ts";
import { sourceIndexFor, type SubtopologyPlan, type TopologyPlan } from "../topology/compile.ts";
import type { AutoOffsetReset } from "../topology/processor.ts";
import { matchesWhole } from "../topology/topology.ts";
import { decodeOffsetMetadata, type OffsetMetadata } from "./offset_metadata.ts";
import { type Patience, withPatience } from "./patience.ts";

/** Reading starts at the first record. */
export const BEGINNING = -2;
/** Reading starts behind the last record. */
export const END = -1;

/** Where reading of a partition starts, and what its group remembers of it. */
export interface StartOffset extends TopicPartition {
  /** What the group has committed; undefined when it has nothing. */
  readonly committed: number | undefined;
  /** An offset, `BEGINNING` or `END`. */
  readonly start: number;
  readonly metadata: OffsetMetadata;
}

/** What finding them needs. */
export interface StartOffsetTools extends Patience {
  readonly consumer: Consumer;
  readonly requestTimeoutMs: number;
  /** `auto.offset.reset`, for sources that say nothing else. */
  readonly defaultReset: AutoOffsetReset;
}

/**
 * Where reading starts: the committed offsets, and for partitions without one what the source's reset policy says.
 * @throws {StreamsException} when there is no offset and the policy is `none`
 */
export async function findStartOffsets(
  plan: TopologyPlan,
  partitions: readonly TopicPartition[],
  tools: StartOffsetTools,
): Promise<StartOffset[]> {
  if (partitions.length === 0) return [];
  const committed = await withPatience(
    "read committed offsets",
    tools,
    () => tools.consumer.committed(partitions, tools.requestTimeoutMs),
  );
  return await Promise.all(committed.map(async (found) => {
    const { topic, partition, offset } = found;
    const has = offset >= 0;
    return {
      topic,
      partition,
      committed: has ? offset : undefined,
      start: has ? offset : await resetOffset(plan, found, tools),
      metadata: decodeOffsetMetadata(found.metadata),
    };
  }));
}

/**
 * Where reading goes on after positions that the partitions do not have (any more): what the sources' reset policies say.
 * @throws {StreamsException} when a policy is `none`
 */
export async function findResetOffsets(
  plan: TopologyPlan,
  partitions: readonly TopicPartition[],
  tools: StartOffsetTools,
): Promise<PartitionOffset[]> {
  return await Promise.all(partitions.map(async ({ topic, partition }) => ({
    topic,
    partition,
    offset: await resetOffset(plan, { topic, partition }, tools),
  })));
}

async function resetOffset(
  plan: TopologyPlan,
  { topic, partition }: TopicPartition,
  tools: StartOffsetTools,
): Promise<number> {
  const { consumer, clock, defaultReset, requestTimeoutMs } = tools;
  const reset = resetPolicy(plan, topic) ?? defaultReset;
  if (reset === "earliest") return BEGINNING;
  if (reset === "latest") return END;
  if (reset === "none") {
    throw new StreamsException(
      `No valid committed offset found for input ${topic} (partition ${partition}) and no valid reset policy configured. ` +
        'You need to set configuration parameter "auto.offset.reset" or specify a topic specific reset policy via ' +
        "the source's offsetReset option",
    );
  }
  const timestamp = clock.now() - reset.byDurationMs;
  const [found] = await withPatience(
    "find an offset by its time",
    tools,
    () => consumer.offsetsForTimes([{ topic, partition, timestamp }], requestTimeoutMs),
  );
  return found !== undefined && found.offset >= 0 ? found.offset : END;
}

function resetPolicy(plan: TopologyPlan, topic: string): AutoOffsetReset | undefined {
  const owner = plan.subtopologies.find((s) => reads(s, topic));
  if (owner === undefined) return undefined;
  const { node } = owner.nodes[sourceIndexFor(owner, topic)];
  return node.kind === "source" ? node.offsetReset : undefined;
}

function reads(plan: SubtopologyPlan, topic: string): boolean {
  return plan.sourceTopics.includes(topic) ||
    plan.sourcePatterns.some((pattern) => matchesWhole(pattern, topic));
}
