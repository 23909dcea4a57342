import { parseConfig, type StreamsConfig } from "../config.ts";
import {
  ConfigException,
  InvalidStateStoreException,
  StreamsException,
  UnknownStateStoreException,
} from "../errors.ts";
import type { QueryResult } from "../state/query.ts";
import { mergeSnapshots } from "../telemetry/merge.ts";
import type { MetricsRegistry, MetricsSnapshot } from "../telemetry/metrics.ts";
import { compileTopology, type SubtopologyPlan, type TopologyPlan } from "../topology/compile.ts";
import { GlobalState } from "./global_state.ts";
import type { Levels } from "./levels.ts";
import { cleanIdleState } from "./state_cleaner.ts";
import { orAfter } from "./patience.ts";
import { StateMachine } from "./state_machine.ts";
import {
  askStore,
  nameMissing,
  type StateQueryRequest,
  type StateQueryResults,
} from "./state_queries.ts";
import { CLIENT_TRANSITIONS, type ClientState, type ThreadState } from "./states.ts";
import type { RestoreListener } from "./store_restorer.ts";
import type { StateHome, StatePlace, StreamsHost } from "./streams_host.ts";
import { taskSettings } from "./task_settings.ts";
import { importTracing } from "./tracing_module.ts";
import { ThreadCrew, type ThreadEnd } from "./thread_crew.ts";
import type { ShutdownWay, ThreadDescription } from "./thread_handle.ts";
import {
  addUp,
  type LagReport,
  type RestoreReport,
  type StoreReport,
  type ThreadReport,
} from "./thread_report.ts";
import { globalThreadSettings, metricsRegistry } from "./thread_settings.ts";
import { buildTopology, isModuleAddress, type TopologySource } from "./topology_source.ts";
import {
  askUncaught,
  type UncaughtExceptionHandler,
  uncaughtExceptionHandler,
  type UncaughtExceptionResponse,
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
  readonly #metrics: MetricsRegistry;
  #onUncaught: UncaughtExceptionHandler;
  #restoreListener: RestoreListener = {};
  #plan: TopologyPlan | undefined;
  #home: StateHome | undefined;
  #global: GlobalState | undefined;
  #globalRun: Promise<void> | undefined;
  #crew: ThreadCrew | undefined;
  #stopCleaning: () => void = () => {};
  #flushTraces: () => Promise<void> = () => Promise.resolve();
  /** Settles when everything is open, or cannot be. */
  #opening: Promise<void> | undefined;
  #clientId = "";
  #paused = false;
  #closing: Promise<boolean> | undefined;
  #failure: Error | undefined;
  #failedThreads = 0;

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
  /** Threads that have failed since the start. Kafka Streams: `failed-stream-threads`. */
  get failedThreads(): number {
    return this.#failedThreads;
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
  /** Records that each node of the topology was given, over all tasks that are here. */
  nodes(): Readonly<Record<string, number>> {
    return addUp(this.#reports().map((report) => report.nodes));
  }
  /** The restores that are going on. */
  restores(): readonly RestoreReport[] {
    return this.#reports().flatMap((report) => report.restores);
  }

  #reports(): ThreadReport[] {
    return this.#crew?.reports() ?? [];
  }

  /** Its threads with their tasks. Kafka Streams: `metadataForLocalThreads`. */
  threads(): ThreadDescription[] {
    return this.#crew?.all().map((thread) => thread.describe()) ?? [];
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
      const opening = this.#open();
      this.#opening = opening.catch(() => {});
      await opening;
    } catch (error) {
      this.#closeToError(error as Error);
      throw error;
    }
    // It may have been closed while it waited for what it stands on.
    if (this.#isEnding()) return;
    for (let i = 0; i < this.config.numStreamThreads; i++) this.#crew!.start();
    this.#stopCleaning = cleanIdleState({
      home: this.#home!,
      clock: this.#host.clock,
      log: this.#host.log,
      delayMs: this.config.stateCleanupDelayMs,
      inUse: () => new Set(this.threads().flatMap(({ tasks }) => tasks.map((t) => t.taskId))),
    });
  }

  async #open(): Promise<void> {
    const { config } = this;
    for (const warning of config.warnings) this.#host.log.warn(warning);
    this.#flushTraces = await importTracing(config.tracingModule, this.#host.log);
    const topology = await buildTopology(this.#source, config.values);
    this.#plan = compileTopology(topology, {
      applicationId: this.#applicationId,
      cacheMaxBytes: config.statestoreCacheMaxBytes,
    });
    this.#home = this.#host.openState(this.#place());
    this.#clientId = config.clientId || `${this.#applicationId}-${this.#home.processId}`;
    await this.#openGlobal(this.#plan);
    this.#crew = new ThreadCrew({
      config,
      host: this.#host,
      source: this.#source,
      plan: this.#plan,
      home: this.#home,
      place: this.#place(),
      clientId: this.#clientId,
      metrics: this.#metrics,
      restoreListener: this.#restoreListener,
      globalStores: () => this.#global?.stores ?? new Map(),
      onState: (name, next, previous) => this.#threadChanged(name, next, previous),
      onFailure: (name, failure) => this.#judge(name, failure),
      onEnded: (end) => this.#threadEnded(end),
    });
    this.#crew.setPaused(this.#paused);
  }

  #place(): StatePlace {
    const { stateDir: directory, stateSync: sync } = this.config;
    return { applicationId: this.#applicationId, directory, sync };
  }

  async #openGlobal(plan: TopologyPlan): Promise<void> {
    // With several threads each Worker has its own, as memory is not shared.
    if (plan.global === undefined || this.config.numStreamThreads > 1) return;
    const { clients, clock, log, serdes } = this.#host;
    const settings = globalThreadSettings(this.config, this.#clientId, this.processId);
    this.#global = new GlobalState({
      plan,
      settings,
      taskSettings: taskSettings(this.config.values),
      clients,
      serdes,
      home: this.#home!,
      clock,
      log,
    });
    await this.#global.open();
    this.#globalRun = this.#global.run().then((failure) => {
      // Without its global stores nothing can be joined right: the client always ends.
      if (failure !== undefined) this.#closeToError(failure);
    });
  }

  #threadChanged(name: string, next: ThreadState, previous: ThreadState): void {
    this.#host.log.info(`State transition from ${previous} to ${next}`, { thread_id: name });
    if (next === "PARTITIONS_REVOKED" || next === "PARTITIONS_ASSIGNED") {
      this.#states.tryGo("REBALANCING");
    } else if (next === "RUNNING" || next === "DEAD") this.#runIfAllRun();
  }

  #runIfAllRun(): void {
    if (this.#crew?.isRunning) this.#states.tryGo("RUNNING");
  }

  /** What follows from a thread's failure. A thread that fails while the application ends is not asked about. */
  #judge(name: string, failure: Error): UncaughtExceptionResponse {
    if (this.#isEnding()) return "shutdown-client";
    // The application is told to end by another instance: it is told on to those that are left.
    if (failure.name === "ApplicationShutdownException") return "shutdown-application";
    const { response, fault } = askUncaught(this.#onUncaught, failure);
    if (fault !== undefined) {
      this.#host.log.error("The uncaught exception handler failed", { err: fault });
    }
    this.#host.log.error(`Thread ${name} has failed: ${response}`, { err: failure });
    this.#failedThreads++;
    return response;
  }

  #threadEnded({ failure, response }: ThreadEnd): void {
    if (failure === undefined || this.#isEnding()) return;
    if (response === "replace-thread") this.#crew!.start();
    else this.#closeToError(failure, response === "shutdown-application");
  }

  #isEnding(): boolean {
    return this.state !== "REBALANCING" && this.state !== "RUNNING";
  }

  /**
   * Starts one more thread, in a Worker; gives its name. Kafka Streams: `addStreamThread`.
   * @throws {StreamsException} when the application does not run
   * @throws {NotBuiltError} when the topology is no module
   */
  addStreamThread(): string {
    if (this.#isEnding()) {
      throw new StreamsException(
        `Cannot add a stream thread when Kafka Streams client is in state ${this.state}`,
      );
    }
    return this.#crew!.start();
  }

  /** Ends the thread that was started last, when there are several; gives its name. Kafka Streams: `removeStreamThread`. */
  removeStreamThread(): string | undefined {
    const threads = this.#crew?.all() ?? [];
    const last = threads.at(-1);
    if (this.#isEnding() || threads.length < 2 || last === undefined) return undefined;
    const { clock } = this.#host;
    last.shutdown(clock.now() + this.config.shutdownTimeoutMs, {
      leaveGroup: true,
      tellGroup: false,
    });
    return last.name;
  }

  /**
   * Asks the stores that are here, over all threads: an answer for each partition. Kafka Streams: `KafkaStreams.query` (IQv2).
   * @throws {UnknownStateStoreException} when the topology has no such store
   * @throws {InvalidStateStoreException} when the application does not run
   */
  async query<R>(request: StateQueryRequest<R>): Promise<StateQueryResults<R>> {
    const owner = this.#ownerOf(request.store);
    const global = owner === undefined ? this.#global?.stores.get(request.store) : undefined;
    const results: Map<number, QueryResult<unknown>> = global === undefined
      ? await this.#crew!.query(request)
      : new Map([[0, askStore(global, request)]]);
    nameMissing(results, request);
    return results as StateQueryResults<R>;
  }

  #ownerOf(store: string): SubtopologyPlan | undefined {
    if (this.#plan === undefined || this.#isEnding()) {
      throw new InvalidStateStoreException(
        `Cannot query store ${store} as KafkaStreams is not running: current value is ${this.state}`,
      );
    }
    const owner = this.#plan.subtopologies.find((s) => s.stores.some(({ name }) => name === store));
    if (owner !== undefined) return owner;
    if (this.#plan.global?.stores.some(({ builder }) => builder.name === store)) return undefined;
    throw new UnknownStateStoreException(
      `Cannot get state store ${store} because no such store is registered in the topology.`,
    );
  }

  /**
   * Removes all state of this application from the disk; it is restored by the next start. Kafka Streams: `cleanUp`.
   * @throws {StreamsException} while the application runs
   * @throws {LockException} when another process runs it
   */
  cleanUp(): void {
    if (this.state !== "CREATED" && this.state !== "NOT_RUNNING" && this.state !== "ERROR") {
      throw new StreamsException(
        `Cannot clean up while running: current value is ${this.state}`,
      );
    }
    const home = this.#host.openState(this.#place());
    try {
      home.wipe();
    } finally {
      home.close();
    }
  }

  /** Stops processing without leaving the group; stores stay readable. Kafka Streams: `pause`. */
  pause(): void {
    this.#paused = true;
    this.#crew?.setPaused(true);
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.#paused = false;
    this.#crew?.setPaused(false);
  }

  /** Changes `metrics.recording.level`, or a log level, in all threads. */
  setLevels(levels: Levels): void {
    if (levels.recording !== undefined) this.#metrics.level = levels.recording;
    if (levels.log !== undefined) this.#host.setLogLevel?.(levels.log.level, levels.log.name);
    this.#crew?.setLevels(levels);
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
    const { timeoutMs = this.config.shutdownTimeoutMs, leaveGroup = false } = options;
    return this.#closing ??= this.#close(
      { timeoutMs, leaveGroup, tellGroup: false },
      "NOT_RUNNING",
    );
  }

  /** Does not wait: the end of the thread that failed is part of what would be waited for. */
  #closeToError(error: Error, tellGroup = false): void {
    if (this.#isEnding()) return;
    this.#failure ??= error;
    this.#states.go("PENDING_ERROR");
    this.#closing ??= this.#close(
      { timeoutMs: this.config.shutdownTimeoutMs, leaveGroup: tellGroup, tellGroup },
      "ERROR",
    );
  }

  async #close(
    { timeoutMs, ...way }: ShutdownWay & { readonly timeoutMs: number },
    last: "NOT_RUNNING" | "ERROR",
  ): Promise<boolean> {
    const deadline = this.#host.clock.now() + timeoutMs;
    this.#stopCleaning();
    this.#crew?.shutdown(deadline, way);
    const ended = this.#closeAll().then(() => true);
    const inTime = await orAfter(timeoutMs, ended);
    if (!inTime) this.#host.log.warn(`Not everything was closed within ${timeoutMs} ms`);
    this.#states.tryGo(last);
    return inTime;
  }

  async #closeAll(): Promise<void> {
    this.#global?.stop();
    await this.#opening;
    const globalClosed = this.#global?.close();
    await this.#crew?.ended();
    await globalClosed;
    await this.#globalRun;
    await this.#flushTraces();
    this.#home?.close();
  }

  #tellState(next: ClientState, previous: ClientState): void {
    this.#host.log.info(`State transition from ${previous} to ${next}`);
    for (const listener of this.#listeners) {
      try {
        listener(next, previous);
      } catch (error) {
        this.#host.log.error("A state listener failed", { err: error });
      }
    }
  }
}
