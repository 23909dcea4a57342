import type { ApplicationSource, ApplicationStatus } from "../../lib/admin/source.ts";
import { ManualClock } from "../../lib/record/time.ts";
import type { Levels } from "../../lib/runtime/levels.ts";
import type { QueryResult } from "../../lib/state/query.ts";
import { LagMetrics } from "../../lib/telemetry/lag_metrics.ts";
import { MetricsRegistry } from "../../lib/telemetry/metrics.ts";
import { ThreadMetrics } from "../../lib/telemetry/thread_metrics.ts";
import { describeTopology } from "../../lib/topology/describe.ts";
import { Topology } from "../../lib/topology/topology.ts";

/** An application that stands still, with fields that tests change. */
export class FakeApplication implements ApplicationSource {
  readonly clientId = "client-1";
  readonly processId = "process-1";
  readonly calls: string[] = [];
  readonly registry = new MetricsRegistry({ clock: new ManualClock() });
  current: ApplicationStatus = {
    state: "RUNNING",
    sinceMs: 0,
    wasRunning: true,
    paused: false,
    threads: [{
      name: "thread-1",
      state: "RUNNING",
      lastBeatMs: 0,
      tasks: [{
        taskId: "0_0",
        role: "active",
        state: "RUNNING",
        partitions: ["in-0"],
        buffered: 3,
      }],
    }],
  };
  failures: ReturnType<ApplicationSource["errors"]> = [];
  answers: ReadonlyMap<number, QueryResult<unknown>> = new Map();
  restoring: ReturnType<ApplicationSource["restores"]> = [];

  readonly applicationId: string;
  constructor(applicationId = "orders") {
    this.applicationId = applicationId;
    const thread = new ThreadMetrics(this.registry, `${applicationId}-thread-1`);
    thread.commit.record(5, 0);
    new LagMetrics(this.registry, "client-1").partition("in", 0).records = 7;
  }
  status(): ApplicationStatus {
    return this.current;
  }
  describe() {
    return describeTopology(
      new Topology().addSource("source", "in")
        .addProcessor("work", () => ({ process: () => {} }), "source")
        .addSink("sink", "out", {}, "work"),
    );
  }
  metrics() {
    return this.registry.snapshot();
  }
  lag() {
    return [{ topic: "in", partition: 0, records: 7, seconds: 1, committedOffset: 3 }];
  }
  stores() {
    return [{ name: "counts", taskId: "0_0", type: "lmdb", entries: 1, sizeBytes: 4096 }];
  }
  nodes() {
    return { source: 5, work: 5, sink: 4 };
  }
  restores() {
    return this.restoring;
  }
  errors() {
    return this.failures;
  }
  config() {
    return { "application.id": this.applicationId, "sasl.password": "[hidden]" };
  }
  query(): Promise<ReadonlyMap<number, QueryResult<unknown>>> {
    return Promise.resolve(this.answers);
  }
  setLevels(levels: Levels): void {
    this.calls.push(JSON.stringify(levels));
  }
  pause(): void {
    this.calls.push("pause");
  }
  resume(): void {
    this.calls.push("resume");
  }
}
