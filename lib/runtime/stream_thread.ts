import {
  isForbidden,
  isRetriable,
  type KafkaError,
  MissingSourceTopicException,
  SchemaPending,
  StreamsException,
  TaskCorruptedException,
  TaskMigratedException,
} from "../errors.ts";
import type { Consumer } from "../kafka/client.ts";
import { type Clock, nextTurn } from "../record/time.ts";
import type { QueryResult } from "../state/query.ts";
import { prepareTopics } from "./internal_topics.ts";
import { sourceTopicsOf, type TopicCounts } from "./partition_counts.ts";
import { orAfter } from "./patience.ts";
import type { RuntimeLog } from "./runtime_log.ts";
import { prepareSerdesPatiently } from "./serde_preparation.ts";
import { queryTasks, type StateQueryRequest } from "./state_queries.ts";
import type { Levels } from "./levels.ts";
import { StateMachine } from "./state_machine.ts";
import { THREAD_TRANSITIONS, type ThreadState } from "./states.ts";
import type { StreamTask } from "./task.ts";
import { signalShutdown } from "./shutdown_signal.ts";
import type { ShutdownWay, ThreadDescription, ThreadHandle } from "./thread_handle.ts";
import { asStreamsException, refusal, schemaSettled } from "./thread_faults.ts";
import { type StreamThreadOptions, ThreadParts } from "./thread_parts.ts";
import { emptyReport, type ThreadReport } from "./thread_report.ts";
import type { ThreadSettings } from "./thread_settings.ts";

const STAY: ShutdownWay = { leaveGroup: false, tellGroup: false };
/** How often the event loop is let breathe while there is work (ms). */
const BREATH_MS = 10;
/**
 * After an incremental rebalance the member's epoch changes with its next heartbeat (KIP-848); a transaction that is committed at that very moment with the
 * old one would be refused and lost. Commits wait that long (ms).
 */
const EPOCH_MS = 250;
/** How long a thread that has failed waits until what it wrote has arrived (ms). */
const LAST_WORDS_MS = 5_000;
/** How long the clients of a thread that was stopped while it started may take to close (ms). */
const UNOPENED_MS = 250;
/** How long an idle round waits when records are queued that cannot be processed yet (ms). */
const IMPATIENT_MS = 5;

/**
 * One member of the group: a consumer, a transactional producer and the tasks of the partitions it was given, driven by one loop. Records are processed
 * synchronously; it waits only for polls, commits, restores, rebalances and its end. Kafka Streams: `StreamThread`.
 */
export class StreamThread implements ThreadHandle {
  readonly name: string;
  readonly #options: StreamThreadOptions;
  readonly #settings: ThreadSettings;
  readonly #log: RuntimeLog;
  readonly #clock: Clock;
  readonly #states: StateMachine<ThreadState>;
  #parts: ThreadParts | undefined;
  #stop: { readonly deadline: number; readonly way: ShutdownWay } | undefined;
  readonly #stopping = Promise.withResolvers<void>();
  #isOpen = false;
  #paused = false;
  #lastCommit = 0;
  #lastBreath = 0;
  #lastPoll = 0;
  /** When the loop began its last round (epoch ms). */
  #lastBeat: number | undefined;
  /** When the next chores are due (epoch ms), all and each kind. */
  #nextChores = 0;
  #nextSummary = 0;
  #nextPatterns = 0;
  /** No commit before this instant (epoch ms). */
  #quietUntil = 0;

  constructor(options: StreamThreadOptions) {
    this.name = options.name;
    this.#options = options;
    this.#settings = options.settings;
    this.#log = options.log;
    this.#clock = options.surroundings.clock;
    this.#states = new StateMachine(
      options.name,
      "CREATED",
      THREAD_TRANSITIONS,
      (next, previous) => {
        this.#parts?.telemetry.changed(next, this.#clock.monotonic());
        options.onState(next, previous);
      },
    );
  }

  get state(): ThreadState {
    return this.#states.state;
  }

  describe(): ThreadDescription {
    return {
      name: this.name,
      state: this.state,
      lastBeatMs: this.#lastBeat,
      tasks: (this.#parts?.registry.all() ?? []).map((task) => ({
        taskId: task.taskId,
        state: task.state,
        partitions: task.inputPartitions,
        buffered: task.buffered,
        processed: task.processed,
      })),
    };
  }

  async query(request: StateQueryRequest<unknown>): Promise<Map<number, QueryResult<unknown>>> {
    return queryTasks(this.#parts?.registry.all() ?? [], request);
  }

  report(): ThreadReport {
    const description = this.describe();
    const parts = this.#parts;
    if (parts === undefined || this.state === "DEAD") return emptyReport(description);
    const { telemetry, registry, feed, output, restorer } = parts;
    const tasks = registry.all();
    const restores = restorer.progress();
    telemetry.thread.deadLetters = output.collector.deadLetters;
    telemetry.refresh(tasks, feed, output.committer.committed, restores);
    return {
      description,
      metrics: undefined,
      lags: telemetry.lags(),
      stores: telemetry.stores(tasks),
      nodes: telemetry.nodes(tasks),
      restores: restores.map(({ task, changelog, restored, remaining }) => ({
        store: changelog.store,
        taskId: task.taskId,
        changelog: changelog.topic,
        partition: changelog.partition,
        restored,
        remaining,
      })),
    };
  }

  /** Asks the thread to end by `deadlineMs` (epoch ms): it commits, closes its tasks and leaves. */
  shutdown(deadlineMs: number, way: ShutdownWay): void {
    this.#stop ??= { deadline: deadlineMs, way };
    this.#stopping.resolve();
    this.#states.tryGo("PENDING_SHUTDOWN");
  }

  /** Stops or resumes processing; the thread stays a member and keeps its tasks. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
  }

  setLevels({ recording, log }: Levels): void {
    if (recording !== undefined) this.#options.metrics.level = recording;
    if (log !== undefined) this.#options.setLogLevel?.(log.level, log.name);
  }

  /** Runs until `shutdown` or a failure; resolves with the failure, if there was one, when everything is closed. */
  async run(): Promise<Error | undefined> {
    let failure: Error | undefined;
    try {
      if (this.#stop === undefined) {
        this.#states.go("STARTING");
        const opening = this.#open();
        // A request to a broker that is away takes its time: a stop does not wait for it.
        await Promise.race([opening, this.#stopping.promise]);
        opening.catch((error) => this.#log.debug("Stopped while it started", { err: error }));
      }
      while (this.#stop === undefined) await this.#step();
    } catch (error) {
      if (this.#stop === undefined || !(error instanceof StreamsException)) {
        failure = asStreamsException(error);
        this.#log.error(`Thread ${this.name} ends as of an error`, { err: error });
        const response = await this.#options.onFailure(failure);
        const tellGroup = response === "shutdown-application";
        this.#stop ??= { deadline: this.#clock.now(), way: { leaveGroup: tellGroup, tellGroup } };
      }
    }
    this.#states.tryGo("PENDING_SHUTDOWN");
    await this.#close(failure === undefined);
    this.#states.go("DEAD");
    return failure;
  }

  async #open(): Promise<void> {
    const { plan, surroundings, serdes, settings } = this.#options;
    const parts = new ThreadParts(this.#options, {
      commitDue: (now) => this.#commitDue(now),
      commit: () => this.#commit(),
    });
    this.#parts = parts;
    parts.telemetry.thread.state = this.state;
    const waiting = {
      clock: this.#clock,
      log: this.#log,
      stopped: () => this.#stop !== undefined,
      hopeless: () => refusal(parts.consumer),
    };
    const topics = { ...waiting, admin: parts.admin };
    parts.topicCounts = await prepareTopics(plan, settings.internalTopics, topics);
    await prepareSerdesPatiently(plan, surroundings.settings, serdes, waiting);
    if (waiting.stopped()) return;
    await parts.fitBatches();
    await parts.output.producer.init();
    if (waiting.stopped()) return;
    this.#lastCommit = this.#clock.now();
    parts.consumer.subscribe(this.#subscription(parts));
    this.#isOpen = true;
  }

  #subscription({ topicCounts }: ThreadParts): string[] {
    const { subtopologies } = this.#options.plan;
    return [...new Set(subtopologies.flatMap((s) => sourceTopicsOf(s, topicCounts)))].sort();
  }

  /** One round of the loop; what can be healed is healed here. */
  async #step(): Promise<void> {
    try {
      await this.#runOnce(this.#parts!);
    } catch (error) {
      if (error instanceof TaskCorruptedException) await this.#revive(error);
      else if (error instanceof SchemaPending) await this.#reviveWhen(error);
      else if (error instanceof TaskMigratedException) await this.#rejoin(error);
      else throw error;
    }
  }

  async #runOnce(parts: ThreadParts): Promise<void> {
    const { consumer, restorer, tasks, round, output } = parts;
    const polled = this.#poll(parts);
    if (this.#lastBeat! >= this.#nextChores) await this.#doChores(parts);
    await this.#answerRebalance();
    await this.#checkConsumer(consumer);
    const gone = consumer.takeGone();
    if (gone.length > 0) await tasks.goOnElsewhere(gone);
    const restored = restorer.isActive && restorer.poll();
    if (tasks.startRestored() > 0 || this.state === "PARTITIONS_ASSIGNED") this.#runIfReady();
    const processed = this.#paused ? await this.#commitPaused() : await round.run();
    if (processed > 0) parts.telemetry.noteSent(this.#clock.now());
    output.collector.handOver();
    output.collector.takeReports();
    output.collector.checkErrors();
    if (processed === 0 && polled === 0 && !restored) await this.#idle();
    await this.#breathe();
  }

  /** What was done before the pause is committed all the same: an open transaction holds its readers up, and times out. */
  async #commitPaused(): Promise<number> {
    if (this.#commitDue(this.#clock.now())) await this.#commit();
    return 0;
  }

  #poll({ feed, telemetry: { thread } }: ThreadParts): number {
    const began = this.#clock.monotonic();
    const now = this.#clock.now();
    thread.loopMs += began - (this.#lastPoll || began);
    this.#lastPoll = began;
    this.#lastBeat = now;
    const polled = feed.poll();
    thread.poll.record(this.#clock.monotonic() - began, now);
    thread.pollRecords.record(polled, now);
    return polled;
  }

  /** What is looked after now and then: topics that a pattern matches since, and a line of the log. */
  async #doChores(parts: ThreadParts): Promise<void> {
    const now = this.#clock.now();
    const { summaryMs, patternRefreshMs } = this.#settings;
    if (now >= this.#nextSummary) {
      if (this.#nextSummary > 0) this.#logSummary(parts);
      this.#nextSummary = summaryMs <= 0 ? Number.POSITIVE_INFINITY : now + summaryMs;
    }
    const hasPatterns = this.#options.plan.subtopologies.some((s) => s.sourcePatterns.length > 0);
    if (hasPatterns && now >= this.#nextPatterns) {
      if (this.#nextPatterns > 0) await this.#refreshPatterns(parts);
      this.#nextPatterns = now + patternRefreshMs;
    } else if (!hasPatterns) this.#nextPatterns = Number.POSITIVE_INFINITY;
    this.#nextChores = Math.min(this.#nextSummary, this.#nextPatterns);
  }

  #logSummary({ telemetry: { thread } }: ThreadParts): void {
    const { process, punctuate, poll, commit } = thread;
    this.#log.info(
      `Processed ${process.total} total records, ran ${punctuate.total} punctuators, polled ${poll.total} times and committed ${commit.total} times since the start`,
    );
  }

  async #refreshPatterns(parts: ThreadParts): Promise<void> {
    const before = this.#subscription(parts);
    try {
      await parts.countTopics(true);
    } catch (error) {
      if (!isRetriable(error)) throw error;
      this.#log.warn("Could not list topics for patterns; trying again later", { err: error });
      return;
    }
    const now = this.#subscription(parts);
    if (now.join() === before.join()) return;
    this.#log.info("Other topics match the patterns now", { topics: now });
    parts.consumer.subscribe(now);
  }

  #runIfReady(): void {
    if (!this.#parts!.registry.restoring && !this.#parts!.restorer.isActive) {
      this.#states.tryGo("RUNNING");
    }
  }

  async #answerRebalance(): Promise<void> {
    const { consumer, tasks, telemetry: { thread } } = this.#parts!;
    const rebalance = consumer.takeRebalance();
    if (rebalance === undefined) return;
    const began = this.#clock.monotonic();
    thread.rebalances++;
    this.#states.tryGo(
      rebalance.kind === "assign" ? "PARTITIONS_ASSIGNED" : "PARTITIONS_REVOKED",
    );
    await tasks.answer(rebalance);
    const took = this.#clock.monotonic() - began;
    const now = this.#clock.now();
    if (rebalance.kind === "assign") thread.assignedLatency.record(took, now);
    else if (rebalance.kind === "revoke") thread.revokedLatency.record(took, now);
    else thread.lostLatency.record(took, now);
    if (rebalance.incremental) this.#quietUntil = this.#clock.now() + EPOCH_MS;
    this.#runIfReady();
  }

  async #checkConsumer(consumer: Consumer): Promise<void> {
    const error = consumer.takeError();
    if (error === undefined) return;
    if (error.codeName === "UNKNOWN_TOPIC_OR_PART") return await this.#refuseDeletedTopics(error);
    if (error.fatal || isForbidden(error)) {
      throw new StreamsException(`The consumer failed: ${error.message}`, { cause: error });
    }
    this.#log.warn(`The consumer reports ${error.codeName}`, { err: error });
  }

  async #refuseDeletedTopics(error: KafkaError): Promise<void> {
    let existing: TopicCounts;
    try {
      existing = await this.#parts!.countTopics(true);
    } catch (failure) {
      // It is told again for as long as it holds.
      if (!isRetriable(failure)) throw failure;
      this.#log.warn("Could not look whether a topic exists", { err: failure });
      return;
    }
    const missing = this.#options.plan.subtopologies
      .flatMap((s) => s.sourceTopics).filter((topic) => !existing.has(topic));
    if (missing.length > 0) throw new MissingSourceTopicException(missing);
    this.#log.warn("The consumer does not know a topic yet", { err: error });
  }

  #commitDue(now: number): boolean {
    if (now < this.#quietUntil) return false;
    if (now - this.#lastCommit > this.#settings.commitIntervalMs) return true;
    const { registry } = this.#parts!;
    for (const task of registry.running) {
      if (task.commitRequested && task.commitNeeded) return true;
    }
    return registry.uncommittedBytes >= this.#settings.uncommittedMaxBytes;
  }

  async #commit(): Promise<number> {
    const { output, purge, registry } = this.#parts!;
    const committed = await output.committer.commit(registry.running);
    this.#lastCommit = this.#clock.now();
    if (this.#lastCommit - purge.lastMs > this.#settings.purgeIntervalMs) {
      purge.run(output.committer.committed, this.#lastCommit);
    }
    return committed;
  }

  async #idle(): Promise<void> {
    const { consumer, restorer, restoreConsumer, registry } = this.#parts!;
    if (restorer.isActive) return await restoreConsumer.wait(IMPATIENT_MS);
    const waitsForSchema = registry.running.flatMap((task) => task.pending ?? []);
    if (waitsForSchema.length > 0) {
      await Promise.race([...waitsForSchema, this.#clock.sleep(this.#settings.pollMs)]);
    } else {
      const queued = registry.running.some((task: StreamTask) => task.buffered > 0);
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
  async #revive(
    error: TaskCorruptedException,
    ready: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    this.#log.warn("Aborting and starting again from the last commit", { err: error });
    const { output, tasks, telemetry } = this.#parts!;
    telemetry.thread.transactionAborts++;
    tasks.closeAllDirty();
    await output.abort();
    await ready();
    await tasks.revive();
    this.#lastCommit = this.#clock.now();
  }

  /** A schema was missing in the middle of a record, which is rolled back and processed again once the schema is there. */
  async #reviveWhen(pending: SchemaPending): Promise<void> {
    await this.#revive(
      new TaskCorruptedException("A record waits for a schema", [], { cause: pending }),
      () => schemaSettled(pending, () => this.#stop !== undefined, this.#log),
    );
  }

  /** Somebody else has this thread's tasks: drops them, takes a new producer and joins the group again. */
  async #rejoin(error: TaskMigratedException): Promise<void> {
    this.#log.warn("Closing all tasks and joining the group again", { err: error });
    const { consumer, output, tasks, telemetry } = this.#parts!;
    telemetry.thread.fenced++;
    tasks.closeAllDirty();
    tasks.disown();
    await output.renew();
    this.#states.tryGo("PARTITIONS_REVOKED");
    consumer.unsubscribe();
    consumer.subscribe(this.#subscription(this.#parts!));
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
      async () => {
        if (!clean) await this.#sendLastWords(parts);
      },
      () => output.abandon(),
      // A static member stays in the group when it closes, unless it says that it goes for good.
      () => this.#leave(parts),
      () => this.#closeClient(consumer),
      () => this.#closeClient(restoreConsumer),
      () => this.#closeClient(output.producer.producer),
      () => this.#closeClient(admin),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        this.#log.warn(`Thread ${this.name} did not close in order`, { err: error });
      }
    }
    parts.forgetMetrics();
  }

  /** A client closes when its requests have ended. Of a thread that never came to work, nothing hangs on them: they end by themselves. */
  async #closeClient(client: { close(): Promise<void> }): Promise<void> {
    const closed = client.close();
    if (this.#isOpen) return await closed;
    await orAfter(UNOPENED_MS, closed.then(() => true));
  }

  /** What was written before a failure goes out, dead letters above all; under exactly once it is aborted. */
  async #sendLastWords({ output: { collector, producer } }: ThreadParts): Promise<void> {
    if (producer.exactlyOnce) return;
    collector.handOver();
    await producer.producer.flush(LAST_WORDS_MS);
  }

  async #leave({ consumer, tasks }: ThreadParts): Promise<void> {
    const { leaveGroup, tellGroup } = this.#stop?.way ?? STAY;
    if (tellGroup) {
      const { requestTimeoutMs } = this.#settings;
      await signalShutdown(consumer, tasks.owned, this.#clock.now(), requestTimeoutMs);
    }
    if (leaveGroup) consumer.unsubscribe();
  }

  async #closeTasks({ output, tasks, registry }: ThreadParts): Promise<void> {
    const committed = await output.committer.commit(registry.running);
    if (committed >= 0) tasks.closeAllClean();
  }
}
