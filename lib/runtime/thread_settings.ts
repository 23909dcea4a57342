import type { StreamsConfig } from "../config.ts";
import type { ClientConfig } from "../kafka/client.ts";
import type { Clock } from "../record/time.ts";
import { MetricsRegistry } from "../telemetry/metrics.ts";
import type { AutoOffsetReset } from "../topology/processor.ts";
import type { InputFeedSettings } from "./input_feed.ts";
import type { InternalTopicSettings } from "./internal_topics.ts";
import type { StreamsProducerSettings } from "./streams_producer.ts";

/** The part of the configuration that a thread uses. */
export interface ThreadSettings extends InputFeedSettings, StreamsProducerSettings {
  readonly consumerConfig: ClientConfig;
  readonly restoreConfig: ClientConfig;
  readonly globalConfig: ClientConfig;
  readonly producerConfig: ClientConfig;
  readonly adminConfig: ClientConfig;
  readonly internalTopics: InternalTopicSettings;
  readonly commitIntervalMs: number;
  readonly pollMs: number;
  readonly purgeIntervalMs: number;
  /** `statestore.uncommitted.max.bytes`: reaching it commits early. */
  readonly uncommittedMaxBytes: number;
  readonly offsetReset: AutoOffsetReset;
  /** `log.summary.interval.ms`; 0: none. */
  readonly summaryMs: number;
  readonly tracing: TracingSettings;
  /** `metadata.max.age.ms`: how often it is looked which topics a pattern matches. */
  readonly patternRefreshMs: number;
}

/** How records are traced, when an SDK is registered. */
export interface TracingSettings {
  readonly applicationId: string;
  readonly relationship: "parent" | "link";
  /** `tracing.ratio` */
  readonly ratio: number;
}

/** Who a thread is. */
export interface ThreadIdentity {
  /** `<client id>-StreamThread-<n>` */
  readonly name: string;
  /** From 1. */
  readonly index: number;
  /** The id of the state directory: stable over restarts. */
  readonly processId: string;
  /** Whether the state directory outlives the process; then the member is static unless the configuration says otherwise. */
  readonly stable: boolean;
}

/** How often the clients tell their statistics (ms). */
const STATISTICS_MS = 10_000;

/** Settings of a thread and its clients. Kafka Streams: `StreamsConfig.getMainConsumerConfigs` and its siblings. */
export function threadSettings(config: StreamsConfig, identity: ThreadIdentity): ThreadSettings {
  const { exactlyOnce } = config;
  const requestTimeoutMs = 30_000;
  const consumer = config.clientConfig("main.consumer");
  return {
    exactlyOnce,
    requestTimeoutMs,
    patienceMs: config.taskTimeoutMs,
    maxPollRecords: config.maxPollRecords,
    bufferLimit: config.bufferedRecordsPerPartition,
    commitIntervalMs: config.commitIntervalMs,
    pollMs: config.pollMs,
    purgeIntervalMs: config.repartitionPurgeIntervalMs,
    uncommittedMaxBytes: config.statestoreUncommittedMaxBytes < 0
      ? Number.POSITIVE_INFINITY
      : config.statestoreUncommittedMaxBytes / config.numStreamThreads,
    offsetReset: offsetReset(consumer["auto.offset.reset"]),
    summaryMs: config.logSummaryIntervalMs,
    tracing: {
      applicationId: config.applicationId!,
      relationship: config.tracingRelationship,
      ratio: config.tracingRatio,
    },
    patternRefreshMs: Number(consumer["metadata.max.age.ms"] ?? 300_000),
    consumerConfig: {
      "statistics.interval.ms": STATISTICS_MS,
      ...prefetch(consumer),
      ...consumer,
      ...instanceId(config, identity),
      // Each source has a policy of its own: the thread looks it up.
      "auto.offset.reset": "none",
      "client.id": `${identity.name}-consumer`,
    },
    restoreConfig: {
      ...AHEAD,
      ...config.clientConfig("restore.consumer"),
      "client.id": `${identity.name}-restore-consumer`,
    },
    globalConfig: {
      ...AHEAD,
      ...config.clientConfig("global.consumer"),
      "client.id": `${identity.name}-global-consumer`,
    },
    producerConfig: {
      "statistics.interval.ms": STATISTICS_MS,
      ...config.clientConfig("producer"),
      ...(exactlyOnce ? { "transactional.id": transactionalId(config, identity) } : {}),
      "client.id": `${identity.name}-producer`,
    },
    adminConfig: { ...config.clientConfig("admin"), "client.id": `${identity.name}-admin` },
    internalTopics: {
      replicationFactor: config.replicationFactor,
      topicDefaults: config.topicConfig,
      windowRetentionExtraMs: config.windowstoreChangelogAdditionalRetentionMs,
      requestTimeoutMs,
      patienceMs: config.taskTimeoutMs,
    },
  };
}

/** Stable, so that after a crash the next start fences the old producer and aborts its transaction at once. Kafka Streams: `ActiveTaskCreator`. */
function transactionalId(config: StreamsConfig, { processId, index }: ThreadIdentity): string {
  return `${config.applicationId}-${processId}-${index}`;
}

/**
 * Each thread is a member of its own. A stable one takes its partitions back after a restart without a rebalance. Not so under KIP-848, where nobody may
 * take the place of a member that died before its session has expired: a static one would be refused, and fail, for as long.
 */
function instanceId(
  config: StreamsConfig,
  { processId, index, stable }: ThreadIdentity,
): ClientConfig {
  const given = config.groupInstanceId;
  if (given !== undefined) return { "group.instance.id": `${given}-${index}` };
  const mayReturn = config.values["group.protocol"] !== "consumer";
  return stable && mayReturn ? { "group.instance.id": `${processId}-${index}` } : {};
}

/**
 * How much is fetched ahead for each partition. librdkafka keeps some 400 bytes beside each message: its own defaults (100,000 messages, 64 MiB, 1 MiB a
 * fetch) take hundreds of megabytes of small records with a dozen partitions. Where nothing is done but reading they read half as much again in a second; where
 * records are processed they gain nothing.
 */
const AHEAD: ClientConfig = { "queued.min.messages": 10_000, "queued.max.messages.kbytes": 4_096 };

function prefetch(given: ClientConfig): ClientConfig {
  const own: Record<string, number | string | boolean> = {
    ...AHEAD,
    "queued.min.messages": 2_000,
  };
  const sized = given["max.partition.fetch.bytes"] ?? given["fetch.message.max.bytes"];
  if (sized === undefined) own["fetch.message.max.bytes"] = 262_144;
  return own;
}

function offsetReset(given: unknown): AutoOffsetReset {
  switch (String(given)) {
    case "latest":
    case "largest":
    case "end":
      return "latest";
    case "none":
    case "error":
      return "none";
    default:
      return "earliest";
  }
}

/** The metrics of an isolate, as the configuration wants them. */
export function metricsRegistry(config: StreamsConfig, clock: Clock): MetricsRegistry {
  return new MetricsRegistry({
    level: config.metricsRecordingLevel,
    windows: { windowMs: config.metricsSampleWindowMs, samples: config.metricsNumSamples },
    clock,
  });
}

/** The settings of what follows the global topics. Kafka Streams: `GlobalStreamThread`. */
export function globalThreadSettings(
  config: StreamsConfig,
  clientId: string,
  processId: string,
): ThreadSettings {
  const name = `${clientId}-GlobalStreamThread`;
  return threadSettings(config, { name, index: 0, processId, stable: false });
}
