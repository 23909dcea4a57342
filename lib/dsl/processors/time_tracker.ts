/** How much wall-clock time (ms) lies at least between two looks for unmatched records. Internal, as in Kafka Streams. */
export const OUTER_JOIN_EMIT_INTERVAL_SETTING =
  "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__";
const DEFAULT_EMIT_INTERVAL_MS = 1000;

/** What the two sides of a stream-stream join know together, per task. Kafka Streams: `KStreamImplJoin.TimeTracker`. */
export class TimeTracker {
  /** The greatest timestamp (epoch ms) seen on either side, -1 before the first. */
  streamTime = -1;
  /** A lower bound of the timestamps of unmatched records that wait. */
  minTime = Infinity;
  /** No look for unmatched records before this instant of the wall clock. */
  nextTimeToEmit = 0;
  emitIntervalMs: number = DEFAULT_EMIT_INTERVAL_MS;
}

/** The trackers of a join, one a task; both sides' suppliers share it. Kafka Streams: `KStreamImplJoin.TimeTrackerSupplier`. */
export class TimeTrackerSupplier {
  readonly #trackers = new Map<string, TimeTracker>();

  get(taskId: string): TimeTracker {
    let tracker = this.#trackers.get(taskId);
    if (tracker === undefined) {
      tracker = new TimeTracker();
      this.#trackers.set(taskId, tracker);
    }
    return tracker;
  }
  remove(taskId: string): void {
    this.#trackers.delete(taskId);
  }
}
