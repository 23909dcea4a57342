import { gauge, type RecordingLevel } from "./definition.ts";
import type { MetricsRegistry, Registration } from "./metrics.ts";

/** Metrics of a client. Kafka Streams: `stream-metrics`. */
export const CLIENT = {
  state: gauge(
    "kafka_stream_client_state",
    "State of the client: 0 CREATED 1 REBALANCING 2 RUNNING 3 PENDING_SHUTDOWN 4 NOT_RUNNING 5 PENDING_ERROR 6 ERROR",
    "last",
  ),
  aliveThreads: gauge("kafka_stream_alive_stream_threads", "Threads that are alive", "last"),
  failedThreads: gauge(
    "kafka_stream_failed_stream_threads",
    "Threads that have died since the start",
    "last",
  ),
  recordingLevel: gauge(
    "kafka_stream_recording_level",
    "Recording level of the metrics: 0 info, 1 debug, 2 trace",
    "last",
  ),
  buildInfo: gauge("kafka_streams_build_info", "1, with the version and the runtime", "last"),
  topologyInfo: gauge(
    "kafka_streams_topology_info",
    "1, with a hash of the topology's description",
    "last",
  ),
} as const;

/** The states of a client, in the order of their numbers. Kafka Streams: `KafkaStreams.State`. */
export const CLIENT_STATES = [
  "CREATED",
  "REBALANCING",
  "RUNNING",
  "PENDING_SHUTDOWN",
  "NOT_RUNNING",
  "PENDING_ERROR",
  "ERROR",
] as const;
/** A state of a client. */
export type ClientState = (typeof CLIENT_STATES)[number];

const LEVELS: readonly RecordingLevel[] = ["info", "debug", "trace"];

/** What a client is called in its metrics. */
export interface ClientIdentity {
  readonly applicationId: string;
  readonly clientId: string;
  readonly processId: string;
}

/** The metrics of a client; it sets the fields. */
export class ClientMetrics implements Registration {
  state: ClientState = "CREATED";
  aliveThreads = 0;
  failedThreads = 0;
  readonly #registration: Registration;
  #topology: Registration | undefined = undefined;

  constructor(
    registry: MetricsRegistry,
    identity: ClientIdentity,
    build: { readonly version: string; readonly runtime: string; readonly runtimeVersion: string },
  ) {
    const scope = registry.scope({
      application_id: identity.applicationId,
      client_id: identity.clientId,
      process_id: identity.processId,
    });
    scope.observe(CLIENT.state, () => CLIENT_STATES.indexOf(this.state));
    scope.observe(CLIENT.aliveThreads, () => this.aliveThreads);
    scope.observe(CLIENT.failedThreads, () => this.failedThreads);
    scope.observe(CLIENT.recordingLevel, () => LEVELS.indexOf(registry.level));
    scope.observe(CLIENT.buildInfo, () => 1, {
      version: build.version,
      runtime: build.runtime,
      runtime_version: build.runtimeVersion,
    });
    this.#registration = scope;
  }

  /** Shows a hash of what `describe()` prints, so that instances with different topologies are seen. */
  showTopology(registry: MetricsRegistry, applicationId: string, hash: string): void {
    this.#topology?.remove();
    const scope = registry.scope({ application_id: applicationId, hash });
    scope.observe(CLIENT.topologyInfo, () => 1);
    this.#topology = scope;
  }

  remove(): void {
    this.#registration.remove();
    this.#topology?.remove();
  }
}
