import { counter, gauge } from "./definition.ts";
import type { MetricsRegistry, MetricsScope, Registration } from "./metrics.ts";
import { GrowthRate, type Sampler } from "./sampler.ts";
import type { TaskIdentity } from "./task_metrics.ts";

/** Metrics of a store. Kafka Streams: `stream-state-metrics` and `stream-record-cache-metrics`. */
export const STORE = {
  putRate: gauge("kafka_stream_state_put_rate", "Writes per second", "sum", "debug"),
  getRate: gauge("kafka_stream_state_get_rate", "Reads per second", "sum", "debug"),
  flushRate: gauge("kafka_stream_state_flush_rate", "Flushes per second", "sum", "debug"),
  flushLatencyAverage: gauge(
    "kafka_stream_state_flush_latency_avg",
    "Average time of a flush, in ns",
    "average",
    "debug",
  ),
  flushLatencyMax: gauge(
    "kafka_stream_state_flush_latency_max",
    "Longest time of a flush, in ns",
    "max",
    "debug",
  ),
  restoreRate: gauge(
    "kafka_stream_state_restore_rate",
    "Records restored per second",
    "sum",
    "debug",
  ),
  entries: gauge("kafka_stream_state_estimate_num_keys", "Keys in the store, estimated", "sum"),
  hitRatio: gauge(
    "kafka_stream_record_cache_hit_ratio_avg",
    "Share of reads that the record cache answered",
    "average",
    "debug",
  ),
  size: gauge("kafka_streams_state_store_size_bytes", "Bytes of the store", "sum"),
  writes: counter("kafka_streams_state_store_writes_total", "Writes to the store"),
  writeRate: gauge("kafka_streams_state_store_write_rate", "Writes per second to the store", "sum"),
  suppressionBytes: gauge(
    "kafka_stream_state_suppression_buffer_size",
    "Bytes in a suppression's buffer",
    "sum",
    "debug",
  ),
  suppressionCount: gauge(
    "kafka_stream_state_suppression_buffer_count",
    "Records in a suppression's buffer",
    "sum",
    "debug",
  ),
  restoreRemaining: gauge(
    "kafka_streams_restore_remaining_records",
    "Records of the changelog that are still to be read",
    "sum",
  ),
  restoreEta: gauge(
    "kafka_streams_restore_eta_seconds",
    "Time until the restore is done at its present speed",
    "max",
  ),
} as const;

/** What a store is called in its metrics. */
export interface StoreIdentity extends TaskIdentity {
  readonly storeName: string;
  /** For example `lmdb` or `in-memory`. */
  readonly storeType: string;
}

/** The metrics of a store; it sets the fields, as its `StoreMeter` and beyond. Undefined fields are not shown. */
export class StoreMetrics implements Registration {
  puts = 0;
  gets = 0;
  cacheHits = 0;
  cacheMisses = 0;
  flushes = 0;
  restored = 0;
  suppressionBytes: number | undefined = undefined;
  suppressionCount: number | undefined = undefined;
  /** Records that are still to be restored; undefined when no restore is going on. */
  restoreRemaining: number | undefined = undefined;
  /** Asked when metrics are read. */
  sizeBytes: (() => number | undefined) | undefined = undefined;
  /** Asked when metrics are read. */
  entries: (() => number | undefined) | undefined = undefined;
  readonly #flushLatency: Sampler;
  readonly #registry: MetricsRegistry;
  readonly #scope: MetricsScope;

  constructor(registry: MetricsRegistry, identity: StoreIdentity) {
    const scope = registry.scope({
      thread_id: identity.threadId,
      task_id: identity.taskId,
      store_type: identity.storeType,
      state_id: identity.storeName,
    });
    this.#scope = scope;
    this.#registry = registry;
    this.#flushLatency = scope.sampler({
      average: STORE.flushLatencyAverage,
      max: STORE.flushLatencyMax,
    });
    scope.observe(STORE.writes, () => this.puts);
    scope.rate(STORE.writeRate, () => this.puts);
    scope.rate(STORE.putRate, () => this.puts);
    scope.rate(STORE.getRate, () => this.gets);
    scope.rate(STORE.flushRate, () => this.flushes);
    scope.rate(STORE.restoreRate, () => this.restored);
    scope.share(STORE.hitRatio, () => this.cacheHits, () => this.cacheHits + this.cacheMisses);
    this.#observeFields(scope);
  }

  #observeFields(scope: MetricsScope): void {
    scope.observe(STORE.suppressionBytes, () => this.suppressionBytes);
    scope.observe(STORE.suppressionCount, () => this.suppressionCount);
    scope.observe(STORE.size, () => this.sizeBytes?.());
    scope.observe(STORE.entries, () => this.entries?.());
    scope.observe(STORE.restoreRemaining, () => this.restoreRemaining);
    const speed = new GrowthRate(scope.registry.windows);
    scope.observe(STORE.restoreEta, (nowMs) => {
      if (this.restoreRemaining === undefined) return undefined;
      const perSecond = speed.read(this.restored, nowMs);
      if (this.restoreRemaining === 0) return 0;
      return perSecond > 0 ? this.restoreRemaining / perSecond : undefined;
    });
  }

  /** It was flushed in `elapsedMs`. */
  flushed(elapsedMs: number): void {
    this.flushes++;
    this.#flushLatency.record(elapsedMs * 1e6, this.#registry.now());
  }

  remove(): void {
    this.#scope.remove();
  }
}
