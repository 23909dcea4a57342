import { isRetriable, StreamsException } from "../errors.ts";
import { callAfter, type Clock } from "../record/time.ts";
import type { RuntimeLog } from "./runtime_log.ts";

/** What trying again needs. */
export interface Patience {
  readonly clock: Clock;
  readonly log: RuntimeLog;
  /** How long requests that fail for the moment are tried again (ms): `task.timeout.ms`. */
  readonly patienceMs: number;
}

const RETRY_MS = 100;

/**
 * Tries a request again for as long as it fails only for the moment: a broker that is away, a leader or coordinator that is just being chosen.
 * @param what what could not be done, for the log: `read committed offsets`
 * @throws {StreamsException} when the patience is over
 */
export async function withPatience<T>(
  what: string,
  { clock, log, patienceMs }: Patience,
  request: () => Promise<T>,
): Promise<T> {
  for (let deadline = -1;;) {
    try {
      return await request();
    } catch (error) {
      if (!isRetriable(error)) throw error;
      const now = clock.now();
      if (deadline < 0) {
        deadline = now + patienceMs;
        log.warn(`Could not ${what}; trying again`, { err: error });
      } else if (now > deadline) {
        throw new StreamsException(`Could not ${what} in time`, { cause: error });
      }
      await clock.sleep(RETRY_MS);
    }
  }
}

/** What waiting without limit needs. */
export interface Waiting {
  readonly clock: Clock;
  readonly log: RuntimeLog;
  /** Asked again and again; true ends the waiting. */
  readonly stopped: () => boolean;
  /** Why waiting is in vain, if it is. Asked again and again. */
  readonly hopeless?: () => Error | undefined;
}

const WAIT_MS = 500;
/** How often it is asked whether to wait on (ms). */
const LOOK_MS = 100;
/** After this time without an answer the log is told (ms). */
const SILENCE_MS = 3_000;

/**
 * Tries a request again until somebody answers, for the start of an application: what it stands on may come up after it.
 * @param whom who does not answer, for the log: `The broker`
 * @throws {StreamsException} when the application is stopped meanwhile, or when waiting is in vain
 */
export async function untilAnswered<T>(
  whom: string,
  waiting: Waiting,
  isAway: (error: unknown) => boolean,
  request: () => Promise<T>,
): Promise<T> {
  const { clock, log } = waiting;
  const silentAt = clock.now() + SILENCE_MS;
  let warned = false;
  const warn = (facts: Record<string, unknown>) => {
    if (!warned) log.warn(`${whom} does not answer; waiting for it`, facts);
    warned = true;
  };
  const look = (cause?: unknown) => {
    if (waiting.stopped()) {
      throw new StreamsException(`Stopped while waiting for ${whom.toLowerCase()}`, { cause });
    }
    const inVain = waiting.hopeless?.();
    if (inVain !== undefined) throw inVain;
  };
  for (;;) {
    const answer = request();
    const answered = answer.then(() => true);
    try {
      while (!await orAfter(LOOK_MS, answered)) {
        look();
        if (clock.now() >= silentAt) warn({});
      }
      return await answer;
    } catch (error) {
      if (!isAway(error)) throw error;
      look(error);
      warn({ err: error });
      await clock.sleep(WAIT_MS);
    }
  }
}

/** The promise's outcome, or false after `ms`. */
export async function orAfter(ms: number, promise: Promise<boolean>): Promise<boolean> {
  let callOff = () => {};
  const late = new Promise<boolean>((resolve) => {
    callOff = callAfter(ms, () => resolve(false));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    callOff();
  }
}
