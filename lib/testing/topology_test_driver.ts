import { StreamsException, TopologyException, UnknownStateStoreException } from "../errors.ts";
import { Headers } from "../record/headers.ts";
import { ManualClock } from "../record/time.ts";
import { BatchLease } from "../runtime/batch_lease.ts";
import type { FetchState } from "../runtime/partition_group.ts";
import { StreamTask } from "../runtime/task.ts";
import {
  askStore,
  queryTasks,
  type StateQueryRequest,
  type StateQueryResults,
} from "../runtime/state_queries.ts";
import { taskSettings } from "../runtime/task_settings.ts";
import { cacheBudget } from "../state/cache_budget.ts";
import { MemoryEnvironment } from "../state/memory_environment.ts";
import type {
  KeyValueStore,
  SessionStore,
  StateEnvironment,
  StateStore,
  StoreKind,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  VersionedKeyValueStore,
  WindowStore,
} from "../state/store.ts";
import {
  compileAsOneTask,
  compileTopology,
  globalAsSubtopology,
  type PlanStore,
  type SubtopologyPlan,
} from "../topology/compile.ts";
import { javaHashOrder, javaPartitionHash } from "../topology/java_hash_order.ts";
import { matchesWhole, type Topology } from "../topology/topology.ts";
import { type CapturedRecord, CapturingCollector } from "./capturing_collector.ts";
import { singleRowBatch } from "./row_batch.ts";
import { TestInputTopic, TestOutputTopic, type TopicSerdes } from "./test_topics.ts";

/** A topology that is built for a configuration: what `defineTopology` gives. */
export interface BuildableTopology {
  build(config: Readonly<Record<string, unknown>>): Topology;
}

/** How a test driver starts. */
export interface DriverOptions {
  /** The wall clock's first instant (epoch ms). */
  readonly startMs?: number;
  /** Where the stores of a task live: `(task) => new LmdbEnvironment({ directory: join(directory, task) })` for disk. Default: all are in memory. */
  readonly openState?: (task: string) => StateEnvironment;
}

/**
 * Runs a whole topology in memory, one record at a time: the real task, on a manual clock, with all subtopologies in one task of
 * one partition. After each record it fires stream-time punctuations and commits, so caches are emptied; what is written to a topic that the
 * topology reads is processed at once. Kafka Streams: `TopologyTestDriver`.
 *
 * @example
 * ```ts
 * const driver = new TopologyTestDriver(topology);
 * driver.createInputTopic("orders", { key: string(), value: json() }).pipe("k", { amount: 1 }, { timestamp: 0 });
 * driver.createOutputTopic("totals", { key: string(), value: json() }).readKeyValues();
 * ```
 */
export class TopologyTestDriver {
  readonly #clock: ManualClock;
  readonly #plan: SubtopologyPlan;
  readonly #collector: CapturingCollector;
  readonly #task: StreamTask | undefined;
  readonly #globalTask: StreamTask | undefined;
  readonly #partitionTopics: Set<string>;
  readonly #globalTopics: Set<string>;
  readonly #globalStores: readonly PlanStore[];
  readonly #offsets = new Map<string, number>();
  readonly #outputs = new Map<string, CapturedRecord[]>();
  readonly #produced = new Set<string>();
  readonly #patternTopics: readonly string[];

  /**
   * @param config settings by Kafka's names; `patternTopics` lists the topics that exist for sources that read by pattern
   * @throws {TopologyException} when the topology is wrong
   * @throws {ConfigException} when a handler or extractor is wrong
   */
  constructor(
    topology: Topology | BuildableTopology,
    config: Readonly<Record<string, unknown>> = {},
    options: DriverOptions & { readonly patternTopics?: readonly string[] } = {},
  ) {
    const given: Record<string, unknown> = {
      "application.id": "test-driver",
      // The throttles by wall clock would make results depend on how fast records are piped.
      "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__": 0,
      "__emit.interval.ms.kstreams.windowed.aggregation__": 0,
      ...config,
    };
    this.#patternTopics = options.patternTopics ?? [];
    this.#clock = new ManualClock(options.startMs ?? 0);
    const built = "build" in topology ? topology.build(given) : topology;
    const cacheMaxBytes = Number(given["statestore.cache.max.bytes"] ?? 10_485_760);
    const compileOptions = { applicationId: String(given["application.id"]), cacheMaxBytes };
    const settings = taskSettings(given);
    this.#collector = new CapturingCollector(settings.handlers);
    const { global } = compileTopology(built, compileOptions);
    this.#plan = compileAsOneTask(built, compileOptions);
    this.#globalTopics = new Set(global?.stores.map((s) => s.topic));
    this.#globalStores = global ? globalAsSubtopology(global).stores : [];
    this.#partitionTopics = new Set(this.#plan.sourceTopics);
    for (const topic of this.#patternTopics) {
      if (this.#plan.sourcePatterns.some((p) => matchesWhole(p, topic))) {
        this.#partitionTopics.add(topic);
      }
    }
    const { openState = () => new MemoryEnvironment() } = options;
    const shared = {
      settings,
      collector: this.#collector,
      stateDir: "",
      clock: this.#clock,
      cache: cacheMaxBytes > 0 ? cacheBudget(cacheMaxBytes) : undefined,
    };
    if (global) {
      this.#globalTask = new StreamTask({
        ...shared,
        id: "0_0",
        plan: globalAsSubtopology(global),
        inputPartitions: [...this.#globalTopics].map((topic) => ({ topic, partition: 0 })),
        environment: openState("global"),
      });
      this.#globalTask.openStores();
      this.#globalTask.start();
    }
    if (this.#partitionTopics.size > 0) {
      this.#task = new StreamTask({
        ...shared,
        id: "0_0",
        plan: this.#plan,
        // Empty partitions are waited for in the order of Java's HashMap, one after the other (`max.task.idle.ms`).
        inputPartitions: javaHashOrder(
          this.#partitionTopics,
          (topic) => javaPartitionHash(topic, 0),
        )
          .map((topic) => ({ topic, partition: 0 })),
        environment: openState("0_0"),
        globalStores: this.#globalTask?.stores,
        fetchState: CAUGHT_UP,
      });
      this.#task.openStores();
      this.#task.start();
    }
  }

  /** A topic to pipe records into. Without timestamps they start at `startMs` and are `autoAdvanceMs` apart. */
  createInputTopic<K, V>(
    name: string,
    serdes: TopicSerdes<K, V>,
    options: { readonly startMs?: number; readonly autoAdvanceMs?: number } = {},
  ): TestInputTopic<K, V> {
    return new TestInputTopic(
      this,
      name,
      serdes,
      options.startMs ?? this.#clock.now(),
      options.autoAdvanceMs ?? 0,
    );
  }

  /** A topic to read results from. */
  createOutputTopic<K, V>(name: string, serdes: TopicSerdes<K, V>): TestOutputTopic<K, V> {
    return new TestOutputTopic(this, name, serdes);
  }

  /**
   * Pipes a record in bytes and processes it, and all that follows from it, to the end.
   * @throws {TopologyException} when no source reads the topic
   * @throws {StreamsException} when processing fails
   */
  pipeRaw(
    record: {
      readonly topic: string;
      readonly key: Uint8Array | null;
      readonly value: Uint8Array | null;
      readonly timestamp: number;
      readonly headers?: Headers;
    },
  ): void {
    const { topic } = record;
    const isPartition = this.#partitionTopics.has(topic);
    const isGlobal = this.#globalTopics.has(topic);
    if (!isPartition && !isGlobal) throw new TopologyException(`Unknown topic: ${topic}`);
    const row = { headers: Headers.EMPTY, ...record };
    if (isPartition) this.#enqueue(row);
    if (isGlobal) this.#processGlobal(row);
    this.#completeAll();
  }

  #enqueue(row: Omit<CapturedRecord, "partition">): void {
    const offset = this.#offsets.get(row.topic) ?? 0;
    this.#offsets.set(row.topic, offset + 1);
    const batch = singleRowBatch({ ...row, partition: 0, offset });
    this.#task!.addBatch(new BatchLease(batch), batch.runs[0]);
  }

  #processGlobal(row: Omit<CapturedRecord, "partition">): void {
    const task = this.#globalTask!;
    const offset = this.#offsets.get(row.topic) ?? 0;
    this.#offsets.set(row.topic, offset + 1);
    const batch = singleRowBatch({ ...row, partition: 0, offset });
    task.addBatch(new BatchLease(batch), batch.runs[0]);
    task.process(this.#clock.now());
    commit(task);
  }

  #completeAll(): void {
    const task = this.#task;
    this.#capture();
    if (task === undefined) return;
    while (task.buffered > 0) {
      const now = this.#clock.now();
      if (!task.isProcessable(now)) {
        if (task.pending || now < task.pausedUntil) this.#refuseToWait(task);
        // Sources that are empty are waited for (`max.task.idle.ms`): the clock, or their records, let the others go on.
        return;
      }
      task.process(now);
      task.punctuateStreamTime();
      commit(task);
      this.#capture();
    }
  }

  #refuseToWait(task: StreamTask): never {
    throw new StreamsException(
      task.pending
        ? "Cannot go on in the test driver as a schema has to be fetched first: use a mock:// registry and await serde.prepare() before piping"
        : `Cannot go on in the test driver as its sources are paused until ${task.pausedUntil}: advance the wall clock before piping`,
    );
  }

  #capture(): void {
    for (const record of this.#collector.take()) {
      this.#produced.add(record.topic);
      const queue = this.#outputs.get(record.topic);
      if (queue) queue.push(record);
      else this.#outputs.set(record.topic, [record]);
      if (this.#partitionTopics.has(record.topic)) this.#enqueue(record);
      if (this.#globalTopics.has(record.topic)) this.#processGlobal(record);
    }
  }

  /** Moves the wall clock, fires the punctuations that come due, and commits. */
  advanceWallClockTime(ms: number): void {
    this.#clock.advance(ms);
    const task = this.#task;
    if (task !== undefined) {
      task.punctuateWallClock(this.#clock.now());
      commit(task);
    }
    this.#completeAll();
  }

  /** The records of a topic that no output topic has read yet. */
  outputQueue(topic: string): CapturedRecord[] {
    let queue = this.#outputs.get(topic);
    if (queue === undefined) this.#outputs.set(topic, queue = []);
    return queue;
  }

  /** Every topic that was written to, internal ones included. */
  producedTopicNames(): string[] {
    return [...this.#produced].sort();
  }

  /** Records dropped so far, over all reasons. */
  get droppedRecords(): number {
    let sum = this.#collector.dropped;
    for (const task of [this.#task, this.#globalTask]) {
      for (const count of task?.drops.values() ?? []) sum += count;
    }
    return sum;
  }

  /** Records dropped so far for one reason. */
  droppedFor(reason: string): number {
    let sum = reason === "production" ? this.#collector.dropped : 0;
    for (const task of [this.#task, this.#globalTask]) {
      for (const [key, count] of task?.drops ?? []) if (key === reason) sum += count;
    }
    return sum;
  }

  /** Every store by name. */
  getAllStateStores(): Map<string, StateStore> {
    return new Map([...(this.#task?.stores ?? []), ...(this.#globalTask?.stores ?? [])]);
  }
  /** The kind of a store, as its builder says; undefined when there is none. */
  storeKind(name: string): StoreKind | undefined {
    const plans = [...this.#plan.stores, ...this.#globalStores];
    return plans.find((s) => s.name === name)?.builder.kind;
  }
  /** A store by name; undefined when there is none. */
  getStateStore<S extends StateStore = StateStore>(name: string): S | undefined {
    return this.getAllStateStores().get(name) as S | undefined;
  }
  /** A key-value store by name. */
  getKeyValueStore<K, V>(name: string): KeyValueStore<K, V> | undefined {
    return this.getStateStore(name);
  }
  /** A key-value store with timestamps by name. */
  getTimestampedKeyValueStore<K, V>(name: string): TimestampedKeyValueStore<K, V> | undefined {
    return this.getStateStore(name);
  }
  /** A versioned store by name. */
  getVersionedKeyValueStore<K, V>(name: string): VersionedKeyValueStore<K, V> | undefined {
    return this.getStateStore(name);
  }
  /** A window store by name. */
  getWindowStore<K, V>(name: string): WindowStore<K, V> | undefined {
    return this.getStateStore(name);
  }
  /** A window store with timestamps by name. */
  getTimestampedWindowStore<K, V>(name: string): TimestampedWindowStore<K, V> | undefined {
    return this.getStateStore(name);
  }
  /** A session store by name. */
  getSessionStore<K, V>(name: string): SessionStore<K, V> | undefined {
    return this.getStateStore(name);
  }

  /**
   * Asks a store as `KafkaStreams.query` does, but at once. The driver has one partition, 0.
   * @throws {UnknownStateStoreException} when the topology has no such store
   */
  query<R>(request: StateQueryRequest<R>): StateQueryResults<R> {
    const { store: name, partitions = [] } = request;
    const global = this.#globalTask?.stores.get(name);
    if (global === undefined && !this.#task?.stores.has(name)) {
      throw new UnknownStateStoreException(
        `Cannot get state store ${name} because no such store is registered in the topology.`,
      );
    }
    const results: ReturnType<typeof queryTasks> = global === undefined
      ? queryTasks([this.#task!], request)
      : new Map([[0, askStore(global, request)]]);
    for (const partition of partitions) {
      if (partition === 0) continue;
      results.set(partition, {
        ok: false,
        reason: "does-not-exist",
        message:
          `Cannot query partition ${partition} of store ${name} as the test driver has one partition: current value is ${partition}`,
      });
    }
    return results as StateQueryResults<R>;
  }

  /** Closes processors and stores. */
  close(): void {
    this.#task?.close({ clean: true });
    this.#globalTask?.close({ clean: true });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Nothing is on a broker that was not piped. */
const CAUGHT_UP: FetchState = { lag: () => 0 };
const NO_OFFSETS: ReadonlyMap<string, number> = new Map();

function commit(task: StreamTask): void {
  task.prepareCommit();
  task.postCommit(NO_OFFSETS);
}
