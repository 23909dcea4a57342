import type { TopicPartition } from "../kafka/client.ts";
import { type TaskId, taskId } from "../record/task_id.ts";
import type { SubtopologyPlan, TopologyPlan } from "../topology/compile.ts";
import { sourceTopicsOf, type TopicCounts } from "./partition_counts.ts";

/** A task that a thread is to run. */
export interface TaskAssignment {
  readonly id: TaskId;
  readonly plan: SubtopologyPlan;
  readonly partitions: readonly TopicPartition[];
  /** Partitions of the task that this thread does not own. */
  readonly missing: readonly TopicPartition[];
}

/** One name for a partition, as map key and in messages. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/** The tasks that these partitions make up: partition n of the source topics of a subtopology is its task n. Kafka Streams: `PartitionGrouper`. */
export function assignTasks(
  plan: TopologyPlan,
  counts: TopicCounts,
  owned: readonly TopicPartition[],
): TaskAssignment[] {
  const ownedKeys = new Set(owned.map(partitionKey));
  return plan.subtopologies.flatMap((subtopology) => {
    const topics = sourceTopicsOf(subtopology, counts);
    const numbers = new Set(
      owned.filter(({ topic }) => topics.includes(topic)).map(({ partition }) => partition),
    );
    return [...numbers].sort((a, b) => a - b).map((partition) => {
      const all = topics.filter((topic) => partition < (counts.get(topic) ?? 0)).map((topic) => ({
        topic,
        partition,
      }));
      return {
        id: taskId(subtopology.id, partition),
        plan: subtopology,
        partitions: all.filter((p) => ownedKeys.has(partitionKey(p))),
        missing: all.filter((p) => !ownedKeys.has(partitionKey(p))),
      };
    });
  });
}

/** Whether both read the same partitions. */
export function samePartitions(
  a: readonly TopicPartition[],
  b: readonly TopicPartition[],
): boolean {
  const keys = new Set(a.map(partitionKey));
  return a.length === b.length && b.every((p) => keys.has(partitionKey(p)));
}
