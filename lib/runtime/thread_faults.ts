import { isForbidden, type SchemaPending, StreamsException } from "../errors.ts";
import type { Consumer } from "../kafka/client.ts";
import { SchemaRegistryError } from "../serde/registry.ts";
import { orAfter } from "./patience.ts";
import type { RuntimeLog } from "./runtime_log.ts";

/** How often a thread that waits for a schema looks whether it is to stop (ms). */
const SCHEMA_LOOK_MS = 100;

/** What stops a thread that starts: the cluster does not let this consumer in, which waiting does not mend. */
export function refusal(consumer: Consumer): Error | undefined {
  // It has no partitions yet: this takes in what its connections have to say.
  consumer.poll(1);
  for (let error = consumer.takeError(); error !== undefined; error = consumer.takeError()) {
    if (!error.fatal && !isForbidden(error)) continue;
    const message = `Cannot start as the cluster refuses this client: ${error.message}`;
    return new StreamsException(message, { cause: error });
  }
  return undefined;
}

/**
 * Waits for a schema until it is there, or its registry is out of reach, which the record finds out when it is tried again.
 * @throws {SchemaRegistryError} when the registry refuses
 */
export async function schemaSettled(
  { ready }: SchemaPending,
  stopped: () => boolean,
  log: RuntimeLog,
): Promise<void> {
  const isReady = ready.then(() => true);
  try {
    while (!stopped() && !await orAfter(SCHEMA_LOOK_MS, isReady));
  } catch (error) {
    if (!(error instanceof SchemaRegistryError) || !error.retriable) throw error;
    log.warn("The schema registry does not answer; trying again", { err: error });
  }
}

/** What was thrown, as an error. */
export function asStreamsException(error: unknown): Error {
  return error instanceof Error
    ? error
    : new StreamsException("Something was thrown that is no error", { cause: error });
}
