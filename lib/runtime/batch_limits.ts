import { KafkaError } from "../errors.ts";
import type { Admin } from "../kafka/client.ts";
import type { TopologyPlan } from "../topology/compile.ts";
import type { RuntimeLog } from "./runtime_log.ts";

/** librdkafka's default of `batch.size`. */
const DEFAULT_BYTES = 1_000_000;
/** What a batch adds to its records. */
const OVERHEAD_BYTES = 512;

/** How long the answers are waited for (ms): a cluster that gives none must not hold the start up. */
const PATIENCE_MS = 2_000;

/** What asking topics takes. */
export interface BatchLimitTools {
  readonly admin: Admin;
  readonly log: RuntimeLog;
  readonly requestTimeoutMs: number;
}

/**
 * How large batches may be that every topic takes that an application writes; undefined when the configured size is small enough. A broker measures
 * batches by `max.message.bytes`, and refuses one that is larger with all its records. The Java producer splits it then, librdkafka does not.
 */
export async function batchLimit(
  plan: TopologyPlan,
  deadLetterTopic: string | undefined,
  configured: unknown,
  { admin, log, requestTimeoutMs }: BatchLimitTools,
): Promise<number | undefined> {
  const size = configured === undefined ? DEFAULT_BYTES : Number(configured);
  const topics = new Set([
    ...plan.subtopologies.flatMap(({ sinkTopics, stores }) => [
      ...sinkTopics,
      ...stores.flatMap((store) => store.changelogTopic ?? []),
    ]),
    ...(deadLetterTopic === undefined ? [] : [deadLetterTopic]),
  ]);
  const timeoutMs = Math.min(requestTimeoutMs, PATIENCE_MS);
  const limits = await Promise.all([...topics].map(async (topic) => {
    try {
      const { "max.message.bytes": limit } = await admin.topicConfig(topic, timeoutMs);
      return limit === undefined ? Infinity : Number(limit);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      // It may not be there yet, or this client may not see its settings.
      log.debug(`Could not ask how large the records of ${topic} may be`, { err: error });
      return Infinity;
    }
  }));
  const smallest = Math.min(Infinity, ...limits) - OVERHEAD_BYTES;
  return smallest < size ? Math.max(1, smallest) : undefined;
}
