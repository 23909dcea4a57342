import type { StreamsConfig } from "../config.ts";
import { StreamsApplication } from "../admin/streams_application.ts";
import { callAfter } from "../record/time.ts";
import type { EmbeddedBroker } from "../kafka/embedded_broker.ts";
import { KafkaStreams } from "../streams.ts";
import type { SetLogLevel } from "../runtime/runtime_log.ts";
import type { Log } from "../telemetry/logger.ts";
import { compileTopology } from "../topology/compile.ts";
import { describeTopology } from "../topology/describe.ts";
import { buildChecked } from "./describe.ts";
import { createTopicsOf } from "./embedded.ts";
import { applicationIdOf, type TopologyFile } from "./topology_files.ts";
import { runtimeName, VERSION } from "./version.ts";

/** A topology file that runs. */
export interface RunningApplication {
  readonly streams: KafkaStreams;
  readonly view: StreamsApplication;
}

/** What applications are made of. */
export interface ApplicationTools {
  /** The configuration with these settings decided. */
  readonly configure: (decided: Readonly<Record<string, unknown>>) => StreamsConfig;
  readonly log: Log;
  /** The broker inside the process, when that is what they run on. */
  readonly broker: EmbeddedBroker | undefined;
}

/**
 * Makes an application of each file; none is started yet.
 * @throws {TopologyException} when a topology is wrong
 * @throws {ConfigException} when it does not go with the configuration
 */
export async function makeApplications(
  files: readonly TopologyFile[],
  tools: ApplicationTools,
): Promise<RunningApplication[]> {
  const made = new Set<string>();
  const applications: RunningApplication[] = [];
  const base = tools.configure({}).applicationId!;
  for (const file of files) {
    const config = tools.configure({
      "application.id": applicationIdOf(base, file, files),
      ...(tools.broker
        ? { "bootstrap.servers": `embedded://${tools.broker.bootstrapServers}` }
        : {}),
    });
    const topology = await buildChecked(file, config.values);
    const plan = compileTopology(topology, {
      applicationId: config.applicationId!,
      cacheMaxBytes: config.statestoreCacheMaxBytes,
    });
    if (tools.broker) createTopicsOf(plan, tools.broker, made);
    const log = tools.log.root.child({ application_id: config.applicationId });
    const setLogLevel: SetLogLevel = (level, name) => tools.log.setLevel(level, name);
    const streams = new KafkaStreams({ url: file.url }, config, { log, setLogLevel });
    const view = new StreamsApplication(streams, {
      description: describeTopology(topology),
      version: VERSION,
      ...runtimeName(),
    });
    applications.push({ streams, view });
  }
  return applications;
}

/** Resolves with the error of the first application that ends in one. */
export function firstFailure(applications: readonly RunningApplication[]): Promise<Error> {
  return new Promise((resolve) => {
    for (const { streams } of applications) {
      streams.onStateChange((next) => {
        if (next === "ERROR") {
          resolve(streams.failure ?? new Error(`${streams.config.applicationId} has failed`));
        }
      });
    }
  });
}

/**
 * Stops all applications: readiness fails at once, `shutdown.drain.ms` later they close, all within `shutdown.timeout.ms`.
 * Gives whether all closed in time.
 */
export async function stopApplications(
  applications: readonly RunningApplication[],
  config: StreamsConfig,
): Promise<boolean> {
  for (const { view } of applications) view.drain();
  if (config.shutdownDrainMs > 0) {
    await new Promise<void>((resolve) => void callAfter(config.shutdownDrainMs, resolve));
  }
  const timeoutMs = Math.max(1, config.shutdownTimeoutMs - config.shutdownDrainMs);
  const closed = await Promise.all(applications.map(({ streams }) => streams.close({ timeoutMs })));
  return closed.every((inTime) => inTime);
}
