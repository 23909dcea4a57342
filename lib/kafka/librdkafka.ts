/**
 * Kafka by librdkafka. This file alone loads the addon; the first client of an isolate does so.
 *
 * @module
 */
import { createRequire } from "node:module";
import { KafkaError } from "../errors.ts";
import type { Addon, MakeError } from "./addon.ts";
import { LibrdkafkaAdmin } from "./admin.ts";
import type {
  Admin,
  ClientConfig,
  ClientEvents,
  Consumer,
  KafkaClients,
  Producer,
} from "./client.ts";
import { LibrdkafkaConsumer } from "./consumer.ts";
import { nativeAddonPathSync } from "./native/build.ts";
import { LibrdkafkaProducer } from "./producer.ts";

let loaded: Addon | undefined;

/** The addon of this isolate. @throws {Error} when it is not there and cannot be built. */
export function addon(): Addon {
  if (loaded) return loaded;
  const require = createRequire(import.meta.url);
  const { start } = require(nativeAddonPathSync()) as { start(make: MakeError): Addon };
  loaded = start(kafkaError);
  return loaded;
}

/** Clients of a real cluster, or of anything else that speaks Kafka's protocol. */
export const librdkafkaClients: KafkaClients = {
  consumer(config: ClientConfig, events: ClientEvents = {}): Consumer {
    return new LibrdkafkaConsumer(addon(), config, events);
  },
  producer(config: ClientConfig, events: ClientEvents = {}): Producer {
    return new LibrdkafkaProducer(addon(), config, events);
  },
  admin(config: ClientConfig, events: ClientEvents = {}): Admin {
    return new LibrdkafkaAdmin(addon(), config, events);
  },
};

/** Answers after which the same call may well succeed, where librdkafka itself does not say. Java: `RetriableException`. */
const RETRIABLE: ReadonlySet<string> = new Set([
  "_TIMED_OUT",
  "_TIMED_OUT_QUEUE",
  "_MSG_TIMED_OUT",
  "_TRANSPORT",
  "_ALL_BROKERS_DOWN",
  "_RESOLVE",
  "_WAIT_COORD",
  "_QUEUE_FULL",
  "_WAIT_CACHE",
  "_RETRY",
  "COORDINATOR_NOT_AVAILABLE",
  "COORDINATOR_LOAD_IN_PROGRESS",
  "NOT_COORDINATOR",
  "CONCURRENT_TRANSACTIONS",
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_FOR_PARTITION",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "OFFSET_NOT_AVAILABLE",
  "PREFERRED_LEADER_NOT_AVAILABLE",
  "ELIGIBLE_LEADERS_NOT_AVAILABLE",
  "REPLICA_NOT_AVAILABLE",
  "BROKER_NOT_AVAILABLE",
  "LISTENER_NOT_FOUND",
  "NOT_CONTROLLER",
  "KAFKA_STORAGE_ERROR",
  "REQUEST_TIMED_OUT",
  "NETWORK_EXCEPTION",
  "NOT_ENOUGH_REPLICAS",
  "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  "REBALANCE_IN_PROGRESS",
  "UNSTABLE_OFFSET_COMMIT",
  "THROTTLING_QUOTA_EXCEEDED",
]);

function kafkaError(
  action: string,
  code: number,
  codeName: string,
  text: string,
  retriable: boolean,
  fatal: boolean,
  abortable: boolean,
): KafkaError {
  return new KafkaError(
    `Cannot ${action} as Kafka refuses: current value is ${codeName} (${text})`,
    { code, codeName, retriable: retriable || RETRIABLE.has(codeName), fatal, abortable },
  );
}
