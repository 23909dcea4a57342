import { test } from "node:test";
import { readFileSync } from "node:fs";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ManualClock } from "../../lib/record/time.ts";
import { CATALOG } from "../../lib/telemetry/catalog.ts";
import { MetricsRegistry } from "../../lib/telemetry/metrics.ts";
import { registerProcessMetrics } from "../../lib/telemetry/process_metrics.ts";
import { renderPrometheus } from "../../lib/telemetry/prometheus.ts";
import { ThreadMetrics } from "../../lib/telemetry/thread_metrics.ts";

function threadRegistry(): MetricsRegistry {
  const registry = new MetricsRegistry({ clock: new ManualClock() });
  const thread = new ThreadMetrics(registry, 'thread "1"');
  thread.commit.record(3, 0);
  thread.commitDuration.observe(0.003);
  thread.commitDuration.observe(99);
  return registry;
}

test("renderPrometheus writes help, type, escaped labels and a histogram that adds up", async () => {
  const { contentType, body } = await renderPrometheus(threadRegistry().snapshot());
  assertStringIncludes(contentType, "text/plain");
  assertStringIncludes(body, "# TYPE kafka_stream_thread_commit_total counter");
  assertStringIncludes(body, 'kafka_stream_thread_commit_total{thread_id="thread \\"1\\""} 1');
  const name = "kafka_streams_commit_duration_seconds";
  assertStringIncludes(body, `# TYPE ${name} histogram`);
  assertStringIncludes(body, `${name}_bucket{thread_id="thread \\"1\\"",le="0.005"} 1`);
  assertStringIncludes(body, `${name}_bucket{thread_id="thread \\"1\\"",le="+Inf"} 2`);
  assertStringIncludes(body, `${name}_count{thread_id="thread \\"1\\""} 2`);
});

test("renderPrometheus leaves out averages that have no samples", async () => {
  const { body } = await renderPrometheus(threadRegistry().snapshot());
  assert(!body.includes("kafka_stream_thread_poll_latency_avg"), body);
  assert(!/ Nan$/im.test(body));
});

test("renderPrometheus writes OpenMetrics when it is asked for", async () => {
  const { contentType, body } = await renderPrometheus(
    threadRegistry().snapshot(),
    "application/openmetrics-text; version=1.0.0",
  );
  assertStringIncludes(contentType, "application/openmetrics-text");
  assertStringIncludes(body, "# TYPE kafka_stream_thread_commit counter");
  assertStringIncludes(body, "kafka_stream_thread_commit_total{");
  assert(body.endsWith("# EOF\n"));
});

test("renderPrometheus renders the process' metrics twice on this runtime", async () => {
  const registry = new MetricsRegistry();
  registerProcessMetrics(registry);
  for (let scrape = 0; scrape < 2; scrape++) {
    const { body } = await renderPrometheus(registry.snapshot());
    assertStringIncludes(body, "process_resident_memory_bytes ");
    assertStringIncludes(body, "process_cpu_seconds_total ");
    assertStringIncludes(body, "process_start_time_seconds ");
  }
});

test("CATALOG has each name once, in Prometheus' form, counters ending in _total", () => {
  const names = Object.values(CATALOG).flat().map((definition) => definition.name);
  assertEquals(names.length, new Set(names).size);
  for (const definition of Object.values(CATALOG).flat()) {
    assert(/^(kafka|process)_[a-z0-9_]+$/.test(definition.name), definition.name);
    if (definition.type === "counter") assert(definition.name.endsWith("_total"), definition.name);
  }
});

test("docs/metrics.md lists every metric with its type, level and meaning", () => {
  const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  for (const { name, type, level, help } of Object.values(CATALOG).flat()) {
    assertStringIncludes(page, `| \`${name}\` | ${type} | ${level} | ${help} |`);
  }
});
