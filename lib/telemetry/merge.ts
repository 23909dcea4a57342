import { counter, gauge } from "./definition.ts";
import { LAG } from "./lag_metrics.ts";
import type { FamilySnapshot, MetricsSnapshot, SeriesSnapshot } from "./metrics.ts";
import { THREAD_EVENTS, THREAD_OPERATIONS } from "./thread_metrics.ts";

/**
 * Metrics put together from all threads, by the names that the order system's alert rules and dashboards know. They carry the application's id alone.
 */
export const SUMMARY = {
  lagMax: gauge("kafka_streams_records_lag_max", "Largest lag of a partition, in records", "max"),
  lagAverage: gauge(
    "kafka_streams_records_lag_avg",
    "Average lag of the partitions, in records",
    "average",
  ),
  lagSum: gauge(
    "kafka_streams_records_lag",
    "Lag of all partitions together, in records",
    "sum",
  ),
  latencyAverage: gauge(
    "kafka_streams_process_latency_avg_ms",
    "Average time of processing a record, in ms",
    "average",
  ),
  latencyMax: gauge(
    "kafka_streams_process_latency_max_ms",
    "Longest time of processing a record, over the records of a pass, in ms",
    "max",
  ),
  commits: counter("kafka_streams_commit_total", "Commits"),
  commitsFailed: counter("kafka_streams_commit_failed_total", "Commits that failed"),
  consumerLagMax: gauge(
    "kafka_consumer_fetch_manager_records_lag_max",
    "Largest lag of a partition, in records",
    "max",
  ),
} as const;

/** Puts the snapshots of several isolates together: totals add up, maxima stay maxima, averages are weighted. */
export function mergeSnapshots(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const families = new Map<
    string,
    FamilySnapshot & { readonly byLabels: Map<string, SeriesSnapshot> }
  >();
  for (const snapshot of snapshots) {
    for (const family of snapshot.families) {
      let merged = families.get(family.name);
      if (merged === undefined) {
        merged = { ...family, series: [], byLabels: new Map() };
        families.set(family.name, merged);
      }
      for (const series of family.series) {
        const key = JSON.stringify(series.labels);
        const known = merged.byLabels.get(key);
        merged.byLabels.set(key, known === undefined ? series : mergeTwo(family, known, series));
      }
    }
  }
  return {
    families: [...families.values()].map(({ byLabels, ...family }) => ({
      ...family,
      series: [...byLabels.values()],
    })),
  };
}

function mergeTwo(family: FamilySnapshot, a: SeriesSnapshot, b: SeriesSnapshot): SeriesSnapshot {
  if (a.counts && b.counts) {
    const counts = a.counts.map((count, i) => count + b.counts![i]);
    return { labels: a.labels, value: a.value + b.value, counts };
  }
  switch (family.merge) {
    case "sum":
      return { labels: a.labels, value: a.value + b.value };
    case "max":
      return { labels: a.labels, value: largest(a.value, b.value) };
    case "min":
      return { labels: a.labels, value: -largest(-a.value, -b.value) };
    case "average":
      return weighted([a, b], a.labels);
    case "last":
      return b;
  }
}

/** The larger one; NaN, which stands for no samples, never wins. */
function largest(a: number, b: number): number {
  return Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b);
}

function weighted(
  all: readonly SeriesSnapshot[],
  labels: SeriesSnapshot["labels"],
): SeriesSnapshot {
  let sum = 0;
  let weight = 0;
  for (const series of all) {
    const counts = series.weight ?? 1;
    if (counts === 0 || Number.isNaN(series.value)) continue;
    sum += series.value * counts;
    weight += counts;
  }
  return { labels, value: sum / weight, weight };
}

/** A snapshot and the families of `SUMMARY`, made from it. */
export function withSummary(snapshot: MetricsSnapshot, applicationId: string): MetricsSnapshot {
  const labels = { application_id: applicationId };
  const seriesOf = (name: string) => snapshot.families.find((f) => f.name === name)?.series ?? [];
  const maximum = (name: string) =>
    seriesOf(name).reduce((max, s) => largest(max, s.value), Number.NaN);
  const total = (name: string) => seriesOf(name).reduce((sum, s) => sum + s.value, 0);
  const lags = seriesOf(LAG.records.name);
  const noneIsZero = (value: number) => Number.isNaN(value) ? 0 : value;
  const lagMax = noneIsZero(maximum(LAG.records.name));
  const values: Record<keyof typeof SUMMARY, number> = {
    lagMax,
    lagSum: total(LAG.records.name),
    lagAverage: noneIsZero(weighted(lags, labels).value),
    latencyAverage: noneIsZero(
      weighted(seriesOf(THREAD_OPERATIONS.process.latencyAverage.name), labels).value,
    ),
    latencyMax: noneIsZero(maximum(THREAD_OPERATIONS.process.latencyMax.name)),
    commits: total(THREAD_OPERATIONS.commit.total.name),
    commitsFailed: total(THREAD_EVENTS.commitsFailed.name),
    consumerLagMax: lagMax,
  };
  const summary = (Object.keys(values) as (keyof typeof SUMMARY)[]).map((name): FamilySnapshot => ({
    ...SUMMARY[name],
    series: [{ labels, value: values[name] }],
  }));
  return { families: [...snapshot.families, ...summary] };
}
