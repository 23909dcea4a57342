/**
 * What happens with a record that cannot be read, processed or written. Follows Kafka Streams' handlers with the dead letter queue of
 * KIP-1034 (`errors.dead.letter.queue.topic.name`).
 *
 * @module
 */
import type { RecordContext } from "../record/context.ts";
import { asyncFunctionError, isThenable, StreamsException } from "../errors.ts";
import type { Headers } from "../record/headers.ts";
import type { DeadLetter } from "./record_collector.ts";

/** Where and with what an error came up. Kafka Streams: `ErrorHandlerContext`. */
export interface ErrorHandlerContext {
  /** Undefined within a punctuation. */
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly processorName: string | undefined;
  readonly taskId: string;
  /** The bytes of the source record, where they are still there. */
  readonly sourceRawKey: Uint8Array | null;
  readonly sourceRawValue: Uint8Array | null;
}

/** What to do: leave the record out, stop with an error, or (production only, for retriable errors) try again. */
export type HandlerAction = "continue" | "fail" | "retry";

/** The handler's answer: the action alone, or with records for the dead letter queue. Kafka Streams 4.2: `Response`. */
export type HandlerResponse =
  | HandlerAction
  | { readonly action: HandlerAction; readonly deadLetters?: readonly DeadLetter[] };

/** Asked when a source record cannot be deserialized. Kafka Streams: `DeserializationExceptionHandler`. */
export type DeserializationExceptionHandler = (
  context: ErrorHandlerContext,
  error: Error,
) => HandlerResponse;

/** Asked when a processor or punctuator throws. Kafka Streams: `ProcessingExceptionHandler` (KIP-1033). */
export type ProcessingExceptionHandler = (
  context: ErrorHandlerContext,
  record: { readonly key: unknown; readonly value: unknown } | undefined,
  error: Error,
) => HandlerResponse;

/** Asked when a record cannot be serialized or delivered. Kafka Streams: `ProductionExceptionHandler`. */
export type ProductionExceptionHandler = (
  context: ErrorHandlerContext,
  record: {
    readonly topic: string;
    /** The bytes, where serialization succeeded. */
    readonly key: Uint8Array | null;
    readonly value: Uint8Array | null;
    readonly retriable: boolean;
    readonly serialization: boolean;
  },
  error: Error,
) => HandlerResponse;

/** The three handlers of an application and its dead letter topic. */
export interface ExceptionHandlers {
  readonly deserialization: DeserializationExceptionHandler;
  readonly processing: ProcessingExceptionHandler;
  readonly production: ProductionExceptionHandler;
  /** `errors.dead.letter.queue.topic.name`: the named handlers write what they drop, or fail on, to it. */
  readonly deadLetterTopic: string | undefined;
  /** Drops (late, null key, expired …) that go to the dead letter topic too. */
  readonly deadLetterDrops: ReadonlySet<string>;
}

/** The handlers that a configuration can name. */
export const NAMED_ACTIONS: Readonly<Record<string, HandlerAction>> = {
  "log-and-fail": "fail",
  "log-and-continue": "continue",
  /** Continue; the configuration demands a dead letter topic with it. */
  "dead-letter-queue": "continue",
};

/** A handler that always answers the same, and writes a dead letter when the application has a topic for them. */
export function namedHandler(
  action: HandlerAction,
  deadLetterTopic: string | undefined,
): (context: ErrorHandlerContext, ...rest: any[]) => HandlerResponse {
  if (deadLetterTopic === undefined) return () => action;
  return (context, ...rest) => ({
    action,
    deadLetters: [deadLetter(deadLetterTopic, context, rest[rest.length - 1] as Error)],
  });
}

/** An answer, split. */
export interface HandlerAnswer {
  readonly action: HandlerAction;
  readonly deadLetters: readonly DeadLetter[];
}

/** What is asked about. */
export type HandlerKind = "deserialization" | "processing" | "production";

/**
 * Asks a handler and splits its answer.
 * @throws {StreamsException} when the handler throws or gives something that is no answer; then the task stops
 */
export function askHandler(
  kind: HandlerKind,
  ask: () => HandlerResponse,
): HandlerAnswer {
  try {
    return readResponse(kind, ask());
  } catch (cause) {
    throw new StreamsException(`Fatal user code error in ${kind} error callback`, { cause });
  }
}

function readResponse(
  kind: HandlerKind,
  response: HandlerResponse,
): HandlerAnswer {
  const rule = kind === "production" ? '"continue", "fail" or "retry"' : '"continue" or "fail"';
  const what = `Cannot use the ${kind} handler's answer as it must be ${rule}: current value is`;
  if (isThenable(response)) throw asyncFunctionError(`${what} a Promise`, response);
  const action = typeof response === "string" ? response : response?.action;
  const known = action === "continue" || action === "fail" ||
    (action === "retry" && kind === "production");
  if (!known) throw new TypeError(`${what} ${JSON.stringify(response)}`);
  return { action, deadLetters: typeof response === "string" ? [] : response.deadLetters ?? [] };
}

/**
 * The dead letter of a source record: its raw key and value, its timestamp, its headers and the error in
 * `__streams.errors.{exception,message,stacktrace,topic,partition,offset}`. Kafka Streams: `ExceptionHandlerUtils`.
 */
export function deadLetter(topic: string, context: ErrorHandlerContext, error: Error): DeadLetter {
  let headers = context.headers
    .add("__streams.errors.exception", error.name)
    .add("__streams.errors.message", error.message)
    .add("__streams.errors.stacktrace", error.stack ?? `${error.name}: ${error.message}`);
  if (context.topic !== undefined) {
    headers = headers
      .add("__streams.errors.topic", context.topic)
      .add("__streams.errors.partition", String(context.partition))
      .add("__streams.errors.offset", String(context.offset));
  }
  return {
    topic,
    key: context.sourceRawKey,
    value: context.sourceRawValue,
    timestamp: context.timestamp,
    headers,
  };
}

/** The handler context of the record in hand. */
export function errorContext(
  record: RecordContext,
  taskId: string,
  processorName: string | undefined,
): ErrorHandlerContext {
  const raw = record.raw();
  return {
    topic: record.topic ?? undefined,
    partition: record.partition,
    offset: record.offset,
    timestamp: record.timestamp,
    headers: record.headers,
    processorName,
    taskId,
    sourceRawKey: raw.key,
    sourceRawValue: raw.value,
  };
}
