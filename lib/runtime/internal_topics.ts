import { isRetriable, type KafkaError, StreamsException } from "../errors.ts";
import type { Admin, NewTopic } from "../kafka/client.ts";
import type { PlanStore, TopologyPlan } from "../topology/compile.ts";
import { prepareDeclaredTopics } from "./declared_topics.ts";
import {
  refuseMissingSources,
  repartitionCounts,
  taskCount,
  type TopicCounts,
} from "./partition_counts.ts";
import { untilAnswered, type Waiting } from "./patience.ts";

/** How internal topics are made. */
export interface InternalTopicSettings {
  /** `replication.factor`; -1 takes the broker's default. */
  readonly replicationFactor: number;
  /** The `topic.` settings, over the engine's own. */
  readonly topicDefaults: Readonly<Record<string, string>>;
  /** `windowstore.changelog.additional.retention.ms` */
  readonly windowRetentionExtraMs: number;
  readonly requestTimeoutMs: number;
  /** How long a topic that is being deleted, or a broker that is away, is waited for. */
  readonly patienceMs: number;
}

/** What preparing needs. */
export interface InternalTopicTools extends Waiting {
  readonly admin: Admin;
}

const CREATE_RETRY_MS = 200;

/**
 * Makes an application's declared, repartition and changelog topics, or checks those that exist, and gives the partition counts of all topics. A
 * broker that does not answer is waited for without limit. Kafka Streams: `InternalTopicManager`, called at every start instead of by the
 * group's leader.
 * @throws {MissingSourceTopicException} when a source topic does not exist
 * @throws {TopologyException} when topics that are joined have different partition counts, or a declared topic is not as declared
 * @throws {StreamsException} when an internal topic exists with another partition count, or cannot be made
 */
export async function prepareTopics(
  plan: TopologyPlan,
  settings: InternalTopicSettings,
  tools: InternalTopicTools,
): Promise<TopicCounts> {
  const declared = await prepareDeclaredTopics(plan.declaredTopics, settings, tools);
  const existing = new Map([...await listUntilAnswered(settings, tools), ...declared]);
  refuseMissingSources(plan, existing);
  const repartition = repartitionCounts(plan, existing);
  await makeReady(
    [...repartition].map(([topic, partitions]) =>
      newTopic(topic, partitions, repartitionConfig(settings), settings)
    ),
    existing,
    settings,
    tools,
  );
  const counts = new Map([...existing, ...repartition]);
  const changelogs = changelogTopics(plan, counts, settings);
  await makeReady(changelogs, existing, settings, tools);
  for (const { topic, partitions } of changelogs) counts.set(topic, partitions);
  return counts;
}

/** The partition counts of all topics, now. */
export async function listTopicCounts(
  admin: Admin,
  timeoutMs: number,
): Promise<Map<string, number>> {
  const topics = await admin.listTopics(timeoutMs);
  return new Map(
    topics.filter((t) => t.partitions > 0).map(({ topic, partitions }) => [topic, partitions]),
  );
}

function listUntilAnswered(
  settings: InternalTopicSettings,
  tools: InternalTopicTools,
): Promise<Map<string, number>> {
  return untilAnswered(
    "The broker",
    tools,
    isRetriable,
    () => listTopicCounts(tools.admin, settings.requestTimeoutMs),
  );
}

/** The settings of a repartition topic: kept until the engine deletes what it has read. Kafka Streams: `RepartitionTopicConfig`. */
export function repartitionConfig(settings: InternalTopicSettings): Record<string, string> {
  return {
    "message.timestamp.type": "CreateTime",
    "cleanup.policy": "delete",
    "segment.bytes": "52428800",
    "retention.ms": "-1",
    ...settings.topicDefaults,
  };
}

/** The settings of a store's changelog. Kafka Streams: `WindowedChangelogTopicConfig` and its siblings. */
export function changelogConfig(
  store: PlanStore,
  settings: InternalTopicSettings,
): Record<string, string> {
  const { changelogPolicy: policy, logConfig } = store.builder;
  const config: Record<string, string> = {
    "message.timestamp.type": "CreateTime",
    "cleanup.policy": policy.cleanup,
    ...settings.topicDefaults,
    ...logConfig,
  };
  if (policy.retentionMs !== undefined && logConfig["retention.ms"] === undefined) {
    config["retention.ms"] = String(policy.retentionMs + settings.windowRetentionExtraMs);
  }
  if (
    policy.minCompactionLagMs !== undefined && logConfig["min.compaction.lag.ms"] === undefined
  ) {
    config["min.compaction.lag.ms"] = String(policy.minCompactionLagMs);
  }
  return config;
}

function changelogTopics(
  plan: TopologyPlan,
  counts: TopicCounts,
  settings: InternalTopicSettings,
): NewTopic[] {
  return plan.subtopologies.flatMap((subtopology) => {
    const partitions = taskCount(subtopology, counts);
    return subtopology.stores.flatMap((store) =>
      store.changelogTopic === undefined || store.changelogIsSource || partitions === 0
        ? []
        : [newTopic(store.changelogTopic, partitions, changelogConfig(store, settings), settings)]
    );
  });
}

function newTopic(
  topic: string,
  partitions: number,
  config: Record<string, string>,
  { replicationFactor }: InternalTopicSettings,
): NewTopic {
  return { topic, partitions, replicationFactor, config };
}

async function makeReady(
  wanted: readonly NewTopic[],
  existing: TopicCounts,
  settings: InternalTopicSettings,
  tools: InternalTopicTools,
): Promise<void> {
  const { admin, clock, log, stopped } = tools;
  let open = refuseWrongCounts(wanted, existing);
  const deadline = clock.now() + settings.patienceMs;
  while (open.length > 0) {
    const results = await admin.createTopics(open, settings.requestTimeoutMs);
    const failed = results.find((error) => error !== undefined && !mayWait(error));
    if (failed) {
      throw new StreamsException(
        `Could not create internal topic ${open[results.indexOf(failed)].topic}`,
        { cause: failed },
      );
    }
    log.info("Made internal topics", {
      topics: open.filter((_, i) => results[i] === undefined).map((t) => t.topic),
    });
    // Another instance may have made them; a fresh topic is also visible only after a moment.
    open = refuseWrongCounts(open, await describe(open, settings, tools));
    if (open.length === 0) return;
    if (stopped() || clock.now() > deadline) {
      throw new StreamsException(
        `Could not create internal topics within ${settings.patienceMs} milliseconds. This can happen if the Kafka cluster is ` +
          `temporarily not available or a topic is marked for deletion and the broker did not complete its deletion within the timeout: ` +
          `current value is [${open.map((t) => t.topic).join(", ")}]`,
      );
    }
    await clock.sleep(CREATE_RETRY_MS);
  }
}

async function describe(
  topics: readonly NewTopic[],
  settings: InternalTopicSettings,
  { admin }: InternalTopicTools,
): Promise<TopicCounts> {
  const described = await admin.describeTopics(
    topics.map((t) => t.topic),
    settings.requestTimeoutMs,
  );
  return new Map(
    described.filter((t) => t.partitions > 0).map(({ topic, partitions }) => [topic, partitions]),
  );
}

function mayWait(error: KafkaError): boolean {
  return error.codeName === "TOPIC_ALREADY_EXISTS" || isRetriable(error);
}

/** Those that do not exist yet. @throws {StreamsException} when one exists with another partition count */
function refuseWrongCounts(wanted: readonly NewTopic[], existing: TopicCounts): NewTopic[] {
  return wanted.filter(({ topic, partitions }) => {
    const actual = existing.get(topic);
    if (actual !== undefined && actual !== partitions) {
      throw new StreamsException(
        `Existing internal topic ${topic} has invalid partitions: expected: ${partitions}; actual: ${actual}. ` +
          "Use 'org.apache.kafka.tools.StreamsResetter' tool to clean up invalid topics before processing.",
      );
    }
    return actual === undefined;
  });
}
