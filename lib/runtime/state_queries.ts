/**
 * Questions to the stores of a running application, over all its threads. Follows Kafka Streams' IQv2 (`StateQueryRequest`, KIP-796); what iterates there is an
 * array here, as it may come from a Worker.
 *
 * @module
 */
import { Windowed } from "../record/windowed.ts";
import {
  isPermitted,
  type Position,
  type Query,
  type QueryResult,
  queryStore,
} from "../state/query.ts";
import { type StateStore, ValueAndTimestamp } from "../state/store.ts";
import type { StreamTask } from "./task.ts";
import { parseTaskId } from "../record/task_id.ts";

/** What is asked, and of which store. */
export interface StateQueryRequest<R> {
  readonly store: string;
  readonly query: Query<R>;
  /** Default: all that are here. */
  readonly partitions?: readonly number[];
  /** Whether a store that is still being restored may not answer. Default: true. */
  readonly requireActive?: boolean;
  /**
   * How far the store has to have come, for example to what the caller has just produced; otherwise the answer is `not-up-to-bound`.
   * Kafka Streams: `withPositionBound`.
   */
  readonly bound?: Position;
  /** Rows that a range gives at most, for each partition. Default: 10,000. */
  readonly maxRows?: number;
}

/**
 * The only answer that is not null among those of the partitions, as for a key, which is in one of them; undefined when there is none.
 * Kafka Streams: `StateQueryResult.getOnlyPartitionResult`.
 *
 * @throws {RangeError} when several partitions have one
 */
export function onlyAnswer<R>(results: StateQueryResults<R>): NonNullable<Answer<R>> | undefined {
  let only: NonNullable<Answer<R>> | undefined;
  for (const result of results.values()) {
    if (!result.ok || result.result === null || result.result === undefined) continue;
    if (only !== undefined) {
      throw new RangeError(
        "Cannot take the only answer as several partitions have one: look at each of them",
      );
    }
    only = result.result;
  }
  return only;
}

/** The rows of what iterates, the answer itself otherwise. */
export type Answer<R> = R extends IterableIterator<infer Row> ? Row[] : R;

/** An answer for each partition that was asked. */
export type StateQueryResults<R> = ReadonlyMap<number, QueryResult<Answer<R>>>;

const MAX_ROWS = 10_000;

/** Asks the stores of these tasks; those without the store, or of other partitions, have no answer. */
export function queryTasks(
  tasks: readonly StreamTask[],
  request: StateQueryRequest<unknown>,
): Map<number, QueryResult<unknown>> {
  const results = new Map<number, QueryResult<unknown>>();
  for (const task of tasks) {
    const store = task.stores.get(request.store);
    const { partition } = parseTaskId(task.taskId);
    if (store === undefined || request.partitions?.includes(partition) === false) continue;
    results.set(
      partition,
      (request.requireActive ?? true) && task.state !== "running"
        ? {
          ok: false,
          reason: "not-active",
          message:
            `Cannot query store ${request.store} of task ${task.taskId} as it is not running: current value is ${task.state}`,
        }
        : askWithin(store, request, { position: task.position(), partition }),
    );
  }
  return results;
}

/** Asks a store of a task that has come to a position. */
function askWithin(
  store: StateStore,
  request: StateQueryRequest<unknown>,
  at: { readonly position: Position; readonly partition: number },
): QueryResult<unknown> {
  const { position, partition } = at;
  const { bound = {} } = request;
  if (isPermitted(position, bound, partition)) return { ...askStore(store, request), position };
  return {
    ok: false,
    reason: "not-up-to-bound",
    message:
      `Cannot query partition ${partition} of store ${request.store} as it has not come to the bound ${
        JSON.stringify(bound)
      }: current value is ${JSON.stringify(position)}`,
    position,
  };
}

/** Asks one store; rows are read at once, as the store goes on changing. */
export function askStore(
  store: StateStore,
  { query, maxRows = MAX_ROWS }: StateQueryRequest<unknown>,
): QueryResult<unknown> {
  const answer = queryStore(store, query);
  if (!answer.ok || !isIterator(answer.result)) return answer;
  const rows: unknown[] = [];
  try {
    for (const row of answer.result) {
      if (rows.length === maxRows) break;
      rows.push(row);
    }
    return { ok: true, result: rows };
  } catch (cause) {
    const message = `Cannot query store ${store.name} as it failed: ${(cause as Error).message}`;
    return { ok: false, reason: "store-exception", message, cause };
  }
}

function isIterator(value: unknown): value is IterableIterator<unknown> {
  return typeof (value as { next?: unknown } | null)?.next === "function";
}

/** An answer in a form that crosses from a Worker: the engine's own classes become marked arrays. */
export function packAnswer(value: unknown): unknown {
  if (value instanceof Windowed) {
    return { "~windowed": [packAnswer(value.key), value.start, value.end] };
  }
  if (value instanceof ValueAndTimestamp) {
    return { "~timestamped": [packAnswer(value.value), value.timestamp] };
  }
  return Array.isArray(value) ? value.map(packAnswer) : value;
}

/** The answer again. */
export function unpackAnswer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpackAnswer);
  const marked = value as Record<string, [unknown, number, number]> | null;
  if (typeof marked !== "object" || marked === null) return value;
  if (Array.isArray(marked["~windowed"])) {
    const [key, start, end] = marked["~windowed"];
    return new Windowed(unpackAnswer(key), start, end);
  }
  if (Array.isArray(marked["~timestamped"])) {
    const [inner, timestamp] = marked["~timestamped"];
    return new ValueAndTimestamp(unpackAnswer(inner), timestamp);
  }
  return value;
}

/** Adds an answer for each partition that was asked for and is not here. */
export function nameMissing(
  results: Map<number, QueryResult<unknown>>,
  { store, partitions }: StateQueryRequest<unknown>,
): void {
  for (const partition of partitions ?? []) {
    if (results.has(partition)) continue;
    results.set(partition, {
      ok: false,
      reason: "not-present",
      message:
        `Cannot query partition ${partition} of store ${store} as it is not on this instance`,
    });
  }
}
