/**
 * What a thread tells of itself, as plain data: it is read on the spot in the same isolate, and posted by a Worker.
 *
 * @module
 */
import type { MetricsSnapshot } from "../telemetry/metrics.ts";
import type { ThreadDescription } from "./thread_handle.ts";

/** How far a partition is behind. */
export interface LagReport {
  readonly topic: string;
  readonly partition: number;
  /** Records that are not processed yet; undefined while unknown. */
  readonly records: number | undefined;
  /** Age of the record processed last (s), 0 when there are no more. */
  readonly seconds: number | undefined;
  readonly committedOffset: number | undefined;
}

/** A store of a task. */
export interface StoreReport {
  readonly name: string;
  readonly taskId: string;
  /** `lmdb` or `in-memory`. */
  readonly type: string;
  readonly entries: number | undefined;
  readonly sizeBytes: number | undefined;
}

/** A restore that is going on. */
export interface RestoreReport {
  readonly store: string;
  readonly taskId: string;
  readonly changelog: string;
  readonly partition: number;
  readonly restored: number;
  readonly remaining: number;
}

/** All that a thread tells. */
export interface ThreadReport {
  readonly description: ThreadDescription;
  /** The metrics of a Worker's isolate; undefined from a thread of this isolate, whose registry is the application's. */
  readonly metrics: MetricsSnapshot | undefined;
  readonly lags: readonly LagReport[];
  readonly stores: readonly StoreReport[];
  /** Records that each node was given, over the thread's tasks. */
  readonly nodes: Readonly<Record<string, number>>;
  readonly restores: readonly RestoreReport[];
}

/** What a thread tells that has nothing to tell yet, or any more. */
export function emptyReport(description: ThreadDescription): ThreadReport {
  return { description, metrics: undefined, lags: [], stores: [], nodes: {}, restores: [] };
}

/** The sums of numbers by name. */
export function addUp(
  counts: readonly Readonly<Record<string, number>>[],
): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const each of counts) {
    for (const [name, count] of Object.entries(each)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}
