import { counter, gauge, type MetricDefinition } from "./definition.ts";
import type { MetricsRegistry, MetricsScope, Registration } from "./metrics.ts";

/** Metrics of Kafka's clients, from librdkafka's statistics (`statistics.interval.ms`). */
export const LIBRDKAFKA = {
  producerSent: counter("kafka_producer_record_send_total", "Records sent"),
  producerRecordBytes: counter("kafka_producer_record_byte_total", "Bytes of the records sent"),
  producerBytes: counter(
    "kafka_producer_outgoing_byte_total",
    "Bytes sent to brokers by producers",
  ),
  producerRequests: counter("kafka_producer_request_total", "Requests of producers"),
  producerErrors: counter(
    "kafka_producer_request_error_total",
    "Requests of producers that failed",
  ),
  producerQueue: gauge("kafka_producer_queue_records", "Records in producers' queues", "sum"),
  producerLatency: gauge(
    "kafka_producer_request_latency_avg",
    "Average round trip of producers, in ms",
    "average",
  ),
  consumerFetched: counter(
    "kafka_consumer_fetch_manager_records_consumed_total",
    "Records fetched",
  ),
  consumerRecordBytes: counter(
    "kafka_consumer_fetch_manager_bytes_consumed_total",
    "Bytes of the records fetched",
  ),
  consumerBytes: counter(
    "kafka_consumer_incoming_byte_total",
    "Bytes received from brokers by consumers",
  ),
  consumerRequests: counter("kafka_consumer_request_total", "Requests of consumers"),
  consumerErrors: counter(
    "kafka_consumer_request_error_total",
    "Requests of consumers that failed",
  ),
  consumerQueue: gauge("kafka_consumer_queue_records", "Records in consumers' queues", "sum"),
  consumerLatency: gauge(
    "kafka_consumer_request_latency_avg",
    "Average round trip of consumers, in ms",
    "average",
  ),
  rebalances: counter("kafka_consumer_coordinator_rebalance_total", "Rebalances of the group"),
  lastRebalance: gauge(
    "kafka_consumer_coordinator_last_rebalance_seconds_ago",
    "Seconds since the last rebalance",
    "min",
  ),
} as const;

/** Statistics as librdkafka gives them (STATISTICS.md), as far as they are shown. */
interface Statistics {
  readonly msg_cnt?: number;
  readonly tx?: number;
  readonly tx_bytes?: number;
  readonly rx_bytes?: number;
  readonly txmsgs?: number;
  readonly txmsg_bytes?: number;
  readonly rxmsgs?: number;
  readonly rxmsg_bytes?: number;
  readonly replyq?: number;
  readonly brokers?: Readonly<Record<string, BrokerStatistics>>;
  readonly cgrp?: { readonly rebalance_cnt?: number; readonly rebalance_age?: number };
}
interface BrokerStatistics {
  readonly txerrs?: number;
  readonly req_timeouts?: number;
  readonly rtt?: { readonly avg?: number; readonly cnt?: number };
}

/** The metrics of one consumer or producer. Give `update` to the client's `stats` event. */
export class ClientStatistics implements Registration {
  #latest: Statistics | undefined = undefined;
  readonly #scope: MetricsScope;

  constructor(registry: MetricsRegistry, kind: "consumer" | "producer", clientId: string) {
    this.#scope = registry.scope({ client_id: clientId });
    if (kind === "producer") this.#observeProducer();
    else this.#observeConsumer();
  }

  /** Takes the statistics of a client; parsed JSON. */
  update(statistics: Readonly<Record<string, unknown>>): void {
    this.#latest = statistics as Statistics;
  }

  #observeProducer(): void {
    this.#show(LIBRDKAFKA.producerSent, (s) => s.txmsgs);
    this.#show(LIBRDKAFKA.producerRecordBytes, (s) => s.txmsg_bytes);
    this.#show(LIBRDKAFKA.producerBytes, (s) => s.tx_bytes);
    this.#show(LIBRDKAFKA.producerRequests, (s) => s.tx);
    this.#show(LIBRDKAFKA.producerErrors, failedRequests);
    this.#show(LIBRDKAFKA.producerQueue, (s) => s.msg_cnt);
    this.#show(LIBRDKAFKA.producerLatency, roundTripMs);
  }

  #observeConsumer(): void {
    this.#show(LIBRDKAFKA.consumerFetched, (s) => s.rxmsgs);
    this.#show(LIBRDKAFKA.consumerRecordBytes, (s) => s.rxmsg_bytes);
    this.#show(LIBRDKAFKA.consumerBytes, (s) => s.rx_bytes);
    this.#show(LIBRDKAFKA.consumerRequests, (s) => s.tx);
    this.#show(LIBRDKAFKA.consumerErrors, failedRequests);
    this.#show(LIBRDKAFKA.consumerQueue, (s) => s.replyq);
    this.#show(LIBRDKAFKA.consumerLatency, roundTripMs);
    this.#show(LIBRDKAFKA.rebalances, (s) => s.cgrp?.rebalance_cnt);
    this.#show(
      LIBRDKAFKA.lastRebalance,
      (s) => s.cgrp?.rebalance_cnt ? (s.cgrp.rebalance_age ?? 0) / 1000 : undefined,
    );
  }

  #show(definition: MetricDefinition, pick: (statistics: Statistics) => number | undefined): void {
    this.#scope.observe(definition, () => this.#latest && pick(this.#latest));
  }

  remove(): void {
    this.#scope.remove();
  }
}

function failedRequests(statistics: Statistics): number {
  return Object.values(statistics.brokers ?? {})
    .reduce((sum, broker) => sum + (broker.txerrs ?? 0) + (broker.req_timeouts ?? 0), 0);
}

function roundTripMs(statistics: Statistics): number | undefined {
  let sum = 0;
  let count = 0;
  for (const { rtt } of Object.values(statistics.brokers ?? {})) {
    sum += (rtt?.avg ?? 0) * (rtt?.cnt ?? 0);
    count += rtt?.cnt ?? 0;
  }
  return count === 0 ? undefined : sum / count / 1000;
}
