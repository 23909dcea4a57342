/**
 * A Kafka cluster inside the process, for tests and first steps: librdkafka's mock brokers on loopback ports, as
 * `native/librdkafka.patch` completes them: transactions with read_committed and fencing, offsets in transactions,
 * groups of both protocols with static members, and logs in memory that are kept until they are deleted.
 *
 * What differs from Apache Kafka:
 * - Nothing is compacted or expires; a topic's configuration is kept for the asking and has no effect.
 * - Topics are created, deleted and configured, and records deleted, by calls in this process, not by requests: another
 *   process can read and write, and its topics come into being by being written to.
 * - `offsetsForTimes` finds the batch, and gives its first record's offset.
 * - An open transaction does not time out: it ends with its producer's next `initTransactions`.
 * - Groups of the protocol of KIP-848 are neither listed nor described.
 * - No security, quotas or replication, whatever the number of brokers.
 *
 * @module
 */
import { KafkaError } from "../errors.ts";
import { addon } from "./librdkafka.ts";

/** How to start one. */
export interface EmbeddedBrokerOptions {
  /** How many brokers. Default 1. */
  readonly brokers?: number;
  /** Partitions of a topic that is made by being written to. Default 4. */
  readonly defaultPartitions?: number;
}

/** A running embedded cluster. */
export interface EmbeddedBroker {
  /** `127.0.0.1:port` of each broker, comma-separated. */
  readonly bootstrapServers: string;
  /** `config` is kept for `topicConfig` and has no effect. @throws {KafkaError} `TOPIC_ALREADY_EXISTS`. */
  createTopic(topic: string, partitions?: number, config?: Readonly<Record<string, string>>): void;
  /** The configuration that a topic was created with. */
  topicConfig(topic: string): Readonly<Record<string, string>>;
  /** @throws {KafkaError} `UNKNOWN_TOPIC_OR_PART`. */
  deleteTopic(topic: string): void;
  /** Drops the records before an offset. */
  deleteRecords(topic: string, partition: number, before: number): void;
  /** Delays every answer by that many milliseconds. */
  setRoundTripDelay(ms: number): void;
  /** The next requests of that kind (`API_KEYS`) are answered with these error codes in turn; none clears what is left. */
  failNext(apiKey: number, ...errorCodes: number[]): void;
  /** Makes a broker (from 1 on) unreachable, or reachable again. */
  setBrokerUp(broker: number, up: boolean): void;
  /** Stops it and forgets all data. */
  close(): void;
}

/** The protocol's numbers of the requests that tests make fail. */
export const API_KEYS = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const;

/** Starts an embedded cluster; it ends with `close`, or with the isolate that started it. */
export function startEmbeddedBroker(options: EmbeddedBrokerOptions = {}): EmbeddedBroker {
  const { brokers = 1, defaultPartitions = 4 } = options;
  const bootstrap = addon().mockNew(brokers, defaultPartitions);
  return new Embedded(bootstrap, defaultPartitions);
}

/** The embedded cluster of that address, from any Worker of the process that started it. */
export function embeddedBrokerAt(bootstrapServers: string): EmbeddedBroker {
  return new Embedded(bootstrapServers, 4);
}

class Embedded implements EmbeddedBroker {
  readonly bootstrapServers: string;
  readonly #defaultPartitions: number;

  constructor(bootstrapServers: string, defaultPartitions: number) {
    this.bootstrapServers = bootstrapServers;
    this.#defaultPartitions = defaultPartitions;
  }

  createTopic(
    topic: string,
    partitions: number = this.#defaultPartitions,
    config: Readonly<Record<string, string>> = {},
  ): void {
    addon().mockCreateTopic(this.bootstrapServers, topic, partitions, 1);
    addon().mockSetConfig(this.bootstrapServers, topic, JSON.stringify(config));
  }

  topicConfig(topic: string): Readonly<Record<string, string>> {
    return JSON.parse(addon().mockConfig(this.bootstrapServers, topic) ?? "{}");
  }

  deleteTopic(topic: string): void {
    addon().mockDeleteTopic(this.bootstrapServers, topic);
  }

  deleteRecords(topic: string, partition: number, before: number): void {
    addon().mockDeleteRecords(this.bootstrapServers, topic, partition, before);
  }

  setRoundTripDelay(ms: number): void {
    addon().mockSetRoundTrip(this.bootstrapServers, -1, ms);
  }

  failNext(apiKey: number, ...errorCodes: number[]): void {
    addon().mockFailNext(this.bootstrapServers, apiKey, errorCodes);
  }

  setBrokerUp(broker: number, up: boolean): void {
    addon().mockSetBroker(this.bootstrapServers, broker, up);
  }

  close(): void {
    addon().mockClose(this.bootstrapServers);
  }
}

/** The error of a call on the embedded cluster, or undefined when it went well. */
export function embeddedOutcome(call: () => void): KafkaError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof KafkaError) return error;
    throw error;
  }
}
