import type { ConfigSource, GivenSetting } from "./sources.ts";

/** The prefixes of variables, with what they become; the longer ones first. */
const PREFIXES: readonly (readonly [variable: string, key: string])[] = [
  ["KAFKA_CONSUMER_", "consumer."],
  ["KAFKA_PRODUCER_", "producer."],
  ["KAFKA_ADMIN_", "admin."],
  ["SCHEMA_REGISTRY_", "schema.registry."],
  ["STREAMS_", ""],
  ["KAFKA_", ""],
  ["ADMIN_", "admin."],
  ["LOG_", "log."],
];

/** Variables that belong to others: a Kubernetes Service named kafka, Kafka's own scripts, and the file's own name. */
const OTHERS =
  /^(STREAMS_CONFIG_FILE|KAFKA_PORT|KAFKA_HOME|KAFKA_DEBUG|KAFKA_(OPTS|HEAP_OPTS|LOG4J_OPTS|JMX_OPTS|GC_LOG_OPTS|JVM_PERFORMANCE_OPTS)|(STREAMS|KAFKA|SCHEMA_REGISTRY|ADMIN|LOG)_.*(SERVICE_(HOST|PORT)|_TCP(_|$)|_UDP(_|$)).*|.*_PORT_\d+_(TCP|UDP).*)$/;

/**
 * Settings from environment variables: `STREAMS_NUM_STREAM_THREADS` is `num.stream.threads`, `KAFKA_PRODUCER_LINGER_MS` is `producer.linger.ms`;
 * `_` stands for a dot, `__` for an underscore, `___` for a hyphen, as in the apache/kafka image. `…_FILE` names a mounted file that
 * holds the value. Empty variables are not given. Unknown names are refused after `STREAMS_` and warned of after the others.
 */
export function environmentSources(
  env: Readonly<Record<string, string | undefined>>,
): readonly ConfigSource[] {
  const own: GivenSetting[] = [];
  const shared: GivenSetting[] = [];
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined || value === "" || OTHERS.test(variable)) continue;
    const prefix = PREFIXES.find(([start]) => variable.startsWith(start));
    if (prefix === undefined || variable.length === prefix[0].length) continue;
    const key = prefix[1] + dotted(variable.slice(prefix[0].length));
    (prefix[0] === "STREAMS_" ? own : shared).push({ key, value, origin: `env ${variable}` });
  }
  return [{ settings: own, unknown: "refuse" }, { settings: shared, unknown: "warn" }];
}

function dotted(name: string): string {
  return name.toLowerCase().replaceAll(
    /_+/g,
    (run) => run.length === 1 ? "." : run.length === 2 ? "_" : run.length === 3 ? "-" : run,
  );
}
