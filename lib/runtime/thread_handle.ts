import type { TopicPartition } from "../kafka/client.ts";
import type { QueryResult } from "../state/query.ts";
import type { Levels } from "./levels.ts";
import type { StateQueryRequest } from "./state_queries.ts";
import type { ThreadReport } from "./thread_report.ts";
import type { ThreadState } from "./states.ts";

/** A task as its thread describes it. Kafka Streams: `TaskMetadata`. */
export interface TaskDescription {
  readonly taskId: string;
  readonly state: "created" | "restoring" | "running" | "closed";
  readonly partitions: readonly TopicPartition[];
  /** Records that wait in its queues. */
  readonly buffered: number;
  readonly processed: number;
}

/** A thread as it can be seen from outside. Plain data, so that it crosses from a Worker. Kafka Streams: `ThreadMetadata`. */
export interface ThreadDescription {
  readonly name: string;
  readonly state: ThreadState;
  /** When its loop began its last round (epoch ms); undefined before the first. */
  readonly lastBeatMs: number | undefined;
  readonly tasks: readonly TaskDescription[];
}

/** How a thread ends. */
export interface ShutdownWay {
  /** Whether a static member gives its place in the group up. */
  readonly leaveGroup: boolean;
  /** Whether the other instances are told to end, too. */
  readonly tellGroup: boolean;
}

/** A thread of an application, in this isolate or in a Worker. */
export interface ThreadHandle {
  readonly name: string;
  readonly state: ThreadState;
  /** Runs until `shutdown` or a failure; resolves with the failure, if there was one, when everything is closed. */
  run(): Promise<Error | undefined>;
  /** Asks it to end by `deadlineMs` (epoch ms). */
  shutdown(deadlineMs: number, how: ShutdownWay): void;
  setPaused(paused: boolean): void;
  /** Changes levels in its isolate. */
  setLevels(levels: Levels): void;
  describe(): ThreadDescription;
  /** Asks the stores of its tasks: an answer for each partition that is here. */
  query(request: StateQueryRequest<unknown>): Promise<Map<number, QueryResult<unknown>>>;
  /** All it tells of itself; of a Worker the last that came. */
  report(): ThreadReport;
}
