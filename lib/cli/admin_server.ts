import { createAdminApp } from "../admin/app.ts";
import { type RunningServer, serve } from "../admin/serve.ts";
import type { ApplicationSource } from "../admin/source.ts";
import type { StreamsConfig } from "../config.ts";
import type { Log } from "../telemetry/logger.ts";
import { MetricsRegistry } from "../telemetry/metrics.ts";
import { registerProcessMetrics } from "../telemetry/process_metrics.ts";
import { runtimeName, VERSION } from "./version.ts";

/** Starts the admin server of a process, as the configuration says; undefined when it says none. */
export async function startAdminServer(
  config: StreamsConfig,
  applications: readonly ApplicationSource[],
  log: Log,
): Promise<RunningServer | undefined> {
  if (!config.adminEnabled) return undefined;
  const process = new MetricsRegistry();
  registerProcessMetrics(process);
  const app = createAdminApp({
    applications: () => applications,
    limits: {
      beatTimeoutMs: Number(config.values["max.poll.interval.ms"] ?? 300_000),
      readinessGraceMs: config.healthReadinessGraceMs,
      minLiveThreads: config.healthMinLiveThreads,
    },
    info: { version: VERSION, ...runtimeName() },
    processMetrics: () => process.snapshot(),
    token: config.adminToken,
    basePath: config.adminBasePath,
    logLevels: () => log.levels(),
  });
  return await serve(app, { host: config.adminHost, port: config.adminPort });
}
