import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { ProcessorStateException } from "../errors.ts";
import type { TaskId } from "../record/task_id.ts";
import { LmdbEnvironment, type StateSync } from "./lmdb_environment.ts";
import { releaseProcessLock, replaceFile, takeProcessLock } from "./process_lock.ts";
import type { StateEnvironment } from "./store.ts";

/** Options of `StateDirectory`. */
export interface StateDirectoryOptions {
  /** `state.dir` */
  readonly stateDir: string;
  /** `application.id` */
  readonly applicationId: string;
  /** `state.sync`. Default: `never`. */
  readonly sync?: StateSync;
}

const LOCK_FILE = ".lock";
const PROCESS_FILE = "kafka-streams-process-metadata";
const TASK_DIRECTORY = /^\d+_\d+$/;
const GLOBAL_DIRECTORY = "global";

/**
 * Where an application's state lies: `<state.dir>/<application.id>/<task>/`. One process at a time may hold it; the main isolate takes the
 * lock, its Workers open their tasks in it. Kafka Streams: `StateDirectory`.
 */
export class StateDirectory {
  /** `<state.dir>/<application.id>` */
  readonly path: string;
  readonly #sync: StateSync;

  /** Makes the directory when it is missing. @throws {ProcessorStateException} when that fails */
  constructor(options: StateDirectoryOptions) {
    this.path = join(options.stateDir, options.applicationId);
    this.#sync = options.sync ?? "never";
    makeDirectory(this.path);
  }

  /** Takes the lock for this process. @throws {LockException} when another process holds it */
  lock(): void {
    takeProcessLock(join(this.path, LOCK_FILE));
  }

  /** Gives the lock back. */
  unlock(): void {
    releaseProcessLock(join(this.path, LOCK_FILE));
  }

  /** The id of the instance that this directory belongs to: made once, kept over restarts. Kafka Streams: `initializeProcessId`. */
  processId(): string {
    const file = join(this.path, PROCESS_FILE);
    const known = readProcessId(file);
    if (known !== undefined) return known;
    const processId = randomUUID();
    replaceFile(file, `${JSON.stringify({ processId })}\n`);
    return processId;
  }

  /** The directory of a task; made when it is missing. */
  taskDirectory(task: TaskId): string {
    const directory = join(this.path, task);
    makeDirectory(directory);
    return directory;
  }

  /** The directory of global stores; made when it is missing. */
  globalDirectory(): string {
    const directory = join(this.path, GLOBAL_DIRECTORY);
    makeDirectory(directory);
    return directory;
  }

  /** Opens a task's state. @throws {ProcessorStateException} when it cannot be opened */
  openTask(task: TaskId): StateEnvironment {
    return new LmdbEnvironment({ directory: this.taskDirectory(task), sync: this.#sync });
  }

  /** Opens the state of global stores. @throws {ProcessorStateException} when it cannot be opened */
  openGlobal(): StateEnvironment {
    return new LmdbEnvironment({ directory: this.globalDirectory(), sync: this.#sync });
  }

  /** The tasks that have a directory here, in order. */
  taskIds(): TaskId[] {
    return readdirSync(this.path).filter((name): name is TaskId => TASK_DIRECTORY.test(name))
      .sort((a, b) => {
        const [x, y] = [a, b].map((id) => id.split("_").map(Number));
        return x[0] - y[0] || x[1] - y[1];
      });
  }

  /**
   * Removes the directories of tasks that this instance does not run and that nothing was written to for `idleMs`. Gives the ids.
   * Kafka Streams: `cleanRemovedTasks`, `state.cleanup.delay.ms`.
   */
  removeIdleTasks(
    options: {
      readonly inUse: ReadonlySet<string>;
      readonly nowMs: number;
      readonly idleMs: number;
    },
  ): TaskId[] {
    return this.taskIds().filter((task) => {
      if (options.inUse.has(task)) return false;
      const directory = join(this.path, task);
      if (lastWritten(directory) + options.idleMs >= options.nowMs) return false;
      rmSync(directory, { recursive: true, force: true });
      return true;
    });
  }

  /** Removes a task's state. The task must not be open. */
  wipeTask(task: TaskId): void {
    rmSync(join(this.path, task), { recursive: true, force: true });
  }

  /**
   * Removes all state and the process id. The lock must be held and no task open; it stays held. Kafka Streams: `KafkaStreams.cleanUp`.
   */
  wipe(): void {
    for (const name of readdirSync(this.path)) {
      if (name !== LOCK_FILE) rmSync(join(this.path, name), { recursive: true, force: true });
    }
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
  } catch (error) {
    throw new ProcessorStateException(
      `Cannot make the state directory as the system refuses it: current value is ${path} (${
        (error as Error).message
      })`,
      { cause: error },
    );
  }
}

function readProcessId(file: string): string | undefined {
  try {
    const { processId } = JSON.parse(readFileSync(file, "utf8")) as { processId?: unknown };
    return typeof processId === "string" ? processId : undefined;
  } catch (error) {
    // Missing or damaged: the instance gets a new id, as in Kafka Streams.
    if (error instanceof SyntaxError || (error as { code?: string }).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

/** The last change of a directory's files, epoch ms. */
function lastWritten(directory: string): number {
  let latest = statSync(directory).mtimeMs;
  for (const name of readdirSync(directory)) {
    latest = Math.max(latest, statSync(join(directory, name)).mtimeMs);
  }
  return latest;
}
