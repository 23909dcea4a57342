/**
 * Time as the engine sees it. All instants are epoch milliseconds, all durations milliseconds, as numbers.
 * This file alone reads the system's clock.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** The clock a runtime is given: the system's, or a manual one in tests. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds of a monotonic clock with fractions, for latencies. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds. */
  sleep(ms: number): Promise<void>;
}

/** The system's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Calls `run` once after `ms` milliseconds of real time; the function it gives back calls that off. */
export function callAfter(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

/** Resolves after the events that are waiting have been served: timers, I/O, calls from other threads. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A clock that moves only when told, for tests and the test driver. Kafka Streams: `MockTime`. */
export class ManualClock implements Clock {
  #now: number;
  constructor(startMs = 0) {
    this.#now = startMs;
  }
  now(): number {
    return this.#now;
  }
  monotonic(): number {
    return this.#now;
  }
  sleep(ms: number): Promise<void> {
    this.#now += ms;
    return Promise.resolve();
  }
  /** Moves the clock by `ms` milliseconds. */
  advance(ms: number): void {
    this.#now += ms;
  }
}

/** A duration of `n` milliseconds. */
export function millis(n: number): number {
  return n;
}
/** `n` seconds in milliseconds. */
export function seconds(n: number): number {
  return n * 1_000;
}
/** `n` minutes in milliseconds. */
export function minutes(n: number): number {
  return n * 60_000;
}
/** `n` hours in milliseconds. */
export function hours(n: number): number {
  return n * 3_600_000;
}
/** `n` days in milliseconds. */
export function days(n: number): number {
  return n * 86_400_000;
}
