import { counter, gauge, histogram, type MetricDefinition, SECONDS_BOUNDS } from "./definition.ts";
import type { MetricsRegistry, MetricsScope, Registration } from "./metrics.ts";
import type { Histogram, Sampler } from "./sampler.ts";

interface OperationDefinitions {
  readonly total: MetricDefinition;
  readonly rate: MetricDefinition;
  readonly latencyAverage: MetricDefinition;
  readonly latencyMax: MetricDefinition;
  readonly ratio: MetricDefinition;
}

function operation(name: string, done: string, what: string): OperationDefinitions {
  const start = `kafka_stream_thread_${name}`;
  return {
    total: counter(`${start}_total`, done),
    rate: gauge(`${start}_rate`, `${done} per second`, "sum"),
    latencyAverage: gauge(`${start}_latency_avg`, `Average time of ${what}, in ms`, "average"),
    latencyMax: gauge(`${start}_latency_max`, `Longest time of ${what}, in ms`, "max"),
    ratio: gauge(`${start}_ratio`, `Share of the thread's time that goes into it`, "average"),
  };
}

/** What a thread does over and over. Kafka Streams: `stream-thread-metrics`. */
export const THREAD_OPERATIONS = {
  commit: operation("commit", "Commits", "a commit"),
  poll: operation("poll", "Polls", "a poll"),
  process: operation("process", "Records processed", "a record, over the records of a pass"),
  punctuate: operation("punctuate", "Punctuations", "a punctuation"),
} as const;

/** Metrics of a thread. */
export const THREAD = {
  state: gauge(
    "kafka_stream_thread_state",
    "State of the thread: 0 CREATED 1 STARTING 2 PARTITIONS_REVOKED 3 PARTITIONS_ASSIGNED 4 RUNNING 5 PENDING_SHUTDOWN 6 DEAD",
    "last",
  ),
  startTime: gauge(
    "kafka_stream_thread_start_time",
    "When the thread started, in epoch ms",
    "last",
  ),
  pollRecordsAverage: gauge(
    "kafka_stream_thread_poll_records_avg",
    "Average number of records of a poll",
    "average",
  ),
  pollRecordsMax: gauge(
    "kafka_stream_thread_poll_records_max",
    "Largest number of records of a poll",
    "max",
  ),
  processRecordsAverage: gauge(
    "kafka_stream_thread_process_records_avg",
    "Average number of records of a pass",
    "average",
  ),
  processRecordsMax: gauge(
    "kafka_stream_thread_process_records_max",
    "Largest number of records of a pass",
    "max",
  ),
  tasksCreated: counter("kafka_stream_thread_task_created_total", "Tasks created"),
  tasksCreatedRate: gauge(
    "kafka_stream_thread_task_created_rate",
    "Tasks created per second",
    "sum",
  ),
  tasksClosed: counter("kafka_stream_thread_task_closed_total", "Tasks closed"),
  tasksClosedRate: gauge("kafka_stream_thread_task_closed_rate", "Tasks closed per second", "sum"),
  tasks: gauge("kafka_streams_tasks", "Tasks by role", "sum"),
  blockedTime: counter(
    "kafka_stream_thread_blocked_time_ns_total",
    "Time spent waiting for Kafka, in ns",
  ),
  revokedLatencyAverage: gauge(
    "kafka_stream_thread_tasks_revoked_latency_avg",
    "Average time of giving tasks up, in ms",
    "average",
  ),
  revokedLatencyMax: gauge(
    "kafka_stream_thread_tasks_revoked_latency_max",
    "Longest time of giving tasks up, in ms",
    "max",
  ),
  assignedLatencyAverage: gauge(
    "kafka_stream_thread_tasks_assigned_latency_avg",
    "Average time of taking tasks up, in ms",
    "average",
  ),
  assignedLatencyMax: gauge(
    "kafka_stream_thread_tasks_assigned_latency_max",
    "Longest time of taking tasks up, in ms",
    "max",
  ),
  lostLatencyAverage: gauge(
    "kafka_stream_thread_tasks_lost_latency_avg",
    "Average time of closing lost tasks, in ms",
    "average",
  ),
  lostLatencyMax: gauge(
    "kafka_stream_thread_tasks_lost_latency_max",
    "Longest time of closing lost tasks, in ms",
    "max",
  ),
} as const;

/** Metrics of a thread beyond Kafka Streams. */
export const THREAD_EVENTS = {
  commitsFailed: counter(
    "kafka_streams_thread_commit_failed_total",
    "Commits that failed, by thread",
  ),
  commitDuration: histogram("kafka_streams_commit_duration_seconds", "Time of a commit"),
  transactionAborts: counter("kafka_streams_transaction_aborts_total", "Transactions aborted"),
  fenced: counter("kafka_streams_fenced_total", "Times that another member had taken over"),
  rebalances: counter("kafka_streams_rebalance_total", "Rebalances taken part in"),
  rebalanceDuration: histogram(
    "kafka_streams_rebalance_duration_seconds",
    "Time from a rebalance to running again",
  ),
  deserializationErrors: counter(
    "kafka_streams_deserialization_errors_total",
    "Records that could not be read",
  ),
  processingErrors: counter(
    "kafka_streams_processing_errors_total",
    "Records that a processor threw at",
  ),
  productionErrors: counter(
    "kafka_streams_production_errors_total",
    "Records that could not be written",
  ),
  deadLetters: counter(
    "kafka_streams_dlq_records_total",
    "Records written to the dead letter topic",
  ),
  endToEnd: histogram(
    "kafka_streams_record_e2e_latency_seconds",
    "Time from a record's timestamp to its processing",
  ),
  restored: counter("kafka_streams_restored_records_total", "Records restored from changelogs"),
  restoreRate: gauge(
    "kafka_stream_state_updater_restore_records_rate",
    "Records restored per second",
    "sum",
  ),
} as const;

/** The states of a thread, in the order of their numbers. Kafka Streams: `StreamThread.State`. */
export const THREAD_STATES = [
  "CREATED",
  "STARTING",
  "PARTITIONS_REVOKED",
  "PARTITIONS_ASSIGNED",
  "RUNNING",
  "PENDING_SHUTDOWN",
  "DEAD",
] as const;
/** A state of a thread. */
export type ThreadState = (typeof THREAD_STATES)[number];

/** How often and how long a thread did one thing. */
export class OperationMetrics {
  total = 0;
  timeMs = 0;
  readonly #latency: Sampler;

  constructor(
    scope: MetricsScope,
    shown: OperationDefinitions,
    thread: { readonly loopMs: number },
  ) {
    scope.observe(shown.total, () => this.total);
    scope.rate(shown.rate, () => this.total);
    scope.share(shown.ratio, () => this.timeMs, () => thread.loopMs);
    this.#latency = scope.sampler({ average: shown.latencyAverage, max: shown.latencyMax });
  }

  /** It was done `times` times in `elapsedMs`, which ended at `nowMs`. */
  record(elapsedMs: number, nowMs: number, times = 1): void {
    if (times === 0) return;
    this.total += times;
    this.timeMs += elapsedMs;
    this.#latency.record(elapsedMs / times, nowMs);
  }
}

/** The metrics of a thread; it sets the fields and records into the rest. Instants are those of the injected clock. */
export class ThreadMetrics implements Registration {
  state: ThreadState = "CREATED";
  startTimeMs = 0;
  /** All the time that its loop has run; ratios are shares of it. */
  loopMs = 0;
  activeTasks = 0;
  standbyTasks = 0;
  restoringTasks = 0;
  tasksCreated = 0;
  tasksClosed = 0;
  blockedNs = 0;
  commitsFailed = 0;
  transactionAborts = 0;
  fenced = 0;
  rebalances = 0;
  deserializationErrors = 0;
  processingErrors = 0;
  productionErrors = 0;
  deadLetters = 0;
  restored = 0;
  readonly commit: OperationMetrics;
  readonly poll: OperationMetrics;
  readonly process: OperationMetrics;
  readonly punctuate: OperationMetrics;
  readonly pollRecords: Sampler;
  readonly processRecords: Sampler;
  readonly revokedLatency: Sampler;
  readonly assignedLatency: Sampler;
  readonly lostLatency: Sampler;
  /** In seconds. */
  readonly commitDuration: Histogram;
  /** In seconds. */
  readonly rebalanceDuration: Histogram;
  /** In seconds. */
  readonly endToEnd: Histogram;
  readonly #scope: MetricsScope;

  constructor(registry: MetricsRegistry, threadId: string) {
    const scope = registry.scope({ thread_id: threadId });
    this.#scope = scope;
    this.commit = new OperationMetrics(scope, THREAD_OPERATIONS.commit, this);
    this.poll = new OperationMetrics(scope, THREAD_OPERATIONS.poll, this);
    this.process = new OperationMetrics(scope, THREAD_OPERATIONS.process, this);
    this.punctuate = new OperationMetrics(scope, THREAD_OPERATIONS.punctuate, this);
    const T = THREAD;
    this.pollRecords = scope.sampler({ average: T.pollRecordsAverage, max: T.pollRecordsMax });
    this.processRecords = scope.sampler({
      average: T.processRecordsAverage,
      max: T.processRecordsMax,
    });
    this.revokedLatency = scope.sampler({
      average: T.revokedLatencyAverage,
      max: T.revokedLatencyMax,
    });
    this.assignedLatency = scope.sampler({
      average: T.assignedLatencyAverage,
      max: T.assignedLatencyMax,
    });
    this.lostLatency = scope.sampler({ average: T.lostLatencyAverage, max: T.lostLatencyMax });
    this.commitDuration = scope.histogram(THREAD_EVENTS.commitDuration, SECONDS_BOUNDS);
    this.rebalanceDuration = scope.histogram(THREAD_EVENTS.rebalanceDuration, SECONDS_BOUNDS);
    this.endToEnd = scope.histogram(THREAD_EVENTS.endToEnd, SECONDS_BOUNDS);
    this.#observeFields(scope);
  }

  #observeFields(scope: MetricsScope): void {
    scope.observe(THREAD.state, () => THREAD_STATES.indexOf(this.state));
    scope.observe(THREAD.startTime, () => this.startTimeMs);
    scope.observe(THREAD.tasksCreated, () => this.tasksCreated);
    scope.rate(THREAD.tasksCreatedRate, () => this.tasksCreated);
    scope.observe(THREAD.tasksClosed, () => this.tasksClosed);
    scope.rate(THREAD.tasksClosedRate, () => this.tasksClosed);
    scope.observe(THREAD.tasks, () => this.activeTasks, { role: "active" });
    scope.observe(THREAD.tasks, () => this.standbyTasks, { role: "standby" });
    scope.observe(THREAD.tasks, () => this.restoringTasks, { role: "restoring" });
    scope.observe(THREAD.blockedTime, () => this.blockedNs);
    scope.observe(THREAD_EVENTS.commitsFailed, () => this.commitsFailed);
    scope.observe(THREAD_EVENTS.transactionAborts, () => this.transactionAborts);
    scope.observe(THREAD_EVENTS.fenced, () => this.fenced);
    scope.observe(THREAD_EVENTS.rebalances, () => this.rebalances);
    scope.observe(THREAD_EVENTS.deserializationErrors, () => this.deserializationErrors);
    scope.observe(THREAD_EVENTS.processingErrors, () => this.processingErrors);
    scope.observe(THREAD_EVENTS.productionErrors, () => this.productionErrors);
    scope.observe(THREAD_EVENTS.deadLetters, () => this.deadLetters);
    scope.observe(THREAD_EVENTS.restored, () => this.restored);
    scope.rate(THREAD_EVENTS.restoreRate, () => this.restored);
  }

  remove(): void {
    this.#scope.remove();
  }
}
