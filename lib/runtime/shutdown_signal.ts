/**
 * How one instance tells all others of its application to end (`shutdown-application`). There is no message between members of a group that is balanced by the
 * broker or by `range`; but whoever takes a partition over reads what was committed for it. So the instance commits, beside the offsets of its
 * partitions, when it was told to end, and leaves. Those who get the partitions do the same and leave, until nobody is left.
 * Kafka Streams carries it in the assignor's metadata.
 *
 * @module
 */
import type { Consumer, TopicPartition } from "../kafka/client.ts";
import { decodeOffsetMetadata, encodeOffsetMetadata } from "./offset_metadata.ts";
import type { StartOffset } from "./start_offsets.ts";

const SIGNAL = "__weir.application.shutdown";

/** Commits the signal for these partitions, at the offsets that are committed. */
export async function signalShutdown(
  consumer: Consumer,
  owned: readonly TopicPartition[],
  nowMs: number,
  timeoutMs: number,
): Promise<void> {
  if (owned.length === 0) return;
  const committed = await consumer.committed(owned, timeoutMs);
  await consumer.commit(
    committed.filter(({ offset }) => offset >= 0).map(({ topic, partition, offset, metadata }) => {
      const { partitionTime, processorMetadata } = decodeOffsetMetadata(metadata);
      const signalled = new Map(processorMetadata).set(SIGNAL, nowMs);
      return {
        topic,
        partition,
        offset,
        metadata: encodeOffsetMetadata({ partitionTime, processorMetadata: signalled }),
      };
    }),
  );
}

/** Whether one of the partitions carries a signal that is not older than `sinceMs`: an older one was meant for an earlier run. */
export function isSignalled(starts: readonly StartOffset[], sinceMs: number): boolean {
  return starts.some(({ metadata }) => (metadata.processorMetadata.get(SIGNAL) ?? -1) >= sinceMs);
}

/** The processors' own numbers. */
export function withoutSignal(metadata: ReadonlyMap<string, number>): Map<string, number> {
  const own = new Map(metadata);
  own.delete(SIGNAL);
  return own;
}
