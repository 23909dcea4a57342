import type { TaskId } from "../record/task_id.ts";
import type { StreamTask } from "./task.ts";

/** The tasks of a thread, and which of them may process now. */
export class TaskRegistry {
  readonly #byId = new Map<TaskId, StreamTask>();
  readonly #suspended = new Set<StreamTask>();
  /** Tasks that may process, by id; a fresh array after each change, so a loop over an old one is safe. */
  running: readonly StreamTask[] = [];

  /** All tasks, by id. */
  all(): StreamTask[] {
    return [...this.#byId.values()];
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: TaskId): StreamTask | undefined {
    return this.#byId.get(id);
  }

  /** Whether some task is not ready yet. */
  get restoring(): boolean {
    return this.running.length < this.#byId.size - this.#suspended.size;
  }

  /** Bytes of writes that are not committed, over all tasks. */
  get uncommittedBytes(): number {
    let sum = 0;
    for (const task of this.running) sum += task.uncommittedBytes;
    return sum;
  }

  add(task: StreamTask): void {
    this.#byId.set(task.id, task);
    this.refresh();
  }

  remove(task: StreamTask): void {
    if (this.#byId.get(task.id) === task) this.#byId.delete(task.id);
    this.#suspended.delete(task);
    this.refresh();
  }

  /** Keeps tasks open without letting them process: their partitions are revoked and may come back. */
  suspend(tasks: readonly StreamTask[]): void {
    for (const task of tasks) this.#suspended.add(task);
    this.refresh();
  }

  isSuspended(task: StreamTask): boolean {
    return this.#suspended.has(task);
  }

  /** Lets a suspended task process again. */
  resume(task: StreamTask): void {
    this.#suspended.delete(task);
    this.refresh();
  }

  /** To be called when a task's state changed. */
  refresh(): void {
    this.running = [...this.#byId.values()]
      .filter((task) => task.state === "running" && !this.#suspended.has(task))
      .sort(byId);
  }
}

function byId(a: StreamTask, b: StreamTask): number {
  return a.id.localeCompare(b.id, "en", { numeric: true });
}
