import type { TaskId } from "../record/task_id.ts";
import type { Clock } from "../record/time.ts";
import type { DropReason, StateStore, StoreMeter, TimeOrderedBuffer } from "../state/store.ts";
import { LagMetrics } from "../telemetry/lag_metrics.ts";
import type { MetricsRegistry } from "../telemetry/metrics.ts";
import { StoreMetrics } from "../telemetry/store_metrics.ts";
import { NodeMetrics, TaskMetrics, TopicMetrics } from "../telemetry/task_metrics.ts";
import { ThreadMetrics, type ThreadState } from "../telemetry/thread_metrics.ts";
import type { InputFeed } from "./input_feed.ts";
import type { RestoreProgress } from "./store_restorer.ts";
import type { StartOffset } from "./start_offsets.ts";
import type { StreamTask } from "./task.ts";
import { partitionKey } from "./task_assignment.ts";
import { addUp, type LagReport, type StoreReport } from "./thread_report.ts";

/** Who the metrics are of. */
export interface TelemetryIdentity {
  readonly threadName: string;
  readonly consumerId: string;
}

interface TaskHolders {
  readonly metrics: TaskMetrics;
  readonly stores: Map<string, StoreMetrics>;
  readonly topics: Map<string, TopicMetrics>;
  readonly nodes: Map<string, NodeMetrics>;
}

interface SinkCounts {
  readonly taskId: string;
  readonly nodeName: string;
  readonly counts: TopicMetrics;
}

/**
 * The metrics of a thread, its tasks and their stores. What is counted on the way of a record is a plain field of the task or the store; it is carried over when
 * somebody asks.
 */
export class ThreadTelemetry {
  readonly thread: ThreadMetrics;
  readonly #registry: MetricsRegistry;
  readonly #identity: TelemetryIdentity;
  readonly #clock: Clock;
  readonly #taskBytes: (id: TaskId) => number;
  readonly #lags: LagMetrics;
  readonly #tasks = new Map<string, TaskHolders>();
  readonly #sinks = new Set<SinkCounts>();
  readonly #committedBefore = new Map<string, number>();
  #rebalancingSince: number | undefined = undefined;

  /** @param taskBytes what a task takes on disk */
  constructor(
    registry: MetricsRegistry,
    identity: TelemetryIdentity,
    clock: Clock,
    taskBytes: (id: TaskId) => number,
  ) {
    this.#taskBytes = taskBytes;
    this.#registry = registry;
    this.#identity = identity;
    this.#clock = clock;
    this.thread = new ThreadMetrics(registry, identity.threadName);
    this.#lags = new LagMetrics(registry, identity.consumerId);
    this.thread.startTimeMs = clock.now();
  }

  /** The counters of a store, made when its task opens it. */
  storeMeter(taskId: string, storeName: string, persistent: boolean): StoreMeter {
    const { stores } = this.#holders(taskId);
    const storeType = persistent ? "lmdb" : "in-memory";
    const identity = { threadId: this.#identity.threadName, taskId, storeName, storeType };
    const made = new StoreMetrics(this.#registry, identity);
    stores.get(storeName)?.remove();
    stores.set(storeName, made);
    return made;
  }

  #holders(taskId: string): TaskHolders {
    let holders = this.#tasks.get(taskId);
    if (holders === undefined) {
      const identity = { threadId: this.#identity.threadName, taskId };
      holders = {
        metrics: new TaskMetrics(this.#registry, identity, this.thread),
        stores: new Map(),
        topics: new Map(),
        nodes: new Map(),
      };
      this.#tasks.set(taskId, holders);
    }
    return holders;
  }

  /** The counters of a topic that a node of a task reads or writes. */
  topicCounts(
    taskId: string,
    nodeName: string,
    topic: string,
    role: "source" | "sink",
  ): TopicMetrics {
    const { topics } = this.#holders(taskId);
    const key = `${role} ${nodeName} ${topic}`;
    let counts = topics.get(key);
    if (counts === undefined) {
      const identity = { threadId: this.#identity.threadName, taskId };
      counts = new TopicMetrics(this.#registry, identity, { nodeName, topic, role });
      topics.set(key, counts);
      if (role === "sink") this.#sinks.add({ taskId, nodeName, counts });
    }
    return counts;
  }

  #node(taskId: string, nodeName: string): NodeMetrics {
    const { nodes } = this.#holders(taskId);
    let metrics = nodes.get(nodeName);
    if (metrics === undefined) {
      const identity = { threadId: this.#identity.threadName, taskId };
      nodes.set(nodeName, metrics = new NodeMetrics(this.#registry, identity, nodeName));
    }
    return metrics;
  }

  /** Keeps what was committed before this thread had these partitions: one that is stuck from the first record on shows that it stands. */
  noteCommitted(starts: readonly StartOffset[]): void {
    for (const start of starts) {
      if (start.committed === undefined) this.#committedBefore.delete(partitionKey(start));
      else this.#committedBefore.set(partitionKey(start), start.committed);
    }
  }

  /** Takes the time that records took to the sinks, as of now. */
  noteSent(nowMs: number): void {
    for (const { taskId, nodeName, counts } of this.#sinks) {
      if (counts.pending > 0) counts.noteEndToEnd(this.#node(taskId, nodeName).endToEnd, nowMs);
    }
  }

  /** The thread's state has changed at `monotonicMs`; a rebalance lasts until it runs again. */
  changed(state: ThreadState, monotonicMs: number): void {
    this.thread.state = state;
    if (state === "PARTITIONS_REVOKED" || state === "PARTITIONS_ASSIGNED") {
      this.#rebalancingSince ??= monotonicMs;
    } else if (state === "RUNNING" && this.#rebalancingSince !== undefined) {
      this.thread.rebalanceDuration.observe((monotonicMs - this.#rebalancingSince) / 1_000);
      this.#rebalancingSince = undefined;
    }
  }

  taskCreated(task: StreamTask): void {
    this.thread.tasksCreated++;
    this.#holders(task.taskId);
  }

  taskClosed(task: StreamTask): void {
    this.thread.tasksClosed++;
    const holders = this.#tasks.get(task.taskId);
    this.#tasks.delete(task.taskId);
    for (const sink of this.#sinks) if (sink.taskId === task.taskId) this.#sinks.delete(sink);
    if (holders !== undefined) removeAll(holders);
    for (const { topic, partition } of task.inputPartitions) this.#lags.forget(topic, partition);
  }

  /** Counts a record that was left out. */
  dropped(taskId: string, reason: DropReason): void {
    this.#tasks.get(taskId)?.metrics.recordDropped(reason);
    if (reason === "deserialization") this.thread.deserializationErrors++;
    else if (reason === "processing") this.thread.processingErrors++;
    else if (reason === "production") this.thread.productionErrors++;
  }

  /** Counts a round of a task: that many records in that time. */
  taskProcessed(task: StreamTask, elapsedMs: number, nowMs: number, count: number): void {
    const metrics = this.#tasks.get(task.taskId)?.metrics;
    if (metrics === undefined) return;
    metrics.recordProcessed(elapsedMs, nowMs, count);
    // The last record stands for those of its round.
    const { currentSource, record: { timestamp } } = task;
    const age = Math.max(0, nowMs - timestamp);
    this.thread.endToEnd.observe(age / 1_000, count);
    if (currentSource !== undefined) {
      this.#node(task.taskId, currentSource).endToEnd.record(age, nowMs);
    }
    if (this.#registry.records("debug")) {
      metrics.lateness.record(Math.max(0, task.streamTime() - timestamp), nowMs);
    }
  }

  /** Counts a pass over all tasks: that many records in that time. */
  passed(processed: number, elapsedMs: number, nowMs: number): void {
    this.thread.process.record(elapsedMs, nowMs, processed);
    this.thread.processRecords.record(processed, nowMs);
  }

  /** Counts that punctuations of a task were due. */
  taskPunctuated(task: StreamTask, elapsedMs: number, nowMs: number): void {
    this.thread.punctuate.record(elapsedMs, nowMs);
    const metrics = this.#tasks.get(task.taskId)?.metrics;
    if (metrics !== undefined) metrics.punctuated++;
  }

  /** Carries over what tasks and stores have counted. */
  refresh(
    tasks: readonly StreamTask[],
    feed: InputFeed,
    committed: ReadonlyMap<string, number>,
    restores: readonly RestoreProgress[],
  ): void {
    const { thread } = this;
    thread.activeTasks = tasks.length;
    thread.restoringTasks = tasks.filter((task) => task.state === "restoring").length;
    for (const task of tasks) {
      const { metrics, stores } = this.#holders(task.taskId);
      metrics.bufferedRecords = task.buffered;
      metrics.restoreRemaining = 0;
      for (const [name, store] of stores) {
        store.entries = () => entriesOf(task.stores.get(name));
        store.sizeBytes = () => this.#sizeOf(task, task.stores.get(name));
        store.restoreRemaining = undefined;
      }
      this.#refreshLags(task, feed, committed);
      if (this.#registry.records("debug")) this.#refreshDetails(task);
    }
    for (const { task, changelog, remaining, restored } of restores) {
      const { metrics, stores } = this.#holders(task.taskId);
      metrics.restoreRemaining += remaining;
      const store = stores.get(changelog.store);
      if (store === undefined) continue;
      store.restoreRemaining = remaining;
      metrics.restored += Math.max(0, restored - store.restored);
      store.restored = restored;
    }
  }

  /** What costs to find out, or makes many series. */
  #refreshDetails(task: StreamTask): void {
    const { metrics, stores } = this.#holders(task.taskId);
    metrics.bufferedBytes = task.bufferedBytes;
    metrics.cacheBytes = 0;
    for (const [name, store] of task.stores) {
      metrics.cacheBytes += store.cacheBytes ?? 0;
      const shown = stores.get(name);
      if (shown === undefined || !isBuffer(store)) continue;
      shown.suppressionCount = store.recordCount;
      shown.suppressionBytes = store.byteSize;
    }
    for (const { name, processed } of task.nodes) {
      this.#node(task.taskId, name).processed = processed;
    }
  }

  /** Records that each node was given, over all tasks. */
  nodes(tasks: readonly StreamTask[]): Readonly<Record<string, number>> {
    return addUp(
      tasks.map((task) =>
        Object.fromEntries(task.nodes.map(({ name, processed }) => [name, processed]))
      ),
    );
  }

  #refreshLags(task: StreamTask, feed: InputFeed, committed: ReadonlyMap<string, number>): void {
    const now = this.#clock.now();
    for (const { topic, partition } of task.inputPartitions) {
      const shown = this.#lags.partition(topic, partition);
      const unread = feed.lag(topic, partition);
      const queued = task.bufferedRecords({ topic, partition });
      shown.records = unread === undefined ? undefined : unread + queued;
      const time = task.streamTime();
      shown.seconds = shown.records === 0
        ? 0
        : time < 0
        ? undefined
        : Math.max(0, now - time) / 1_000;
      const key = partitionKey({ topic, partition });
      // Another thread may have had the partition in between, and committed more.
      const known = Math.max(committed.get(key) ?? -1, this.#committedBefore.get(key) ?? -1);
      shown.committedOffset = known < 0 ? undefined : known;
    }
  }

  /** The lags as of the last refresh. */
  lags(): LagReport[] {
    return this.#lags.all().map((lag) => ({ ...lag }));
  }

  /** The stores of tasks, as of now. */
  stores(tasks: readonly StreamTask[]): StoreReport[] {
    return tasks.flatMap((task) =>
      [...task.stores].map(([name, store]) => ({
        name,
        taskId: task.taskId,
        type: store.persistent ? "lmdb" : "in-memory",
        entries: entriesOf(store),
        sizeBytes: this.#sizeOf(task, store),
      }))
    );
  }

  /** The stores of a task share its files: each counts for an equal part. */
  #sizeOf(task: StreamTask, store: StateStore | undefined): number | undefined {
    if (store === undefined || !store.persistent) return undefined;
    const sharing = [...task.stores.values()].filter((s) => s.persistent).length;
    return Math.round(this.#taskBytes(task.id) / sharing);
  }

  /** The thread has ended: its series go. */
  remove(): void {
    for (const holders of this.#tasks.values()) removeAll(holders);
    this.#tasks.clear();
    this.#lags.remove();
    this.thread.remove();
  }
}

function removeAll({ metrics, stores, topics, nodes }: TaskHolders): void {
  metrics.remove();
  for (const node of nodes.values()) node.remove();
  for (const store of stores.values()) store.remove();
  for (const topic of topics.values()) topic.remove();
}

function entriesOf(store: StateStore | undefined): number | undefined {
  if (store === undefined || !store.isOpen || !("approximateNumEntries" in store)) return undefined;
  return (store.approximateNumEntries as () => number)();
}

function isBuffer(store: StateStore): store is StateStore & TimeOrderedBuffer<any, any, any> {
  return store.kind === "buffer";
}
