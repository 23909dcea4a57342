import {
  AsyncFunctionError,
  SchemaPending,
  StreamsException,
  TaskCorruptedException,
  TaskMigratedException,
} from "../errors.ts";
import type { RecordContext } from "../record/context.ts";
import type { StreamRecord } from "../record/record.ts";
import type { TaskId } from "../record/task_id.ts";
import type { DropReason } from "../state/store.ts";
import { askHandler, errorContext } from "./exception_handlers.ts";
import { FailedProcessingError } from "./processor_node.ts";
import type { RecordCollector } from "./record_collector.ts";
import type { RecordQueue } from "./record_queue.ts";
import type { TaskSettings } from "./task_context.ts";

/** What the failures of a task need of it. */
export interface FailingTask {
  readonly taskId: TaskId;
  readonly settings: TaskSettings;
  readonly record: RecordContext;
  readonly collector: RecordCollector;
}

/**
 * What a task does with records that cannot be read, processed or kept: it asks the handlers, writes dead letters, counts drops, and words the
 * errors that stop it.
 */
export class TaskFailures {
  /** Records dropped, by reason. */
  readonly drops: Map<DropReason, number> = new Map();
  readonly #task: FailingTask;
  readonly #onDropped: ((reason: DropReason, detail: string | undefined) => void) | undefined;

  constructor(
    task: FailingTask,
    onDropped?: (reason: DropReason, detail: string | undefined) => void,
  ) {
    this.#task = task;
    this.#onDropped = onDropped;
  }

  /** The first row is no record. Returns when it is to be left out. @throws {StreamsException} when the handler says to fail */
  undecodable(queue: RecordQueue, error: Error): void {
    this.#takeInHand(queue);
    const { record, taskId, settings } = this.#task;
    const response = askHandler(
      "deserialization",
      () => settings.handlers.deserialization(errorContext(record, taskId, undefined), error),
    );
    for (const letter of response.deadLetters) this.#task.collector.deadLetter(letter);
    if (response.action === "fail") {
      throw new StreamsException(
        "Deserialization exception handler is set to fail upon a deserialization error. " +
          "If you would rather have the streaming pipeline continue after a deserialization error, please set the " +
          `deserialization.exception.handler appropriately. topic=[${queue.topic}] partition=[${queue.partition}] offset=[${queue.headOffset}]`,
        { cause: error },
      );
    }
    this.#count(
      "deserialization",
      `Skipping record due to deserialization error: ${error.message}`,
    );
  }

  /** The extractor gave the first row a negative timestamp. */
  negativeTimestamp(queue: RecordQueue): void {
    this.#takeInHand(queue);
    this.dropped("timestamp", "the extracted timestamp is negative");
  }

  #takeInHand(queue: RecordQueue): void {
    const { record } = this.#task;
    record.topic = queue.topic;
    record.partition = queue.partition;
    record.offset = queue.headOffset;
    record.timestamp = Math.max(0, queue.headTimestamp);
    record.headers = queue.headHeaders;
    record.rawSource = queue;
  }

  /** A processor threw. Returns when the record is to be left out. @throws {FailedProcessingError} when the handler says to fail */
  processing(
    processorName: string,
    record: StreamRecord<any, any> | undefined,
    error: Error,
  ): void {
    const { taskId, settings, collector } = this.#task;
    const context = errorContext(this.#task.record, taskId, processorName);
    let response;
    try {
      response = askHandler(
        "processing",
        () => settings.handlers.processing(context, record, error),
      );
    } catch (handlerFailed) {
      throw new FailedProcessingError(processorName, handlerFailed);
    }
    for (const letter of response.deadLetters) collector.deadLetter(letter);
    if (response.action !== "continue") throw new FailedProcessingError(processorName, error);
    this.#count("processing", error.message);
  }

  /** A record is left out; by configuration it goes to the dead letter topic with the reason. */
  dropped(reason: DropReason, detail: string | undefined): void {
    this.#count(reason, detail);
    const { settings: { handlers }, record, collector } = this.#task;
    if (handlers.deadLetterTopic === undefined || !handlers.deadLetterDrops.has(reason)) return;
    const raw = record.raw();
    let headers = record.headers.add("__streams.errors.reason", reason)
      .add("__streams.errors.message", detail ?? `Record dropped: ${reason}`);
    if (typeof record.topic === "string") {
      headers = headers.add("__streams.errors.topic", record.topic)
        .add("__streams.errors.partition", String(record.partition))
        .add("__streams.errors.offset", String(record.offset));
    }
    collector.deadLetter({
      topic: handlers.deadLetterTopic,
      key: raw.key,
      value: raw.value,
      timestamp: record.timestamp,
      headers,
    });
  }

  #count(reason: DropReason, detail: string | undefined): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
    this.#onDropped?.(reason, detail);
  }

  /** What stops the task after `error` came up while a row of the queue was processed. */
  wordProcessing(error: unknown, queue: RecordQueue): unknown {
    if (
      error instanceof TaskCorruptedException || error instanceof TaskMigratedException ||
      error instanceof AsyncFunctionError || error instanceof SchemaPending
    ) return error;
    const failed = error instanceof FailedProcessingError ? error : undefined;
    if (failed === undefined && error instanceof StreamsException) return error;
    const { taskId } = this.#task;
    const worded = new StreamsException(
      `Exception caught in process. taskId=${taskId}, processor=${
        failed?.processorName ?? "unknown"
      }, topic=${queue.topic}, partition=${queue.partition}, offset=${queue.headOffset}`,
      { cause: failed?.cause ?? error },
    );
    worded.taskId = taskId;
    return worded;
  }

  /** A punctuation threw. Returns when that is forgiven. @throws {StreamsException} when the handler says to fail */
  punctuation(processorName: string, error: unknown): void {
    if (
      error instanceof TaskCorruptedException || error instanceof TaskMigratedException ||
      error instanceof AsyncFunctionError || error instanceof SchemaPending
    ) throw error;
    let cause: unknown;
    if (error instanceof FailedProcessingError) cause = error.cause;
    else {
      try {
        this.processing(processorName, undefined, error as Error);
        return;
      } catch (refused) {
        if (!(refused instanceof FailedProcessingError)) throw refused;
        cause = refused.cause;
      }
    }
    throw new StreamsException(
      `task [${this.#task.taskId}] Exception caught while punctuating processor '${processorName}'`,
      { cause },
    );
  }
}
