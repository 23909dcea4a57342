import { counter, gauge } from "./definition.ts";
import type { MetricsRegistry, MetricsScope, Registration } from "./metrics.ts";
import type { Sampler } from "./sampler.ts";

/** Metrics of a task. Kafka Streams: `stream-task-metrics`. */
export const TASK = {
  processed: counter("kafka_stream_task_process_total", "Records processed by a task", "debug"),
  processRate: gauge(
    "kafka_stream_task_process_rate",
    "Records processed per second by a task",
    "sum",
    "debug",
  ),
  latencyAverage: gauge(
    "kafka_stream_task_process_latency_avg",
    "Average time of a record, in ns",
    "average",
    "debug",
  ),
  latencyMax: gauge(
    "kafka_stream_task_process_latency_max",
    "Longest time of a record, over the records of a pass, in ns",
    "max",
    "debug",
  ),
  latenessAverage: gauge(
    "kafka_stream_task_record_lateness_avg",
    "Average of how far records are behind stream time, in ms",
    "average",
    "debug",
  ),
  latenessMax: gauge(
    "kafka_stream_task_record_lateness_max",
    "How far the latest record was behind stream time, in ms",
    "max",
    "debug",
  ),
  punctuated: counter("kafka_stream_task_punctuate_total", "Punctuations of a task", "debug"),
  punctuateRate: gauge(
    "kafka_stream_task_punctuate_rate",
    "Punctuations per second of a task",
    "sum",
    "debug",
  ),
  dropped: counter("kafka_stream_task_dropped_records_total", "Records dropped"),
  droppedRate: gauge("kafka_stream_task_dropped_records_rate", "Records dropped per second", "sum"),
  droppedByReason: counter("kafka_streams_dropped_records_total", "Records dropped, by reason"),
  activeRatio: gauge(
    "kafka_stream_task_active_process_ratio",
    "Share of the thread's time that goes into this task",
    "last",
  ),
  bufferedRecords: gauge(
    "kafka_stream_task_active_buffer_count",
    "Records buffered for a task",
    "sum",
    "debug",
  ),
  bufferedBytes: gauge(
    "kafka_stream_task_input_buffer_bytes_total",
    "Bytes of the records buffered for a task",
    "sum",
    "debug",
  ),
  cacheBytes: gauge(
    "kafka_stream_task_cache_size_bytes_total",
    "Bytes in a task's record caches",
    "sum",
    "debug",
  ),
  restored: counter("kafka_stream_task_restore_total", "Records restored by a task", "debug"),
  restoreRate: gauge(
    "kafka_stream_task_restore_rate",
    "Records restored per second by a task",
    "sum",
    "debug",
  ),
  restoreRemaining: gauge(
    "kafka_stream_task_restore_remaining_records_total",
    "Records that a task has still to restore",
    "sum",
  ),
} as const;

/** Metrics of a processor node. Kafka Streams: `stream-processor-node-metrics`. */
export const NODE = {
  processed: counter(
    "kafka_stream_processor_node_process_total",
    "Records processed by a node",
    "debug",
  ),
  processRate: gauge(
    "kafka_stream_processor_node_process_rate",
    "Records processed per second by a node",
    "sum",
    "debug",
  ),
  endToEndAverage: gauge(
    "kafka_stream_processor_node_record_e2e_latency_avg",
    "Average time from a record's timestamp to this node, in ms",
    "average",
  ),
  endToEndMax: gauge(
    "kafka_stream_processor_node_record_e2e_latency_max",
    "Longest time from a record's timestamp to this node, in ms",
    "max",
  ),
  endToEndMin: gauge(
    "kafka_stream_processor_node_record_e2e_latency_min",
    "Shortest time from a record's timestamp to this node, in ms",
    "min",
  ),
} as const;

/** Metrics of a topic at a source or sink. Kafka Streams: `stream-topic-metrics`. */
export const TOPIC = {
  recordsConsumed: counter(
    "kafka_stream_topic_records_consumed_total",
    "Records consumed from a topic",
  ),
  bytesConsumed: counter(
    "kafka_stream_topic_bytes_consumed_total",
    "Bytes of keys and values consumed from a topic",
  ),
  recordsProduced: counter(
    "kafka_stream_topic_records_produced_total",
    "Records produced to a topic",
  ),
  bytesProduced: counter(
    "kafka_stream_topic_bytes_produced_total",
    "Bytes of keys and values produced to a topic",
  ),
} as const;

/** What a task is called in its metrics. */
export interface TaskIdentity {
  readonly threadId: string;
  readonly taskId: string;
}

/** The metrics of a task; it sets the fields and records into the rest. */
export class TaskMetrics implements Registration {
  processed = 0;
  /** Time spent on this task; its share of `loopMs` of the thread is shown. */
  timeMs = 0;
  punctuated = 0;
  bufferedRecords = 0;
  bufferedBytes = 0;
  cacheBytes = 0;
  restored = 0;
  restoreRemaining = 0;
  dropped = 0;
  readonly #byReason = new Map<string, { count: number }>();
  readonly #latency: Sampler;
  /** How far a record is behind stream time, in ms. Recorded only when `registry.records("debug")`. */
  readonly lateness: Sampler;
  readonly #scope: MetricsScope;

  constructor(
    registry: MetricsRegistry,
    identity: TaskIdentity,
    thread: { readonly loopMs: number },
  ) {
    const scope = registry.scope({ thread_id: identity.threadId, task_id: identity.taskId });
    this.#scope = scope;
    this.#latency = scope.sampler({ average: TASK.latencyAverage, max: TASK.latencyMax });
    this.lateness = scope.sampler({ average: TASK.latenessAverage, max: TASK.latenessMax });
    scope.observe(TASK.processed, () => this.processed);
    scope.rate(TASK.processRate, () => this.processed);
    scope.observe(TASK.punctuated, () => this.punctuated);
    scope.rate(TASK.punctuateRate, () => this.punctuated);
    scope.observe(TASK.dropped, () => this.dropped);
    scope.rate(TASK.droppedRate, () => this.dropped);
    scope.share(TASK.activeRatio, () => this.timeMs, () => thread.loopMs);
    scope.observe(TASK.bufferedRecords, () => this.bufferedRecords);
    scope.observe(TASK.bufferedBytes, () => this.bufferedBytes);
    scope.observe(TASK.cacheBytes, () => this.cacheBytes);
    scope.observe(TASK.restored, () => this.restored);
    scope.rate(TASK.restoreRate, () => this.restored);
    scope.observe(TASK.restoreRemaining, () => this.restoreRemaining);
  }

  /** `count` records took `elapsedMs`, which ended at `nowMs`. */
  recordProcessed(elapsedMs: number, nowMs: number, count: number): void {
    if (count === 0) return;
    this.processed += count;
    this.timeMs += elapsedMs;
    this.#latency.record(elapsedMs * 1e6 / count, nowMs);
  }

  /** A record was dropped; the reason becomes a label. */
  recordDropped(reason: string): void {
    this.dropped++;
    let entry = this.#byReason.get(reason);
    if (entry === undefined) {
      const made = { count: 0 };
      entry = made;
      this.#byReason.set(reason, made);
      this.#scope.observe(TASK.droppedByReason, () => made.count, { reason });
    }
    entry.count++;
  }

  remove(): void {
    this.#scope.remove();
  }
}

/** The metrics of a processor node; those of sources and sinks know the time, too. */
export class NodeMetrics implements Registration {
  processed = 0;
  /** Time from a record's timestamp to this node, in ms; at source and terminal nodes. */
  readonly endToEnd: Sampler;
  readonly #scope: MetricsScope;

  constructor(registry: MetricsRegistry, identity: TaskIdentity, nodeName: string) {
    const scope = registry.scope({
      thread_id: identity.threadId,
      task_id: identity.taskId,
      processor_node_id: nodeName,
    });
    this.#scope = scope;
    scope.observe(NODE.processed, () => this.processed);
    scope.rate(NODE.processRate, () => this.processed);
    this.endToEnd = scope.sampler({
      average: NODE.endToEndAverage,
      max: NODE.endToEndMax,
      min: NODE.endToEndMin,
    });
  }

  remove(): void {
    this.#scope.remove();
  }
}

/** The metrics of a topic at one source or sink node of a task. */
export class TopicMetrics implements Registration {
  recordsConsumed = 0;
  bytesConsumed = 0;
  recordsProduced = 0;
  bytesProduced = 0;
  /** Of the records produced since the last `noteEndToEnd`. */
  pending = 0;
  timestampSum = 0;
  oldest = Number.POSITIVE_INFINITY;
  newest = Number.NEGATIVE_INFINITY;
  readonly #scope: MetricsScope;

  constructor(
    registry: MetricsRegistry,
    identity: TaskIdentity,
    at: { readonly nodeName: string; readonly topic: string; readonly role: "source" | "sink" },
  ) {
    const scope = registry.scope({
      thread_id: identity.threadId,
      task_id: identity.taskId,
      processor_node_id: at.nodeName,
      topic: at.topic,
    });
    this.#scope = scope;
    if (at.role === "source") {
      scope.observe(TOPIC.recordsConsumed, () => this.recordsConsumed);
      scope.observe(TOPIC.bytesConsumed, () => this.bytesConsumed);
    } else {
      scope.observe(TOPIC.recordsProduced, () => this.recordsProduced);
      scope.observe(TOPIC.bytesProduced, () => this.bytesProduced);
    }
  }

  /** Records the time from the timestamps of what was produced to this instant. */
  noteEndToEnd(endToEnd: Sampler, nowMs: number): void {
    const { pending, timestampSum, oldest, newest } = this;
    if (pending === 0) return;
    const max = Math.max(0, nowMs - oldest);
    const min = Math.max(0, nowMs - newest);
    endToEnd.recordAll(Math.max(0, pending * nowMs - timestampSum), pending, { max, min }, nowMs);
    this.pending = 0;
    this.timestampSum = 0;
    this.oldest = Number.POSITIVE_INFINITY;
    this.newest = Number.NEGATIVE_INFINITY;
  }

  remove(): void {
    this.#scope.remove();
  }
}
