import { ApplicationShutdownException, KafkaError } from "../errors.ts";
import type { Consumer, PartitionOffset, Rebalance, TopicPartition } from "../kafka/client.ts";
import type { TopologyPlan } from "../topology/compile.ts";
import type { InputFeed } from "./input_feed.ts";
import { mergeProcessorMetadata } from "./offset_metadata.ts";
import type { TopicCounts } from "./partition_counts.ts";
import type { RuntimeLog } from "./runtime_log.ts";
import { isSignalled, withoutSignal } from "./shutdown_signal.ts";
import { BEGINNING, END, type StartOffset } from "./start_offsets.ts";
import type { StoreRestorer } from "./store_restorer.ts";
import type { StreamTask } from "./task.ts";
import {
  assignTasks,
  partitionKey,
  samePartitions,
  type TaskAssignment,
} from "./task_assignment.ts";
import type { TaskRegistry } from "./task_registry.ts";
import type { ThreadOutput } from "./thread_output.ts";

/** What keeping a thread's tasks takes. */
export interface ThreadTasksTools {
  readonly plan: TopologyPlan;
  readonly consumer: Consumer;
  readonly feed: InputFeed;
  readonly restorer: StoreRestorer;
  readonly registry: TaskRegistry;
  readonly output: ThreadOutput;
  readonly log: RuntimeLog;
  /** The partition counts of all topics; `refresh` asks the cluster again. */
  counts(refresh: boolean): Promise<TopicCounts>;
  startOffsets(partitions: readonly TopicPartition[]): Promise<StartOffset[]>;
  resetOffsets(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]>;
  create(assignment: TaskAssignment): StreamTask;
  /** Told of each task that was closed. */
  closed(task: StreamTask): void;
}

/**
 * Makes and closes a thread's tasks as its partitions come and go. Tasks that stay keep their state open; those that go are committed and closed before
 * the group hears that they are free. Kafka Streams: `TaskManager`.
 */
export class ThreadTasks {
  readonly #tools: ThreadTasksTools;
  readonly #sinceMs: number;
  #owned: readonly TopicPartition[] = [];
  /** The rebalance that still waits for its answer. */
  #asked: Rebalance | undefined;
  readonly #starts = new Map<string, StartOffset>();
  /** Who this was in the group when tasks were suspended. */
  #suspendedAs: string | undefined;

  /** @param sinceMs when the thread began: what it was told to do before does not count */
  constructor(tools: ThreadTasksTools, sinceMs: number) {
    this.#tools = tools;
    this.#sinceMs = sinceMs;
  }

  /** The partitions that the group has given to this thread. */
  get owned(): readonly TopicPartition[] {
    return this.#owned;
  }

  /** Does what the group asks and answers it. */
  async answer(rebalance: Rebalance): Promise<void> {
    this.#asked = rebalance;
    try {
      if (rebalance.kind === "assign") await this.#assign(rebalance);
      else if (rebalance.kind === "revoke") await this.#revoke(rebalance);
      else await this.#lose(rebalance);
    } finally {
      // The group waits for the answer, whatever went wrong here; what is assigned is read from where the heal begins again.
      this.#complete(rebalance);
    }
  }

  #complete(rebalance: Rebalance, startAt: readonly PartitionOffset[] = []): void {
    if (this.#asked !== rebalance) return;
    this.#asked = undefined;
    try {
      this.#tools.consumer.completeRebalance(rebalance, startAt);
    } catch (error) {
      if (!(error instanceof KafkaError) || error.fatal) throw error;
      // The member has left its group in between; the next rebalance says what holds.
      this.#tools.log.warn("The group did not take the answer to a rebalance", { err: error });
    }
  }

  async #revoke(rebalance: Rebalance): Promise<void> {
    const { output, registry, log } = this.#tools;
    log.info("Partitions revoked", { partitions: rebalance.partitions.map(partitionKey) });
    const affected = this.#readersOf(rebalance.partitions);
    try {
      const committed = await output.committer.commit(registry.running);
      for (const task of affected) {
        if (committed < 0) this.#closeDirty(task);
        else if (rebalance.incremental || task.state !== "running") this.#closeClean(task);
        else this.#suspend(task);
      }
    } finally {
      this.#owned = without(this.#owned, rebalance.partitions);
    }
    this.#complete(rebalance);
  }

  /** Keeps a task open that may come back. What waits in its queues is read again then. */
  #suspend(task: StreamTask): void {
    this.#tools.feed.detach(task);
    task.rollback();
    task.save("now");
    this.#suspendedAs = this.#tools.consumer.memberId();
    this.#tools.registry.suspend([task]);
  }

  async #lose(rebalance: Rebalance): Promise<void> {
    const { output, registry, log } = this.#tools;
    log.warn("Partitions lost", { partitions: rebalance.partitions.map(partitionKey) });
    for (const task of this.#readersOf(rebalance.partitions)) this.#closeDirty(task);
    this.#owned = without(this.#owned, rebalance.partitions);
    this.#complete(rebalance);
    const rest = registry.all();
    if (!output.producer.transactionOpen) return;
    // The transaction holds the lost tasks' work: it goes, and with it what the other tasks did since the last commit.
    await output.abort();
    if (rest.length > 0) await this.revive();
  }

  async #assign(rebalance: Rebalance): Promise<void> {
    const { log } = this.#tools;
    log.info("Partitions assigned", { partitions: rebalance.partitions.map(partitionKey) });
    const starts = await this.#tools.startOffsets(rebalance.partitions);
    const asked = isSignalled(starts, this.#sinceMs);
    this.#owned = rebalance.incremental
      ? [...without(this.#owned, rebalance.partitions), ...rebalance.partitions]
      : rebalance.partitions;
    for (const start of starts) this.#starts.set(partitionKey(start), start);
    if (asked) {
      throw new ApplicationShutdownException(
        "Another instance has asked the whole application to shut down",
      );
    }
    const wanted = await this.#wanted();
    await this.#closeUnwanted(wanted, starts);
    this.#complete(rebalance, starts.map(startAt));
    await this.#readAgain(wanted, rebalance.partitions);
    await this.#takeUp(wanted);
  }

  /** A task that is made anew reads the partitions it had before from their committed offsets again. */
  async #readAgain(
    wanted: readonly TaskAssignment[],
    fresh: readonly TopicPartition[],
  ): Promise<void> {
    const made = wanted.filter(({ id }) => this.#tools.registry.get(id) === undefined);
    const kept = without(made.flatMap((w) => w.partitions), fresh);
    const starts = await this.#tools.startOffsets(kept);
    for (const start of starts) this.#starts.set(partitionKey(start), start);
    await Promise.all(starts.map((start) => this.#tools.consumer.seek(start, start.start)));
  }

  async #wanted(): Promise<TaskAssignment[]> {
    const { counts, plan, log } = this.#tools;
    let known = await counts(false);
    const isNew = ({ topic, partition }: TopicPartition) => partition >= (known.get(topic) ?? 0);
    if (this.#owned.some(isNew)) known = await counts(true);
    const wanted = assignTasks(plan, known, this.#owned);
    for (const { id, plan: { stores }, missing } of wanted) {
      if (missing.length === 0 || stores.length === 0) continue;
      log.warn(
        `Task ${id} waits, as it has stores and some of its partitions are read by another member; give its source topics equal partition counts`,
        { missing: missing.map(partitionKey) },
      );
    }
    return wanted.filter(({ plan: { stores }, missing }) =>
      missing.length === 0 || stores.length === 0
    );
  }

  async #closeUnwanted(
    wanted: readonly TaskAssignment[],
    starts: readonly StartOffset[],
  ): Promise<void> {
    const { registry, output } = this.#tools;
    const unwanted = (task: StreamTask) => {
      const next = wanted.find((w) => w.id === task.id);
      return next === undefined || !samePartitions(next.partitions, task.inputPartitions);
    };
    // A member that was put out of the group comes back under another id: others may have had its tasks, whatever they committed.
    const wasAway = this.#tools.consumer.memberId() !== this.#suspendedAs;
    if (registry.running.some(unwanted)) await output.committer.commit(registry.running);
    for (const task of registry.all()) {
      if (unwanted(task)) {
        if (task.commitNeeded) this.#closeDirty(task);
        else this.#closeClean(task);
      } else if (
        registry.isSuspended(task) && wasAway ||
        movedOn(task, starts, output.committer.committed)
      ) {
        // Somebody else had it in between: the state here is old, its changelog knows the rest.
        this.#closeDirty(task);
      }
    }
  }

  /** Makes the tasks that are missing and lets those that stayed go on. */
  async #takeUp(wanted: readonly TaskAssignment[]): Promise<void> {
    const { registry, restorer, create } = this.#tools;
    const made: StreamTask[] = [];
    for (const assignment of wanted) {
      const known = registry.get(assignment.id);
      if (known === undefined) {
        const task = create(assignment);
        registry.add(task);
        this.#attach(task, true);
        made.push(task);
      } else if (known.state === "running" && !registry.running.includes(known)) {
        this.#attach(known, false);
        registry.resume(known);
      }
    }
    await restorer.begin(made.map((task) => ({ task, committed: this.#committedOf(task) })));
    this.startRestored();
  }

  #attach(task: StreamTask, blocked: boolean): void {
    for (const partition of task.inputPartitions) {
      const start = this.#starts.get(partitionKey(partition))!;
      this.#tools.feed.attach(task, partition, start.start, blocked);
    }
  }

  #committedOf(task: StreamTask): Map<string, number> {
    const committed = new Map<string, number>();
    for (const partition of task.inputPartitions) {
      const key = partitionKey(partition);
      const offset = this.#starts.get(key)?.committed;
      if (offset !== undefined) committed.set(key, offset);
    }
    return committed;
  }

  /** Starts the tasks whose stores are restored; gives how many. */
  startRestored(): number {
    const { restorer, feed, registry, output } = this.#tools;
    const restored = restorer.takeRestored();
    for (const task of restored) {
      const starts = task.inputPartitions.map((p) => this.#starts.get(partitionKey(p))!);
      task.start(
        starts.map(({ topic, partition, metadata, committed }) => ({
          topic,
          partition,
          partitionTime: metadata.partitionTime,
          offset: committed,
        })),
        withoutSignal(mergeProcessorMetadata(starts.map((s) => s.metadata))),
      );
      for (const start of starts) {
        if (start.committed !== undefined) {
          output.committer.committed.set(partitionKey(start), start.committed);
        }
      }
      feed.setBlocked(task, false);
    }
    if (restored.length > 0) registry.refresh();
    return restored.length;
  }

  /**
   * Begins anew with all owned partitions after an abort: what was not committed is forgotten, in the stores as in the queues, and the inputs are read
   * again from the committed offsets.
   */
  async revive(): Promise<void> {
    const { consumer } = this.#tools;
    this.closeAllDirty();
    const starts = await this.#tools.startOffsets(this.#owned);
    for (const start of starts) this.#starts.set(partitionKey(start), start);
    await Promise.all(starts.map((start) => consumer.seek(start, start.start)));
    await this.#takeUp(await this.#wanted());
  }

  /**
   * Goes on where the sources' reset policies say with partitions that have nothing at their position. What tasks know stays.
   * @throws {StreamsException} when a policy is `none`
   */
  async goOnElsewhere(gone: readonly PartitionOffset[]): Promise<void> {
    const { consumer, feed, log } = this.#tools;
    const owned = new Set(this.#owned.map(partitionKey));
    const starts = await this.#tools.resetOffsets(gone.filter((p) => owned.has(partitionKey(p))));
    for (const start of starts) {
      log.warn(
        `Partition ${partitionKey(start)} has nothing at its position; going on at ${
          start.offset === BEGINNING
            ? "the beginning"
            : start.offset === END
            ? "the end"
            : start.offset
        }`,
        { position: gone.find((p) => partitionKey(p) === partitionKey(start))?.offset },
      );
      await consumer.seek(start, start.offset);
      feed.restart(start, start.offset);
    }
  }

  /** Closes all tasks after a commit. */
  closeAllClean(): void {
    for (const task of this.#tools.registry.all()) this.#closeClean(task);
  }

  /** Closes all tasks and forgets what they did since the last commit. */
  closeAllDirty(): void {
    for (const task of this.#tools.registry.all()) this.#closeDirty(task);
  }

  /** Forgets the partitions: this thread has left the group. */
  disown(): void {
    this.#owned = [];
    this.#starts.clear();
  }

  #closeClean(task: StreamTask): void {
    this.#forget(task);
    task.close({ clean: true });
    this.#tools.closed(task);
  }

  #closeDirty(task: StreamTask): void {
    for (const step of [() => this.#forget(task), () => task.close({ clean: false })]) {
      try {
        step();
      } catch (error) {
        // What failed is the reason why it is closed, or a consequence of it.
        this.#tools.log.warn(`Task ${task.taskId} did not close in order`, { err: error });
      }
    }
    this.#tools.closed(task);
  }

  #forget(task: StreamTask): void {
    const { feed, restorer, registry, output } = this.#tools;
    feed.detach(task);
    registry.remove(task);
    for (const partition of task.inputPartitions) {
      output.committer.committed.delete(partitionKey(partition));
    }
    restorer.drop(task);
  }

  #readersOf(partitions: readonly TopicPartition[]): StreamTask[] {
    const keys = new Set(partitions.map(partitionKey));
    return this.#tools.registry.all().filter((task) =>
      task.inputPartitions.some((p) => keys.has(partitionKey(p)))
    );
  }
}

function without(
  partitions: readonly TopicPartition[],
  removed: readonly TopicPartition[],
): TopicPartition[] {
  const keys = new Set(removed.map(partitionKey));
  return partitions.filter((p) => !keys.has(partitionKey(p)));
}

function startAt({ topic, partition, start }: StartOffset): PartitionOffset {
  return { topic, partition, offset: start };
}

/** Whether partitions that came back were committed further by somebody else. */
function movedOn(
  task: StreamTask,
  starts: readonly StartOffset[],
  committed: ReadonlyMap<string, number>,
): boolean {
  const own = new Set(task.inputPartitions.map(partitionKey));
  return starts.some((start) => {
    const key = partitionKey(start);
    return own.has(key) && committed.has(key) && committed.get(key) !== start.committed;
  });
}
