import { callAfter, type Clock } from "../record/time.ts";
import type { RuntimeLog } from "./runtime_log.ts";
import type { StateHome } from "./streams_host.ts";

/** What cleaning works with. */
export interface StateCleanerOptions {
  readonly home: StateHome;
  readonly clock: Clock;
  readonly log: RuntimeLog;
  /** `state.cleanup.delay.ms`: how long a task must be gone, and how often it is looked. */
  readonly delayMs: number;
  /** The tasks that run here now. */
  readonly inUse: () => ReadonlySet<string>;
}

/** Removes the directories of tasks that moved away long ago. The function it gives back ends that. Kafka Streams: the state directory cleaner. */
export function cleanIdleState(options: StateCleanerOptions): () => void {
  const { home, clock, log, delayMs, inUse } = options;
  let callOff = () => {};
  const look = () => {
    try {
      const removed = home.removeIdle(inUse(), clock.now(), delayMs);
      if (removed.length > 0) {
        log.info("Removed the state of tasks that moved away", { tasks: removed });
      }
    } catch (error) {
      // It is tried again; what is left over only takes room.
      log.warn("Could not clean the state directory", { err: error });
    }
    callOff = callAfter(delayMs, look);
  };
  callOff = callAfter(delayMs, look);
  return () => callOff();
}
