import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigException } from "../../lib/errors.ts";
import type { ClientConfig } from "../../lib/kafka/client.ts";
import { type ClientKind, librdkafkaSettings } from "../../lib/kafka/client_config.ts";

function translated(kind: ClientKind, config: ClientConfig): Record<string, string> {
  const flat = librdkafkaSettings(kind, config);
  const out: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) out[flat[i]] = flat[i + 1];
  return out;
}

function faults(kind: ClientKind, config: ClientConfig): string[] {
  const error = assertThrows(() => librdkafkaSettings(kind, config), ConfigException);
  return error.issues.map((each) => `${each.key}: ${each.rule}: ${each.given}`);
}

const JAAS = "org.apache.kafka.common.security";

const RENAMED: readonly [ClientKind, ClientConfig, Record<string, string>][] = [
  ["consumer", { "fetch.max.wait.ms": 7 }, { "fetch.wait.max.ms": "7" }],
  ["producer", { "max.request.size": 7000 }, { "message.max.bytes": "7000" }],
  ["producer", { "buffer.memory": 33554432 }, { "queue.buffering.max.kbytes": "32768" }],
  ["producer", { "request.timeout.ms": 9 }, { "request.timeout.ms": "9" }],
  ["consumer", { "request.timeout.ms": 9 }, { "socket.timeout.ms": "9" }],
  ["consumer", { "auto.offset.reset": "none" }, { "auto.offset.reset": "error" }],
  ["admin", { "receive.buffer.bytes": 1024 }, { "socket.receive.buffer.bytes": "1024" }],
  [
    "consumer",
    { "partition.assignment.strategy": "org.apache.kafka.clients.consumer.RoundRobinAssignor" },
    { "partition.assignment.strategy": "roundrobin" },
  ],
  [
    "producer",
    {
      "sasl.jaas.config":
        `${JAAS}.scram.ScramLoginModule required username="u\\"x" password='p;=q' ;`,
    },
    { "sasl.username": 'u"x', "sasl.password": "p;=q" },
  ],
  [
    "producer",
    { "sasl.jaas.config": `${JAAS}.plain.PlainLoginModule required\n username=u\n password=p;` },
    { "sasl.username": "u", "sasl.password": "p" },
  ],
  [
    "admin",
    { "ssl.truststore.location": "/ca.pem", "ssl.truststore.password": "x" },
    { "ssl.ca.location": "/ca.pem" },
  ],
  ["admin", { "ssl.truststore.certificates": "PEM" }, { "ssl.ca.pem": "PEM" }],
  [
    "admin",
    { "ssl.keystore.location": "/client.pem", "ssl.key.password": "k" },
    {
      "ssl.certificate.location": "/client.pem",
      "ssl.key.location": "/client.pem",
      "ssl.key.password": "k",
    },
  ],
  [
    "admin",
    { "ssl.keystore.location": "/client.p12", "ssl.keystore.password": "k" },
    { "ssl.keystore.location": "/client.p12", "ssl.keystore.password": "k" },
  ],
  ["admin", { "ssl.endpoint.identification.algorithm": "" }, {
    "ssl.endpoint.identification.algorithm": "none",
  }],
];

for (const [kind, config, expected] of RENAMED) {
  test(`a ${kind} with ${Object.keys(config).join(", ")} gets ${Object.keys(expected).join(", ")}`, () => {
    const settings = translated(kind, config);
    for (const [name, value] of Object.entries(expected)) assertEquals(settings[name], value, name);
  });
}

test("a consumer never commits by itself, and reads uncommitted records unless told otherwise", () => {
  const settings = translated("consumer", { "enable.auto.commit": true });
  assertEquals(settings["enable.auto.commit"], "false");
  assertEquals(settings["isolation.level"], "read_uncommitted");
  assertEquals(settings["partition.assignment.strategy"], "range");
  const given = translated("consumer", { "isolation.level": "read_committed" });
  assertEquals(given["isolation.level"], "read_committed");
});

test("a consumer of the new protocol names no assignor of the old one", () => {
  const settings = translated("consumer", {
    "group.protocol": "consumer",
    "group.remote.assignor": "range",
  });
  assertEquals(settings["partition.assignment.strategy"], undefined);
  assertEquals(settings["group.remote.assignor"], "range");
});

test("a producer is idempotent as in Java, unless its other settings forbid it", () => {
  assertEquals(translated("producer", {})["enable.idempotence"], "true");
  assertEquals(translated("producer", { acks: 1 })["enable.idempotence"], undefined);
  assertEquals(translated("producer", { retries: 0 })["enable.idempotence"], undefined);
  assertEquals(translated("producer", {})["partitioner"], "murmur2_random");
});

test("settings of other kinds of client, and those without effect here, are left out", () => {
  const settings = translated("admin", {
    "group.id": "g",
    "linger.ms": 5,
    "max.poll.records": 500,
    "metric.reporters": "",
  });
  assertEquals(settings, {});
});

test("an unknown setting is refused with the nearest known name, and all faults at once", () => {
  const found = faults("producer", { "linger.msx": 1, "bootstrap.server": "x", "zzzzzzzz": 1 });
  assertEquals(found.length, 3);
  assert(found[0].includes("did you mean linger.ms?"), found[0]);
  assert(found[1].includes("did you mean bootstrap.servers?"), found[1]);
  assert(found[2].includes("is not a setting of Kafka's clients"), found[2]);
});

test("the value of an unknown setting that may be a secret is not shown", () => {
  const [fault] = faults("producer", { "sasl.pasword": "hunter2" });
  assert(fault.includes("did you mean sasl.password?"), fault);
  assert(!fault.includes("hunter2"), fault);
});

const REFUSED: readonly [string, string, string][] = [
  ["sasl.jaas.config", `com.sun.security.auth.module.Krb5LoginModule required;`, "Krb5LoginModule"],
  ["sasl.jaas.config", `${JAAS}.plain.PlainLoginModule required username="u";`, "a password"],
  ["sasl.jaas.config", "secret nonsense", "has to read"],
  [
    "sasl.jaas.config",
    `${JAAS}.oauthbearer.OAuthBearerLoginModule required clientId="x" clientSecret="secret";`,
    "oauthBearer callback",
  ],
  ["ssl.truststore.location", "/trust.jks", "keytool"],
  ["ssl.keystore.location", "/key.jks", "keytool"],
  ["ssl.enabled.protocols", "TLSv1.1", "TLSv1.2 or TLSv1.3"],
  ["partitioner.class", "com.example.Mine", "partitioner function"],
  ["interceptor.classes", "com.example.Mine", "Java class"],
];

for (const [key, value, part] of REFUSED) {
  test(`${key}=${value.slice(0, 40)} is refused, and says what to do`, () => {
    const [fault] = faults("producer", { [key]: value });
    assert(fault.startsWith(key), fault);
    assert(fault.includes(part), fault);
    assert(!fault.includes("secret"), fault);
  });
}
