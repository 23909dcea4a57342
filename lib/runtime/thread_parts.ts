import {
  type Admin,
  type ClientConfig,
  type ClientEvents,
  type Consumer,
  type KafkaClients,
  PRODUCER_QUEUE_MESSAGES,
} from "../kafka/client.ts";
import type { SerdeEnvironment } from "../serde/serde.ts";
import { ClientStatistics } from "../telemetry/librdkafka_metrics.ts";
import type { MetricsRegistry } from "../telemetry/metrics.ts";
import { openTracing, registeredUnseen, type Tracing } from "../telemetry/tracing.ts";
import { parseTaskId } from "../record/task_id.ts";
import { sourceIndexFor, type TopologyPlan } from "../topology/compile.ts";
import { batchLimit } from "./batch_limits.ts";
import { Committer } from "./committer.ts";
import { InputFeed } from "./input_feed.ts";
import { listTopicCounts } from "./internal_topics.ts";
import type { TopicCounts } from "./partition_counts.ts";
import { withPatience } from "./patience.ts";
import { ProducerCollector, type ProducerCollectorOptions } from "./producer_collector.ts";
import { RepartitionPurge } from "./repartition_purge.ts";
import { childLog, type RuntimeLog, type SetLogLevel } from "./runtime_log.ts";
import { findResetOffsets, findStartOffsets, type StartOffsetTools } from "./start_offsets.ts";
import type { ThreadState } from "./states.ts";
import { type RestoreListener, StoreRestorer } from "./store_restorer.ts";
import { StreamsProducer } from "./streams_producer.ts";
import { createTask, type TaskSurroundings } from "./task_factory.ts";
import { TaskRegistry } from "./task_registry.ts";
import { ProcessingRound } from "./thread_loop.ts";
import { ThreadOutput } from "./thread_output.ts";
import type { ThreadSettings } from "./thread_settings.ts";
import { ThreadTasks } from "./thread_tasks.ts";
import type { UncaughtExceptionResponse } from "./uncaught_exception.ts";
import { ThreadTelemetry } from "./thread_telemetry.ts";
import { TracedCollector } from "./traced_collector.ts";

/** What a thread is made of. */
export interface StreamThreadOptions {
  /** `<client id>-StreamThread-<n>` */
  readonly name: string;
  readonly plan: TopologyPlan;
  readonly settings: ThreadSettings;
  readonly clients: KafkaClients;
  readonly surroundings: TaskSurroundings;
  readonly serdes: SerdeEnvironment;
  readonly metrics: MetricsRegistry;
  readonly log: RuntimeLog;
  /** Changes a level of this isolate's log. */
  readonly setLogLevel?: SetLogLevel | undefined;
  readonly restoreListener: RestoreListener;
  readonly onState: (next: ThreadState, previous: ThreadState) => void;
  /** Asked what follows from a failure, before the thread leaves its group. */
  readonly onFailure: (failure: Error) => Promise<UncaughtExceptionResponse>;
}

/** What the loop decides about commits. */
export interface CommitChoices {
  commitDue(now: number): boolean;
  commit(): Promise<number>;
}

/** The parts of a running thread: its clients, and what works with them. */
export class ThreadParts {
  readonly admin: Admin;
  readonly consumer: Consumer;
  readonly restoreConsumer: Consumer;
  readonly feed: InputFeed;
  readonly output: ThreadOutput;
  readonly restorer: StoreRestorer;
  readonly registry: TaskRegistry = new TaskRegistry();
  readonly tasks: ThreadTasks;
  readonly round: ProcessingRound;
  readonly purge: RepartitionPurge;
  readonly telemetry: ThreadTelemetry;
  /** Absent without an SDK. */
  readonly tracing: Tracing | undefined;
  /** The partition counts of all topics, as far as they were asked for. */
  topicCounts: TopicCounts = new Map();
  readonly #options: StreamThreadOptions;
  /** `batch.size` where topics do not take batches of the configured one. */
  #batchBytes: number | undefined;
  readonly #statistics = new Map<string, ClientStatistics>();

  constructor(options: StreamThreadOptions, choices: CommitChoices) {
    const { clients, settings, plan, log } = options;
    const { requestTimeoutMs, patienceMs } = settings;
    const { clock, states } = options.surroundings;
    this.#options = options;
    this.telemetry = new ThreadTelemetry(
      options.metrics,
      {
        threadName: options.name,
        consumerId: String(settings.consumerConfig["client.id"]),
      },
      clock,
      (id) => states.taskBytes(id),
    );
    this.tracing = openThreadTracing(options);
    this.admin = clients.admin(settings.adminConfig, this.#events("admin"));
    this.consumer = clients.consumer(
      settings.consumerConfig,
      this.#events("consumer", settings.consumerConfig),
    );
    this.restoreConsumer = clients.consumer(settings.restoreConfig, this.#events("restore"));
    this.feed = new InputFeed(this.consumer, settings, (taskId, topic) => {
      const { subtopology } = parseTaskId(taskId);
      const owner = plan.subtopologies.find(({ id }) => id === subtopology);
      const node = owner === undefined ? "" : owner.nodes[sourceIndexFor(owner, topic)].node.name;
      return this.telemetry.topicCounts(taskId, node, topic, "source");
    });
    this.output = new ThreadOutput(() => this.#openOutput());
    this.restorer = new StoreRestorer({
      consumer: this.restoreConsumer,
      admin: this.admin,
      log,
      clock,
      patienceMs,
      requestTimeoutMs,
      listener: this.#restoreListener(),
    });
    this.tasks = this.#openTasks();
    this.round = new ProcessingRound({
      registry: this.registry,
      clock: options.surroundings.clock,
      backlog: () => this.output.collector.backlog,
      drain: () => this.output.collector.drain(),
      commitDue: choices.commitDue,
      commit: choices.commit,
    }, this.telemetry);
    this.purge = new RepartitionPurge(plan, { admin: this.admin, log, requestTimeoutMs });
  }

  /** @param counted the settings of a client whose statistics are shown */
  #events(
    client: "admin" | "consumer" | "restore" | "producer",
    counted?: ClientConfig,
  ): ClientEvents {
    const { metrics } = this.#options;
    const log = childLog(this.#options.log, {}, "librdkafka");
    let statistics: ClientStatistics | undefined;
    if ((client === "consumer" || client === "producer") && counted !== undefined) {
      // A producer that takes the place of a fenced one goes on under its name.
      this.#statistics.get(client)?.remove();
      statistics = new ClientStatistics(metrics, client, String(counted["client.id"]));
      this.#statistics.set(client, statistics);
    }
    return {
      ...(statistics ? { stats: (latest) => statistics?.update(latest) } : {}),
      log: (level, facility, message) => {
        const text = `${client} ${facility}: ${message}`;
        if (level <= 3) log.error(text);
        else if (level === 4) log.warn(text);
        else log.debug(text);
      },
    };
  }

  #openOutput() {
    const { clients, surroundings, settings, log } = this.#options;
    const { clock } = surroundings;
    const config = this.#batchBytes === undefined
      ? settings.producerConfig
      : { ...settings.producerConfig, "batch.size": this.#batchBytes };
    const producer = new StreamsProducer(settings, {
      producer: clients.producer(config, this.#events("producer", config)),
      clock,
      log,
    });
    const collector = openCollector({
      producer,
      handlers: surroundings.settings.handlers,
      partitionCount: (topic) => this.topicCounts.get(topic),
      requestTimeoutMs: settings.requestTimeoutMs,
      queueMessages: Number(config["queue.buffering.max.messages"] ?? PRODUCER_QUEUE_MESSAGES),
      log,
      onDropped: (taskId) => this.telemetry.dropped(taskId, "production"),
      sentCounts: (taskId, nodeName, topic) =>
        this.telemetry.topicCounts(taskId, nodeName, topic, "sink"),
    }, this.tracing);
    const { consumer, feed } = this;
    const committer = new Committer(
      { producer, collector, consumer, feed, clock, log, tracing: this.tracing },
      this.telemetry.thread,
    );
    return { producer, collector, committer };
  }

  /** Makes batches small enough for all topics, if they are not. Before the first record. */
  async fitBatches(): Promise<void> {
    const { settings, plan, log, surroundings } = this.#options;
    const { deadLetterTopic } = surroundings.settings.handlers;
    const { requestTimeoutMs, producerConfig } = settings;
    const tools = { admin: this.admin, log, requestTimeoutMs };
    const limit = await batchLimit(plan, deadLetterTopic, producerConfig["batch.size"], tools);
    if (limit === undefined) return;
    log.info(`Batches have at most ${limit} bytes, so that every topic takes them`);
    this.#batchBytes = limit;
    await this.output.renew();
  }

  #openTasks(): ThreadTasks {
    const { plan, log, surroundings } = this.#options;
    const { consumer, feed, restorer, registry, output, telemetry } = this;
    return new ThreadTasks({
      plan,
      consumer,
      feed,
      restorer,
      registry,
      output,
      log,
      counts: async (refresh) =>
        refresh
          ? await withPatience(
            "list the topics",
            this.#startOffsetTools(),
            () => this.countTopics(true),
          )
          : this.topicCounts,
      startOffsets: async (partitions) => {
        const found = await findStartOffsets(plan, partitions, this.#startOffsetTools());
        telemetry.noteCommitted(found);
        return found;
      },
      resetOffsets: (partitions) => findResetOffsets(plan, partitions, this.#startOffsetTools()),
      create: (assignment) => {
        const task = createTask(assignment, output.collector, feed, {
          ...surroundings,
          tracing: this.tracing,
          onDropped: (reason, task, detail) => {
            telemetry.dropped(task.taskId, reason);
            surroundings.onDropped(reason, task, detail);
          },
          storeMeter: (taskId, store, persistent) =>
            telemetry.storeMeter(taskId, store, persistent),
        });
        telemetry.taskCreated(task);
        return task;
      },
      closed: (task) => {
        telemetry.taskClosed(task);
        output.collector.forgetTask(task.taskId);
      },
    }, surroundings.clock.now());
  }

  /** Takes the thread's series out of the metrics: it has ended. */
  forgetMetrics(): void {
    this.telemetry.remove();
    for (const statistics of this.#statistics.values()) statistics.remove();
  }

  /** The partition counts of all topics; `refresh` asks the cluster. */
  async countTopics(refresh: boolean): Promise<TopicCounts> {
    if (refresh) {
      const { requestTimeoutMs } = this.#options.settings;
      this.topicCounts = await listTopicCounts(this.admin, requestTimeoutMs);
    }
    return this.topicCounts;
  }

  #startOffsetTools(): StartOffsetTools {
    const { settings, log, surroundings } = this.#options;
    const { requestTimeoutMs, patienceMs, offsetReset } = settings;
    return {
      consumer: this.consumer,
      clock: surroundings.clock,
      log,
      requestTimeoutMs,
      patienceMs,
      defaultReset: offsetReset,
    };
  }

  #restoreListener(): RestoreListener {
    const { restoreListener: own } = this.#options;
    const { thread } = this.telemetry;
    return {
      ...own,
      onBatchRestored: (changelog, next, rows) => {
        thread.restored += rows;
        own.onBatchRestored?.(changelog, next, rows);
      },
    };
  }
}

function openCollector(
  options: ProducerCollectorOptions,
  tracing: Tracing | undefined,
): ProducerCollector {
  return tracing === undefined
    ? new ProducerCollector(options)
    : new TracedCollector(options, tracing);
}

function openThreadTracing({ name, settings, log }: StreamThreadOptions): Tracing | undefined {
  if (registeredUnseen()) {
    log.warn(
      "No traces: an OpenTelemetry SDK is registered, but with an older @opentelemetry/api than the one here",
    );
  }
  const clientId = String(settings.consumerConfig["client.id"]);
  return openTracing({ ...settings.tracing, clientId, threadId: name });
}
