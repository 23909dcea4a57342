import type { StreamsConfig } from "../config.ts";
import { NotBuiltError } from "../errors.ts";
import { cacheBudget } from "../state/cache_budget.ts";
import type { QueryResult } from "../state/query.ts";
import type { StateStore } from "../state/store.ts";
import type { MetricsRegistry } from "../telemetry/metrics.ts";
import type { TopologyPlan } from "../topology/compile.ts";
import { LevelChanges, type Levels } from "./levels.ts";
import { childLog } from "./runtime_log.ts";
import type { StateQueryRequest } from "./state_queries.ts";
import { isAlive, type ThreadState } from "./states.ts";
import { logDropped } from "./dropped_log.ts";
import type { RestoreListener } from "./store_restorer.ts";
import { StreamThread } from "./stream_thread.ts";
import type { StateHome, StatePlace, StreamsHost } from "./streams_host.ts";
import { taskSettings } from "./task_settings.ts";
import type { ShutdownWay, ThreadHandle } from "./thread_handle.ts";
import type { ThreadReport } from "./thread_report.ts";
import { type ThreadIdentity, threadSettings } from "./thread_settings.ts";
import { isModuleAddress, type TopologySource } from "./topology_source.ts";
import type { UncaughtExceptionResponse } from "./uncaught_exception.ts";
import { WorkerThread } from "./worker_thread.ts";

/** What threads are made of. */
export interface CrewOptions {
  readonly config: StreamsConfig;
  readonly host: StreamsHost;
  readonly source: TopologySource;
  readonly plan: TopologyPlan;
  readonly home: StateHome;
  readonly place: StatePlace;
  readonly clientId: string;
  readonly metrics: MetricsRegistry;
  readonly restoreListener: RestoreListener;
  readonly globalStores: () => ReadonlyMap<string, StateStore>;
  /** Told of each change of a thread's state. */
  readonly onState: (name: string, next: ThreadState, previous: ThreadState) => void;
  /** Asked what follows from a thread's failure, before it leaves its group. */
  readonly onFailure: (name: string, failure: Error) => UncaughtExceptionResponse;
  /** Told when a thread is gone, with its failure and what was said to it, if it had one. */
  readonly onEnded: (end: ThreadEnd) => void;
}

/** How a thread has ended. */
export interface ThreadEnd {
  readonly name: string;
  readonly failure: Error | undefined;
  readonly response: UncaughtExceptionResponse | undefined;
}

/** The threads of an application, in this isolate or in Workers. */
export class ThreadCrew {
  readonly #options: CrewOptions;
  readonly #threads = new Map<string, ThreadHandle>();
  readonly #running = new Set<Promise<void>>();
  readonly #verdicts = new Map<string, UncaughtExceptionResponse>();
  readonly #levels = new LevelChanges();
  #paused = false;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** Starts one more thread; gives its name. @throws {NotBuiltError} when it would need a Worker and the topology is no module */
  start(): string {
    const thread = this.#make(this.#freeIdentity());
    this.#threads.set(thread.name, thread);
    thread.setPaused(this.#paused);
    for (const levels of this.#levels.all()) thread.setLevels(levels);
    const run = thread.run().then((failure) => {
      this.#threads.delete(thread.name);
      const response = this.#verdicts.get(thread.name) ??
        (failure && this.#options.onFailure(thread.name, failure));
      this.#verdicts.delete(thread.name);
      this.#options.onEnded({ name: thread.name, failure, response });
    }).finally(() => this.#running.delete(run));
    this.#running.add(run);
    return thread.name;
  }

  /** The first number that is free: who takes the place of a thread takes its transactions and its place in the group, too. */
  #freeIdentity(): ThreadIdentity {
    const { clientId, home } = this.#options;
    for (let index = 1;; index++) {
      const name = `${clientId}-StreamThread-${index}`;
      if (this.#threads.has(name)) continue;
      return { name, index, processId: home.processId, stable: home.stable };
    }
  }

  #make(identity: ThreadIdentity): ThreadHandle {
    const { config } = this.#options;
    // One isolate runs one thread: the first may be here, any other is in a Worker.
    return config.numStreamThreads > 1 || identity.index > 1
      ? this.#makeWorker(identity)
      : this.#makeHere(identity);
  }

  #makeHere(identity: ThreadIdentity): ThreadHandle {
    const { config, host, plan, home, metrics, restoreListener, globalStores } = this.#options;
    const { clients, clock, serdes, setLogLevel } = host;
    const log = childLog(host.log, { thread_id: identity.name }, "stream-thread");
    const cacheBytes = config.statestoreCacheMaxBytes;
    return new StreamThread({
      name: identity.name,
      plan,
      settings: threadSettings(config, identity),
      clients,
      serdes,
      metrics,
      log,
      setLogLevel,
      restoreListener,
      onState: (next, previous) => this.#options.onState(identity.name, next, previous),
      onFailure: (failure) => this.#judge(identity.name, failure),
      surroundings: {
        settings: taskSettings(config.values),
        states: home,
        cache: cacheBytes > 0 ? cacheBudget(cacheBytes) : undefined,
        clock,
        globalStores: globalStores(),
        onDropped: logDropped(log),
      },
    });
  }

  #makeWorker(identity: ThreadIdentity): ThreadHandle {
    const { config, host, source, place, restoreListener } = this.#options;
    if (!isModuleAddress(source)) {
      throw new NotBuiltError(
        "Cannot start another thread as the topology is no module, and functions cannot cross to a Worker: start the application from { url }",
      );
    }
    return new WorkerThread({
      order: {
        identity,
        source,
        config: config.transferable(),
        place,
        tellRestores: Object.keys(restoreListener).length > 0,
      },
      start: () => host.startWorker(identity.name),
      restoreListener,
      onState: (next, previous) => this.#options.onState(identity.name, next, previous),
      onFailure: (failure) => this.#judge(identity.name, failure),
    });
  }

  async #judge(name: string, failure: Error): Promise<UncaughtExceptionResponse> {
    const response = this.#options.onFailure(name, failure);
    this.#verdicts.set(name, response);
    return response;
  }

  /** The threads as they are now. */
  all(): ThreadHandle[] {
    return [...this.#threads.values()];
  }

  /** Whether some thread is alive and all that are run. */
  get isRunning(): boolean {
    const alive = this.all().filter((thread) => isAlive(thread.state));
    return alive.length > 0 && alive.every((thread) => thread.state === "RUNNING");
  }

  reports(): ThreadReport[] {
    return this.all().map((thread) => thread.report());
  }

  /** Asks the stores of all threads. */
  async query(request: StateQueryRequest<unknown>): Promise<Map<number, QueryResult<unknown>>> {
    const answers = await Promise.all(this.all().map((thread) => thread.query(request)));
    return new Map(answers.flatMap((results) => [...results]));
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    for (const thread of this.#threads.values()) thread.setPaused(paused);
  }

  /** Changes levels in the isolates of all threads, of those that are started later, too. */
  setLevels(levels: Levels): void {
    this.#levels.add(levels);
    for (const thread of this.#threads.values()) thread.setLevels(levels);
  }

  /** Asks all threads to end. */
  shutdown(deadlineMs: number, way: ShutdownWay): void {
    for (const thread of this.#threads.values()) thread.shutdown(deadlineMs, way);
  }

  /** Resolves when no thread runs any more. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running]);
  }
}
