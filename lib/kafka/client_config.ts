/**
 * Kafka's Java client settings in librdkafka's terms. Most names are the same; the others are translated, what has no
 * meaning here is left out, and what is unknown is refused with the nearest known name.
 *
 * @module
 */
import { ConfigException, type ConfigIssue } from "../errors.ts";
import { type ClientConfig, PRODUCER_QUEUE_MESSAGES } from "./client.ts";
import { jaasCredentials } from "./jaas.ts";
import { CLIENT_SETTINGS, CONSUMER_SETTINGS, PRODUCER_SETTINGS } from "./librdkafka_settings.ts";
import { nearestName } from "./nearest_name.ts";
import { securitySettings } from "./security_config.ts";

/** What a configuration is for. */
export type ClientKind = "consumer" | "producer" | "admin";

/** What a translation may do: set names of librdkafka, or report a fault. */
export interface Translation {
  readonly kind: ClientKind;
  set(name: string, value: string): void;
  fault(issue: ConfigIssue): void;
}

/** Java names whose meaning is another name here, in the same unit. */
const RENAMED: Readonly<Record<string, string>> = {
  "fetch.max.wait.ms": "fetch.wait.max.ms",
  "send.buffer.bytes": "socket.send.buffer.bytes",
  "receive.buffer.bytes": "socket.receive.buffer.bytes",
  "max.request.size": "message.max.bytes",
};

/** Java settings that have no counterpart and change no result. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(
  `
    auto.include.jmx.reporter compression.gzip.level compression.lz4.level compression.zstd.level
    default.api.timeout.ms exclude.internal.topics max.block.ms max.poll.records metadata.max.idle.ms
    metric.reporters metrics.num.samples metrics.recording.level metrics.sample.window.ms
    partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms sasl.login.callback.handler.class
    socket.connection.setup.timeout.max.ms ssl.truststore.password throw.on.fetch.stable.offset.unsupported
    internal.leave.group.on.close key.serializer value.serializer key.deserializer value.deserializer
  `.trim().split(/\s+/),
);

const ASSIGNORS: Readonly<Record<string, string>> = {
  "org.apache.kafka.clients.consumer.RangeAssignor": "range",
  "org.apache.kafka.clients.consumer.RoundRobinAssignor": "roundrobin",
  "org.apache.kafka.clients.consumer.CooperativeStickyAssignor": "cooperative-sticky",
};

/** What Weir sets where the user does not. A full queue is looked at again after 1 ms (librdkafka waits a second). */
const CONSUMER_DEFAULTS: ClientConfig = {
  "enable.auto.offset.store": false,
  "enable.partition.eof": true,
  "isolation.level": "read_uncommitted",
  "group.id": "weir-no-group",
  "fetch.queue.backoff.ms": 1,
};

const PRODUCER_DEFAULTS: ClientConfig = {
  "partitioner": "murmur2_random",
  "queue.buffering.max.messages": PRODUCER_QUEUE_MESSAGES,
  "queue.buffering.max.kbytes": 65_536,
};

/**
 * The settings for librdkafka as `[name, value, …]`.
 * @throws {ConfigException} naming every setting that is unknown or has no counterpart.
 */
export function librdkafkaSettings(kind: ClientKind, config: ClientConfig): string[] {
  const issues: ConfigIssue[] = [];
  const settings = new Map<string, string>();
  for (const [name, value] of Object.entries(defaultsOf(kind, config))) {
    settings.set(name, String(value));
  }
  const translation: Translation = {
    kind,
    set: (name, value) => void settings.set(name, value),
    fault: (issue) => void issues.push(issue),
  };
  for (const [key, value] of Object.entries(config)) translate(key, String(value), translation);
  securitySettings(config, translation);
  jaasCredentials(config, translation);
  if (kind === "consumer") settings.set("enable.auto.commit", "false");
  if (issues.length > 0) throw new ConfigException(issues);
  return [...settings].flat();
}

function defaultsOf(kind: ClientKind, config: ClientConfig): ClientConfig {
  if (kind === "consumer") {
    if (config["group.protocol"] === "consumer") return CONSUMER_DEFAULTS;
    return { ...CONSUMER_DEFAULTS, "partition.assignment.strategy": "range" };
  }
  if (kind === "admin") return {};
  const acks = String(config["acks"] ?? "all");
  const idempotent = (acks === "all" || acks === "-1") && String(config["retries"] ?? 1) !== "0" &&
    Number(config["max.in.flight.requests.per.connection"] ?? 5) <= 5;
  return idempotent ? { ...PRODUCER_DEFAULTS, "enable.idempotence": true } : PRODUCER_DEFAULTS;
}

function translate(key: string, value: string, to: Translation): void {
  const special = SPECIAL[key];
  if (special) return special(value, to);
  if (isSecurity(key) || WITHOUT_EFFECT.has(key)) return;
  const name = RENAMED[key] ?? key;
  if (CLIENT_SETTINGS.has(name) || ownSettings(to.kind).has(name)) return to.set(name, value);
  // A setting of another kind of client: one configuration may serve all three.
  if (CONSUMER_SETTINGS.has(name) || PRODUCER_SETTINGS.has(name)) return;
  const nearest = nearestName(key, knownNames());
  // A misspelt password is still a password.
  const secret = SECRET.test(key) || (nearest !== undefined && SECRET.test(nearest));
  to.fault({
    key,
    given: secret ? "[hidden]" : value,
    rule: nearest === undefined
      ? "is not a setting of Kafka's clients"
      : `is not a setting of Kafka's clients; did you mean ${nearest}?`,
  });
}

const SECRET = /pass|secret|token|credential|jaas|\bkey|pem/i;

/** Settings whose value or name depends on more than themselves. */
const SPECIAL: Readonly<Record<string, (value: string, to: Translation) => void>> = {
  "enable.auto.commit": () => {},
  "auto.commit.interval.ms": () => {},
  "auto.offset.reset"(value, to) {
    if (to.kind === "consumer") to.set("auto.offset.reset", value === "none" ? "error" : value);
  },
  "partition.assignment.strategy"(value, to) {
    if (to.kind !== "consumer") return;
    const names = value.split(",").map((name) => ASSIGNORS[name.trim()] ?? name.trim());
    to.set("partition.assignment.strategy", names.join(","));
  },
  // Java's producer waits this long for an answer; its other clients, and librdkafka's sockets, too.
  "request.timeout.ms"(value, to) {
    to.set(to.kind === "producer" ? "request.timeout.ms" : "socket.timeout.ms", value);
  },
  "buffer.memory"(value, to) {
    if (to.kind !== "producer") return;
    to.set("queue.buffering.max.kbytes", String(Math.max(1, Math.floor(Number(value) / 1024))));
  },
  "partitioner.class"(value, to) {
    if (/DefaultPartitioner|UniformStickyPartitioner/.test(value) || value === "") return;
    to.fault({
      key: "partitioner.class",
      given: value,
      rule: "cannot be a Java class; give the sink a partitioner function instead",
    });
  },
  "interceptor.classes": (value, to) => noClass("interceptor.classes", value, to),
  "config.providers": (value, to) => noClass("config.providers", value, to),
  "sasl.client.callback.handler.class": (value, to) =>
    noClass("sasl.client.callback.handler.class", value, to),
};

function noClass(key: string, given: string, to: Translation): void {
  if (given === "") return;
  to.fault({ key, given, rule: "cannot be used, as it names a Java class" });
}

/** Keys that `securitySettings` and `jaasCredentials` read. */
function isSecurity(key: string): boolean {
  return key === "sasl.jaas.config" || key === "ssl.protocol" || key === "ssl.enabled.protocols" ||
    key === "ssl.provider" || key === "ssl.secure.random.implementation" ||
    key === "ssl.trustmanager.algorithm" || key === "ssl.keymanager.algorithm" ||
    key === "ssl.engine.factory.class" || key.startsWith("ssl.truststore.") ||
    key.startsWith("ssl.keystore.") || key === "ssl.endpoint.identification.algorithm";
}

function ownSettings(kind: ClientKind): ReadonlySet<string> {
  if (kind === "consumer") return CONSUMER_SETTINGS;
  return kind === "producer" ? PRODUCER_SETTINGS : NONE;
}
const NONE: ReadonlySet<string> = new Set();

function knownNames(): string[] {
  return [
    ...CLIENT_SETTINGS,
    ...CONSUMER_SETTINGS,
    ...PRODUCER_SETTINGS,
    ...Object.keys(RENAMED),
    ...Object.keys(SPECIAL),
    ...WITHOUT_EFFECT,
    "sasl.jaas.config",
    "ssl.truststore.location",
  ];
}
