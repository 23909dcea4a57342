import type { StreamsConfig } from "../config.ts";
import { type Log, openLog } from "../telemetry/logger.ts";
import { startAdminServer } from "./admin_server.ts";
import {
  firstFailure,
  makeApplications,
  type RunningApplication,
  stopApplications,
} from "./applications.ts";
import { embeddedBrokerFor } from "./embedded.ts";
import { EXIT } from "./exit_codes.ts";
import { logOptions } from "./log_options.ts";
import { readSettings, type SettingOptions } from "./settings.ts";
import { listenForStop, type StopSignal } from "./stop_signal.ts";
import { findTopologies } from "./topology_files.ts";

/**
 * Runs topology files until SIGTERM or SIGINT, or until one of them fails. Gives the exit code.
 * @throws {ConfigException} when the configuration has faults
 * @throws {TopologyException} when a topology is wrong
 */
export async function run(paths: readonly string[], options: SettingOptions): Promise<number> {
  const config = readSettings(options);
  const files = await findTopologies(paths);
  const log = openLog(logOptions(config));
  const stop = listenForStop();
  const broker = embeddedBrokerFor(config.bootstrapServers);
  try {
    const applications = await makeApplications(files, {
      configure: (decided) => readSettings(options, { decided }),
      log,
      broker,
    });
    return await serveApplications(applications, { config, log, stop });
  } finally {
    stop.dispose();
    broker?.close();
    log.close();
  }
}

interface Surroundings {
  readonly config: StreamsConfig;
  readonly log: Log;
  readonly stop: StopSignal;
}

/** Starts applications with their admin server, waits for the end, and stops everything; the admin server last, so that probes see it. */
async function serveApplications(
  applications: readonly RunningApplication[],
  { config, log, stop }: Surroundings,
): Promise<number> {
  const server = await startAdminServer(config, applications.map(({ view }) => view), log);
  if (server !== undefined) log.root.info(`The admin server listens on ${server.url}`);
  try {
    const failed = firstFailure(applications);
    const started = Promise.all(applications.map(({ streams }) => streams.start()));
    const end = await Promise.race([stop.received, failed, started.then(() => failed)]);
    if (typeof end === "string") log.root.info(`Stopping on ${end}`);
    const inTime = await stopApplications(applications, config);
    if (end instanceof Error) throw end;
    return inTime ? EXIT.ok : EXIT.notDrained;
  } finally {
    await server?.close();
  }
}
