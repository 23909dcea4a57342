/**
 * The settings of the streams themselves, by Kafka's names, with their kinds, defaults and meanings. One table: the types, the checks,
 * `config explain` and the documentation come from it.
 *
 * @module
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  flag,
  integer,
  type Kind,
  numberBetween,
  objectWith,
  oneOf,
  oneOfOrFunction,
  text,
  texts,
} from "./kinds.ts";

/** A setting: its kind, its default (if any) and what it is for. */
export interface StreamsKey<T, D extends T | undefined = T | undefined> {
  readonly kind: Kind<T>;
  readonly default: D;
  readonly about: string;
}

function key<T>(kind: Kind<T>, about: string): StreamsKey<T, undefined>;
function key<T, D extends T>(kind: Kind<T>, about: string, byDefault: D): StreamsKey<T, T>;
function key<T>(kind: Kind<T>, about: string, byDefault?: T): StreamsKey<T> {
  return { kind, about, default: byDefault };
}

const HANDLERS = ["log-and-fail", "log-and-continue", "dead-letter-queue"] as const;
const JAVA = "org.apache.kafka.streams.errors.";
const HANDLER_SPELLINGS: Record<string, (typeof HANDLERS)[number]> = { dlq: "dead-letter-queue" };
for (
  const [name, action] of Object.entries(
    {
      LogAndFailExceptionHandler: "log-and-fail",
      LogAndContinueExceptionHandler: "log-and-continue",
      LogAndFailProcessingExceptionHandler: "log-and-fail",
      LogAndContinueProcessingExceptionHandler: "log-and-continue",
      DefaultProductionExceptionHandler: "log-and-fail",
    } as const,
  )
) {
  HANDLER_SPELLINGS[name] = action;
  HANDLER_SPELLINGS[JAVA + name] = action;
}

const EXTRACTORS = [
  "fail-on-invalid",
  "log-and-skip-on-invalid",
  "use-partition-time-on-invalid",
  "wallclock",
] as const;
const EXTRACTOR_SPELLINGS: Record<string, (typeof EXTRACTORS)[number]> = {};
for (
  const [name, extractor] of Object.entries(
    {
      FailOnInvalidTimestamp: "fail-on-invalid",
      LogAndSkipOnInvalidTimestamp: "log-and-skip-on-invalid",
      UsePartitionTimeOnInvalidTimestamp: "use-partition-time-on-invalid",
      WallclockTimestampExtractor: "wallclock",
    } as const,
  )
) {
  EXTRACTOR_SPELLINGS[name] = extractor;
  EXTRACTOR_SPELLINGS[`org.apache.kafka.streams.processor.${name}`] = extractor;
}

const TOPIC = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;
const SERVER =
  /^([A-Z_]+:\/\/)?(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+)(:([1-9]\d{0,4}))?$|^embedded:\/\/\S*$/;
const REGISTRY = /^(https?:\/\/\S+|mock:\/\/\S*)$/;
const OPTIMIZATION =
  /^(none|all|((reuse\.ktable\.source\.topics|merge\.repartition\.topics|single\.store\.self\.join)(\s*,\s*(?=\S)|$))+)$/;
const serde = objectWith(["serialize", "deserialize"], "a serde, given in code");
const DAY = 86_400_000;

/** Every setting of the streams. */
export const STREAMS_KEYS = {
  // What it is and where the cluster is.
  "application.id": key(
    text(TOPIC, "1 to 249 letters, digits, dots, underscores and hyphens"),
    "Names the application: its consumer group, and the prefix of its internal topics",
  ),
  "bootstrap.servers": key(
    texts(SERVER, "a list of host:port, or embedded:// for the broker inside this process"),
    "Where the cluster is found",
  ),
  "client.id": key(
    text(),
    "The prefix of the clients' ids; by default application.id and a random part",
  ),
  "application.server": key(
    text(/^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+):\d{1,5}$/, "host:port"),
    "Where other instances reach this one's stores",
  ),

  // How it processes.
  "processing.guarantee": key(
    oneOf(["at_least_once", "exactly_once_v2"], {
      exactly_once: "exactly_once_v2",
      exactly_once_beta: "exactly_once_v2",
    }),
    "What holds when something fails; exactly_once_v2 needs brokers of 2.5 or later",
    "at_least_once",
  ),
  "num.stream.threads": key(integer({ min: 1, max: 1024 }), "Threads (Workers) that process", 1),
  "commit.interval.ms": key(
    integer({ min: 0 }),
    "Time between commits; 100 under exactly_once_v2 when it is not given",
    30_000,
  ),
  "poll.ms": key(integer({ min: 0 }), "How long to wait for records when there are none", 100),
  "max.poll.records": key(integer({ min: 1 }), "Records taken in one poll at most", 1000),
  "buffered.records.per.partition": key(
    integer({ min: 1 }),
    "Records held of one partition before it is paused",
    1000,
  ),
  "max.task.idle.ms": key(
    integer({ min: -1 }),
    "How long to wait for a partition that has no records before the others go on; -1 never waits",
    0,
  ),
  "task.timeout.ms": key(
    integer({ min: 0 }),
    "How long a task may retry after a time-out of the cluster",
    300_000,
  ),
  "transaction.timeout.ms": key(
    integer({ min: 1 }),
    "After this time without a commit the broker aborts a transaction",
    10_000,
  ),
  "topology.optimization": key(
    text(
      OPTIMIZATION,
      "none, all, or a list of reuse.ktable.source.topics, merge.repartition.topics, single.store.self.join",
    ),
    "Which rewritings of the topology are made",
    "none",
  ),
  "ensure.explicit.internal.resource.naming": key(
    flag(),
    "Refuses topologies whose internal topics and stores have generated names",
    false,
  ),
  "default.timestamp.extractor": key(
    oneOfOrFunction(EXTRACTORS, EXTRACTOR_SPELLINGS),
    "Where a record's time comes from",
    "fail-on-invalid",
  ),
  "default.key.serde": key(serde, "The serde of keys where none is given"),
  "default.value.serde": key(serde, "The serde of values where none is given"),
  "repartition.purge.interval.ms": key(
    integer({ min: 0 }),
    "Time between deletions of repartition records that are done with",
    30_000,
  ),
  "replication.factor": key(
    integer({ min: -1, max: 32_767 }),
    "Copies of the internal topics; -1 takes the broker's default",
    -1,
  ),

  // Errors.
  "deserialization.exception.handler": key(
    oneOfOrFunction(HANDLERS, HANDLER_SPELLINGS),
    "What happens with a record that cannot be read",
    "log-and-fail",
  ),
  "processing.exception.handler": key(
    oneOfOrFunction(HANDLERS, HANDLER_SPELLINGS),
    "What happens with a record that a processor throws at",
    "log-and-fail",
  ),
  "production.exception.handler": key(
    oneOfOrFunction(HANDLERS, HANDLER_SPELLINGS),
    "What happens with a record that cannot be written",
    "log-and-fail",
  ),
  "errors.dead.letter.queue.topic.name": key(
    text(TOPIC, "a topic name"),
    "The topic that bad records go to, with the cause in headers",
  ),
  "errors.dead.letter.queue.dropped.records": key(
    texts(
      /^(null-key|null-value|late|expired|timestamp)$/,
      "a list of null-key, null-value, late, expired, timestamp",
    ),
    "Dropped records that go to the dead letter topic too, by reason",
  ),
  "uncaught.exception.handler": key(
    oneOfOrFunction(["replace-thread", "shutdown-client", "shutdown-application"]),
    "What happens when a thread dies",
    "shutdown-client",
  ),

  // State.
  "state.dir": key(text(), "The directory of the stores", join(tmpdir(), "weir")),
  "state.sync": key(
    oneOf(["never", "commit"], { none: "never" }),
    "Whether each commit is written at once and waits for the disk: a killed process loses nothing either way, a power cut may",
    "never",
  ),
  "state.cleanup.delay.ms": key(
    integer({ min: 0 }),
    "When the directory of a task that moved away is deleted",
    600_000,
  ),
  "statestore.cache.max.bytes": key(
    integer({ min: 0 }),
    "Memory of the record caches of all threads together; 0 turns caching off",
    10_485_760,
  ),
  "statestore.uncommitted.max.bytes": key(
    integer({ min: -1 }),
    "Memory of the writes since the last commit; more commits early; -1 has no limit",
    67_108_864,
  ),
  "windowstore.changelog.additional.retention.ms": key(
    integer({ min: 0 }),
    "Added to the retention of a windowed store's changelog topic",
    DAY,
  ),
  "default.dsl.store": key(
    oneOf(["lmdb", "in_memory"], { rocksdb: "lmdb", rocks_db: "lmdb" }),
    "Where stores lie that say nothing else",
    "lmdb",
  ),
  "dsl.store.suppliers": key(
    objectWith(["keyValueStore", "windowStore", "sessionStore"], "store suppliers, given in code"),
    "Makes the stores that say nothing else",
  ),
  "processor.wrapper": key(
    objectWith(["wrap"], "a processor wrapper, given in code"),
    "Put around every processor of the topology",
  ),

  // The group, standbys.
  "group.protocol": key(
    oneOf(["classic", "consumer"]),
    "How members are assigned: the classic protocol, or KIP-848's",
    "classic",
  ),
  "group.instance.id": key(
    text(TOPIC, "letters, digits, dots, underscores and hyphens"),
    "Makes the members static; each thread adds its number",
  ),
  "num.standby.replicas": key(integer({ min: 0 }), "Copies of each store on other instances", 0),
  "acceptable.recovery.lag": key(
    integer({ min: 0 }),
    "Records behind at which a store counts as caught up",
    10_000,
  ),
  "max.warmup.replicas": key(integer({ min: 1 }), "Stores warmed up elsewhere at a time", 2),
  "probing.rebalance.interval.ms": key(
    integer({ min: 60_000 }),
    "Time between checks whether a warmed-up store can take over",
    600_000,
  ),

  // Telemetry.
  "metrics.recording.level": key(
    oneOf(["info", "debug", "trace"]),
    "How many metrics are kept",
    "info",
  ),
  "metrics.sample.window.ms": key(
    integer({ min: 1 }),
    "The window of averages, maxima and rates",
    30_000,
  ),
  "metrics.num.samples": key(
    integer({ min: 1 }),
    "Windows that averages, maxima and rates span",
    2,
  ),
  "log.level": key(
    oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    "The least level that is logged",
    "info",
  ),
  "log.format": key(
    oneOf(["auto", "pretty", "json"], { text: "pretty" }),
    "How lines look; auto is pretty on a terminal, JSON otherwise",
    "auto",
  ),
  "log.file": key(
    text(),
    "A file that lines are written to as well, one per day: app.log becomes app.2026-01-31.log",
  ),
  "log.file.keep.days": key(integer({ min: 1 }), "Daily files that are kept", 14),
  "log.summary.interval.ms": key(
    integer({ min: 0 }),
    "Time between lines that sum up what was processed; 0 writes none",
    120_000,
  ),
  "tracing.module": key(
    text(),
    "A module that registers an OpenTelemetry SDK, by its path or URL; it is imported in each thread's isolate before the thread starts, and its `flush` is called at the end",
  ),
  "tracing.ratio": key(
    numberBetween(0, 1),
    "The share of the records without a trace of their own that begin one",
    1,
  ),
  "tracing.relationship": key(
    oneOf(["parent", "link"]),
    "Whether the span of a record continues the record's trace or links to it",
    "parent",
  ),

  // The admin server, stopping.
  "admin.enabled": key(flag(), "Whether the admin server runs", true),
  "admin.host": key(text(), "The address that the admin server listens on", "127.0.0.1"),
  "admin.port": key(integer({ min: 0, max: 65_535 }), "Its port; 0 takes a free one", 8080),
  "admin.token": key(
    text(/^\S{8,}$/, "at least 8 characters without spaces"),
    "The bearer token that changes need; without one nothing can be changed",
  ),
  "admin.base.path": key(
    text(/^\/\S*[^/]$/, "a path that begins with / and does not end with it"),
    "Stands before all its paths",
  ),
  "health.readiness.grace.ms": key(
    integer({ min: 0 }),
    "How long a rebalance may take before readiness fails",
    15_000,
  ),
  "health.min.live.threads": key(
    integer({ min: 1 }),
    "With fewer threads alive the instance is not live",
    1,
  ),
  "shutdown.drain.ms": key(
    integer({ min: 0 }),
    "Time between failing readiness and stopping, for load balancers to notice",
    0,
  ),
  "shutdown.timeout.ms": key(
    integer({ min: 1 }),
    "The longest a stop takes before it is forced",
    25_000,
  ),

  // The schema registry.
  "schema.registry.url": key(
    texts(REGISTRY, "a list of http:// or https:// addresses, or mock://scope"),
    "Where schemas are registered",
  ),
  "schema.registry.basic.auth.user.info": key(
    text(/^[^:]+:.+$/s, "user:password"),
    "Basic authentication",
  ),
  "schema.registry.bearer.auth.token": key(text(), "Bearer authentication"),
  "schema.registry.ssl.ca.location": key(text(), "PEM file with the authorities that are trusted"),
  "schema.registry.ssl.certificate.location": key(text(), "PEM file with the client's certificate"),
  "schema.registry.ssl.key.location": key(text(), "PEM file with the client's key"),
  "schema.registry.ssl.key.password": key(text(), "The password of that key"),
  "schema.registry.request.timeout.ms": key(
    integer({ min: 1 }),
    "How long a request may take",
    10_000,
  ),

  // Internal: the throttles of results that wait for a time; 0 in the test driver.
  "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__": key(
    integer({ min: 0 }),
    "Internal: time between looks for unmatched records of an outer join",
    1000,
  ),
  "__emit.interval.ms.kstreams.windowed.aggregation__": key(
    integer({ min: 0 }),
    "Internal: time between looks for closed windows",
    1000,
  ),
} as const;

/** The names of the streams' settings. */
export type StreamsKeyName = keyof typeof STREAMS_KEYS;

/** Older and other names that stand for a setting. */
export const ALIASES: Readonly<Record<string, StreamsKeyName>> = {
  "cache.max.bytes.buffering": "statestore.cache.max.bytes",
  "default.deserialization.exception.handler": "deserialization.exception.handler",
  "default.production.exception.handler": "production.exception.handler",
  "schema.registry.bearer.token": "schema.registry.bearer.auth.token",
  "producer.transaction.timeout.ms": "transaction.timeout.ms",
  "consumer.max.poll.records": "max.poll.records",
  "main.consumer.max.poll.records": "max.poll.records",
  "consumer.group.instance.id": "group.instance.id",
  "main.consumer.group.instance.id": "group.instance.id",
};

/** Settings that are taken and checked, but that nothing follows yet, and why: giving them is warned of. */
export const WITHOUT_EFFECT: Readonly<Partial<Record<StreamsKeyName, string>>> = {
  "num.standby.replicas": "there are no standby tasks: stores are restored from their changelogs",
  "acceptable.recovery.lag": "there are no standby tasks",
  "max.warmup.replicas": "there are no standby tasks",
  "probing.rebalance.interval.ms": "there are no standby tasks",
  "application.server": "queries are answered from the stores of the instance that is asked",
};

/** Settings of Kafka Streams that have no meaning here, and why. */
export const NOT_HERE: Readonly<Record<string, string>> = {
  "rocksdb.config.setter": "stores lie in LMDB, which needs no tuning",
  "dsl.store.suppliers.class": "give the suppliers as an object in dsl.store.suppliers",
  "default.client.supplier": "the clients are librdkafka's",
  "default.list.key.serde.inner": "give a list serde in code",
  "default.list.key.serde.type": "give a list serde in code",
  "default.list.value.serde.inner": "give a list serde in code",
  "default.list.value.serde.type": "give a list serde in code",
  "windowed.inner.class.serde": "give a windowed serde in code",
  "window.size.ms": "give a windowed serde in code",
  "processor.wrapper.class": "give the wrapper as an object in processor.wrapper",
  "task.assignor.class": "the group's range assignor places tasks",
  "internal.task.assignor.class": "the group's range assignor places tasks",
  "rack.aware.assignment.strategy": "the group's range assignor places tasks",
  "rack.aware.assignment.tags": "the group's range assignor places tasks",
  "rack.aware.assignment.traffic_cost": "the group's range assignor places tasks",
  "rack.aware.assignment.non_overlap_cost": "the group's range assignor places tasks",
  "upgrade.from": "there is no older format to upgrade from",
  "built.in.metrics.version": "there is one version of the metrics",
  "allow.os.group.write.access": "set the umask of the process",
};
