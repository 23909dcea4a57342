import {
  type KafkaError,
  MissingSourceTopicException,
  StreamsException,
  TaskCorruptedException,
  TaskMigratedException,
} from "../errors.ts";
import type { Admin, Consumer, KafkaClients, TopicPartition } from "../kafka/client.ts";
import { type Clock, nextTurn } from "../record/time.ts";
import type { SerdeEnvironment } from "../serde/serde.ts";
import type { TopologyPlan } from "../topology/compile.ts";
import { type CommitCounts, Committer } from "./committer.ts";
import { InputFeed } from "./input_feed.ts";
import { listTopicCounts, prepareTopics } from "./internal_topics.ts";
import { sourceTopicsOf, type TopicCounts } from "./partition_counts.ts";
import { ProducerCollector } from "./producer_collector.ts";
import { RepartitionPurge } from "./repartition_purge.ts";
import type { RuntimeLog } from "./runtime_log.ts";
import { prepareSerdes } from "./serde_preparation.ts";
import { StateMachine } from "./state_machine.ts";
import { THREAD_TRANSITIONS, type ThreadState } from "./states.ts";
import { findStartOffsets } from "./start_offsets.ts";
import { type RestoreListener, StoreRestorer } from "./store_restorer.ts";
import { StreamsProducer } from "./streams_producer.ts";
import type { StreamTask } from "./task.ts";
import { createTask, type TaskSurroundings } from "./task_factory.ts";
import { TaskRegistry } from "./task_registry.ts";
import type { ThreadSettings } from "./thread_settings.ts";
import { type ProcessCounts, ProcessingRound } from "./thread_loop.ts";
import type { ThreadDescription, ThreadHandle } from "./thread_handle.ts";
import { ThreadOutput } from "./thread_output.ts";
import { ThreadTasks } from "./thread_tasks.ts";

/** What a thread is made of. */
export interface StreamThreadOptions {
  /** `<client id>-StreamThread-<n>` */
  readonly name: string;
  readonly plan: TopologyPlan;
  readonly settings: ThreadSettings;
  readonly clients: KafkaClients;
  readonly surroundings: TaskSurroundings;
  readonly serdes: SerdeEnvironment;
  readonly log: RuntimeLog;
  readonly restoreListener: RestoreListener;
  readonly onState: (next: ThreadState, previous: ThreadState) => void;
}

/** What a thread has counted since it began. */
export interface ThreadCounts extends CommitCounts, ProcessCounts {
  polls: number;
  tasksCreated: number;
  tasksClosed: number;
  dropped: number;
}

/** How often the event loop is let breathe while there is work (ms). */
const BREATH_MS = 10;
/**
 * After an incremental rebalance the member's epoch changes with its next heartbeat (KIP-848); a transaction that is committed at that very moment with the
 * old one would be refused and lost. Commits wait that long (ms).
 */
const EPOCH_MS = 250;
/** How long an idle round waits when records are queued that cannot be processed yet (ms). */
const IMPATIENT_MS = 5;

/**
 * One member of the group: a consumer, a transactional producer and the tasks of the partitions it was given, driven by one loop. Records are processed
 * synchronously; it waits only for polls, commits, restores, rebalances and its end. Kafka Streams: `StreamThread`.
 */
export class StreamThread implements ThreadHandle {
  readonly name: string;
  readonly counts: ThreadCounts = {
    processed: 0,
    punctuations: 0,
    commits: 0,
    failed: 0,
    latencyMs: 0,
    maxLatencyMs: 0,
    polls: 0,
    tasksCreated: 0,
    tasksClosed: 0,
    dropped: 0,
  };
  readonly registry: TaskRegistry = new TaskRegistry();
  readonly #options: StreamThreadOptions;
  readonly #settings: ThreadSettings;
  readonly #log: RuntimeLog;
  readonly #clock: Clock;
  readonly #states: StateMachine<ThreadState>;
  #counted: TopicCounts = new Map();
  #parts: ThreadParts | undefined;
  #stop: { readonly deadline: number; readonly leaveGroup: boolean } | undefined;
  #paused = false;
  #lastCommit = 0;
  #lastBreath = 0;
  /** No commit before this instant (epoch ms). */
  #quietUntil = 0;

  constructor(options: StreamThreadOptions) {
    this.name = options.name;
    this.#options = options;
    this.#settings = options.settings;
    this.#log = options.log;
    this.#clock = options.surroundings.clock;
    this.#states = new StateMachine(options.name, "CREATED", THREAD_TRANSITIONS, options.onState);
  }

  get state(): ThreadState {
    return this.#states.state;
  }

  /** The greatest and the mean number of records that the inputs are behind. */
  lags(): { readonly max: number; readonly mean: number } {
    return this.#parts?.feed.lags() ?? { max: 0, mean: 0 };
  }

  describe(): ThreadDescription {
    return {
      name: this.name,
      state: this.state,
      tasks: this.registry.all().map((task) => ({
        taskId: task.taskId,
        state: task.state,
        partitions: task.inputPartitions,
        buffered: task.buffered,
        processed: task.processed,
      })),
    };
  }

  /** Asks the thread to end by `deadlineMs` (epoch ms): it commits, closes its tasks and leaves. */
  shutdown(deadlineMs: number, { leaveGroup }: { readonly leaveGroup: boolean }): void {
    this.#stop ??= { deadline: deadlineMs, leaveGroup };
    this.#states.tryGo("PENDING_SHUTDOWN");
  }

  /** Stops or resumes processing; the thread stays a member and keeps its tasks. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
  }

  /** Runs until `shutdown` or a failure; resolves with the failure, if there was one, when everything is closed. */
  async run(): Promise<Error | undefined> {
    let failure: Error | undefined;
    try {
      if (this.#stop === undefined) {
        this.#states.go("STARTING");
        await this.#open();
      }
      while (this.#stop === undefined) await this.#step();
    } catch (error) {
      if (this.#stop === undefined || !(error instanceof StreamsException)) {
        failure = asStreamsException(error);
        this.#log.error(`Thread ${this.name} ends as of an error`, { err: error });
      }
    }
    this.#states.tryGo("PENDING_SHUTDOWN");
    await this.#close(failure === undefined);
    this.#states.go("DEAD");
    return failure;
  }

  async #open(): Promise<void> {
    const { plan, clients } = this.#options;
    const settings = this.#settings;
    const admin = clients.admin(settings.adminConfig, this.#events("admin"));
    const consumer = clients.consumer(settings.consumerConfig, this.#events("consumer"));
    const restoreConsumer = clients.consumer(settings.restoreConfig, this.#events("restore"));
    this.#parts = this.#assemble(admin, consumer, restoreConsumer);
    this.#counted = await prepareTopics(plan, settings.internalTopics, this.#topicTools(admin));
    await prepareSerdes(plan, this.#options.surroundings.settings, this.#options.serdes);
    await this.#parts.output.producer.init();
    this.#lastCommit = this.#clock.now();
    consumer.subscribe(this.#subscription());
  }

  #topicTools(admin: Admin) {
    const stopped = () => this.#stop !== undefined;
    return { admin, clock: this.#clock, log: this.#log, stopped };
  }

  #events(client: string) {
    return {
      log: (level: number, facility: string, message: string) => {
        const text = `${client} ${facility}: ${message}`;
        if (level <= 3) this.#log.error(text);
        else if (level === 4) this.#log.warn(text);
        else this.#log.debug(text);
      },
    };
  }

  #subscription(): string[] {
    const { subtopologies } = this.#options.plan;
    return [...new Set(subtopologies.flatMap((s) => sourceTopicsOf(s, this.#counted)))].sort();
  }

  #assemble(admin: Admin, consumer: Consumer, restoreConsumer: Consumer): ThreadParts {
    const { plan, restoreListener } = this.#options;
    const { requestTimeoutMs } = this.#settings;
    const log = this.#log;
    const feed = new InputFeed(consumer, this.#settings);
    const output = new ThreadOutput(() => this.#openOutput(consumer, feed));
    const restorer = new StoreRestorer({
      consumer: restoreConsumer,
      admin,
      log,
      requestTimeoutMs,
      listener: restoreListener,
    });
    const { registry } = this;
    const tasks = new ThreadTasks({
      plan,
      consumer,
      feed,
      restorer,
      registry,
      output,
      log,
      counts: (refresh) => this.#topicCounts(admin, refresh),
      startOffsets: (partitions) => this.#startOffsets(consumer, partitions),
      create: (assignment) => {
        this.counts.tasksCreated++;
        return createTask(assignment, output.collector, feed, this.#options.surroundings);
      },
    });
    const round = new ProcessingRound({
      registry,
      clock: this.#clock,
      backlog: () => output.collector.backlog,
      drain: () => output.collector.drain(),
      commitDue: (now) => this.#commitDue(now),
      commit: () => this.#commit(),
    }, this.counts);
    const purge = new RepartitionPurge(plan, { admin, log, requestTimeoutMs });
    return { admin, consumer, restoreConsumer, feed, output, restorer, tasks, round, purge };
  }

  #openOutput(consumer: Consumer, feed: InputFeed) {
    const { clients, surroundings } = this.#options;
    const settings = this.#settings;
    const clock = this.#clock;
    const log = this.#log;
    const producer = new StreamsProducer(settings, {
      producer: clients.producer(settings.producerConfig, this.#events("producer")),
      clock,
      log,
    });
    const collector = new ProducerCollector({
      producer,
      handlers: surroundings.settings.handlers,
      partitionCount: (topic) => this.#counted.get(topic),
      requestTimeoutMs: settings.requestTimeoutMs,
      log,
      onDropped: () => void this.counts.dropped++,
    });
    const committer = new Committer(
      { producer, collector, consumer, feed, clock, log },
      this.counts,
    );
    return { producer, collector, committer };
  }

  async #topicCounts(admin: Admin, refresh: boolean): Promise<TopicCounts> {
    if (refresh) this.#counted = await listTopicCounts(admin, this.#settings.requestTimeoutMs);
    return this.#counted;
  }

  #startOffsets(consumer: Consumer, partitions: readonly TopicPartition[]) {
    const { requestTimeoutMs, patienceMs, offsetReset } = this.#settings;
    return findStartOffsets(this.#options.plan, partitions, {
      consumer,
      clock: this.#clock,
      log: this.#log,
      requestTimeoutMs,
      patienceMs,
      defaultReset: offsetReset,
    });
  }

  /** One round of the loop; what can be healed is healed here. */
  async #step(): Promise<void> {
    try {
      await this.#runOnce(this.#parts!);
    } catch (error) {
      if (error instanceof TaskCorruptedException) await this.#revive(error);
      else if (error instanceof TaskMigratedException) await this.#rejoin(error);
      else throw error;
    }
  }

  async #runOnce({ consumer, feed, restorer, tasks, round, output }: ThreadParts): Promise<void> {
    this.counts.polls++;
    const polled = feed.poll();
    await this.#answerRebalance();
    await this.#checkConsumer(consumer);
    const restored = restorer.isActive && restorer.poll();
    if (tasks.startRestored() > 0 || this.state === "PARTITIONS_ASSIGNED") this.#runIfReady();
    const processed = this.#paused ? 0 : await round.run();
    output.collector.handOver();
    output.collector.takeReports();
    output.collector.checkErrors();
    if (processed === 0 && polled === 0 && !restored) await this.#idle();
    await this.#breathe();
  }

  #runIfReady(): void {
    if (!this.registry.restoring && !this.#parts!.restorer.isActive) this.#states.tryGo("RUNNING");
  }

  async #answerRebalance(): Promise<void> {
    const { consumer, tasks } = this.#parts!;
    const rebalance = consumer.takeRebalance();
    if (rebalance === undefined) return;
    this.#states.tryGo(
      rebalance.kind === "assign" ? "PARTITIONS_ASSIGNED" : "PARTITIONS_REVOKED",
    );
    await tasks.answer(rebalance);
    if (rebalance.incremental) this.#quietUntil = this.#clock.now() + EPOCH_MS;
    this.#runIfReady();
  }

  async #checkConsumer(consumer: Consumer): Promise<void> {
    const error = consumer.takeError();
    if (error === undefined) return;
    if (error.codeName === "UNKNOWN_TOPIC_OR_PART") return await this.#refuseDeletedTopics(error);
    if (error.fatal) {
      throw new StreamsException(`The consumer failed: ${error.message}`, { cause: error });
    }
    this.#log.warn(`The consumer reports ${error.codeName}`, { err: error });
  }

  async #refuseDeletedTopics(error: KafkaError): Promise<void> {
    const existing = await this.#topicCounts(this.#parts!.admin, true);
    const missing = this.#options.plan.subtopologies
      .flatMap((s) => s.sourceTopics).filter((topic) => !existing.has(topic));
    if (missing.length > 0) throw new MissingSourceTopicException(missing);
    this.#log.warn("The consumer does not know a topic yet", { err: error });
  }

  #commitDue(now: number): boolean {
    if (now < this.#quietUntil) return false;
    if (now - this.#lastCommit > this.#settings.commitIntervalMs) return true;
    for (const task of this.registry.running) {
      if (task.commitRequested && task.commitNeeded) return true;
    }
    return this.registry.uncommittedBytes >= this.#settings.uncommittedMaxBytes;
  }

  async #commit(): Promise<number> {
    const { output, purge } = this.#parts!;
    const committed = await output.committer.commit(this.registry.running);
    this.#lastCommit = this.#clock.now();
    if (this.#lastCommit - purge.lastMs > this.#settings.purgeIntervalMs) {
      purge.run(output.committer.committed, this.#lastCommit);
    }
    return committed;
  }

  async #idle(): Promise<void> {
    const { consumer, restorer, restoreConsumer } = this.#parts!;
    if (restorer.isActive) return await restoreConsumer.wait(IMPATIENT_MS);
    const waitsForSchema = this.registry.running.flatMap((task) => task.pending ?? []);
    if (waitsForSchema.length > 0) {
      await Promise.race([...waitsForSchema, this.#clock.sleep(this.#settings.pollMs)]);
    } else {
      const queued = this.registry.running.some((task: StreamTask) => task.buffered > 0);
      await consumer.wait(queued ? IMPATIENT_MS : this.#settings.pollMs);
    }
  }

  async #breathe(): Promise<void> {
    const now = this.#clock.monotonic();
    if (now - this.#lastBreath < BREATH_MS) return;
    this.#lastBreath = now;
    await nextTurn();
  }

  /** The transaction cannot be saved: forgets what it held and reads the inputs again from where they were committed. */
  async #revive(error: TaskCorruptedException): Promise<void> {
    this.#log.warn("Aborting and starting again from the last commit", { err: error });
    const { output, tasks } = this.#parts!;
    tasks.closeAllDirty();
    await output.abort();
    await tasks.revive();
    this.#lastCommit = this.#clock.now();
  }

  /** Somebody else has this thread's tasks: drops them, takes a new producer and joins the group again. */
  async #rejoin(error: TaskMigratedException): Promise<void> {
    this.#log.warn("Closing all tasks and joining the group again", { err: error });
    const { consumer, output, tasks } = this.#parts!;
    tasks.closeAllDirty();
    tasks.disown();
    await output.abort();
    await output.replace();
    this.#states.tryGo("PARTITIONS_REVOKED");
    consumer.unsubscribe();
    consumer.subscribe(this.#subscription());
  }

  async #close(clean: boolean): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    const { output, tasks, consumer, restoreConsumer, admin } = parts;
    const steps: (() => Promise<void> | void)[] = [
      async () => {
        if (clean) await this.#closeTasks(parts);
      },
      () => tasks.closeAllDirty(),
      () => output.abort(),
      // A static member stays in the group when it closes, unless it says that it goes for good.
      () => this.#stop?.leaveGroup ? consumer.unsubscribe() : undefined,
      () => consumer.close(),
      () => restoreConsumer.close(),
      () => output.producer.producer.close(),
      () => admin.close(),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        this.#log.warn(`Thread ${this.name} did not close in order`, { err: error });
      }
    }
    this.counts.tasksClosed = this.counts.tasksCreated;
  }

  async #closeTasks({ output, tasks }: ThreadParts): Promise<void> {
    const committed = await output.committer.commit(this.registry.running);
    if (committed >= 0) tasks.closeAllClean();
  }
}

interface ThreadParts {
  readonly admin: Admin;
  readonly consumer: Consumer;
  readonly restoreConsumer: Consumer;
  readonly feed: InputFeed;
  readonly output: ThreadOutput;
  readonly restorer: StoreRestorer;
  readonly tasks: ThreadTasks;
  readonly round: ProcessingRound;
  readonly purge: RepartitionPurge;
}

function asStreamsException(error: unknown): Error {
  return error instanceof Error
    ? error
    : new StreamsException("Something was thrown that is no error", { cause: error });
}
