/**
 * The one place that picks what an application runs on: librdkafka or the embedded broker, LMDB, the system's clock, the log.
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import { logOptions } from "./cli/log_options.ts";
import { parseConfig, type StreamsConfig } from "./config.ts";
import { embeddedClients } from "./kafka/embedded_clients.ts";
import { startEmbeddedBroker } from "./kafka/embedded_broker.ts";
import { librdkafkaClients } from "./kafka/librdkafka.ts";
import type { KafkaClients } from "./kafka/client.ts";
import { type Clock, systemClock } from "./record/time.ts";
import { KafkaStreams as Application } from "./runtime/kafka_streams.ts";
import { openStateHome } from "./runtime/state_home.ts";
import type { StreamsHost } from "./runtime/streams_host.ts";
import type { WorkerPort } from "./runtime/worker_thread.ts";
import type { TopologySource } from "./runtime/topology_source.ts";
import { credentials, openSchemaRegistry } from "./serde/open_registry.ts";
import type { SchemaRegistry } from "./serde/registry.ts";
import { openLog } from "./telemetry/logger.ts";

const EMBEDDED = "embedded://";
let ownBroker: string | undefined;

/**
 * The clients of a `bootstrap.servers`. `embedded://` is a broker inside this process, started when it is first asked for; `embedded://host:port` is
 * one that runs in it already.
 */
export function clientsFor(bootstrapServers: readonly string[]): KafkaClients {
  const [first] = bootstrapServers;
  if (!first?.startsWith(EMBEDDED)) return librdkafkaClients;
  const address = first.slice(EMBEDDED.length);
  return embeddedClients(address || ownBrokerAddress());
}

/** Names the broker inside this process, where it is asked for, so that Workers find the same one. */
function withBroker(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (config["bootstrap.servers"] !== EMBEDDED) return config;
  return { ...config, "bootstrap.servers": `${EMBEDDED}${ownBrokerAddress()}` };
}

function ownBrokerAddress(): string {
  return ownBroker ??= startEmbeddedBroker().bootstrapServers;
}

/** The registry of `schema.registry.url`, if one is given; `mock://scope` is one inside this process. */
export function registryFor(
  config: StreamsConfig,
  clock: Clock = systemClock,
): SchemaRegistry | undefined {
  const baseURLs = config.schemaRegistryUrl;
  if (baseURLs === undefined || baseURLs.length === 0) return undefined;
  const userInfo = config.schemaRegistryBasicAuthUserInfo;
  return openSchemaRegistry({
    baseURLs,
    basicAuth: userInfo === undefined ? undefined : credentials(userInfo),
    bearerToken: config.schemaRegistryBearerAuthToken,
    caFile: config.schemaRegistrySslCaLocation,
    certificateFile: config.schemaRegistrySslCertificateLocation,
    keyFile: config.schemaRegistrySslKeyLocation,
    keyPassword: config.schemaRegistrySslKeyPassword,
    timeoutMs: config.schemaRegistryRequestTimeoutMs,
    clock,
  });
}

let workerEntry: URL | string = new URL("./worker.ts", import.meta.url);

/** Where the module of stream threads' Workers lies, when that is not beside this file: in the binary. */
export function useWorkerEntry(url: URL | string): void {
  workerEntry = url;
}

function startWorker(name: string): WorkerPort {
  // Three half spaces of V8; by itself it takes up to 96 MB, and a stream thread's values die as young in this.
  const worker = new Worker(workerEntry, {
    name,
    resourceLimits: { maxYoungGenerationSizeMb: 24 },
  });
  return {
    post: (command) => worker.postMessage(command),
    onEvent: (listener) => void worker.on("message", listener),
    onGone(listener) {
      worker.on("error", (error: Error) => listener(error));
      worker.on("exit", () => listener(undefined));
    },
    terminate: async () => void await worker.terminate(),
  };
}

/** What an application of this configuration runs on, but for what the caller brings itself. */
export function hostFor(config: StreamsConfig, own: Partial<StreamsHost> = {}): StreamsHost {
  const clock = own.clock ?? systemClock;
  const opened = own.log === undefined ? openLog(logOptions(config)) : undefined;
  return {
    clients: own.clients ?? clientsFor(config.bootstrapServers ?? []),
    clock,
    log: own.log ?? opened!.root.child({ application_id: config.applicationId }),
    setLogLevel: own.setLogLevel ?? (opened && ((level, name) => opened.setLevel(level, name))),
    serdes: own.serdes ?? { registry: registryFor(config, clock), clock },
    openState: own.openState ?? openStateHome,
    startWorker: own.startWorker ?? startWorker,
  };
}

/**
 * A running application. Kafka Streams: `KafkaStreams`.
 *
 * @example
 * ```ts
 * const streams = new KafkaStreams(topology, { "application.id": "orders", "bootstrap.servers": "localhost:9092" });
 * await streams.start();
 * // …
 * await streams.close();
 * ```
 */
export class KafkaStreams extends Application {
  /**
   * @param source a topology, what `defineTopology` gave, or `{ url }` of a module that exports one as `topology` (needed for more than one thread)
   * @throws {ConfigException} when the configuration has faults
   */
  constructor(
    source: TopologySource,
    config: StreamsConfig | Readonly<Record<string, unknown>>,
    own: Partial<StreamsHost> = {},
  ) {
    const checked = "clientConfig" in config
      ? config as StreamsConfig
      : parseConfig(withBroker(config as Readonly<Record<string, unknown>>));
    super(source, checked, hostFor(checked, own));
  }
}
