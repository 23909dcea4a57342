import { isRetriable, StreamsException } from "../errors.ts";
import type { Consumer, PartitionOffset, TopicPartition } from "../kafka/client.ts";
import type { Clock } from "../record/time.ts";
import { sourceIndexFor, type SubtopologyPlan, type TopologyPlan } from "../topology/compile.ts";
import type { AutoOffsetReset } from "../topology/processor.ts";
import { matchesWhole } from "../topology/topology.ts";
import { decodeOffsetMetadata, type OffsetMetadata } from "./offset_metadata.ts";
import type { RuntimeLog } from "./runtime_log.ts";

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
export interface StartOffsetTools {
  readonly consumer: Consumer;
  readonly clock: Clock;
  readonly log: RuntimeLog;
  readonly requestTimeoutMs: number;
  /** How long requests that fail for the moment are tried again. */
  readonly patienceMs: number;
  /** `auto.offset.reset`, for sources that say nothing else. */
  readonly defaultReset: AutoOffsetReset;
}

const RETRY_MS = 100;

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
  const committed = await committedOffsets(partitions, tools);
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

async function committedOffsets(
  partitions: readonly TopicPartition[],
  { consumer, clock, log, requestTimeoutMs, patienceMs }: StartOffsetTools,
): Promise<PartitionOffset[]> {
  for (let deadline = -1;;) {
    try {
      return await consumer.committed(partitions, requestTimeoutMs);
    } catch (error) {
      if (!isRetriable(error)) throw error;
      const now = clock.now();
      if (deadline < 0) {
        deadline = now + patienceMs;
        log.warn("Could not read committed offsets; trying again", { err: error });
      } else if (now > deadline) {
        throw new StreamsException("Could not read committed offsets in time", { cause: error });
      }
      await clock.sleep(RETRY_MS);
    }
  }
}

async function resetOffset(
  plan: TopologyPlan,
  { topic, partition }: TopicPartition,
  { consumer, clock, defaultReset, requestTimeoutMs }: StartOffsetTools,
): Promise<number> {
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
  const [found] = await consumer.offsetsForTimes(
    [{ topic, partition, timestamp }],
    requestTimeoutMs,
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
