/**
 * What a metric is. The names `kafka_stream_…` are those that Micrometer gives Kafka Streams' metrics and that the known dashboards use, with Kafka's units;
 * `kafka_streams_…` are our own, in base units.
 *
 * @module
 */

/** How many metrics are kept. Kafka: `Sensor.RecordingLevel`. */
export type RecordingLevel = "info" | "debug" | "trace";

/** How the values of one series from several threads become one. */
export type Merge = "sum" | "max" | "min" | "average" | "last";

/** A metric. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly merge: Merge;
  readonly level: RecordingLevel;
  readonly help: string;
}

/** A running total. */
export function counter(
  name: string,
  help: string,
  level: RecordingLevel = "info",
): MetricDefinition {
  return { name, type: "counter", merge: "sum", level, help };
}

/** A value that goes up and down. */
export function gauge(
  name: string,
  help: string,
  merge: Merge,
  level: RecordingLevel = "info",
): MetricDefinition {
  return { name, type: "gauge", merge, level, help };
}

/** Counts of values by size. */
export function histogram(name: string, help: string): MetricDefinition {
  return { name, type: "histogram", merge: "sum", level: "info", help };
}

/** Upper bounds in seconds for latencies: OpenTelemetry's, and two more for what waits. */
export const SECONDS_BOUNDS: readonly number[] = Object.freeze([
  ...[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60],
]);
