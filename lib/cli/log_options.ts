import type { StreamsConfig } from "../config.ts";
import type { LogOptions } from "../telemetry/logger.ts";

/** How the log is opened under a configuration. */
export function logOptions(config: StreamsConfig): LogOptions {
  return {
    level: config.logLevel,
    format: config.logFormat,
    ...(config.logFile === undefined ? {} : { file: config.logFile }),
    fileKeepDays: config.logFileKeepDays,
    secrets: config.secretValues(),
  };
}
