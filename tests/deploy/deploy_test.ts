import { test } from "node:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { environmentSources, parseConfig } from "../../lib/config.ts";
import { parseProperties } from "../../lib/cli/config_file.ts";
import { CATALOG } from "../../lib/telemetry/catalog.ts";
import { repositoryRoot } from "../support/spawn.ts";

function filesBelow(folder: string): string[] {
  return readdirSync(join(repositoryRoot, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    return statSync(join(repositoryRoot, path)).isDirectory() ? filesBelow(path) : [path];
  });
}
function textOf(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}
function documentsOf(path: string): any[] {
  return parseAllDocuments(textOf(path)).map((document) => {
    assertEquals(document.errors, [], path);
    return document.toJS();
  });
}

const yamlFiles = [...filesBelow("deploy"), "compose.yaml"].filter((f) => /\.ya?ml$/.test(f));
for (const path of yamlFiles) {
  test(`${path} is YAML`, () => assert(documentsOf(path).length > 0));
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}
const groups = documentsOf("deploy/prometheus/weir-rules.yaml")[0].groups as { rules: Rule[] }[];
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(textOf("deploy/grafana/weir.json"));

/** Metric names that Prometheus, Kubernetes or MirrorMaker have, not Weir. */
const FOREIGN = /^(up|kubelet_volume_stats_\w+)$/;
const HISTOGRAM_PART = /_(bucket|sum|count)$/;
const definitions = new Map(Object.values(CATALOG).flat().map((d) => [d.name, d]));

function checkMetrics(expression: string): void {
  const bare = expression.replaceAll(/"[^"]*"/g, '""').replaceAll(/\{[^}]*\}/g, "");
  const names = [...bare.matchAll(/\b(kafka|process|kubelet|up)\w*/g)].map((match) => match[0]);
  assert(names.length > 0, `${expression} names no metric`);
  for (const name of names) {
    if (FOREIGN.test(name)) continue;
    const known = definitions.get(name) ??
      (definitions.get(name.replace(HISTOGRAM_PART, ""))?.type === "histogram" ? true : undefined);
    assert(known !== undefined, `${name} in ${expression} is no metric of Weir`);
  }
}

for (const rule of rules) {
  test(`Alert ${rule.alert} names metrics that exist, and says what to do`, () => {
    checkMetrics(rule.expr);
    assert(["warning", "critical"].includes(rule.labels.severity));
    assert(rule.annotations.summary.length > 0 && rule.annotations.description.length > 0);
    const [page, anchor] = rule.annotations.runbook_url.split("#");
    const headings = [...textOf(page).matchAll(/^### (.+)$/gm)].map((m) => m[1].toLowerCase());
    assert(headings.includes(anchor), `${page} has no heading ${anchor}`);
  });
}

test("The alerts of the order system are there with their bounds", () => {
  const lag = rules.find((rule) => rule.alert === "StreamsHighLag")!;
  assertEquals([lag.for, lag.labels.severity], ["2m", "warning"]);
  assertStringIncludes(lag.expr, "kafka_streams_records_lag_max) > 2000");
  const latency = rules.find((rule) => rule.alert === "StreamsHighLatency")!;
  assertEquals([latency.for, latency.labels.severity], ["1m", "critical"]);
  assertStringIncludes(latency.expr, "kafka_streams_process_latency_avg_ms) > 100");
});

test("The PrometheusRule holds the same groups as the rule file", () => {
  const [rule] = documentsOf("deploy/prometheus/prometheus-rule.yaml");
  assertEquals(rule.spec.groups, groups as unknown);
});

test("The dashboard's queries name metrics that exist", () => {
  const expressions = dashboard.panels.flatMap((panel: any) =>
    (panel.targets ?? []).map((target: any) => target.expr)
  );
  assert(expressions.length > 30);
  for (const expression of expressions) checkMetrics(expression);
  for (const { query } of dashboard.templating.list.slice(1)) {
    checkMetrics(query.query.replace(/^label_values\(/, ""));
  }
});

test("The dashboard shows lag, latency, failed commits, store size and write rate", () => {
  const all = JSON.stringify(dashboard.panels);
  for (
    const name of [
      "kafka_streams_records_lag_max",
      "kafka_streams_process_latency_avg_ms",
      "kafka_streams_commit_failed_total",
      "kafka_streams_state_store_size_bytes",
      "kafka_streams_state_store_write_rate",
    ]
  ) assertStringIncludes(all, name);
});

test("The dashboard's panels neither overlap nor share an id", () => {
  const ids = dashboard.panels.map((panel: any) => panel.id);
  assertEquals(new Set(ids).size, ids.length);
  const cells = new Set<string>();
  for (const { gridPos: { x, y, w, h }, title } of dashboard.panels) {
    for (let i = x; i < x + w; i++) {
      for (let j = y; j < y + h; j++) {
        assert(!cells.has(`${i}/${j}`), `${title} overlaps`);
        cells.add(`${i}/${j}`);
      }
    }
  }
});

for (const name of ["statefulset", "deployment"]) {
  test(`The ${name} has three instances with bounds, probes and secrets by envFrom`, () => {
    const [{ spec }] = documentsOf(`deploy/kubernetes/${name}.yaml`);
    assertEquals(spec.replicas, 3);
    const [container] = spec.template.spec.containers;
    assertEquals(container.resources, {
      requests: { cpu: "500m", memory: "512Mi" },
      limits: { cpu: "1", memory: "1Gi" },
    });
    assertEquals(container.livenessProbe.httpGet.path, "/healthz");
    assertEquals(container.readinessProbe.httpGet.path, "/readyz");
    assertEquals(container.startupProbe.httpGet.path, "/startupz");
    assertEquals(container.envFrom, [
      { configMapRef: { name: "orders" } },
      { secretRef: { name: "orders-kafka" } },
    ]);
    assertEquals(container.securityContext.readOnlyRootFilesystem, true);
    assertEquals(spec.template.spec.enableServiceLinks, false);
    const mounted = container.volumeMounts.map((mount: any) => mount.name);
    const volumes = [
      ...spec.template.spec.volumes.map((volume: any) => volume.name),
      ...(spec.volumeClaimTemplates ?? []).map((claim: any) => claim.metadata.name),
    ];
    assertEquals(mounted.toSorted(), volumes.toSorted());
  });
}

test("The autoscaler goes from 2 to 10 by 1000 records of lag a pod and by processor load", () => {
  const [{ spec }] = documentsOf("deploy/kubernetes/hpa.yaml");
  assertEquals([spec.minReplicas, spec.maxReplicas], [2, 10]);
  assertEquals(spec.metrics[0].external.target, { type: "AverageValue", averageValue: "1000" });
  assertEquals(spec.metrics[1].resource.name, "cpu");
  const [adapter] = documentsOf("deploy/kubernetes/prometheus-adapter-values.yaml");
  assertEquals(adapter.rules.external[0].name.as, spec.metrics[0].external.metric.name);
  checkMetrics(adapter.rules.external[0].seriesQuery);
});

test("The environment of the Kubernetes deployment is a valid configuration", () => {
  const [{ data }] = documentsOf("deploy/kubernetes/configmap.yaml");
  const [{ stringData }] = documentsOf("deploy/kubernetes/secret.example.yaml");
  const config = parseConfig({}, { below: environmentSources({ ...data, ...stringData }) });
  assertEquals(config.warnings, []);
  assertEquals(config.transactionTimeoutMs, 300_000);
  assertEquals(config.clientConfig("producer")["sasl.password"], "change-me");
  const [{ spec }] = documentsOf("deploy/kubernetes/statefulset.yaml");
  const grace = spec.template.spec.terminationGracePeriodSeconds * 1000;
  assert(config.shutdownTimeoutMs < grace);
});

test("The environment of compose.yaml is a valid configuration", () => {
  const [{ services }] = documentsOf("compose.yaml");
  const config = parseConfig({}, { below: environmentSources(services.orders.environment) });
  assertEquals(config.warnings, []);
  assertEquals(config.deserializationExceptionHandler, "dead-letter-queue");
});

test("The kustomization names files that exist", () => {
  const [{ resources }] = documentsOf("deploy/kubernetes/kustomization.yaml");
  for (const name of resources) {
    assert(filesBelow("deploy/kubernetes").includes(`deploy/kubernetes/${name}`));
  }
});

test("The copying of clusters covers inputs, outputs, changelogs and group offsets", () => {
  const mirror = parseProperties(textOf("deploy/disaster-recovery/mirror-maker.properties"));
  for (
    const topic of ["orders-input", "payments-input", "orders-agg-output", "orders-app-x-changelog"]
  ) {
    const patterns = mirror["primary->standby.topics"].split(",");
    assert(patterns.some((p) => new RegExp(`^(${p})$`).test(topic)), topic);
  }
  assertEquals(mirror["primary->standby.sync.group.offsets.enabled"], "true");
  assertEquals(mirror["primary->standby.consumer.isolation.level"], "read_committed");
  const link = parseProperties(textOf("deploy/disaster-recovery/cluster-link.properties"));
  assertEquals(link["consumer.offset.sync.enable"], "true");
  for (const key of ["consumer.offset.group.filters", "auto.create.mirror.topics.filters"]) {
    assert(Object.keys(JSON.parse(link[key])).length === 1, key);
  }
});

test("The Containerfile copies the binary, runs as nobody and checks its health", () => {
  const text = textOf("Containerfile");
  for (
    const line of ["USER 65532:65532", "HEALTHCHECK", '["weir", "health"]', 'ENTRYPOINT ["weir"]']
  ) {
    assertStringIncludes(text, line);
  }
});
