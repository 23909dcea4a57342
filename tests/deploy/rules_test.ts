/** The alert rules by Prometheus' own promtool: their syntax, and that each fires when it should and not before. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse, stringify } from "yaml";
import { assert, assertEquals } from "@std/assert";
import { repositoryRoot } from "../support/spawn.ts";
import { requireTool } from "../support/system_tools.ts";
import { withTempDir } from "../support/temp_dir.ts";

const RULES = join(repositoryRoot, "deploy/prometheus/weir-rules.yaml");

/** Series that go wrong at minute 10, and when the alert is there at the latest. */
interface Scenario {
  readonly alert: string;
  /** Series with the values before and after minute 10, in promtool's notation. */
  readonly series: Readonly<Record<string, readonly [before: string, after: string]>>;
  /** The minute at which it fires. */
  readonly minute: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly severity: "warning" | "critical";
}

const APP = { application_id: "orders" };
const THREAD = { thread_id: "t-1" };

const CLIENT = 'kafka_stream_client_state{application_id="orders"}';
const PARTITION = '{client_id="c",partition="0",topic="in"}';
const steady = (value: string) => [`${value}x9`, `${value}x60`] as const;

const SCENARIOS: readonly Scenario[] = [
  {
    alert: "StreamsHighLag",
    series: { 'kafka_streams_records_lag_max{application_id="orders"}': ["2000x9", "2001x60"] },
    minute: 12,
    labels: APP,
    severity: "warning",
  },
  {
    alert: "StreamsHighLatency",
    series: {
      'kafka_streams_process_latency_avg_ms{application_id="orders"}': ["100x9", "100.5x60"],
    },
    minute: 11,
    labels: APP,
    severity: "critical",
  },
  {
    alert: "KafkaStreamsDown",
    series: { 'up{job="weir"}': ["1x9", "0x60"], [CLIENT]: steady("2") },
    minute: 12,
    labels: { job: "weir" },
    severity: "critical",
  },
  {
    alert: "KafkaStreamsError",
    series: { [CLIENT]: ["2x9", "6x60"] },
    minute: 10,
    labels: APP,
    severity: "critical",
  },
  {
    alert: "KafkaStreamsNotRunning",
    series: { [CLIENT]: ["2x9", "1x60"] },
    minute: 20,
    labels: APP,
    severity: "warning",
  },
  {
    alert: "KafkaStreamsThreadsFailed",
    series: {
      [CLIENT]: steady("2"),
      'kafka_stream_failed_stream_threads{application_id="orders"}': ["0x9", "1x60"],
    },
    minute: 10,
    labels: APP,
    severity: "critical",
  },
  {
    alert: "KafkaStreamsTopologyMismatch",
    series: {
      [CLIENT]: steady("2"),
      'kafka_streams_topology_info{application_id="orders",hash="a"}': steady("1"),
      'kafka_streams_topology_info{application_id="orders",hash="b"}': ["_x10", "1x60"],
    },
    minute: 40,
    labels: APP,
    severity: "warning",
  },
  {
    alert: "KafkaStreamsLagSeconds",
    series: {
      'kafka_streams_lag_seconds{client_id="c",partition="0",topic="in"}': ["300x9", "301x60"],
    },
    minute: 15,
    labels: { topic: "in" },
    severity: "warning",
  },
  {
    alert: "KafkaStreamsLagSecondsCritical",
    series: {
      'kafka_streams_lag_seconds{client_id="c",partition="0",topic="in"}': ["1800x9", "1801x60"],
    },
    minute: 15,
    labels: { topic: "in" },
    severity: "critical",
  },
  {
    alert: "KafkaStreamsLagGrowing",
    series: { [`kafka_consumer_fetch_manager_records_lag${PARTITION}`]: ["0x9", "1100+100x60"] },
    minute: 25,
    labels: { topic: "in" },
    severity: "warning",
  },
  {
    alert: "KafkaStreamsPartitionStuck",
    series: {
      [`kafka_consumer_fetch_manager_records_lag${PARTITION}`]: ["1x9", "1x60"],
      [`kafka_streams_committed_offset${PARTITION}`]: ["0+5x9", "50x60"],
    },
    minute: 25,
    labels: {
      client_id: "c",
      partition: "0",
      topic: "in",
    },
    severity: "critical",
  },
  {
    alert: "KafkaStreamsRebalanceStorm",
    series: { 'kafka_streams_rebalance_total{thread_id="t-1"}': ["0x9", "0+1x60"] },
    minute: 16,
    labels: THREAD,
    severity: "warning",
  },
  {
    alert: "KafkaStreamsRestoreSlow",
    series: {
      'kafka_streams_restore_eta_seconds{state_id="s",task_id="0_0"}': ["900x9", "901x60"],
    },
    minute: 20,
    labels: { state_id: "s" },
    severity: "warning",
  },
  {
    alert: "KafkaStreamsDroppedRecords",
    series: {
      'kafka_streams_dropped_records_total{task_id="0_0",reason="late"}': ["0x9", "1+1x60"],
    },
    minute: 15,
    labels: { task_id: "0_0", reason: "late" },
    severity: "warning",
  },
  {
    alert: "KafkaStreamsDeadLetters",
    series: { 'kafka_streams_dlq_records_total{thread_id="t-1"}': ["0x9", "1+1x60"] },
    minute: 15,
    labels: {},
    severity: "warning",
  },
  {
    alert: "KafkaStreamsCommitsFail",
    series: { 'kafka_streams_commit_failed_total{application_id="orders"}': ["0x9", "1+1x60"] },
    minute: 15,
    labels: APP,
    severity: "critical",
  },
  {
    alert: "KafkaStreamsCommitSlow",
    series: {
      'kafka_stream_thread_commit_latency_max{thread_id="t-1"}': ["150000x9", "150001x60"],
    },
    minute: 25,
    labels: THREAD,
    severity: "warning",
  },
  {
    alert: "KafkaStreamsThreadSaturated",
    series: { 'kafka_stream_thread_process_ratio{thread_id="t-1"}': ["0.9x9", "0.95x60"] },
    minute: 25,
    labels: THREAD,
    severity: "warning",
  },
  {
    alert: "KafkaStreamsPunctuateHeavy",
    series: { 'kafka_stream_thread_punctuate_ratio{thread_id="t-1"}': ["0.2x9", "0.3x60"] },
    minute: 25,
    labels: THREAD,
    severity: "warning",
  },
  {
    alert: "KafkaStreamsStateDiskFull",
    series: {
      'kubelet_volume_stats_available_bytes{persistentvolumeclaim="state-orders-0"}': [
        "10x9",
        "9x60",
      ],
      'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="state-orders-0"}': steady("100"),
    },
    minute: 15,
    labels: { persistentvolumeclaim: "state-orders-0" },
    severity: "critical",
  },
];

/** Ten samples, one a minute, and then those after minute 10. */
function values([before, after]: readonly [string, string]): string {
  return `${before} ${after}`;
}

/** Promtool's file: a minute before the alert is due it is not there, at its minute it is. */
function unitTests(): unknown {
  return {
    rule_files: [RULES],
    evaluation_interval: "1m",
    tests: SCENARIOS.map(({ alert, series, minute, labels, severity }) => {
      const firing = Object.entries({ ...labels, alertname: alert, alertstate: "firing", severity })
        .map(([name, value]) => `${name}="${value}"`).join(", ");
      const query = `ALERTS{alertname="${alert}",alertstate="firing"}`;
      return {
        interval: "1m",
        input_series: Object.entries(series).map(([name, each]) => ({
          series: name,
          values: values(each),
        })),
        promql_expr_test: [
          { expr: query, eval_time: `${minute - 1}m`, exp_samples: [] },
          {
            expr: query,
            eval_time: `${minute}m`,
            exp_samples: [{ labels: `ALERTS{${firing}}`, value: 1 }],
          },
        ],
      };
    }),
  };
}

test("Every alert has a scenario", () => {
  const { groups } = parse(readFileSync(RULES, "utf8"));
  const alerts = groups.flatMap((group: any) => group.rules).map((rule: any) => rule.alert);
  assertEquals(SCENARIOS.map((scenario) => scenario.alert), alerts);
});

test("promtool finds no fault with the alert rules", async () => {
  const promtool = await requireTool("promtool");
  const { status, stdout, stderr } = spawnSync(promtool, ["check", "rules", RULES], {
    encoding: "utf8",
  });
  assertEquals(status, 0, stdout + stderr);
});

test("Each alert fires when its time has come, and not a minute before", () =>
  withTempDir(async (dir) => {
    const promtool = await requireTool("promtool");
    const path = join(dir, "rules_test.yaml");
    writeFileSync(path, stringify(unitTests()));
    const { status, stdout, stderr } = spawnSync(promtool, ["test", "rules", path], {
      encoding: "utf8",
    });
    assert(status === 0, stdout + stderr);
  }));
