import type {
  Admin,
  ConsumedBatch,
  Consumer,
  PartitionOffset,
  PartitionRun,
} from "../kafka/client.ts";
import { isForbidden, StreamsException, TaskCorruptedException } from "../errors.ts";
import { type Patience, withPatience } from "./patience.ts";
import type { StreamTask } from "./task.ts";
import { partitionKey } from "./task_assignment.ts";
import type { Changelog } from "./task_stores.ts";

/** Told how restores go on. Kafka Streams: `StateRestoreListener`. */
export interface RestoreListener {
  onRestoreStart?(changelog: Changelog, start: number, end: number): void;
  onBatchRestored?(changelog: Changelog, next: number, rows: number): void;
  onRestoreEnd?(changelog: Changelog, total: number): void;
  /** The task was taken away before its restore was done. */
  onRestoreSuspended?(changelog: Changelog, total: number): void;
}

/** What a restorer works with. */
export interface RestorerTools extends Patience {
  /** A consumer without a group. */
  readonly consumer: Consumer;
  readonly admin: Admin;
  readonly requestTimeoutMs: number;
  readonly listener: RestoreListener;
}

/** A task to restore, with the committed offsets of its inputs: source topics that serve as changelogs are read up to them. */
export interface RestoreRequest {
  readonly task: StreamTask;
  readonly committed: ReadonlyMap<string, number>;
}

/** How far the restore of a store is. */
export interface RestoreProgress {
  readonly task: StreamTask;
  readonly changelog: Changelog;
  readonly restored: number;
  readonly remaining: number;
}

/** A store that is being restored. */
interface Restoring {
  readonly task: StreamTask;
  readonly changelog: Changelog;
  /** The next offset to be applied. */
  next: number;
  /** Where the restore ends. */
  readonly end: number;
  total: number;
  /** Rows applied since the position was last written to disk. */
  unsaved: number;
}

/** Where the restore of a changelog ends; a source topic of which nothing is committed, at `uncommitted`. */
type RestoreEnds = (changelog: Changelog, uncommitted: number) => number;

const ROWS_PER_POLL = 10_000;
const ROWS_PER_SAVE = 200_000;

/**
 * Brings the stores of new tasks up to the end of their changelogs while other tasks go on. The end is the high watermark, not the last stable
 * offset: a transaction of the previous owner whose markers are still on their way is waited for. Kafka Streams: `StoreChangelogReader`.
 */
export class StoreRestorer {
  readonly #tools: RestorerTools;
  readonly #active = new Map<string, Restoring>();
  readonly #waiting = new Map<StreamTask, number>();
  readonly #restored: StreamTask[] = [];

  constructor(tools: RestorerTools) {
    this.#tools = tools;
  }

  /** Whether anything is being restored. */
  get isActive(): boolean {
    return this.#active.size > 0;
  }
  /** How far each store is. */
  progress(): RestoreProgress[] {
    return [...this.#active.values()].map(({ task, changelog, next, end, total }) => ({
      task,
      changelog,
      restored: total,
      remaining: Math.max(0, end - next),
    }));
  }

  /** Begins with tasks whose stores are open. One whose state is no longer in its changelog is emptied and restored from the beginning. */
  async begin(requests: readonly RestoreRequest[]): Promise<void> {
    const changelogs = requests.flatMap(({ task }) => task.changelogs);
    const { admin, requestTimeoutMs } = this.#tools;
    // A changelog that was made a moment ago may have no leader yet.
    const find = () =>
      Promise.all([
        admin.listOffsets(changelogs, "earliest", requestTimeoutMs),
        admin.listOffsets(changelogs, "latest", requestTimeoutMs, "readUncommitted"),
      ]);
    const [first, last] = changelogs.length === 0
      ? [[], []]
      : await withPatience("find the ends of changelogs", this.#tools, find);
    const earliest = byPartition(first);
    const latest = byPartition(last);
    const started: PartitionOffset[] = [];
    for (const request of requests) started.push(...this.#start(request, earliest, latest));
    if (started.length > 0) this.#tools.consumer.incrementalAssign(started);
  }

  #start(
    { task, committed }: RestoreRequest,
    earliest: ReadonlyMap<string, number>,
    latest: ReadonlyMap<string, number>,
  ): PartitionOffset[] {
    const ends: RestoreEnds = (changelog, uncommitted) => {
      const key = partitionKey(changelog);
      const end = latest.get(key) ?? 0;
      return changelog.isSource ? Math.min(end, committed.get(key) ?? uncommitted) : end;
    };
    if (this.#mustStartAfresh(task, earliest, ends)) task.wipe();
    const started: PartitionOffset[] = [];
    for (const changelog of task.changelogs) {
      const key = partitionKey(changelog);
      const next = knownPosition(task, changelog) ?? earliest.get(key) ?? 0;
      const end = ends(changelog, 0);
      if (next >= end) continue;
      this.#active.set(key, { task, changelog, next, end, total: 0, unsaved: 0 });
      started.push({ topic: changelog.topic, partition: changelog.partition, offset: next });
      this.#tools.listener.onRestoreStart?.(changelog, next, end);
    }
    if (started.length === 0) this.#restored.push(task);
    else this.#waiting.set(task, started.length);
    return started;
  }

  #mustStartAfresh(
    task: StreamTask,
    earliest: ReadonlyMap<string, number>,
    ends: RestoreEnds,
  ): boolean {
    let anyKnown = false;
    for (const changelog of task.changelogs) {
      const position = knownPosition(task, changelog);
      if (position === undefined) {
        // Rows without a position are what an interrupted first restore left; what was deleted since, its changelog may no longer tell.
        if (task.holdsRows(changelog.store)) return true;
        continue;
      }
      anyKnown = true;
      const low = earliest.get(partitionKey(changelog)) ?? 0;
      // State that is ahead of the input that is read again would know the future.
      const high = ends(changelog, Infinity);
      if (position >= low && position <= high) continue;
      this.#tools.log.warn(
        `The state of store ${changelog.store} in task ${task.taskId} is not covered by its changelog; restoring from the beginning`,
        { position, earliest: low, latest: high },
      );
      return true;
    }
    return !anyKnown && task.changelogs.length > 0;
  }

  /** Reads once and applies what came; true when there was something. */
  poll(): boolean {
    const { consumer } = this.#tools;
    const batch = consumer.poll(ROWS_PER_POLL);
    if (batch !== undefined) {
      for (const run of batch.runs) this.#apply(batch, run);
      batch.release();
    }
    this.#checkConsumer();
    const ends = consumer.takePartitionEnds();
    for (const end of ends) {
      const restoring = this.#active.get(partitionKey(end));
      if (restoring && end.offset > restoring.next) restoring.next = end.offset;
    }
    for (const [key, restoring] of this.#active) {
      // The position passes markers and aborted records, of which no row tells.
      const position = consumer.position(restoring.changelog);
      if (position !== undefined && position > restoring.next) restoring.next = position;
      if (restoring.next >= restoring.end) this.#complete(key, restoring);
      else if (restoring.unsaved >= ROWS_PER_SAVE) save(restoring);
    }
    return batch !== undefined;
  }

  /** @throws {TaskCorruptedException} when rows that are still needed are no longer there: the next attempt begins with an empty store */
  #checkConsumer(): void {
    const { consumer, log } = this.#tools;
    const corrupted: string[] = [];
    for (const gone of consumer.takeGone()) {
      const restoring = this.#active.get(partitionKey(gone));
      if (restoring === undefined) continue;
      const { task, changelog: { store } } = restoring;
      log.warn(
        `The changelog of store ${store} in task ${task.taskId} no longer has its next row`,
        {
          position: restoring.next,
        },
      );
      corrupted.push(task.taskId);
    }
    if (corrupted.length > 0) {
      throw new TaskCorruptedException("Cannot go on restoring from a changelog", corrupted);
    }
    for (let error = consumer.takeError(); error !== undefined; error = consumer.takeError()) {
      if (error.fatal || isForbidden(error)) {
        throw new StreamsException(`The restore consumer failed: ${error.message}`, {
          cause: error,
        });
      }
      log.warn(`The restore consumer reports ${error.codeName}`, { err: error });
    }
  }

  #apply(batch: ConsumedBatch, run: PartitionRun): void {
    const restoring = this.#active.get(partitionKey(run));
    if (restoring === undefined) return;
    const { task, changelog, end } = restoring;
    let to = run.to;
    // A source topic goes on behind the committed offset; those rows are input, not state.
    if (changelog.isSource) { while (to > run.from && batch.offsets[to - 1] >= end) to--; }
    const rows = to - run.from;
    if (rows === 0) {
      restoring.next = end;
      return;
    }
    task.restore(changelog.store, batch, run.from, to);
    restoring.next = batch.offsets[to - 1] + 1;
    if (to < run.to) restoring.next = end;
    restoring.total += rows;
    restoring.unsaved += rows;
    this.#tools.listener.onBatchRestored?.(changelog, restoring.next, rows);
  }

  #complete(key: string, restoring: Restoring): void {
    const { task, changelog, total } = restoring;
    // Behind a source topic's last committed record there may be more; the store corresponds to the end, no further.
    if (changelog.isSource) restoring.next = restoring.end;
    save(restoring);
    this.#active.delete(key);
    this.#tools.consumer.incrementalUnassign([changelog]);
    this.#tools.listener.onRestoreEnd?.(changelog, total);
    const left = this.#waiting.get(task)! - 1;
    if (left > 0) this.#waiting.set(task, left);
    else {
      this.#waiting.delete(task);
      this.#restored.push(task);
    }
  }

  /** Tasks whose stores are all restored, since the last call. */
  takeRestored(): StreamTask[] {
    return this.#restored.splice(0);
  }

  /** Gives up on a task that is closed. What was restored so far is kept on disk. */
  drop(task: StreamTask): void {
    const at = this.#restored.indexOf(task);
    if (at >= 0) this.#restored.splice(at, 1);
    if (!this.#waiting.delete(task)) return;
    const dropped = [...this.#active].filter(([, restoring]) => restoring.task === task);
    for (const [key, { changelog, total }] of dropped) {
      this.#active.delete(key);
      this.#tools.consumer.incrementalUnassign([changelog]);
      this.#tools.listener.onRestoreSuspended?.(changelog, total);
    }
    for (const [, restoring] of dropped) save(restoring);
  }
}

function save(restoring: Restoring): void {
  const { task, changelog, next } = restoring;
  task.checkpointRestored(new Map([[changelog.store, next]]));
  restoring.unsaved = 0;
}

function knownPosition(task: StreamTask, { store }: Changelog): number | undefined {
  return task.committedChangelogOffset(store);
}

function byPartition(offsets: readonly PartitionOffset[]): Map<string, number> {
  return new Map(offsets.map((o) => [partitionKey(o), o.offset]));
}
