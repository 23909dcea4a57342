import { parseConfig, type StreamsConfig } from "../config.ts";
import { ConfigException, StreamsException } from "../errors.ts";
import { callAfter } from "../record/time.ts";
import { cacheBudget } from "../state/cache_budget.ts";
import type { DropReason } from "../state/store.ts";
import { mergeSnapshots } from "../telemetry/merge.ts";
import type { MetricsRegistry, MetricsSnapshot } from "../telemetry/metrics.ts";
import { compileTopology, type TopologyPlan } from "../topology/compile.ts";
import { GlobalState } from "./global_state.ts";
import { prepareSerdes } from "./serde_preparation.ts";
import { StateMachine } from "./state_machine.ts";
import { CLIENT_TRANSITIONS, type ClientState, isAlive, type ThreadState } from "./states.ts";
import type { RestoreListener } from "./store_restorer.ts";
import { StreamThread } from "./stream_thread.ts";
import type { StateHome, StatePlace, StreamsHost } from "./streams_host.ts";
import type { StreamTask } from "./task.ts";
import { taskSettings } from "./task_settings.ts";
import type { ThreadDescription, ThreadHandle } from "./thread_handle.ts";
import type { LagReport, RestoreReport, StoreReport, ThreadReport } from "./thread_report.ts";
import { metricsRegistry, type ThreadIdentity, threadSettings } from "./thread_settings.ts";
import {
  buildTopology,
  isModuleAddress,
  type TopologyModuleAddress,
  type TopologySource,
} from "./topology_source.ts";
import { WorkerThread } from "./worker_thread.ts";
import {
  askUncaught,
  type UncaughtExceptionHandler,
  uncaughtExceptionHandler,
} from "./uncaught_exception.ts";

/** How an application ends. Kafka Streams: `CloseOptions`. */
export interface CloseOptions {
  /** How long it may take (ms). Default: `shutdown.timeout.ms`. */
  readonly timeoutMs?: number;
  /** Whether static members leave their group instead of keeping their place for a restart. Default: false. */
  readonly leaveGroup?: boolean;
}

/** Told of each change of the application's state. */
export type StateListener = (next: ClientState, previous: ClientState) => void;

/**
 * A running application: its threads, its global stores and its state directory. Kafka Streams: `KafkaStreams`.
 *
 * @example
 * ```ts
 * const streams = new KafkaStreams(topology, { "application.id": "orders", "bootstrap.servers": "localhost:9092" });
 * await streams.start();
 * // …
 * await streams.close();
 * ```
 */
export class KafkaStreams {
  readonly config: StreamsConfig;
  readonly #applicationId: string;
  readonly #source: TopologySource;
  readonly #host: StreamsHost;
  readonly #states: StateMachine<ClientState>;
  readonly #listeners = new Set<StateListener>();
  readonly #threads = new Map<string, ThreadHandle>();
  readonly #running = new Set<Promise<void>>();
  readonly #metrics: MetricsRegistry;
  #onUncaught: UncaughtExceptionHandler;
  #restoreListener: RestoreListener = {};
  #plan: TopologyPlan | undefined;
  #home: StateHome | undefined;
  #global: GlobalState | undefined;
  #clientId = "";
  #paused = false;
  #closing: Promise<boolean> | undefined;
  #failure: Error | undefined;

  /**
   * @param source a topology, something that builds one, or the address of a module that exports one (needed for more than one thread)
   * @throws {ConfigException} when the configuration has faults
   */
  constructor(
    source: TopologySource,
    config: StreamsConfig | Readonly<Record<string, unknown>>,
    host: StreamsHost,
  ) {
    this.config = "clientConfig" in config
      ? config as StreamsConfig
      : parseConfig(config as Readonly<Record<string, unknown>>);
    this.#applicationId = this.config.applicationId ?? "";
    this.#source = source;
    this.#host = host;
    this.#metrics = metricsRegistry(this.config, host.clock);
    this.#onUncaught = uncaughtExceptionHandler(this.config.values["uncaught.exception.handler"]);
    this.#states = new StateMachine(
      this.#applicationId,
      "CREATED",
      CLIENT_TRANSITIONS,
      (next, previous) => this.#tellState(next, previous),
    );
    if (this.config.numStreamThreads > 1 && !isModuleAddress(source)) {
      throw new ConfigException([{
        key: "num.stream.threads",
        given: String(this.config.numStreamThreads),
        rule:
          'needs the topology as a module, as functions cannot cross to a Worker: use { url: import.meta.resolve("./topology.ts") }, or 1 thread',
      }]);
    }
  }

  /** What it does now. */
  get state(): ClientState {
    return this.#states.state;
  }
  /** Why it ended in `ERROR`, if it did. */
  get failure(): Error | undefined {
    return this.#failure;
  }
  /** What `describe()` prints of the topology; undefined before `start`. */
  get description(): string | undefined {
    return this.#plan?.description;
  }
  /** The compiled topology; undefined before `start`. */
  get plan(): TopologyPlan | undefined {
    return this.#plan;
  }
  get clientId(): string {
    return this.#clientId;
  }

  /** The id of its state directory; empty before `start`. */
  get processId(): string {
    return this.#home?.processId ?? "";
  }

  /** The metrics of all threads. */
  metrics(): MetricsSnapshot {
    const remote = this.#reports().flatMap((report) => report.metrics ?? []);
    return mergeSnapshots([this.#metrics.snapshot(), ...remote]);
  }
  /** How far each partition is behind. */
  lag(): readonly LagReport[] {
    return this.#reports().flatMap((report) => report.lags);
  }
  /** The stores of all tasks. */
  stores(): readonly StoreReport[] {
    return this.#reports().flatMap((report) => report.stores);
  }
  /** The restores that are going on. */
  restores(): readonly RestoreReport[] {
    return this.#reports().flatMap((report) => report.restores);
  }

  #reports(): ThreadReport[] {
    return [...this.#threads.values()].map((thread) => thread.report());
  }

  /** Its threads with their tasks. Kafka Streams: `metadataForLocalThreads`. */
  threads(): ThreadDescription[] {
    return [...this.#threads.values()].map((thread) => thread.describe());
  }

  /** Adds a listener of state changes; the function it gives back removes it. */
  onStateChange(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Sets who is asked when a thread has failed. Before `start` only. @throws {StreamsException} afterwards */
  setUncaughtExceptionHandler(handler: UncaughtExceptionHandler): void {
    this.#onlyBeforeStart("set the uncaught exception handler");
    this.#onUncaught = handler;
  }

  /** Sets who is told of restores. Before `start` only. @throws {StreamsException} afterwards */
  setRestoreListener(listener: RestoreListener): void {
    this.#onlyBeforeStart("set the restore listener");
    this.#restoreListener = listener;
  }

  #onlyBeforeStart(what: string): void {
    if (this.state === "CREATED") return;
    throw new StreamsException(
      `Cannot ${what} as that is for before start(): current value is ${this.state}`,
    );
  }

  /**
   * Takes the state directory, fills the global stores and starts the threads. Resolves when they have been started; `RUNNING` follows when the group has
   * given them their partitions and the stores are restored.
   * @throws {TopologyException} when the topology is wrong
   * @throws {LockException} when another process holds the state directory
   * @throws {StreamsException} when it was started before
   */
  async start(): Promise<void> {
    if (this.state !== "CREATED") {
      throw new StreamsException(
        `The client is either already started or already stopped, cannot re-start: current value is ${this.state}`,
      );
    }
    this.#states.go("REBALANCING");
    try {
      await this.#open();
    } catch (error) {
      await this.#closeToError(error as Error);
      throw error;
    }
    for (let i = 0; i < this.config.numStreamThreads; i++) this.#startThread();
  }

  async #open(): Promise<void> {
    const { config } = this;
    for (const warning of config.warnings) this.#host.log.warn(warning);
    const topology = await buildTopology(this.#source, config.values);
    this.#plan = compileTopology(topology, {
      applicationId: this.#applicationId,
      cacheMaxBytes: config.statestoreCacheMaxBytes,
    });
    this.#home = this.#host.openState(this.#place());
    this.#clientId = config.clientId || `${this.#applicationId}-${this.#home.processId}`;
    await this.#openGlobal(this.#plan);
  }

  #place(): StatePlace {
    const { stateDir: directory, stateSync: sync } = this.config;
    return { applicationId: this.#applicationId, directory, sync };
  }

  async #openGlobal(plan: TopologyPlan): Promise<void> {
    // With several threads each Worker has its own, as memory is not shared.
    if (plan.global === undefined || this.config.numStreamThreads > 1) return;
    const { clients, clock, log } = this.#host;
    const settings = threadSettings(this.config, this.#identity("GlobalStreamThread", 0));
    this.#global = new GlobalState({
      plan: plan.global,
      settings,
      taskSettings: taskSettings(this.config.values),
      clients,
      home: this.#home!,
      clock,
      log,
    });
    await prepareSerdes(plan, taskSettings(this.config.values), this.#host.serdes);
    await this.#global.open();
    this.#watch(
      this.#global.run().then(async (failure) => {
        // Without its global stores nothing can be joined right: the client always ends.
        if (failure !== undefined) await this.#closeToError(failure);
      }),
    );
  }

  #identity(kind: string, index: number): ThreadIdentity {
    const name = index === 0 ? `${this.#clientId}-${kind}` : `${this.#clientId}-${kind}-${index}`;
    return { name, index, processId: this.#home!.processId, stable: this.#home!.stable };
  }

  /** The first number that is free: who takes the place of a thread takes its transactions and its place in the group, too. */
  #freeIdentity(): ThreadIdentity {
    for (let index = 1;; index++) {
      const identity = this.#identity("StreamThread", index);
      if (!this.#threads.has(identity.name)) return identity;
    }
  }

  #startThread(): void {
    const thread = this.#makeThread(this.#freeIdentity());
    this.#threads.set(thread.name, thread);
    thread.setPaused(this.#paused);
    this.#watch(thread.run().then((failure) => this.#threadEnded(thread, failure)));
  }

  #watch(run: Promise<void>): void {
    const watched = run.catch((error) => this.#closeToError(error)).finally(() =>
      this.#running.delete(watched)
    );
    this.#running.add(watched);
  }

  #makeThread(identity: ThreadIdentity): ThreadHandle {
    if (this.config.numStreamThreads > 1) return this.#makeWorker(identity);
    const { clients, clock, log } = this.#host;
    const { config } = this;
    const cacheBytes = config.statestoreCacheMaxBytes / config.numStreamThreads;
    const plan = this.#plan!;
    return new StreamThread({
      name: identity.name,
      plan,
      settings: threadSettings(config, identity),
      clients,
      serdes: this.#host.serdes,
      metrics: this.#metrics,
      log,
      restoreListener: this.#restoreListener,
      onState: (next, previous) => this.#threadChanged(identity.name, next, previous),
      surroundings: {
        settings: taskSettings(config.values),
        states: this.#home!,
        cache: cacheBytes > 0 ? cacheBudget(cacheBytes) : undefined,
        clock,
        globalStores: this.#global?.stores ?? new Map(),
        onDropped: (reason, task, detail) => this.#dropped(reason, task, detail),
      },
    });
  }

  #makeWorker(identity: ThreadIdentity): ThreadHandle {
    return new WorkerThread({
      order: {
        identity,
        source: this.#source as TopologyModuleAddress,
        config: this.config.transferable(),
        place: this.#place(),
        tellRestores: Object.keys(this.#restoreListener).length > 0,
      },
      start: () => this.#host.startWorker(identity.name),
      restoreListener: this.#restoreListener,
      onState: (next, previous) => this.#threadChanged(identity.name, next, previous),
    });
  }

  #dropped(reason: DropReason, task: StreamTask, detail: string | undefined): void {
    const { topic, partition, offset } = task.record;
    this.#host.log.debug(detail ?? `Skipping record: ${reason}`, {
      task_id: task.taskId,
      topic,
      partition,
      offset,
    });
  }

  #threadChanged(name: string, next: ThreadState, previous: ThreadState): void {
    this.#host.log.info(`State transition from ${previous} to ${next}`, { thread_id: name });
    if (next === "PARTITIONS_REVOKED" || next === "PARTITIONS_ASSIGNED") {
      this.#states.tryGo("REBALANCING");
    } else if (next === "RUNNING" || next === "DEAD") this.#runIfAllRun();
  }

  #runIfAllRun(): void {
    const alive = [...this.#threads.values()].filter((thread) => isAlive(thread.state));
    if (alive.length > 0 && alive.every((thread) => thread.state === "RUNNING")) {
      this.#states.tryGo("RUNNING");
    }
  }

  async #threadEnded(thread: ThreadHandle, failure: Error | undefined): Promise<void> {
    this.#threads.delete(thread.name);
    if (failure === undefined || this.#isEnding()) return;
    const { response, fault } = askUncaught(this.#onUncaught, failure);
    if (fault !== undefined) {
      this.#host.log.error("The uncaught exception handler failed", { err: fault });
    }
    this.#host.log.error(`Thread ${thread.name} has failed: ${response}`, { err: failure });
    if (response === "replace-thread") this.#startThread();
    else await this.#closeToError(failure);
  }

  #isEnding(): boolean {
    return this.state !== "REBALANCING" && this.state !== "RUNNING";
  }

  /** Stops processing without leaving the group; stores stay readable. Kafka Streams: `pause`. */
  pause(): void {
    this.#paused = true;
    for (const thread of this.#threads.values()) thread.setPaused(true);
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.#paused = false;
    for (const thread of this.#threads.values()) thread.setPaused(false);
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /**
   * Commits, closes all tasks and leaves. After a stop in time nothing is processed again by the next start. Resolves with whether everything was closed within
   * the time; what was not goes on closing. May be called several times.
   */
  close(options: CloseOptions = {}): Promise<boolean> {
    if (this.state === "CREATED") this.#states.go("PENDING_SHUTDOWN");
    else if (!this.#states.tryGo("PENDING_SHUTDOWN") && this.#closing === undefined) {
      return Promise.resolve(true);
    }
    return this.#closing ??= this.#close(options, "NOT_RUNNING");
  }

  async #closeToError(error: Error): Promise<void> {
    this.#failure ??= error;
    if (!this.#states.tryGo("PENDING_ERROR")) return;
    this.#closing ??= this.#close({}, "ERROR");
    // The failed thread's own end is part of what is waited for; so this does not wait.
  }

  async #close(
    { timeoutMs = this.config.shutdownTimeoutMs, leaveGroup = false }: CloseOptions,
    last: "NOT_RUNNING" | "ERROR",
  ): Promise<boolean> {
    const deadline = this.#host.clock.now() + timeoutMs;
    for (const thread of this.#threads.values()) thread.shutdown(deadline, { leaveGroup });
    const ended = this.#closeAll().then(() => true);
    const inTime = await orAfter(timeoutMs, ended);
    if (!inTime) this.#host.log.warn(`Not everything was closed within ${timeoutMs} ms`);
    this.#states.tryGo(last);
    return inTime;
  }

  async #closeAll(): Promise<void> {
    const globalClosed = this.#global?.close();
    await Promise.all([...this.#running]);
    await globalClosed;
    this.#home?.close();
  }

  #tellState(next: ClientState, previous: ClientState): void {
    this.#host.log.info(`State transition from ${previous} to ${next}`);
    for (const listener of this.#listeners) listener(next, previous);
  }
}

/** The promise's outcome, or false after `ms`. */
async function orAfter(ms: number, promise: Promise<boolean>): Promise<boolean> {
  let callOff = () => {};
  const late = new Promise<boolean>((resolve) => {
    callOff = callAfter(ms, () => resolve(false));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    callOff();
  }
}
