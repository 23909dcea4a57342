import {
  asyncFunctionError,
  isThenable,
  SchemaPending,
  StreamsException,
  TopologyException,
} from "../errors.ts";
import type { PartitionOffset, PartitionRun, TopicPartition } from "../kafka/client.ts";
import { RecordContext } from "../record/context.ts";
import { Headers } from "../record/headers.ts";
import { StreamRecord } from "../record/record.ts";
import type { TaskId } from "../record/task_id.ts";
import type { Clock } from "../record/time.ts";
import type { DropReason, RestoreRows, StateEnvironment, StateStore } from "../state/store.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Cancellable, PunctuationType } from "../topology/processor.ts";
import type { BatchLease } from "./batch_lease.ts";
import { PartitionGroup } from "./partition_group.ts";
import type { SourceNode, TaskNode } from "./processor_node.ts";
import { PunctuationQueue, type Schedule } from "./punctuation.ts";
import type { RecordCollector } from "./record_collector.ts";
import type { RecordQueue } from "./record_queue.ts";
import type { TaskContext, TaskSettings } from "./task_context.ts";
import { TaskFailures } from "./task_failures.ts";
import { buildTaskGraph, type TaskGraph } from "./task_graph.ts";
import type { Position } from "../state/query.ts";
import type { CommittableOffset, TaskOptions } from "./task_options.ts";
import { type Changelog, TaskStores } from "./task_stores.ts";

export type { CommittableOffset, TaskOptions } from "./task_options.ts";

/**
 * One partition of one subtopology at work: queues, processors, stores and punctuations, all synchronous. The thread feeds it batches, lets it
 * process, and commits it in two steps. Kafka Streams: `StreamTask`.
 *
 * ```
 *   created ── openStores ──▶ restoring ── start ──▶ running ── close ──▶ closed
 *      └──────────────────────────┴───────────── close ──────────────────────┘
 * ```
 */
export class StreamTask implements TaskContext {
  readonly taskId: TaskId;
  readonly inputPartitions: readonly TopicPartition[];
  readonly settings: TaskSettings;
  readonly collector: RecordCollector;
  readonly clock: Clock;
  readonly stateDir: string;
  readonly record: RecordContext = new RecordContext();
  /** Numbers that processors keep in the committed offsets' metadata. */
  processorMetadata: Map<string, number> = new Map();
  state: "created" | "restoring" | "running" | "closed" = "created";
  /** Something has happened since the last commit. */
  commitNeeded = false;
  /** A processor asked for a commit. */
  commitRequested = false;
  /** Sources are held back until this instant (epoch ms) by `pauseSources`; 0 when they are not. */
  pausedUntil = 0;
  /** Records processed. */
  processed = 0;

  readonly #options: TaskOptions;
  readonly #stores: TaskStores;
  readonly #environment: StateEnvironment;
  readonly #graph: TaskGraph;
  readonly #group: PartitionGroup;
  readonly #queues = new Map<string, RecordQueue>();
  readonly #streamPunctuations = new PunctuationQueue();
  readonly #wallPunctuations = new PunctuationQueue();
  readonly #failures: TaskFailures;
  #pending: Promise<void> | undefined;
  #source: SourceNode | undefined = undefined;

  constructor(options: TaskOptions) {
    this.#options = options;
    this.taskId = options.id;
    this.inputPartitions = options.inputPartitions;
    this.settings = options.settings;
    this.collector = options.collector;
    this.clock = options.clock;
    this.stateDir = options.stateDir;
    this.#environment = options.environment;
    this.#stores = new TaskStores(options, this);
    this.#failures = new TaskFailures(
      this,
      options.onDropped && ((reason, detail) => options.onDropped!(reason, this, detail)),
    );
    this.#graph = buildTaskGraph(options.plan, options.inputPartitions, this, this.#failures);
    for (const queue of this.#graph.queues) {
      this.#queues.set(`${queue.topic}-${queue.partition}`, queue);
    }
    this.#group = new PartitionGroup(
      this.#graph.queues,
      options.settings.maxTaskIdleMs,
      options.fetchState,
    );
  }

  get id(): TaskId {
    return this.taskId;
  }
  /** Records dropped, by reason. */
  get drops(): ReadonlyMap<DropReason, number> {
    return this.#failures.drops;
  }
  /** The changelogs to restore before `start`. */
  get changelogs(): readonly Changelog[] {
    return this.#stores.changelogs;
  }
  /** What `process` waits for: a schema that is being fetched. The thread awaits it between two polls. */
  get pending(): Promise<void> | undefined {
    return this.#pending;
  }
  /** Bytes of writes that are not committed. */
  get uncommittedBytes(): number {
    return this.#environment.uncommittedBytes;
  }
  /** The task's own stores by name. */
  get stores(): ReadonlyMap<string, StateStore> {
    return this.#stores.byName;
  }
  /** Its nodes, with how many records each was given. */
  get nodes(): readonly TaskNode[] {
    return this.#graph.nodes;
  }
  /** The name of the source node of the record in hand; undefined before the first. */
  get currentSource(): string | undefined {
    return this.#source?.name;
  }
  /** Bytes of keys and values that wait, over all partitions. */
  get bufferedBytes(): number {
    return this.#group.queues.reduce((sum, queue) => sum + queue.bytes(), 0);
  }
  /** Records that wait, over all partitions. */
  get buffered(): number {
    return this.#group.buffered;
  }

  /** Opens the stores; after it `restore` may be called. */
  openStores(): void {
    this.#stores.open();
    this.state = "restoring";
  }

  /** Applies rows of a changelog to its store. */
  restore(store: string, rows: RestoreRows, from: number, to: number): void {
    this.#stores.restore(store, rows, from, to);
  }

  /** Makes restored state durable, with the next offset of each changelog. Before `start` only. */
  checkpointRestored(offsets: ReadonlyMap<string, number>): void {
    this.#environment.commit(offsets);
    this.#environment.save();
  }

  /** The next changelog offset that a store's committed rows correspond to; undefined when nothing is known. */
  committedChangelogOffset(store: string): number | undefined {
    return this.#environment.committedOffset(store);
  }

  /** Whether a store has rows, of whatever position. */
  holdsRows(store: string): boolean {
    return this.#environment.open(store).approximateCount() > 0;
  }

  /** Forgets contents and positions of all stores: they are restored from the beginning. */
  wipe(): void {
    this.#environment.wipe();
  }

  /** Initializes the processors; partition times and processor metadata come from the committed offsets. */
  start(
    committed: readonly StartPartition[] = [],
    processorMetadata: ReadonlyMap<string, number> = new Map(),
  ): void {
    for (const { topic, partition, partitionTime, offset } of committed) {
      const queue = this.#queues.get(`${topic}-${partition}`);
      if (queue) {
        if (offset !== undefined) queue.resumeAt(offset);
        queue.partitionTime = partitionTime;
        if (partitionTime > this.#group.streamTime) this.#group.streamTime = partitionTime;
      }
    }
    this.processorMetadata = new Map(processorMetadata);
    this.#graph.init();
    this.state = "running";
  }

  /** Queues rows of a batch that belong to one of this task's partitions; gives the queue's size. */
  addBatch(lease: BatchLease, run: PartitionRun): number {
    const queue = this.#queue(run);
    queue.add(lease, run.from, run.to);
    return queue.size;
  }

  /** How far its stores have come: the last offset of each input partition that is processed. */
  position(): Position {
    const position: Record<string, Record<number, number>> = {};
    for (const queue of this.#group.queues) {
      const offset = queue.usedOffset();
      if (offset >= 0) (position[queue.topic] ??= {})[queue.partition] = offset;
    }
    return position;
  }

  /** How many records of a partition wait. */
  bufferedRecords(partition: TopicPartition): number {
    return this.#queue(partition).size;
  }

  #queue({ topic, partition }: TopicPartition): RecordQueue {
    const queue = this.#queues.get(`${topic}-${partition}`);
    if (!queue) {
      throw new TopologyException(`Task ${this.taskId} does not read ${topic}-${partition}`);
    }
    return queue;
  }

  /**
   * Whether a record may be processed now (`max.task.idle.ms`, `pauseSources`, a schema that is awaited).
   * @throws {StreamsException} when the head of a partition cannot be deserialized and the handler says to stop
   */
  isProcessable(now: number): boolean {
    if (this.#pending !== undefined || now < this.pausedUntil) return false;
    let ready = false;
    try {
      ready = this.#group.readyToProcess(now);
    } catch (error) {
      this.#awaitSchema(error);
    }
    if (!ready) this.#noteSkips();
    return ready;
  }

  /** Processes one record; false when there was none to process. */
  process(now: number): boolean {
    return this.processUpTo(1, now) === 1;
  }

  /**
   * Processes up to `max` records, each to the end; gives how many. Stops early when a commit is asked for, sources are paused, or
   * a partition that has to be waited for runs empty. Stream-time punctuations that come due fire in between, as they do in Kafka Streams
   * after each pass.
   * @throws {StreamsException} when a record fails and the handler says to stop
   */
  processUpTo(max: number, now: number): number {
    const { tracing } = this.#options;
    let count = 0;
    while (count < max) {
      if (!this.isProcessable(now)) break;
      const queue = this.#nextQueue();
      if (queue === undefined) break;
      if (tracing === undefined) this.#processHead(queue, queue.headHeaders);
      else this.#processTraced(queue, tracing);
      count++;
      if (this.#group.streamTime >= this.#streamPunctuations.nextDue || this.commitRequested) break;
    }
    this.processed += count;
    return count;
  }

  #nextQueue(): RecordQueue | undefined {
    try {
      const queue = this.#group.next();
      if (queue === undefined) this.#noteSkips();
      return queue;
    } catch (error) {
      this.#awaitSchema(error);
      return undefined;
    }
  }

  #awaitSchema(error: unknown): void {
    if (!(error instanceof SchemaPending)) throw this.#asStreamsException(error);
    this.#pending = error.ready.finally(() => {
      this.#pending = undefined;
    });
    // A thread that idles hears why the schema did not come; for a busy one the next look at the record asks again.
    this.#pending.catch(() => {});
  }

  #noteSkips(): void {
    for (const queue of this.#group.queues) {
      if (queue.skipped) this.commitNeeded = true;
      queue.skipped = false;
    }
  }

  #processTraced(queue: RecordQueue, tracing: Tracing): void {
    const { topic, partition, headOffset: offset, headHeaders: headers } = queue;
    const traced = tracing.beginRecord({ topic, partition, offset, headers }, this.taskId);
    try {
      this.#processHead(queue, traced);
    } catch (error) {
      tracing.noteError(error);
      throw error;
    } finally {
      tracing.endRecord();
    }
  }

  #processHead(queue: RecordQueue, headers: Headers): void {
    const { record } = this;
    const timestamp = queue.headTimestamp;
    record.topic = queue.topic;
    record.partition = queue.partition;
    record.offset = queue.headOffset;
    record.timestamp = timestamp;
    record.headers = headers;
    if (timestamp > this.#group.streamTime) this.#group.streamTime = timestamp;
    this.commitNeeded = true;
    record.rawSource = queue;
    const source: SourceNode = this.#graph.sourceOf(queue);
    this.#source = source;
    try {
      source.process(
        new StreamRecord(queue.headKey, queue.headValue, timestamp, headers),
      );
    } catch (error) {
      throw this.#failures.wordProcessing(error, queue);
    }
    queue.advance();
  }

  #asStreamsException(error: unknown): unknown {
    if (error instanceof StreamsException) error.taskId = this.taskId;
    return error;
  }

  /** Fires punctuations that are due, by stream time and then by the clock; true when any fired. */
  punctuate(now: number): boolean {
    const byStream = this.punctuateStreamTime();
    return this.punctuateWallClock(now) || byStream;
  }

  /** Fires stream-time punctuations alone. */
  punctuateStreamTime(): boolean {
    const { streamTime } = this.#group;
    return streamTime >= 0 && this.#streamPunctuations.punctuate(streamTime, this.#fire);
  }

  /** Fires wall-clock punctuations alone. */
  punctuateWallClock(now: number): boolean {
    return this.#wallPunctuations.punctuate(now, this.#fire);
  }

  readonly #fire = (schedule: Schedule, timestamp: number): void => {
    const { record } = this;
    record.topic = null;
    record.partition = -1;
    record.offset = -1;
    record.timestamp = timestamp;
    record.headers = Headers.EMPTY;
    record.rawKey = null;
    record.rawValue = null;
    this.commitNeeded = true;
    try {
      const result: unknown = schedule.callback(timestamp);
      if (isThenable(result)) {
        throw asyncFunctionError(
          `Cannot go on in processor ${schedule.processorName} as its punctuator gave a Promise and punctuators are synchronous: current value is a Promise`,
          result,
        );
      }
    } catch (error) {
      this.#failures.punctuation(schedule.processorName, error);
    }
  };

  /**
   * First step of a commit: empties the caches (which forwards and writes) and gives the offsets to commit. After it the producer is flushed
   * and the offsets are committed; then comes `postCommit`.
   */
  prepareCommit(): CommittableOffset[] {
    this.#stores.flush();
    return this.#group.queues.map((queue) => {
      const next = queue.nextOffset();
      return {
        topic: queue.topic,
        partition: queue.partition,
        offset: next < 0 ? undefined : next,
        partitionTime: queue.partitionTime,
      };
    });
  }

  /** Last step of a commit: commits the stores' changes, with the next changelog offset of each. What no changelog has goes to the disk at once. */
  postCommit(changelogOffsets: ReadonlyMap<string, number>): void {
    this.#environment.commit(changelogOffsets);
    if (this.#stores.hasUnlogged) this.#environment.save();
    this.commitNeeded = false;
    this.commitRequested = false;
  }

  /** Brings what is committed to the disk, or only when it has waited long enough. Nothing may have been processed since the commit. */
  save(when: "now" | "if-due"): void {
    if (when === "now") this.#environment.save();
    else this.#environment.saveIfDue();
  }

  /** Forgets what was written since the last commit, and all that waits in queues. */
  rollback(): void {
    this.#group.clear();
    this.#environment.rollback();
    this.commitNeeded = false;
    this.commitRequested = false;
  }

  /** Closes processors and stores. `clean` says that a commit went before: the state on disk can be trusted. */
  close({ clean }: { clean: boolean }): void {
    if (this.state === "closed") return;
    const running = this.state === "running";
    this.state = "closed";
    this.#group.clear();
    const errors: unknown[] = [];
    const attempt = (step: () => void) => {
      try {
        step();
      } catch (error) {
        errors.push(error);
      }
    };
    if (running) attempt(() => this.#graph.close());
    if (!clean) attempt(() => this.#environment.rollback());
    attempt(() => this.#stores.close());
    attempt(() => this.#environment.close({ clean }));
    if (clean && errors.length > 0) {
      throw new StreamsException(
        `Cannot close task ${this.taskId} cleanly as a processor or store failed`,
        { cause: errors[0] },
      );
    }
  }

  // What the nodes see.

  streamTime(): number {
    return this.#group.streamTime;
  }

  store(name: string, processorName: string, connected: readonly string[]): StateStore {
    return this.#stores.forProcessor(name, processorName, connected);
  }

  schedule(
    processorName: string,
    intervalMs: number,
    type: PunctuationType,
    callback: (timestamp: number) => void,
    startTimeMs: number | undefined,
  ): Cancellable {
    if (!(intervalMs >= 1)) {
      throw new RangeError(
        `Cannot schedule a punctuation in ${processorName} as the interval must be at least 1 ms: current value is ${intervalMs}`,
      );
    }
    if (startTimeMs !== undefined && startTimeMs < 0) {
      throw new RangeError(
        `Cannot schedule a punctuation in ${processorName} as the start time must not be negative: current value is ${startTimeMs}`,
      );
    }
    const now = type === "stream-time" ? this.#group.streamTime : this.clock.now();
    // Unanchored: stream time is aligned to 0 and fires with the first record; the clock fires after one interval.
    let start = startTimeMs ?? (type === "stream-time" ? 0 : now + intervalMs);
    if (startTimeMs !== undefined && start < now) {
      start += Math.ceil((now - start) / intervalMs) * intervalMs;
    }
    const queue = type === "stream-time" ? this.#streamPunctuations : this.#wallPunctuations;
    return queue.schedule(processorName, start, intervalMs, callback);
  }

  requestCommit(): void {
    this.commitRequested = true;
  }

  dropped(reason: DropReason, detail?: string): void {
    this.#failures.dropped(reason, detail);
  }

  processingFailed(
    processorName: string,
    record: StreamRecord<any, any> | undefined,
    error: Error,
  ): void {
    this.#failures.processing(processorName, record, error);
    this.#options.tracing?.noteError(error);
  }

  pauseSources(untilMs: number): void {
    if (untilMs > this.pausedUntil) this.pausedUntil = untilMs;
  }
}

/** Where a task goes on: a partition's time and its next offset, if they are known. */
export type StartPartition = TopicPartition & {
  readonly partitionTime: number;
  readonly offset?: number;
};

/** Committed offsets as a task's `start` wants them. */
export type CommittedPartition = PartitionOffset & { readonly partitionTime: number };
