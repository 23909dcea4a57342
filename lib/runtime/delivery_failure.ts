import {
  isFenced,
  isRetriable,
  type KafkaError,
  StreamsException,
  TaskCorruptedException,
  TaskMigratedException,
} from "../errors.ts";
import type { DeliveryFailure } from "../kafka/client.ts";
import { readHeaders } from "../kafka/headers.ts";
import { askHandler, type ExceptionHandlers, type HandlerResponse } from "./exception_handlers.ts";
import type { RecordOrigin } from "./origin_ring.ts";
import type { RecordCollector } from "./record_collector.ts";
import type { RuntimeLog } from "./runtime_log.ts";

/** What reacting to a failed delivery needs. */
export interface DeliveryFailureTools {
  readonly handlers: ExceptionHandlers;
  readonly collector: RecordCollector;
  readonly log: RuntimeLog;
  readonly onDropped?: (taskId: string) => void;
}

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
  const { error, topic } = failure;
  if (ECHOES.has(error.codeName)) return undefined;
  const message = `Error encountered sending record to topic ${topic} for task ${
    origin.taskId || "unknown"
  } due to:\n${error.message}`;
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
  return handlerDecides(failure, origin, message, tools);
}

function handlerDecides(
  failure: DeliveryFailure,
  origin: RecordOrigin,
  message: string,
  tools: DeliveryFailureTools,
): Error | undefined {
  const { error } = failure;
  const retriable = isRetriable(error);
  let response;
  try {
    response = askHandler(
      "production",
      () => callHandler(failure, origin, retriable, tools.handlers),
    );
  } catch (handlerFailed) {
    return handlerFailed as StreamsException;
  }
  for (const letter of response.deadLetters) tools.collector.deadLetter(letter);
  if (response.action === "retry" && retriable) {
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

function callHandler(
  failure: DeliveryFailure,
  origin: RecordOrigin,
  retriable: boolean,
  handlers: ExceptionHandlers,
): HandlerResponse {
  const { key, value, headers, timestamp, topic, error } = failure;
  const context = {
    topic: origin.topic,
    partition: origin.partition,
    offset: origin.offset,
    timestamp,
    headers: readHeaders(headers ?? EMPTY, 0, headers?.length ?? 0),
    processorName: origin.nodeName,
    taskId: origin.taskId,
    // The source record's bytes are gone by now; what could not be written stands for them.
    sourceRawKey: key,
    sourceRawValue: value,
  };
  const record = { topic, key, value, retriable, serialization: false };
  return handlers.production(context, record, error as KafkaError);
}

const EMPTY = new Uint8Array(0);
