/**
 * What a Worker and the isolate that started it say to each other: plain data.
 *
 * @module
 */
import { StreamsException } from "../errors.ts";
import type { QueryResult } from "../state/query.ts";
import type { StateQueryRequest } from "./state_queries.ts";
import type { ThreadState } from "./states.ts";
import type { StatePlace } from "./streams_host.ts";
import type { ShutdownWay } from "./thread_handle.ts";
import type { UncaughtExceptionResponse } from "./uncaught_exception.ts";
import type { Changelog } from "./task_stores.ts";
import type { Levels } from "./levels.ts";
import type { ThreadReport } from "./thread_report.ts";
import type { ThreadIdentity } from "./thread_settings.ts";
import type { TopologyModuleAddress } from "./topology_source.ts";

/** What a Worker is to run. */
export interface WorkerOrder {
  readonly identity: ThreadIdentity;
  readonly source: TopologyModuleAddress;
  /** The configuration as it was given; secrets are in it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly place: StatePlace;
  /** Whether somebody listens to restores. */
  readonly tellRestores: boolean;
}

/** To a Worker. */
export type WorkerCommand =
  | { readonly kind: "start"; readonly order: WorkerOrder }
  | { readonly kind: "shutdown"; readonly deadlineMs: number; readonly way: ShutdownWay }
  /** The answer to `failed`. */
  | { readonly kind: "verdict"; readonly response: UncaughtExceptionResponse }
  | { readonly kind: "pause"; readonly paused: boolean }
  | { readonly kind: "levels"; readonly levels: Levels }
  | {
    readonly kind: "query";
    readonly id: number;
    readonly request: StateQueryRequest<unknown>;
  };

/** From a Worker. */
export type WorkerEvent =
  | { readonly kind: "state"; readonly next: ThreadState; readonly previous: ThreadState }
  | { readonly kind: "report"; readonly report: ThreadReport }
  | {
    readonly kind: "restore";
    readonly event: "start" | "batch" | "end" | "suspended";
    readonly changelog: Changelog;
    readonly first: number;
    readonly second: number;
  }
  | {
    readonly kind: "answer";
    readonly id: number;
    readonly results: readonly (readonly [partition: number, result: QueryResult<unknown>])[];
  }
  /** The thread has failed and asks what follows, before it leaves its group. */
  | { readonly kind: "failed"; readonly failure: ErrorData }
  | { readonly kind: "ended"; readonly failure: ErrorData | undefined };

/** An error as it crosses. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly taskId: string | undefined;
  readonly cause: ErrorData | undefined;
}

/** An error as data; what is thrown and is none becomes one. */
export function errorData(error: unknown, depth = 0): ErrorData {
  if (!(error instanceof Error)) {
    return {
      name: "Error",
      message: String(error),
      stack: undefined,
      taskId: undefined,
      cause: undefined,
    };
  }
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    taskId: error instanceof StreamsException ? error.taskId : undefined,
    cause: error.cause === undefined || depth > 8 ? undefined : errorData(error.cause, depth + 1),
  };
}

/** The error again. It has its name, but is no instance of its class, which the Worker's isolate has alone. */
export function reviveError({ name, message, stack, taskId, cause }: ErrorData): StreamsException {
  const error = new StreamsException(
    message,
    cause === undefined ? undefined : { cause: reviveError(cause) },
  );
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  if (taskId !== undefined) error.taskId = taskId;
  return error;
}
