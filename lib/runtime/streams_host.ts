import type { KafkaClients } from "../kafka/client.ts";
import type { Clock } from "../record/time.ts";
import type { SerdeEnvironment } from "../serde/serde.ts";
import type { StateEnvironment } from "../state/store.ts";
import type { RuntimeLog, SetLogLevel } from "./runtime_log.ts";
import type { WorkerPort } from "./worker_thread.ts";
import type { TaskStates } from "./task_factory.ts";

/** An application's state directory, held by this process. */
export interface StateHome extends TaskStates {
  /** Written into the directory by its first process, the same ever after. */
  readonly processId: string;
  /** Whether the directory outlives the process; then the members of the group are static unless the configuration says otherwise. */
  readonly stable: boolean;
  /** Opens the state of the global stores. */
  openGlobal(): StateEnvironment;
  readonly globalDirectory: string;
  /** Removes the state of tasks that are not in use and that nothing was written to for `idleMs`; gives their ids. */
  removeIdle(inUse: ReadonlySet<string>, nowMs: number, idleMs: number): readonly string[];
  /** Removes all state. No task may be open. */
  wipe(): void;
  /** Lets other processes have the directory. */
  close(): void;
}

/** Where an application keeps its state. */
export interface StatePlace {
  readonly applicationId: string;
  /** `state.dir` */
  readonly directory: string;
  /** `state.sync` */
  readonly sync: "never" | "commit";
}

/** What an application runs on. The defaults are picked in one place, `lib/streams.ts`; tests bring their own. */
export interface StreamsHost {
  readonly clients: KafkaClients;
  readonly clock: Clock;
  readonly log: RuntimeLog;
  /** Changes a level of that log. */
  readonly setLogLevel?: SetLogLevel | undefined;
  /** What serdes are given: the schema registry. */
  readonly serdes: SerdeEnvironment;
  /** @throws {LockException} when another process holds the directory */
  openState(place: StatePlace): StateHome;
  /** Starts a Worker that serves a thread (`serveThread`). */
  startWorker(name: string): WorkerPort;
}
