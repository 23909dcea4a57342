import { createHash } from "node:crypto";
import type { KafkaStreams } from "../runtime/kafka_streams.ts";
import type { ThreadDescription } from "../runtime/thread_handle.ts";
import type { Levels } from "../runtime/levels.ts";
import type { StateQueryRequest } from "../runtime/state_queries.ts";
import type { QueryResult } from "../state/query.ts";
import { type Clock, systemClock } from "../record/time.ts";
import { ClientMetrics } from "../telemetry/client_metrics.ts";
import { mergeSnapshots } from "../telemetry/merge.ts";
import { MetricsRegistry, type MetricsSnapshot } from "../telemetry/metrics.ts";
import type { TopologyDescription } from "../topology/describe.ts";
import type {
  ApplicationSource,
  ApplicationStatus,
  ErrorStatus,
  LagStatus,
  RestoreStatus,
  StoreStatus,
  ThreadStatus,
} from "./source.ts";

/** What is asked of a running application. */
export type ObservedStreams =
  & Pick<
    KafkaStreams,
    | "config"
    | "state"
    | "failure"
    | "clientId"
    | "isPaused"
    | "onStateChange"
    | "pause"
    | "resume"
    | "setLevels"
    | "failedThreads"
  >
  & {
    /** The id of its state directory. */
    readonly processId?: string;
    threads(): readonly ObservedThread[];
    /** The metrics of all threads; of Workers the last that came. */
    metrics?(): MetricsSnapshot;
    lag?(): readonly LagStatus[];
    stores?(): readonly StoreStatus[];
    restores?(): readonly RestoreStatus[];
    nodes?(): Readonly<Record<string, number>>;
    query?(
      request: StateQueryRequest<unknown>,
    ): Promise<ReadonlyMap<number, QueryResult<unknown>>>;
  };
type ObservedThread = ThreadDescription & {
  /** When its loop began its last round (epoch ms). */
  readonly lastBeatMs?: number;
};

/** How an application is shown. */
export interface StreamsApplicationOptions {
  readonly description: TopologyDescription;
  readonly version: string;
  readonly runtime: string;
  readonly runtimeVersion: string;
  readonly clock?: Clock;
}

/** The errors that are kept. */
const MAX_ERRORS = 100;

/** A running application as the admin server shows it. */
export class StreamsApplication implements ApplicationSource {
  readonly #streams: ObservedStreams;
  readonly #options: StreamsApplicationOptions;
  readonly #clock: Clock;
  readonly #registry: MetricsRegistry;
  #client: ClientMetrics | undefined;
  #namedClient = "";
  readonly #errors: ErrorStatus[] = [];
  readonly #topologyHash: string;
  #sinceMs: number;
  #wasRunning = false;
  #isDraining = false;

  constructor(streams: ObservedStreams, options: StreamsApplicationOptions) {
    this.#streams = streams;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#sinceMs = this.#clock.now();
    this.#registry = new MetricsRegistry({
      clock: this.#clock,
      level: streams.config.metricsRecordingLevel,
    });
    this.#topologyHash = createHash("sha256").update(options.description.toString()).digest("hex")
      .slice(0, 12);
    streams.onStateChange((next) => {
      this.#sinceMs = this.#clock.now();
      if (next === "RUNNING") this.#wasRunning = true;
      if (next === "PENDING_ERROR" && streams.failure !== undefined) {
        this.tellError(streams.failure);
      }
    });
  }

  get applicationId(): string {
    return this.#streams.config.applicationId!;
  }
  get clientId(): string {
    return this.#streams.clientId;
  }
  get processId(): string {
    return this.#streams.processId ?? "";
  }

  /** Readiness fails from now on, before the application itself begins to stop. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Keeps an error for the list of the last ones. */
  tellError(
    error: Error,
    where: { readonly thread?: string; readonly taskId?: string } = {},
  ): void {
    const { thread, taskId } = where;
    const { name, message } = error;
    this.#errors.unshift({ atMs: this.#clock.now(), thread, taskId, name, message });
    this.#errors.length = Math.min(this.#errors.length, MAX_ERRORS);
  }

  status(): ApplicationStatus {
    const { state } = this.#streams;
    const isUp = state === "RUNNING" || state === "REBALANCING";
    return {
      state: this.#isDraining && isUp ? "PENDING_SHUTDOWN" : state,
      sinceMs: this.#sinceMs,
      wasRunning: this.#wasRunning,
      paused: this.#streams.isPaused,
      threads: this.#streams.threads().map(threadStatus),
    };
  }

  describe(): TopologyDescription {
    return this.#options.description;
  }

  metrics(): MetricsSnapshot {
    const client = this.#clientMetrics();
    client.state = this.#streams.state;
    client.failedThreads = this.#streams.failedThreads;
    client.aliveThreads = this.#streams.threads().filter((t) => t.state !== "DEAD").length;
    const own = this.#registry.snapshot();
    const threads = this.#streams.metrics?.();
    return threads === undefined ? own : mergeSnapshots([own, threads]);
  }

  /** The client has its id only once it has started. */
  #clientMetrics(): ClientMetrics {
    if (this.#client === undefined || this.#namedClient !== this.clientId) {
      this.#client?.remove();
      this.#namedClient = this.clientId;
      this.#client = new ClientMetrics(this.#registry, this, this.#options);
      this.#client.showTopology(this.#registry, this.applicationId, this.#topologyHash);
    }
    return this.#client;
  }

  lag(): readonly LagStatus[] {
    return this.#streams.lag?.() ?? [];
  }
  stores(): readonly StoreStatus[] {
    return this.#streams.stores?.() ?? [];
  }
  restores(): readonly RestoreStatus[] {
    return this.#streams.restores?.() ?? [];
  }
  nodes(): Readonly<Record<string, number>> {
    return this.#streams.nodes?.() ?? {};
  }
  query(
    request: StateQueryRequest<unknown>,
  ): Promise<ReadonlyMap<number, QueryResult<unknown>>> {
    return this.#streams.query?.(request) ?? Promise.resolve(new Map());
  }
  errors(): readonly ErrorStatus[] {
    return this.#errors;
  }
  config(): Readonly<Record<string, string>> {
    return this.#streams.config.redacted();
  }
  pause(): void {
    this.#streams.pause();
  }
  resume(): void {
    this.#streams.resume();
  }
  setLevels(levels: Levels): void {
    if (levels.recording !== undefined) this.#registry.level = levels.recording;
    this.#streams.setLevels(levels);
  }
}

function threadStatus(thread: ObservedThread): ThreadStatus {
  return {
    name: thread.name,
    state: thread.state,
    lastBeatMs: thread.lastBeatMs,
    tasks: thread.tasks.map((task) => ({
      taskId: task.taskId,
      role: "active",
      state: task.state.toUpperCase(),
      partitions: task.partitions.map(({ topic, partition }) => `${topic}-${partition}`),
      buffered: task.buffered,
    })),
  };
}
