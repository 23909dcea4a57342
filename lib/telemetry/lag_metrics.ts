import { gauge } from "./definition.ts";
import type { MetricsRegistry, MetricsScope, Registration } from "./metrics.ts";

/** Metrics of a consumed partition. */
export const LAG = {
  records: gauge(
    "kafka_consumer_fetch_manager_records_lag",
    "Records behind the end of the partition",
    "max",
  ),
  seconds: gauge(
    "kafka_streams_lag_seconds",
    "Age of the record processed last, while there are more",
    "max",
  ),
  committed: gauge("kafka_streams_committed_offset", "The offset committed last", "max"),
} as const;

/** How far a thread is behind in one partition. It sets the fields; undefined ones are not shown. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Records behind the end of the partition; the last stable offset under read_committed. */
  records: number | undefined;
  /** Age of the record processed last, 0 when there are no more. */
  seconds: number | undefined;
  /** Next offset to be read after a restart. */
  committedOffset: number | undefined;
}

/** The lags of a thread's partitions. */
export class LagMetrics implements Registration {
  readonly #registry: MetricsRegistry;
  readonly #clientId: string;
  readonly #partitions = new Map<
    string,
    { readonly lag: PartitionLag; readonly scope: MetricsScope }
  >();

  constructor(registry: MetricsRegistry, clientId: string) {
    this.#registry = registry;
    this.#clientId = clientId;
  }

  /** The lag of a partition that is assigned now; the same object each time. */
  partition(topic: string, partition: number): PartitionLag {
    const key = `${topic}/${partition}`;
    const known = this.#partitions.get(key);
    if (known !== undefined) return known.lag;
    const lag: PartitionLag = {
      topic,
      partition,
      records: undefined,
      seconds: undefined,
      committedOffset: undefined,
    };
    const scope = this.#registry.scope({
      client_id: this.#clientId,
      topic,
      partition: String(partition),
    });
    scope.observe(LAG.records, () => lag.records);
    scope.observe(LAG.seconds, () => lag.seconds);
    scope.observe(LAG.committed, () => lag.committedOffset);
    this.#partitions.set(key, { lag, scope });
    return lag;
  }

  /** All lags. */
  all(): PartitionLag[] {
    return [...this.#partitions.values()].map((entry) => entry.lag);
  }

  /** The partition is not assigned any more. */
  forget(topic: string, partition: number): void {
    const key = `${topic}/${partition}`;
    this.#partitions.get(key)?.scope.remove();
    this.#partitions.delete(key);
  }

  remove(): void {
    for (const { scope } of this.#partitions.values()) scope.remove();
    this.#partitions.clear();
  }
}
