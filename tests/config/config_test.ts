import { test } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { environmentSources, parseConfig, type ParseOptions, sourceOf } from "../../lib/config.ts";
import { ConfigException, type ConfigIssue } from "../../lib/errors.ts";
import { CLIENT_KEYS } from "../../lib/config/client_keys.ts";
import { librdkafkaSettings } from "../../lib/kafka/client_config.ts";
import { NAMED_ACTIONS } from "../../lib/runtime/exception_handlers.ts";
import { NAMED_EXTRACTORS } from "../../lib/topology/timestamp_extractors.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const NEEDED = { "application.id": "orders", "bootstrap.servers": "localhost:9092" };

function issuesOf(
  given: Record<string, unknown>,
  options?: ParseOptions,
): readonly ConfigIssue[] {
  return assertThrows(() => parseConfig(given, options), ConfigException).issues;
}

test("parseConfig gives Kafka Streams' defaults under camel case names", () => {
  const config = parseConfig(NEEDED);
  assertEquals(config.applicationId, "orders");
  assertEquals(config.bootstrapServers, ["localhost:9092"]);
  assertEquals(config.commitIntervalMs, 30_000);
  assertEquals(config.statestoreCacheMaxBytes, 10_485_760);
  assertEquals(config.numStreamThreads, 1);
  assertEquals(config.maxTaskIdleMs, 0);
  assertEquals(config.windowstoreChangelogAdditionalRetentionMs, 86_400_000);
  assertEquals(config.exactlyOnce, false);
  assertEquals(config.groupInstanceId, undefined);
  assert(Object.isFrozen(config));
});

test("parseConfig commits each 100 ms under exactly once when no interval is given", () => {
  const given = { ...NEEDED, "processing.guarantee": "exactly_once" };
  assertEquals(parseConfig(given).commitIntervalMs, 100);
  assertEquals(parseConfig(given).processingGuarantee, "exactly_once_v2");
  assertEquals(parseConfig({ ...given, "commit.interval.ms": "1000" }).commitIntervalMs, 1000);
});

test("parseConfig reports all faults at once", () => {
  const issues = issuesOf({
    "bootstrap.servers": "local host",
    "num.stream.threads": "two",
    "commit.interval.ms": -1,
    "processing.guarantee": "maybe",
    "topic.cleanup.polizy": "compact",
    "metrics.recording.level": 3,
  });
  assertEquals(issues.map((issue) => issue.key).sort(), [
    "application.id",
    "bootstrap.servers",
    "commit.interval.ms",
    "metrics.recording.level",
    "num.stream.threads",
    "processing.guarantee",
    "topic.cleanup.polizy",
  ]);
  const threads = issues.find((issue) => issue.key === "num.stream.threads");
  assertEquals(threads, {
    key: "num.stream.threads",
    given: "two",
    rule: "must be a whole number from 1 to 1024",
  });
});

for (
  const [mistyped, meant] of [
    ["num.stream.thread", "num.stream.threads"],
    ["aplication.id", "application.id"],
    ["commit.intervall.ms", "commit.interval.ms"],
    ["producer.lingr.ms", "producer.linger.ms"],
    ["main.consumer.fetch.max.byte", "main.consumer.fetch.max.bytes"],
    ["sasl.pasword", "sasl.password"],
    ["topic.retention.sm", "topic.retention.ms"],
  ]
) {
  test(`parseConfig refuses ${mistyped} and names ${meant}`, () => {
    const [issue] = issuesOf({ ...NEEDED, [mistyped]: 1 });
    assertEquals(issue.rule, `is not a known setting; did you mean ${meant}?`);
  });
}

test("parseConfig says why a setting of Kafka Streams has no meaning here", () => {
  const issues = issuesOf({
    ...NEEDED,
    "rocksdb.config.setter": "X",
    "producer.key.serializer": "Y",
  });
  assertStringIncludes(issues[0].rule, "stores lie in LMDB");
  assertStringIncludes(issues[1].rule, "librdkafka does not have");
});

test("parseConfig warns of a setting that nothing follows, unless it is given as its default", () => {
  const { warnings } = parseConfig({ ...NEEDED, "num.standby.replicas": 1 });
  assertEquals(warnings.length, 1);
  assertStringIncludes(warnings[0], "num.standby.replicas has no effect as there are no standby");
  assertEquals(parseConfig({ ...NEEDED, "num.standby.replicas": "0" }).warnings, []);
});

test("parseConfig takes a user's own settings under app.", () => {
  const config = parseConfig({ ...NEEDED, "app.rate": 5 });
  assertEquals(config.values["app.rate"], 5);
});

test("parseConfig takes the older names, and the newer one when both are given", () => {
  assertEquals(
    parseConfig({ ...NEEDED, "cache.max.bytes.buffering": 5 }).statestoreCacheMaxBytes,
    5,
  );
  const both = parseConfig({
    ...NEEDED,
    "cache.max.bytes.buffering": 5,
    "statestore.cache.max.bytes": 7,
  });
  assertEquals(both.statestoreCacheMaxBytes, 7);
  assertStringIncludes(both.warnings[0], "cache.max.bytes.buffering");
});

test("parseConfig has Kafka Streams' rule between transaction time-out and commit interval", () => {
  const [issue] = issuesOf({
    ...NEEDED,
    "processing.guarantee": "exactly_once_v2",
    "commit.interval.ms": 20_000,
  });
  assertEquals(issue.key, "transaction.timeout.ms");
  assertStringIncludes(
    issue.rule,
    "Transaction timeout 10000 was set lower than streams commit interval 20000.",
  );
  parseConfig({
    ...NEEDED,
    "processing.guarantee": "exactly_once_v2",
    "commit.interval.ms": 20_000,
    "producer.transaction.timeout.ms": 300_000,
  });
});

const TOGETHER: [name: string, given: Record<string, unknown>, key: string][] = [
  ["more than 5 requests in flight under exactly once", {
    "processing.guarantee": "exactly_once_v2",
    "producer.max.in.flight.requests.per.connection": 6,
  }, "max.in.flight.requests.per.connection"],
  [
    "segments smaller than batches",
    { "topic.segment.bytes": 10, "producer.batch.size": 20 },
    "topic.segment.bytes",
  ],
  [
    "a dead letter handler without a topic",
    { "processing.exception.handler": "dlq" },
    "processing.exception.handler",
  ],
  ["dropped records without a dead letter topic", {
    "errors.dead.letter.queue.dropped.records": "late",
  }, "errors.dead.letter.queue.dropped.records"],
  ["a session time-out under the consumer protocol", {
    "group.protocol": "consumer",
    "consumer.session.timeout.ms": 1000,
  }, "consumer.session.timeout.ms"],
  [
    "a session longer than the poll interval",
    { "session.timeout.ms": 400_000 },
    "session.timeout.ms",
  ],
  ["an unknown security protocol", { "security.protocol": "TLS" }, "security.protocol"],
  ["SASL without a mechanism", { "security.protocol": "SASL_SSL" }, "sasl.mechanism"],
  ["two ways to log in to the registry", {
    "schema.registry.basic.auth.user.info": "u:p",
    "schema.registry.bearer.token": "t",
  }, "schema.registry.bearer.auth.token"],
  ["a registry certificate without its key", {
    "schema.registry.ssl.certificate.location": "/c.pem",
  }, "schema.registry.ssl.key.location"],
  ["no copies of internal topics", { "replication.factor": 0 }, "replication.factor"],
];
for (const [name, given, key] of TOGETHER) {
  test(`parseConfig refuses ${name}`, () => {
    assertEquals(issuesOf({ ...NEEDED, ...given }).map((issue) => issue.key), [key]);
  });
}

test("parseConfig asks for the user and the password that SCRAM needs", () => {
  const issues = issuesOf({
    ...NEEDED,
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "SCRAM-SHA-256",
  });
  assertEquals(issues.map((issue) => issue.key), ["sasl.username", "sasl.password"]);
});

test("StreamsConfig never shows a secret", () => {
  const secret = "hunter2hunter2";
  const config = parseConfig({
    ...NEEDED,
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "PLAIN",
    "sasl.username": "weir",
    "sasl.password": secret,
    "producer.ssl.key.password": secret,
    "sasl.jaas.config": `x password="${secret}"`,
    "ssl.key.pem": secret,
    "admin.token": secret,
    "schema.registry.url": `https://user:${secret}@registry:8081`,
    "schema.registry.basic.auth.user.info": `user:${secret}`,
    "sasl.oauthbearer.client.secret": secret,
  });
  for (
    const view of [
      inspect(config, { depth: 9 }),
      JSON.stringify(config),
      JSON.stringify(config.redacted()),
      JSON.stringify(config.explain()),
      String(config),
    ]
  ) {
    assert(!view.includes(secret), view);
  }
  assertEquals(config.redacted()["sasl.password"], "[hidden]");
  assertEquals(config.redacted()["schema.registry.url"], "https://[hidden]@registry:8081");
  assertEquals(config.clientConfig("producer")["sasl.password"], secret);
});

test("secretValues gives what the log takes out of its lines", () => {
  const config = parseConfig({
    ...NEEDED,
    "admin.token": "token-123",
    "schema.registry.url": "https://u:pw-1@registry:8081,https://other:8081",
    "schema.registry.basic.auth.user.info": "user:pw-2",
  });
  assertEquals([...config.secretValues()].sort(), [
    "pw-1",
    "pw-2",
    "token-123",
    "u:pw-1",
    "user:pw-2",
  ]);
});

test("ConfigException shows no secret that is wrong", () => {
  const error = assertThrows(
    () =>
      parseConfig({
        ...NEEDED,
        "admin.token": "abc def",
        "sasl.pasword": "x",
        "sasl.password": {},
      }),
    ConfigException,
  );
  assert(!error.message.includes("abc def"));
  assertEquals(error.issues.find((issue) => issue.key === "admin.token")!.given, "[hidden]");
});

test("parseConfig reads a secret from the file that a .file setting names", () => {
  const file = join(makeTempDir("config"), "token");
  writeFileSync(file, "from-a-file\n");
  const config = parseConfig({ ...NEEDED, "admin.token.file": file });
  assertEquals(config.adminToken, "from-a-file");
  assertEquals(
    config.explain().find((setting) => setting.key === "admin.token")!.origin,
    `code, file ${file}`,
  );
});

test("parseConfig refuses a secret file that is missing, and a secret given twice", () => {
  const [missing] = issuesOf({ ...NEEDED, "sasl.password.file": "/nowhere/password" });
  assertEquals(missing.key, "sasl.password.file");
  assertEquals(missing.given, "/nowhere/password");
  const [twice] = issuesOf({ ...NEEDED, "admin.token": "12345678", "admin.token.file": "/x" });
  assertEquals(twice.rule, "must be given once, as a value or as a file");
});

test("parseConfig lets code win over the environment, that over a file, that over the defaults", () => {
  const below = [
    ...environmentSources({
      STREAMS_POLL_MS: "2",
      STREAMS_MAX_TASK_IDLE_MS: "2",
      KAFKA_BOOTSTRAP_SERVERS: "env:1",
    }),
    sourceOf("weir.yaml", {
      "application.id": "from-file",
      "poll.ms": 3,
      "max.task.idle.ms": 3,
      "task.timeout.ms": 3,
    }),
  ];
  const config = parseConfig({ "poll.ms": 1 }, { below });
  assertEquals([config.pollMs, config.maxTaskIdleMs, config.taskTimeoutMs], [1, 2, 3]);
  const origins = new Map(config.explain().map((setting) => [setting.key, setting.origin]));
  assertEquals(origins.get("poll.ms"), "code");
  assertEquals(origins.get("max.task.idle.ms"), "env STREAMS_MAX_TASK_IDLE_MS");
  assertEquals(origins.get("task.timeout.ms"), "weir.yaml");
  assertEquals(origins.get("state.sync"), "default");
});

test("environmentSources maps names as the apache/kafka image does, and leaves others' variables alone", () => {
  const below = environmentSources({
    STREAMS_APPLICATION_ID: "a",
    KAFKA_BOOTSTRAP_SERVERS: "b:9092",
    KAFKA_PRODUCER_LINGER_MS: "7",
    KAFKA_CONSUMER_FETCH_MIN_BYTES: "8",
    KAFKA_ADMIN_RETRY_BACKOFF_MS: "9",
    STREAMS_TOPIC_MIN_INSYNC_REPLICAS: "2",
    SCHEMA_REGISTRY_URL: "http://registry:8081",
    ADMIN_PORT: "0",
    LOG_LEVEL: "debug",
    KAFKA_PORT: "tcp://10.0.0.1:9092",
    KAFKA_SERVICE_HOST: "10.0.0.1",
    KAFKA_PORT_9092_TCP_ADDR: "10.0.0.1",
    KAFKA_HEAP_OPTS: "-Xmx1g",
    STREAMS_STATE_DIR: "",
    HOME: "/root",
  });
  const config = parseConfig({}, { below });
  assertEquals(config.applicationId, "a");
  assertEquals(config.adminPort, 0);
  assertEquals(config.logLevel, "debug");
  assertEquals(config.schemaRegistryUrl, ["http://registry:8081"]);
  assertEquals(config.topicConfig, { "min.insync.replicas": "2" });
  assertEquals(config.clientConfig("producer")["linger.ms"], "7");
  assertEquals(config.clientConfig("main.consumer")["fetch.min.bytes"], "8");
  assertEquals(config.clientConfig("admin")["retry.backoff.ms"], "9");
  assertEquals(config.warnings, []);
});

test("environmentSources refuses a mistyped STREAMS_ variable and warns of a foreign one", () => {
  const [issue] = issuesOf(NEEDED, { below: environmentSources({ STREAMS_POL_MS: "1" }) });
  assertStringIncludes(issue.rule, "did you mean poll.ms?");
  const config = parseConfig(NEEDED, { below: environmentSources({ LOG_LEVELS: "x" }) });
  assertEquals(config.warnings, [
    "Ignored env LOG_LEVELS: log.levels is not a known setting; did you mean log.level?",
  ]);
});

test("clientConfig puts defaults, plain, consumer. and the client's own prefix together in that order", () => {
  const config = parseConfig({
    ...NEEDED,
    "fetch.min.bytes": 1,
    "consumer.fetch.min.bytes": 2,
    "restore.consumer.fetch.min.bytes": 3,
    "linger.ms": 5,
    "group.instance.id": "pod-1",
  });
  const main = config.clientConfig("main.consumer");
  assertEquals(main, {
    "isolation.level": "read_uncommitted",
    "auto.offset.reset": "earliest",
    "group.id": "orders",
    "group.protocol": "classic",
    "partition.assignment.strategy": "range",
    "group.instance.id": "pod-1",
    "fetch.min.bytes": 2,
    "enable.auto.commit": false,
    "enable.auto.offset.store": false,
    "allow.auto.create.topics": false,
    "bootstrap.servers": "localhost:9092",
  });
  const restore = config.clientConfig("restore.consumer");
  assertEquals(restore["fetch.min.bytes"], 3);
  assertEquals(restore["group.id"], undefined);
  assertEquals(restore["auto.offset.reset"], "none");
  assertEquals(config.clientConfig("producer"), {
    "linger.ms": 5,
    "enable.idempotence": true,
    "partitioner": "murmur2_random",
    "bootstrap.servers": "localhost:9092",
  });
  assertEquals(config.clientConfig("admin"), { "bootstrap.servers": "localhost:9092" });
});

test("clientConfig insists on what exactly once needs, and warns in Kafka Streams' words", () => {
  const config = parseConfig({
    ...NEEDED,
    "processing.guarantee": "exactly_once_v2",
    "consumer.isolation.level": "read_uncommitted",
    "consumer.enable.auto.commit": true,
    "producer.enable.idempotence": false,
    "transaction.timeout.ms": 300_000,
  });
  assertEquals(config.clientConfig("main.consumer")["isolation.level"], "read_committed");
  assertEquals(config.clientConfig("producer")["enable.idempotence"], true);
  assertEquals(config.clientConfig("producer")["transaction.timeout.ms"], 300_000);
  assertEquals(config.warnings.length, 3);
  assertStringIncludes(
    config.warnings.find((w) => w.includes("enable.auto.commit"))!,
    "User setting (true) will be ignored and the Streams default setting (false) will be used.",
  );
});

test("parseConfig asks no cluster for the test driver", () => {
  const config = parseConfig({ "statestore.cache.max.bytes": 0 }, { bootstrap: "optional" });
  assertEquals(config.applicationId, "test-driver");
  assertEquals(config.bootstrapServers, undefined);
});

test("transferable gives what a Worker parses to the same configuration, and refuses functions", () => {
  const config = parseConfig({
    ...NEEDED,
    "cache.max.bytes.buffering": "5",
    "admin.token": "12345678",
  });
  const again = parseConfig(structuredClone(config.transferable()));
  assertEquals(again.values, config.values);
  const withFunction = parseConfig({ ...NEEDED, "processing.exception.handler": () => "continue" });
  const [issue] = assertThrows(() => withFunction.transferable(), ConfigException).issues;
  assertEquals(issue.key, "processing.exception.handler");
});

test("parseConfig knows every handler and extractor that the engine has, by our and by Java's names", () => {
  for (const name of Object.keys(NAMED_ACTIONS)) {
    const config = parseConfig({
      ...NEEDED,
      "processing.exception.handler": name,
      "errors.dead.letter.queue.topic.name": "dlq",
    });
    assertEquals<unknown>(config.processingExceptionHandler, name);
  }
  for (const name of Object.keys(NAMED_EXTRACTORS)) {
    assertEquals<unknown>(
      parseConfig({ ...NEEDED, "default.timestamp.extractor": name }).defaultTimestampExtractor,
      name,
    );
  }
  const java = parseConfig({
    ...NEEDED,
    "default.deserialization.exception.handler":
      "org.apache.kafka.streams.errors.LogAndContinueExceptionHandler",
    "default.timestamp.extractor": "org.apache.kafka.streams.processor.WallclockTimestampExtractor",
  });
  assertEquals(java.deserializationExceptionHandler, "log-and-continue");
  assertEquals(java.defaultTimestampExtractor, "wallclock");
});

for (
  const [servers, ok] of [
    ["localhost:9092,[::1]:9093", true],
    ["SASL_SSL://broker-1.example.com:9092", true],
    ["embedded://", true],
    ["embedded://orders?partitions=4", true],
    ["localhost:port", false],
    ["", false],
    ["a:9092, ", false],
  ] as const
) {
  test(`parseConfig ${ok ? "takes" : "refuses"} bootstrap.servers=${JSON.stringify(servers)}`, () => {
    const given = { ...NEEDED, "bootstrap.servers": servers };
    if (ok) parseConfig(given);
    else assertEquals(issuesOf(given).map((issue) => issue.key), ["bootstrap.servers"]);
  });
}

test("Every client setting that the configuration takes is known to the transport", () => {
  for (const [key, scope] of CLIENT_KEYS) {
    const kinds = scope === "all" ? ["consumer", "producer", "admin"] as const : [scope];
    for (const kind of kinds) {
      try {
        librdkafkaSettings(kind, { [key]: "1" });
      } catch (error) {
        assert(!String(error).includes("is not a setting"), `${key}: ${error}`);
      }
    }
  }
});
