/**
 * Every error class that a caller can catch, in one file. Misuse of an API throws the built-in
 * `TypeError` or `RangeError`; a class stands here only where somebody reacts to it.
 *
 * Messages read `Cannot <action> as <rule>: current value is <value>`; facts are fields; causes are kept.
 *
 * @module
 */

/** Who has to act on an error: the user's code or data, something outside (broker, registry), or Weir. */
export type ErrorDomain = "user" | "external" | "internal";

/** Base of all errors that processing raises. Kafka Streams: `StreamsException`. */
export class StreamsException extends Error {
  override name = "StreamsException";
  readonly domain: ErrorDomain = "internal";
  /** `<subtopology>_<partition>` of the task in which it was raised, once known. */
  taskId?: string;
}

/** The topology is wrong: duplicate names, unknown parents, topics not co-partitioned. Kafka Streams: `TopologyException`. */
export class TopologyException extends StreamsException {
  override name = "TopologyException";
  override readonly domain = "user";
  constructor(message: string, options?: ErrorOptions) {
    super(`Invalid topology: ${message}`, options);
  }
}

/** Bytes could not become a value, or a value bytes. Kafka: `SerializationException`. */
export class SerializationException extends StreamsException {
  override name = "SerializationException";
  override readonly domain = "user";
}

/**
 * A serde needs something that is not in memory yet (the schema of a new id). The record waits: the thread
 * awaits `ready` between two polls and tries the same record again. Never reaches a handler.
 */
export class SchemaPending extends Error {
  override name = "SchemaPending";
  readonly ready: Promise<void>;
  constructor(message: string, ready: Promise<void>) {
    super(message);
    this.ready = ready;
  }
}

/** A user function gave a Promise where a value is due. The record path is synchronous. */
export class AsyncFunctionError extends StreamsException {
  override name = "AsyncFunctionError";
  override readonly domain = "user";
}

/**
 * The error about a Promise that a user function gave. A rejection that follows becomes its cause: unhandled, it would end the process
 * before the application is closed in order.
 */
export function asyncFunctionError(message: string, promise: PromiseLike<unknown>): Error {
  const error = new AsyncFunctionError(message);
  promise.then(undefined, (reason: unknown) => {
    error.cause ??= reason;
  });
  return error;
}

/** Whether a value is a Promise or another thenable. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** A store or its changelog is broken or in the wrong state. Kafka Streams: `ProcessorStateException`. */
export class ProcessorStateException extends StreamsException {
  override name = "ProcessorStateException";
}

/** A store was asked for that is not open here now. Kafka Streams: `InvalidStateStoreException`. */
export class InvalidStateStoreException extends StreamsException {
  override name = "InvalidStateStoreException";
}

/** No store of that name exists in the topology. Kafka Streams: `UnknownStateStoreException`. */
export class UnknownStateStoreException extends InvalidStateStoreException {
  override name = "UnknownStateStoreException";
  override readonly domain = "user";
}

/** Another process holds the state directory. Kafka Streams: `LockException`. */
export class LockException extends StreamsException {
  override name = "LockException";
  override readonly domain = "external";
}

/** The task belongs to another member now; the thread closes its tasks dirty and rejoins. Kafka Streams: `TaskMigratedException`. */
export class TaskMigratedException extends StreamsException {
  override name = "TaskMigratedException";
  override readonly domain = "external";
}

/** The state of these tasks cannot be trusted and is rebuilt. Kafka Streams: `TaskCorruptedException`. */
export class TaskCorruptedException extends StreamsException {
  override name = "TaskCorruptedException";
  readonly taskIds: readonly string[];
  constructor(message: string, taskIds: readonly string[], options?: ErrorOptions) {
    super(message, options);
    this.taskIds = taskIds;
  }
}

/** A source topic does not exist. Kafka Streams: `MissingSourceTopicException`. */
export class MissingSourceTopicException extends StreamsException {
  override name = "MissingSourceTopicException";
  override readonly domain = "external";
  readonly topics: readonly string[];
  constructor(topics: readonly string[]) {
    super(
      `Cannot start as one or more source topics are missing: current value is [${
        topics.join(", ")
      }]. Create them, or correct the topology's topic names`,
    );
    this.topics = topics;
  }
}

/** Another instance has ended the whole application (`shutdown-application`); this one ends, too. */
export class ApplicationShutdownException extends StreamsException {
  override name = "ApplicationShutdownException";
  override readonly domain = "external";
}

/** One fault of a configuration. */
export interface ConfigIssue {
  /** The configuration key, by Kafka's dotted name. */
  readonly key: string;
  /** What was given, as text; secrets are shown as `[hidden]`. */
  readonly given: string;
  /** What is allowed and what to do. */
  readonly rule: string;
}

/** The configuration has faults; all of them are in `issues`. Kafka: `ConfigException`. The CLI exits with 2. */
export class ConfigException extends Error {
  override name = "ConfigException";
  readonly domain: ErrorDomain = "user";
  readonly issues: readonly ConfigIssue[];
  constructor(issues: readonly ConfigIssue[]) {
    super(
      `Cannot use the configuration as ${issues.length} setting(s) are wrong:\n` +
        issues.map((i) => `  ${i.key}: ${i.rule}: current value is ${i.given}`).join("\n"),
    );
    this.issues = issues;
  }
}

/** What librdkafka or the broker refused, as one type. */
export class KafkaError extends Error {
  override name = "KafkaError";
  readonly domain: ErrorDomain = "external";
  /** librdkafka's number: negative for local errors, the protocol's code otherwise. */
  readonly code: number;
  /** The code's name, for example `_TIMED_OUT` or `TOPIC_ALREADY_EXISTS`. */
  readonly codeName: string;
  /** The same call may succeed later. */
  readonly retriable: boolean;
  /** The client instance is unusable from now on. */
  readonly fatal: boolean;
  /** The transaction must be aborted. */
  readonly abortable: boolean;
  constructor(
    message: string,
    facts: {
      code: number;
      codeName: string;
      retriable?: boolean;
      fatal?: boolean;
      abortable?: boolean;
      cause?: unknown;
    },
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.codeName = facts.codeName;
    this.retriable = facts.retriable ?? false;
    this.fatal = facts.fatal ?? false;
    this.abortable = facts.abortable ?? false;
  }
}

/** A capability that this build does not have. The message names it and what to use instead. */
export class NotBuiltError extends Error {
  override name = "NotBuiltError";
}

/** Whether the same call may succeed later without a change by the user. */
export function isRetriable(error: unknown): boolean {
  return error instanceof KafkaError && error.retriable && !error.fatal && !error.abortable;
}

/** Whether the error says that another member took over: fenced producer, stale generation. */
export function isFenced(error: unknown): boolean {
  if (error instanceof TaskMigratedException) return true;
  return error instanceof KafkaError && FENCED.has(error.codeName);
}
const FENCED: ReadonlySet<string> = new Set([
  "_FENCED",
  "FENCED_INSTANCE_ID",
  "PRODUCER_FENCED",
  "INVALID_PRODUCER_EPOCH",
  "INVALID_PRODUCER_ID_MAPPING",
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
  "STALE_MEMBER_EPOCH",
  "FENCED_MEMBER_EPOCH",
]);

/** Whether the cluster does not let this client in, or not do what it asked: waiting does not mend it. Kafka: `AuthorizationException`, `AuthenticationException`. */
export function isForbidden(error: unknown): boolean {
  if (!(error instanceof KafkaError)) return false;
  // Other failures of TLS may be a broker that goes down in the middle of it.
  const isUntrusted = error.codeName === "_SSL" && /certificate verify failed/.test(error.message);
  return isUntrusted || FORBIDDEN.has(error.codeName);
}
const FORBIDDEN: ReadonlySet<string> = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  "_AUTHENTICATION",
  "SASL_AUTHENTICATION_FAILED",
]);

/** The innermost cause of an error, or the error itself. */
export function rootCause(error: unknown): unknown {
  let current = error;
  while (current instanceof Error && current.cause !== undefined && current.cause !== null) {
    current = current.cause;
  }
  return current;
}
