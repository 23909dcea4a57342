/**
 * What the admin server asks of an application. All of it is data; the runtime gives it, on the main isolate, without waiting for a thread.
 *
 * @module
 */
import type { Levels } from "../runtime/levels.ts";
import type { StateQueryRequest } from "../runtime/state_queries.ts";
import type { QueryResult } from "../state/query.ts";
import type { ClientState } from "../telemetry/client_metrics.ts";
import type { MetricsSnapshot } from "../telemetry/metrics.ts";
import type { ThreadState } from "../telemetry/thread_metrics.ts";
import type { TopologyDescription } from "../topology/describe.ts";

/** A task of a thread. */
export interface TaskStatus {
  /** `<subtopology>_<partition>` */
  readonly taskId: string;
  readonly role: "active" | "standby";
  /** For example `RESTORING`, `RUNNING`, `SUSPENDED`. */
  readonly state: string;
  /** `topic-partition`, as Kafka writes them. */
  readonly partitions: readonly string[];
  /** Records in its queues. */
  readonly buffered?: number;
}

/** A thread of an application. */
export interface ThreadStatus {
  readonly name: string;
  readonly state: ThreadState;
  /** When its loop began its last round (epoch ms); undefined before the first. */
  readonly lastBeatMs: number | undefined;
  readonly tasks: readonly TaskStatus[];
}

/** An application as it is now. */
export interface ApplicationStatus {
  readonly state: ClientState;
  /** Since when it is in that state (epoch ms). */
  readonly sinceMs: number;
  /** Whether it has been RUNNING since it started. */
  readonly wasRunning: boolean;
  readonly paused: boolean;
  readonly threads: readonly ThreadStatus[];
  /** Source topics that do not exist. */
  readonly missingTopics?: readonly string[];
}

/** How far a partition is behind. */
export interface LagStatus {
  readonly topic: string;
  readonly partition: number;
  readonly records: number | undefined;
  readonly seconds: number | undefined;
  readonly committedOffset: number | undefined;
}

/** A store of a task. */
export interface StoreStatus {
  readonly name: string;
  readonly taskId: string;
  readonly type: string;
  readonly entries: number | undefined;
  readonly sizeBytes: number | undefined;
}

/** A restore that is going on. */
export interface RestoreStatus {
  readonly store: string;
  readonly taskId: string;
  readonly changelog: string;
  readonly partition: number;
  readonly restored: number;
  readonly remaining: number;
}

/** An error that came up. */
export interface ErrorStatus {
  /** Epoch ms. */
  readonly atMs: number;
  readonly thread: string | undefined;
  readonly taskId: string | undefined;
  readonly name: string;
  readonly message: string;
}

/** One application that the server shows. A `KafkaStreams` object is one. */
export interface ApplicationSource {
  readonly applicationId: string;
  readonly clientId: string;
  readonly processId: string;
  status(): ApplicationStatus;
  describe(): TopologyDescription;
  /** The metrics of all threads, merged. */
  metrics(): MetricsSnapshot;
  lag(): readonly LagStatus[];
  stores(): readonly StoreStatus[];
  restores(): readonly RestoreStatus[];
  /** Records that each node of the topology was given, over all tasks that are here. */
  nodes(): Readonly<Record<string, number>>;
  /** Asks the stores that are here. @throws {UnknownStateStoreException} @throws {InvalidStateStoreException} */
  query(
    request: StateQueryRequest<unknown>,
  ): Promise<ReadonlyMap<number, QueryResult<unknown>>>;
  /** The last errors, the newest first. */
  errors(): readonly ErrorStatus[];
  /** The configuration as it may be shown. */
  config(): Readonly<Record<string, string>>;
  /** Stops processing; the threads stay members (KIP-834). */
  pause(): void;
  resume(): void;
  /** Changes levels of all its threads while it runs. */
  setLevels(levels: Levels): void;
}
