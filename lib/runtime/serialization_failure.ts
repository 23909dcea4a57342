import { StreamsException } from "../errors.ts";
import type { RecordContext } from "../record/context.ts";
import { askHandler, errorContext, type ExceptionHandlers } from "./exception_handlers.ts";
import type { RecordCollector } from "./record_collector.ts";

/** What could not be serialized, and where. */
export interface SerializationFailure {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: number;
  readonly nodeName: string;
  readonly taskId: string;
  readonly context: RecordContext;
}

/**
 * Asks the production handler about a record that cannot be serialized. Returns when it is to be left out.
 * @throws {StreamsException} when the handler says to fail
 */
export function serializationFailed(
  error: Error,
  failure: SerializationFailure,
  handlers: ExceptionHandlers,
  collector: RecordCollector,
): void {
  const context = errorContext(failure.context, failure.taskId, failure.nodeName);
  const record = {
    topic: failure.topic,
    key: null,
    value: null,
    retriable: false,
    serialization: true,
  };
  const response = askHandler("production", () => handlers.production(context, record, error));
  for (const letter of response.deadLetters) collector.deadLetter(letter);
  if (response.action === "continue") return;
  throw new StreamsException(
    `Unable to serialize record. ProducerRecord(topic=[${failure.topic}], partition=[${failure.partition}], timestamp=[${failure.timestamp}]`,
    { cause: error },
  );
}
