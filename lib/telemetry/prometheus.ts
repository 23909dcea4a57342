import { Registry } from "prom-client";
import type { FamilySnapshot, MetricsSnapshot, SeriesSnapshot } from "./metrics.ts";

/** A text for Prometheus and its content type. */
export interface PrometheusText {
  readonly contentType: string;
  readonly body: string;
}

/** What prom-client asks of a metric; ours are filled when they are read, never by a timer. */
interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: {
    readonly value: number;
    readonly labels: Record<string, string | number>;
    readonly metricName?: string;
  }[];
}

/** Writes a snapshot in the text format that an `Accept` header asks for: Prometheus' own, or OpenMetrics. */
export async function renderPrometheus(
  snapshot: MetricsSnapshot,
  accept = "",
): Promise<PrometheusText> {
  const registry = new Registry();
  const openMetrics = accept.includes("application/openmetrics-text");
  if (openMetrics) {
    (registry as Registry<any>).setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  }
  for (const family of snapshot.families) {
    const collected = collect(family, openMetrics);
    if (collected.values.length === 0) continue;
    const metric = { name: collected.name, get: () => Promise.resolve(collected) };
    registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
  }
  return { contentType: registry.contentType, body: await registry.metrics() };
}

function collect(family: FamilySnapshot, openMetrics: boolean): Collected {
  // OpenMetrics counters are named without `_total`, which prom-client adds to each line.
  const name = openMetrics && family.type === "counter"
    ? family.name.replace(/_total$/, "")
    : family.name;
  const values = family.type === "histogram"
    ? family.series.flatMap((series) => histogramLines(family, series))
    // No samples, no series: a gap says more than NaN, which some alert rules take for a number.
    : family.series.filter((series) => !Number.isNaN(series.value))
      .map(({ value, labels }) => ({ value, labels: { ...labels } }));
  return { name, help: family.help, type: family.type, aggregator: "sum", values };
}

function histogramLines(family: FamilySnapshot, series: SeriesSnapshot): Collected["values"] {
  let total = 0;
  const lines: Collected["values"] = [];
  const counts = series.counts ?? [];
  counts.forEach((count, i) => {
    total += count;
    lines.push({
      metricName: `${family.name}_bucket`,
      labels: { ...series.labels, le: family.bounds?.[i] ?? "+Inf" },
      value: total,
    });
  });
  lines.push({
    metricName: `${family.name}_sum`,
    labels: { ...series.labels },
    value: series.value,
  });
  lines.push({ metricName: `${family.name}_count`, labels: { ...series.labels }, value: total });
  return lines;
}
