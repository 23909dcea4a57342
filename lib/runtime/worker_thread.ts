import { StreamsException } from "../errors.ts";
import type { QueryResult } from "../state/query.ts";
import { type StateQueryRequest, unpackAnswer } from "./state_queries.ts";
import type { Levels } from "./levels.ts";
import type { ThreadState } from "./states.ts";
import type { RestoreListener } from "./store_restorer.ts";
import type { ShutdownWay, ThreadDescription, ThreadHandle } from "./thread_handle.ts";
import { emptyReport, type ThreadReport } from "./thread_report.ts";
import type { UncaughtExceptionResponse } from "./uncaught_exception.ts";
import {
  type ErrorData,
  reviveError,
  type WorkerCommand,
  type WorkerEvent,
  type WorkerOrder,
} from "./worker_messages.ts";

/** A Worker, as far as a thread needs one. */
export interface WorkerPort {
  post(command: WorkerCommand): void;
  onEvent(listener: (event: WorkerEvent) => void): void;
  /** Told when the Worker is gone, for whatever reason. */
  onGone(listener: (reason: Error | undefined) => void): void;
  terminate(): Promise<void>;
}

/** What a thread in a Worker is made of. */
export interface WorkerThreadOptions {
  readonly order: WorkerOrder;
  /** Starts the Worker. */
  readonly start: () => WorkerPort;
  readonly restoreListener: RestoreListener;
  readonly onState: (next: ThreadState, previous: ThreadState) => void;
  /** Asked what follows from a failure, before the thread leaves its group. */
  readonly onFailure: (failure: Error) => Promise<UncaughtExceptionResponse>;
}

/**
 * A stream thread in a Worker, seen from the main isolate. What it tells comes by message and is the last that is known. A Worker that dies without a word counts
 * as a thread that has failed.
 */
export class WorkerThread implements ThreadHandle {
  readonly name: string;
  readonly #options: WorkerThreadOptions;
  #port: WorkerPort | undefined;
  #state: ThreadState = "CREATED";
  #report: ThreadReport | undefined;
  #waiting: WorkerCommand[] = [];
  readonly #queries = new Map<number, (results: Map<number, QueryResult<unknown>>) => void>();
  #nextQuery = 0;

  constructor(options: WorkerThreadOptions) {
    this.#options = options;
    this.name = options.order.identity.name;
  }

  get state(): ThreadState {
    return this.#state;
  }

  async run(): Promise<Error | undefined> {
    const port = this.#options.start();
    this.#port = port;
    let isOver = false;
    const ended = new Promise<Error | undefined>((resolve) => {
      port.onEvent((event) => {
        if (event.kind !== "ended") return this.#take(event);
        isOver = true;
        resolve(event.failure === undefined ? undefined : reviveError(event.failure));
      });
      port.onGone((reason) => {
        const failure = new StreamsException(
          `Cannot go on with thread ${this.name} as its Worker has ended without a word`,
          { cause: reason },
        );
        // Gone is also told after the end, and once for each way of noticing it.
        if (isOver) return;
        isOver = true;
        void this.#options.onFailure(failure).then(() => resolve(failure));
      });
    });
    port.post({ kind: "start", order: this.#options.order });
    for (const command of this.#waiting.splice(0)) port.post(command);
    const failure = await ended;
    await port.terminate();
    if (this.#state !== "DEAD") this.#change("DEAD", this.#state);
    for (const resolve of this.#queries.values()) resolve(new Map());
    return failure;
  }

  #take(event: Exclude<WorkerEvent, { kind: "ended" }>): void {
    if (event.kind === "state") this.#change(event.next, event.previous);
    else if (event.kind === "report") this.#report = event.report;
    else if (event.kind === "answer") this.#answered(event);
    else if (event.kind === "failed") void this.#judge(event.failure);
    else this.#tellRestore(event);
  }

  async #judge(failure: ErrorData): Promise<void> {
    const response = await this.#options.onFailure(reviveError(failure));
    this.#send({ kind: "verdict", response });
  }

  #change(next: ThreadState, previous: ThreadState): void {
    this.#state = next;
    this.#options.onState(next, previous);
  }

  #tellRestore({ event, changelog, first, second }: WorkerEvent & { kind: "restore" }): void {
    const { restoreListener: listener } = this.#options;
    if (event === "start") listener.onRestoreStart?.(changelog, first, second);
    else if (event === "batch") listener.onBatchRestored?.(changelog, first, second);
    else if (event === "end") listener.onRestoreEnd?.(changelog, first);
    else listener.onRestoreSuspended?.(changelog, first);
  }

  shutdown(deadlineMs: number, way: ShutdownWay): void {
    this.#send({ kind: "shutdown", deadlineMs, way });
  }
  setPaused(paused: boolean): void {
    this.#send({ kind: "pause", paused });
  }

  setLevels(levels: Levels): void {
    this.#send({ kind: "levels", levels });
  }

  #send(command: WorkerCommand): void {
    if (this.#port === undefined) this.#waiting.push(command);
    else this.#port.post(command);
  }

  query(request: StateQueryRequest<unknown>): Promise<Map<number, QueryResult<unknown>>> {
    if (this.#port === undefined || this.#state === "DEAD") return Promise.resolve(new Map());
    const id = this.#nextQuery++;
    const answer = new Promise<Map<number, QueryResult<unknown>>>((resolve) => {
      this.#queries.set(id, resolve);
    });
    this.#port.post({ kind: "query", id, request });
    return answer;
  }

  #answered({ id, results }: WorkerEvent & { kind: "answer" }): void {
    this.#queries.get(id)?.(
      new Map(results.map(([partition, result]) => [
        partition,
        result.ok ? { ...result, result: unpackAnswer(result.result) } : result,
      ])),
    );
    this.#queries.delete(id);
  }

  describe(): ThreadDescription {
    const { name } = this;
    const known = this.#report?.description;
    return known === undefined
      ? { name, state: this.#state, lastBeatMs: undefined, tasks: [] }
      : { ...known, state: this.#state };
  }

  report(): ThreadReport {
    const description = this.describe();
    return this.#report === undefined ? emptyReport(description) : { ...this.#report, description };
  }
}
