import {
  isFenced,
  isRetriable,
  StreamsException,
  TaskCorruptedException,
  TaskMigratedException,
} from "../errors.ts";
import type { DeliveryFailure } from "../kafka/client.ts";
import { readHeaders } from "../kafka/headers.ts";
import {
  askHandler,
  type ErrorHandlerContext,
  type ExceptionHandlers,
  type HandlerAnswer,
} from "./exception_handlers.ts";
import type { RecordOrigin } from "./origin_ring.ts";
import type { RecordCollector } from "./record_collector.ts";
import type { RefusedRecords } from "./refused_records.ts";
import type { RuntimeLog } from "./runtime_log.ts";

/** What reacting to a failed delivery needs. */
export interface DeliveryFailureTools {
  readonly handlers: ExceptionHandlers;
  readonly collector: RecordCollector;
  readonly log: RuntimeLog;
  readonly onDropped?: (taskId: string) => void;
  /** Under exactly once: what is refused there is left out when it comes again, as the transaction is lost. */
  readonly refused: RefusedRecords | undefined;
}

/** The node name of changelog entries. */
export const CHANGELOG = "changelog";
/** The node name of dead letters. */
export const DEAD_LETTERS = "dead-letter-queue";

/** Failures that no handler is asked about: security, and requests that can never succeed. Kafka Streams: `isFatalException`. */
const NEVER_FORGIVEN: ReadonlySet<string> = new Set([
  "_AUTHENTICATION",
  "SASL_AUTHENTICATION_FAILED",
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  "SECURITY_DISABLED",
  "TOPIC_EXCEPTION",
  "UNKNOWN",
  "_STATE",
]);
/** A topic takes 1 MiB at most by default (`message.max.bytes`), headers included. */
const LARGEST_VALUE = 1_000_000;
/** Failures that are only the echo of an abort, which is being handled already. */
const ECHOES: ReadonlySet<string> = new Set(["_PURGE_QUEUE", "_PURGE_INFLIGHT"]);

/**
 * Decides about a record that was not delivered; gives the error to raise, or undefined when the record is to be left out. Follows
 * `RecordCollectorImpl.recordSendError`.
 */
export function deliveryFailed(
  failure: DeliveryFailure,
  origin: RecordOrigin,
  tools: DeliveryFailureTools,
): Error | undefined {
  const { error } = failure;
  if (ECHOES.has(error.codeName)) return undefined;
  const message = deliveryMessage(failure, origin.taskId);
  if (isFenced(error) || error.codeName === "OUT_OF_ORDER_SEQUENCE_NUMBER") {
    return new TaskMigratedException(
      `${message}\nWritten offsets would not be recorded and no more records would be sent since the producer is fenced, ` +
        "indicating the task may be migrated out",
      { cause: error },
    );
  }
  if (NEVER_FORGIVEN.has(error.codeName)) {
    return new StreamsException(
      `${message}\nWritten offsets would not be recorded and no more records would be sent since this is a fatal error.`,
      { cause: error },
    );
  }
  if (origin.nodeName === DEAD_LETTERS) {
    return new StreamsException(
      `${message}\nA dead letter that cannot be written would be lost: no more records would be sent.`,
      { cause: error },
    );
  }
  return handlerDecides(failure, origin, message, tools);
}

/** What is said of a record that was not delivered. Kafka Streams: `SEND_EXCEPTION_MESSAGE`. */
export function deliveryMessage({ topic, error }: DeliveryFailure, taskId: string): string {
  return `Error encountered sending record to topic ${topic} for task ${
    taskId || "unknown"
  } due to:\n${error.message}`;
}

function handlerDecides(
  failure: DeliveryFailure,
  origin: RecordOrigin,
  message: string,
  tools: DeliveryFailureTools,
): Error | undefined {
  const { error } = failure;
  let response;
  try {
    response = askAboutDelivery(failure, contextOf(failure, origin), tools.handlers);
  } catch (handlerFailed) {
    return handlerFailed as StreamsException;
  }
  if (response.action === "continue" && tools.refused !== undefined) {
    return leaveOutNextTime(failure, origin, message, tools.refused);
  }
  for (const letter of response.deadLetters) tools.collector.deadLetter(letter);
  if (response.action === "retry" && isRetriable(error)) {
    return new TaskCorruptedException(
      `${message}\nThe broker is either slow or in bad state (like not having enough replicas) in responding the request, or the ` +
        "connection to broker was interrupted sending the request or receiving the response. Consider a larger `delivery.timeout.ms`",
      origin.taskId === "" ? [] : [origin.taskId],
      { cause: error },
    );
  }
  if (response.action === "continue") {
    tools.log.error(
      `${message}\nException handler choose to CONTINUE processing in spite of this error but written offsets would not be recorded.`,
      { err: error },
    );
    tools.onDropped?.(origin.taskId);
    return undefined;
  }
  return new StreamsException(
    `${message}\nException handler choose to FAIL the processing, no more records would be sent.`,
    { cause: error },
  );
}

/** The transaction cannot be committed any more: its records come again, and without this one. */
function leaveOutNextTime(
  failure: DeliveryFailure,
  origin: RecordOrigin,
  message: string,
  refused: RefusedRecords,
): Error {
  const { error } = failure;
  if (origin.nodeName === CHANGELOG) {
    return new StreamsException(
      `${message}\nA store cannot go on without its changelog exactly once: no more records would be sent.`,
      { cause: error },
    );
  }
  refused.add(failure, origin);
  return new TaskCorruptedException(
    `${message}\nThe transaction is aborted and processed again; the exception handler chose to leave this record out.`,
    origin.taskId === "" ? [] : [origin.taskId],
    { cause: error },
  );
}

/** Asks the production handler. @throws {StreamsException} when it throws or gives no answer */
export function askAboutDelivery(
  { topic, key, value, error }: DeliveryFailure,
  context: ErrorHandlerContext,
  handlers: ExceptionHandlers,
): HandlerAnswer {
  const record = { topic, key, value, retriable: isRetriable(error), serialization: false };
  return askHandler("production", () => handlers.production(context, record, error));
}

function contextOf(
  { key, value, headers, timestamp }: DeliveryFailure,
  { topic, partition, offset, nodeName, taskId }: RecordOrigin,
): ErrorHandlerContext {
  return {
    topic,
    partition,
    offset,
    timestamp,
    headers: readHeaders(headers ?? EMPTY, 0, headers?.length ?? 0),
    processorName: nodeName,
    taskId,
    // The source record's bytes are gone by now; what could not be written stands for them, unless no topic would take it.
    sourceRawKey: key,
    sourceRawValue: value !== null && value.length > LARGEST_VALUE ? null : value,
  };
}

const EMPTY = new Uint8Array(0);
