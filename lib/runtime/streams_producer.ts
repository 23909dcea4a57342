import {
  isFenced,
  isRetriable,
  KafkaError,
  StreamsException,
  TaskCorruptedException,
  TaskMigratedException,
} from "../errors.ts";
import type { Consumer, PartitionOffset, Producer } from "../kafka/client.ts";
import type { Clock } from "../record/time.ts";
import type { RuntimeLog } from "./runtime_log.ts";

/** How a producer commits. */
export interface StreamsProducerSettings {
  readonly exactlyOnce: boolean;
  readonly requestTimeoutMs: number;
  /** `task.timeout.ms`: how long a step that fails for the moment is tried again. */
  readonly patienceMs: number;
}

/** What it works with. */
export interface StreamsProducerTools {
  readonly producer: Producer;
  readonly clock: Clock;
  readonly log: RuntimeLog;
}

const RETRY_MS = 100;
const BEHIND: ReadonlySet<string> = new Set(["ILLEGAL_GENERATION", "STALE_MEMBER_EPOCH"]);

/**
 * A thread's producer with its transaction: begun by the first record, committed with the offsets of all tasks. It turns Kafka's errors into what
 * the thread has to do: fenced is `TaskMigratedException`, an abort that may be tried afresh is `TaskCorruptedException`. Kafka Streams: `StreamsProducer`.
 *
 * ```
 *   idle ── first record or commit ──▶ open ── commit ──▶ idle
 *                                       └───── abort ───▶ idle
 * ```
 */
export class StreamsProducer {
  readonly #settings: StreamsProducerSettings;
  readonly #tools: StreamsProducerTools;
  #initialized = false;
  #open = false;

  constructor(settings: StreamsProducerSettings, tools: StreamsProducerTools) {
    this.#settings = settings;
    this.#tools = tools;
  }

  get producer(): Producer {
    return this.#tools.producer;
  }
  get exactlyOnce(): boolean {
    return this.#settings.exactlyOnce;
  }
  /** Whether records were sent, or offsets, that no commit covers. */
  get transactionOpen(): boolean {
    return this.#open;
  }

  /** Fences older producers of the same id and waits until their transactions are settled. */
  async init(): Promise<void> {
    if (!this.exactlyOnce || this.#initialized) return;
    await this.#attempt(
      "initialize transactions",
      (timeout) => this.producer.initTransactions(timeout),
    );
    this.#initialized = true;
  }

  /** Begins a transaction, if none is open and the guarantee wants one. Called before records are handed over. */
  begin(): void {
    if (this.#open || !this.exactlyOnce) return;
    try {
      this.producer.beginTransaction();
    } catch (error) {
      throw this.#explain("begin a transaction", error);
    }
    this.#open = true;
  }

  /** Waits until everything that was handed over is delivered or has failed. */
  async flush(): Promise<void> {
    await this.#attempt("flush the producer", (timeout) => this.producer.flush(timeout));
  }

  /** Commits the transaction with these offsets; `flush` went before. */
  async commitTransaction(offsets: readonly PartitionOffset[], consumer: Consumer): Promise<void> {
    this.begin();
    if (offsets.length > 0) {
      await this.#attempt("send offsets to the transaction", (timeout) => {
        const group = consumer.groupMetadata();
        if (group === undefined) {
          throw new TaskMigratedException(
            "Cannot commit as this consumer is no member of its group",
          );
        }
        return this.producer.sendOffsets(offsets, group, timeout);
      });
    }
    await this.#attempt(
      "commit the transaction",
      (timeout) => this.producer.commitTransaction(timeout),
    );
    this.#open = false;
  }

  /**
   * Gives up the open transaction, if there is one. False: that could not be had, and only another producer of the same id settles what became of it. So it
   * is after a commit that was never answered, which may have taken effect, and where this producer is fenced: nobody will hear it again.
   */
  async abort(): Promise<boolean> {
    if (!this.#open) return true;
    this.#open = false;
    try {
      await this.producer.abortTransaction(this.#settings.requestTimeoutMs);
      return true;
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.#tools.log.warn("Could not abort the transaction", { err: error });
      return false;
    }
  }

  async #attempt(what: string, step: (timeoutMs: number) => Promise<void>): Promise<void> {
    const { clock, log } = this.#tools;
    const { requestTimeoutMs, patienceMs } = this.#settings;
    for (let deadline = -1;;) {
      try {
        return await step(requestTimeoutMs);
      } catch (error) {
        if (!isRetriable(error)) throw this.#explain(what, error);
        const now = clock.now();
        if (deadline < 0) {
          deadline = now + patienceMs;
          log.warn(`Could not ${what}; trying again`, { err: error });
        } else if (now > deadline) throw this.#explain(what, error);
        await clock.sleep(RETRY_MS);
      }
    }
  }

  #explain(what: string, error: unknown): unknown {
    if (!(error instanceof KafkaError)) return error;
    // The group has moved on while this member still counts: its own heartbeat tells it what is new. Only this transaction is lost.
    const isBehind = BEHIND.has(error.codeName);
    if (isFenced(error) && !isBehind) {
      return new TaskMigratedException(
        `Cannot ${what} as this producer is fenced or its group has moved on: ${error.message}`,
        { cause: error },
      );
    }
    if (this.exactlyOnce && (error.abortable || error.retriable || isBehind) && !error.fatal) {
      return new TaskCorruptedException(`Could not ${what}: ${error.message}`, [], {
        cause: error,
      });
    }
    return new StreamsException(`Could not ${what}: ${error.message}`, { cause: error });
  }
}
