import { isFenced, KafkaError, StreamsException, TaskMigratedException } from "../errors.ts";
import type { Consumer, PartitionOffset } from "../kafka/client.ts";
import type { Clock } from "../record/time.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { ThreadMetrics } from "../telemetry/thread_metrics.ts";
import type { InputFeed } from "./input_feed.ts";
import { encodeOffsetMetadata } from "./offset_metadata.ts";
import type { ProducerCollector } from "./producer_collector.ts";
import type { RuntimeLog } from "./runtime_log.ts";
import type { StreamsProducer } from "./streams_producer.ts";
import type { StreamTask } from "./task.ts";
import { partitionKey } from "./task_assignment.ts";

/** What a committer works with. */
export interface CommitterTools {
  readonly producer: StreamsProducer;
  readonly collector: ProducerCollector;
  readonly consumer: Consumer;
  readonly feed: InputFeed;
  readonly clock: Clock;
  readonly log: RuntimeLog;
  readonly tracing?: Tracing | undefined;
}

const NO_POSITIONS: ReadonlyMap<string, number> = new Map();

/**
 * Commits tasks, in the one order that keeps the disk behind Kafka: caches are emptied, the producer is flushed, the offsets are committed (in the
 * transaction, or alone), and only then each task's stores are committed with the changelog offsets they correspond to. Kafka Streams: `TaskExecutor`.
 */
export class Committer {
  readonly #tools: CommitterTools;
  readonly #metrics: ThreadMetrics;
  /** The last offset committed for each partition by this thread. */
  readonly committed: Map<string, number> = new Map();

  constructor(tools: CommitterTools, metrics: ThreadMetrics) {
    this.#tools = tools;
    this.#metrics = metrics;
  }

  /**
   * Commits what these tasks have done; gives how many had something to commit, or -1 when the group is being rebalanced and it has to be tried later.
   * @throws {TaskMigratedException} when this member or its producer is fenced
   * @throws {TaskCorruptedException} when the transaction must be aborted
   */
  async commit(tasks: Iterable<StreamTask>): Promise<number> {
    const { clock, collector, producer, tracing } = this.#tools;
    const needing: StreamTask[] = [];
    for (const task of tasks) {
      if (task.state !== "running") continue;
      if (task.commitNeeded) needing.push(task);
      else task.save("if-due");
    }
    if (needing.length === 0 && !producer.transactionOpen) return 0;
    const began = clock.monotonic();
    const span = tracing?.beginCommit();
    let offsets: PartitionOffset[] = [];
    let failure: unknown;
    try {
      offsets = needing.flatMap((task) => this.#prepare(task));
      await collector.flush();
      if (!await this.#commitOffsets(offsets)) return -1;
      this.#finish(needing, offsets);
    } catch (error) {
      this.#metrics.commitsFailed++;
      failure = error;
      throw error;
    } finally {
      if (span !== undefined) tracing?.endCommit(span, offsets.length, failure);
    }
    const took = clock.monotonic() - began;
    this.#metrics.commit.record(took, clock.now());
    this.#metrics.commitDuration.observe(took / 1_000);
    this.#metrics.blockedNs += Math.round(took * 1e6);
    return needing.length;
  }

  #prepare(task: StreamTask): PartitionOffset[] {
    const { processorMetadata } = task;
    return task.prepareCommit().flatMap(({ topic, partition, offset, partitionTime }) => {
      const next = offset ?? this.#tools.feed.position({ topic, partition });
      if (next === undefined) return [];
      const metadata = encodeOffsetMetadata({ partitionTime, processorMetadata });
      return [{ topic, partition, offset: next, metadata }];
    });
  }

  async #commitOffsets(offsets: readonly PartitionOffset[]): Promise<boolean> {
    const { producer, consumer, log } = this.#tools;
    if (producer.exactlyOnce) {
      await producer.commitTransaction(offsets, consumer);
      return true;
    }
    if (offsets.length === 0) return true;
    try {
      await consumer.commit(offsets);
      return true;
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      if (isFenced(error) && error.codeName !== "STALE_MEMBER_EPOCH") {
        throw new TaskMigratedException(
          `Consumer committing offsets failed, indicating the corresponding thread is no longer part of the group: ${error.message}`,
          { cause: error },
        );
      }
      if (!error.retriable && error.codeName !== "STALE_MEMBER_EPOCH") {
        throw new StreamsException("Error encountered committing offsets via consumer", {
          cause: error,
        });
      }
      log.warn("Could not commit offsets; trying again later", { err: error });
      return false;
    }
  }

  #finish(tasks: readonly StreamTask[], offsets: readonly PartitionOffset[]): void {
    for (const offset of offsets) this.committed.set(partitionKey(offset), offset.offset);
    this.#tools.collector.committed(offsets);
    const delivered = this.#tools.collector.takeChangelogOffsets();
    for (const task of tasks) task.postCommit(this.#positions(task, delivered));
  }

  /** The next offset of each changelog of a task. Behind the last record of a transaction comes its marker, which a restore skips. */
  #positions(
    task: StreamTask,
    delivered: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, number> {
    if (task.changelogs.length === 0) return NO_POSITIONS;
    const positions = new Map<string, number>();
    for (const changelog of task.changelogs) {
      const key = partitionKey(changelog);
      const last = delivered.get(key);
      const next = changelog.isSource
        ? this.committed.get(key)
        : last === undefined
        ? undefined
        : last + 1;
      if (next !== undefined) positions.set(changelog.store, next);
    }
    return positions;
  }
}
