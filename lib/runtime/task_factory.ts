import type { Clock } from "../record/time.ts";
import type { TaskId } from "../record/task_id.ts";
import type {
  CacheBudget,
  DropReason,
  StateEnvironment,
  StateStore,
  StoreMeter,
} from "../state/store.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { FetchState } from "./partition_group.ts";
import type { RecordCollector } from "./record_collector.ts";
import { StreamTask } from "./task.ts";
import type { TaskAssignment } from "./task_assignment.ts";
import type { TaskSettings } from "./task_context.ts";

/** Where tasks keep their state; the state directory is one. */
export interface TaskStates {
  /** Opens a task's state; the caller closes it. @throws {LockException} when another process holds it */
  openTask(id: TaskId): StateEnvironment;
  /** The directory of a task. */
  taskDirectory(id: TaskId): string;
  /** What a task takes on disk, in bytes; 0 when it has nothing there. */
  taskBytes(id: TaskId): number;
}

/** What all tasks of a thread share. */
export interface TaskSurroundings {
  readonly settings: TaskSettings;
  readonly states: TaskStates;
  readonly cache: CacheBudget | undefined;
  readonly clock: Clock;
  readonly globalStores: ReadonlyMap<string, StateStore>;
  readonly onDropped: (reason: DropReason, task: StreamTask, detail: string | undefined) => void;
  /** Makes a span of each record; absent without an SDK. */
  readonly tracing?: Tracing | undefined;
  /** The counters of a store, for its metrics. */
  readonly storeMeter?: (taskId: TaskId, storeName: string, persistent: boolean) => StoreMeter;
}

/** Makes a task and opens its stores. Nothing stays open when that fails. */
export function createTask(
  { id, plan, partitions }: TaskAssignment,
  collector: RecordCollector,
  fetchState: FetchState,
  { settings, states, cache, clock, globalStores, onDropped, storeMeter, tracing }:
    TaskSurroundings,
): StreamTask {
  const environment = states.openTask(id);
  let task: StreamTask | undefined;
  try {
    task = new StreamTask({
      id,
      plan,
      inputPartitions: partitions,
      settings,
      collector,
      environment,
      stateDir: states.taskDirectory(id),
      cache,
      clock,
      fetchState,
      globalStores,
      onDropped,
      tracing,
      ...(storeMeter
        ? { storeMeter: (store, persistent) => storeMeter(id, store, persistent) }
        : {}),
    });
    task.openStores();
    return task;
  } catch (error) {
    if (task === undefined) environment.close({ clean: false });
    else task.close({ clean: false });
    throw error;
  }
}
