import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigException } from "../errors.ts";
import type { RuntimeLog } from "./runtime_log.ts";

/** What a `tracing.module` may export. */
export interface TracingModule {
  /** Sends the spans that are not sent yet; called when a thread or the application ends. */
  flush?(): Promise<void> | void;
}

/**
 * Imports the module that registers an OpenTelemetry SDK in this isolate; each isolate has its own. Gives what sends the last spans off.
 * @throws {ConfigException} when it cannot be imported
 */
export async function importTracing(
  address: string | undefined,
  log: RuntimeLog,
): Promise<() => Promise<void>> {
  if (address === undefined) return () => Promise.resolve();
  let module: TracingModule;
  try {
    module = await import(urlOf(address)) as TracingModule;
  } catch (cause) {
    const rule = `must be a module that can be imported (${(cause as Error).message})`;
    throw new ConfigException([{ key: "tracing.module", given: address, rule }]);
  }
  return async () => {
    try {
      await module.flush?.();
    } catch (error) {
      log.warn("Some spans are lost, as the tracing module could not send them", { err: error });
    }
  };
}

/** A path is one of the file system, wherever this file lies. */
function urlOf(address: string): string {
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(address) && !isAbsolute(address);
  return isUrl ? address : pathToFileURL(resolve(address)).href;
}
