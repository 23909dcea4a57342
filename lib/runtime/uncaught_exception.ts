import { ConfigException } from "../errors.ts";

/** What happens when a thread has failed. Kafka Streams: `StreamThreadExceptionResponse`. */
export type UncaughtExceptionResponse =
  | "replace-thread"
  | "shutdown-client"
  | "shutdown-application";

/** Asked when a thread has failed. Kafka Streams: `StreamsUncaughtExceptionHandler`. */
export type UncaughtExceptionHandler = (error: Error) => UncaughtExceptionResponse;

const RESPONSES: ReadonlySet<unknown> = new Set<UncaughtExceptionResponse>([
  "replace-thread",
  "shutdown-client",
  "shutdown-application",
]);

/** The handler that a configuration names or gives as a function. @throws {ConfigException} when it is neither */
export function uncaughtExceptionHandler(given: unknown): UncaughtExceptionHandler {
  if (typeof given === "function") return given as UncaughtExceptionHandler;
  const response = given ?? "shutdown-client";
  if (RESPONSES.has(response)) return () => response as UncaughtExceptionResponse;
  throw new ConfigException([{
    key: "uncaught.exception.handler",
    given: String(given),
    rule: `must be a function or one of ${[...RESPONSES].join(", ")}`,
  }]);
}

/** A handler's answer; one that fails or answers something else shuts the client down. */
export function askUncaught(
  handler: UncaughtExceptionHandler,
  error: Error,
): { readonly response: UncaughtExceptionResponse; readonly fault?: unknown } {
  try {
    const response = handler(error);
    if (RESPONSES.has(response)) return { response };
    return {
      response: "shutdown-client",
      fault: new TypeError(
        `Cannot use the uncaught exception handler's answer as it is none of ${
          [...RESPONSES].join(", ")
        }: current value is ${String(response)}`,
      ),
    };
  } catch (fault) {
    return { response: "shutdown-client", fault };
  }
}
