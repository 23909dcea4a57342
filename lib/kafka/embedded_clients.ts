import { KafkaError } from "../errors.ts";
import { systemClock } from "../record/time.ts";
import type {
  Admin,
  ClientConfig,
  ClientEvents,
  Consumer,
  GroupDescription,
  KafkaClients,
  NewTopic,
  PartitionOffset,
  Producer,
  TopicDescription,
  TopicPartition,
} from "./client.ts";
import { type EmbeddedBroker, embeddedBrokerAt, embeddedOutcome } from "./embedded_broker.ts";
import { librdkafkaClients } from "./librdkafka.ts";

const CONSUMER_DEFAULTS: ClientConfig = { "fetch.max.wait.ms": 100 };

/** Loopback answers at once: groups notice changes sooner than the defaults, which are made for networks, let them. */
const MEMBER_DEFAULTS: ClientConfig = {
  "heartbeat.interval.ms": 200,
  "session.timeout.ms": 10_000,
};

/** With the protocol of KIP-848 the cluster sets the intervals, and a client must not. */
function consumerDefaults(config: ClientConfig): ClientConfig {
  const brokerDecides = config["group.protocol"] === "consumer";
  return brokerDecides ? CONSUMER_DEFAULTS : { ...CONSUMER_DEFAULTS, ...MEMBER_DEFAULTS };
}

/**
 * Clients of an embedded cluster. Consumers and producers are the real ones; the admin client does by direct calls
 * what the embedded brokers have no request for.
 *
 * @param broker the cluster, or its bootstrap address when another Worker of this process started it.
 */
export function embeddedClients(broker: EmbeddedBroker | string): KafkaClients {
  const cluster = typeof broker === "string" ? embeddedBrokerAt(broker) : broker;
  const at = (config: ClientConfig): ClientConfig => ({
    ...config,
    "bootstrap.servers": cluster.bootstrapServers,
  });
  return {
    consumer: (config: ClientConfig, events?: ClientEvents): Consumer =>
      librdkafkaClients.consumer({ ...consumerDefaults(config), ...at(config) }, events),
    producer: (config: ClientConfig, events?: ClientEvents): Producer =>
      librdkafkaClients.producer(at(config), events),
    admin: (config: ClientConfig, events?: ClientEvents): Admin =>
      new EmbeddedAdmin(cluster, librdkafkaClients.admin(at(config), events), at(config)),
  };
}

/** The admin client of an embedded cluster. */
class EmbeddedAdmin implements Admin {
  readonly #broker: EmbeddedBroker;
  readonly #real: Admin;
  readonly #config: ClientConfig;

  constructor(broker: EmbeddedBroker, real: Admin, config: ClientConfig) {
    this.#broker = broker;
    this.#real = real;
    this.#config = config;
  }

  async createTopics(
    topics: readonly NewTopic[],
    timeoutMs: number,
  ): Promise<(KafkaError | undefined)[]> {
    const existing = new Set((await this.listTopics(timeoutMs)).map((each) => each.topic));
    return topics.map(({ topic, partitions, config }) => {
      if (existing.has(topic)) return alreadyExists(topic);
      existing.add(topic);
      return embeddedOutcome(() =>
        this.#broker.createTopic(topic, partitions > 0 ? partitions : undefined, config)
      );
    });
  }

  async deleteTopics(
    topics: readonly string[],
    _timeoutMs: number,
  ): Promise<(KafkaError | undefined)[]> {
    return topics.map((topic) => embeddedOutcome(() => this.#broker.deleteTopic(topic)));
  }

  async describeTopics(topics: readonly string[], timeoutMs: number): Promise<TopicDescription[]> {
    return (await this.#real.describeTopics(topics, timeoutMs)).map(unreplicated);
  }

  async listTopics(timeoutMs: number): Promise<TopicDescription[]> {
    return (await this.#real.listTopics(timeoutMs)).map(unreplicated);
  }

  /** The configuration that the topic was made with, over what a new topic of Kafka has. */
  async topicConfig(topic: string, timeoutMs: number): Promise<Record<string, string>> {
    const [found] = await this.describeTopics([topic], timeoutMs);
    if (found.partitions === 0) throw unknownTopic(topic);
    return { ...TOPIC_DEFAULTS, ...this.#broker.topicConfig(topic) };
  }

  async deleteRecords(before: readonly PartitionOffset[], timeoutMs: number): Promise<void> {
    const ends = before.filter((each) => each.offset < 0);
    const highs = await this.listOffsets(ends, "latest", timeoutMs);
    const high = new Map(highs.map((each) => [`${each.topic}/${each.partition}`, each.offset]));
    for (const { topic, partition, offset } of before) {
      const to = offset < 0 ? high.get(`${topic}/${partition}`)! : offset;
      this.#broker.deleteRecords(topic, partition, to);
    }
  }

  listOffsets(
    partitions: readonly TopicPartition[],
    which: "earliest" | "latest",
    timeoutMs: number,
    isolation?: "readCommitted" | "readUncommitted",
  ): Promise<PartitionOffset[]> {
    return this.#real.listOffsets(partitions, which, timeoutMs, isolation);
  }

  listGroups(timeoutMs: number): Promise<string[]> {
    return this.#real.listGroups(timeoutMs);
  }

  describeGroups(groups: readonly string[], timeoutMs: number): Promise<GroupDescription[]> {
    return this.#real.describeGroups(groups, timeoutMs);
  }

  deleteGroups(groups: readonly string[], timeoutMs: number): Promise<(KafkaError | undefined)[]> {
    return this.#real.deleteGroups(groups, timeoutMs);
  }

  /** Asks for every partition of every topic: the embedded brokers have no request for all of a group's offsets. */
  async groupOffsets(group: string, timeoutMs: number): Promise<PartitionOffset[]> {
    const topics = await this.listTopics(timeoutMs);
    const all = topics.flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    );
    if (all.length === 0) return [];
    const consumer = this.#member(group);
    try {
      const found = await consumer.committed(all, timeoutMs);
      return found.filter((each) => each.offset >= 0);
    } finally {
      await consumer.close();
    }
  }

  /** Commits as a client outside the group, which is allowed while the group has no members. */
  async alterGroupOffsets(
    group: string,
    offsets: readonly PartitionOffset[],
    timeoutMs: number,
  ): Promise<void> {
    const consumer = this.#member(group);
    try {
      const deadline = systemClock.monotonic() + timeoutMs;
      for (;;) {
        try {
          return await consumer.commit(offsets);
        } catch (error) {
          const again = error instanceof KafkaError && error.retriable;
          if (!again || systemClock.monotonic() > deadline) throw error;
          await systemClock.sleep(20);
        }
      }
    } finally {
      await consumer.close();
    }
  }

  #member(group: string): Consumer {
    return librdkafkaClients.consumer({ ...this.#config, "group.id": group });
  }

  close(): Promise<void> {
    return this.#real.close();
  }
}

const TOPIC_DEFAULTS: Readonly<Record<string, string>> = {
  "cleanup.policy": "delete",
  "retention.ms": "604800000",
  "retention.bytes": "-1",
  "compression.type": "producer",
  "max.message.bytes": "1048588",
  "message.timestamp.type": "CreateTime",
  "min.insync.replicas": "1",
  "segment.bytes": "1073741824",
};

function alreadyExists(topic: string): KafkaError {
  return new KafkaError(
    `Cannot create topics as Kafka refuses: current value is TOPIC_ALREADY_EXISTS (${topic})`,
    { code: 36, codeName: "TOPIC_ALREADY_EXISTS" },
  );
}

function unknownTopic(topic: string): KafkaError {
  return new KafkaError(
    `Cannot describe a topic's configuration as Kafka refuses: current value is UNKNOWN_TOPIC_OR_PART (${topic})`,
    { code: 3, codeName: "UNKNOWN_TOPIC_OR_PART" },
  );
}

/** Nothing is replicated there, so nothing is said of it. */
function unreplicated({ topic, partitions }: TopicDescription): TopicDescription {
  return { topic, partitions };
}
