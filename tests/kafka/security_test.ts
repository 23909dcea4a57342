// Brokers that ask who is there: SASL over TLS against Apache Kafka, with Java's settings and librdkafka's.
import { after, before, test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KafkaError } from "../../lib/errors.ts";
import type { ClientConfig, ClientEvents } from "../../lib/kafka/client.ts";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import { callAfter } from "../../lib/record/time.ts";
import { type KafkaBroker, startKafkaBroker } from "../support/kafka_broker.ts";
import { unique } from "./subject.ts";

let broker: KafkaBroker;
before(async () => {
  broker = await startKafkaBroker({
    sasl: { mechanisms: ["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN", "OAUTHBEARER"] },
  });
});
after(async () => {
  // The broker's process does not hold the event loop while it ends.
  const letGo = callAfter(30_000, () => {});
  await broker.stop();
  letGo();
});

const TIMEOUT_MS = 30_000;

function base(): ClientConfig {
  return {
    "bootstrap.servers": broker.bootstrapServers,
    "security.protocol": "SASL_SSL",
    "ssl.ca.location": broker.security!.certificates.caFile,
  };
}

async function createTopic(config: ClientConfig, events: ClientEvents = {}): Promise<void> {
  const admin = librdkafkaClients.admin(config, events);
  try {
    const topic = { topic: unique("secure"), partitions: 1, replicationFactor: 1 };
    assertEquals(await admin.createTopics([topic], TIMEOUT_MS), [undefined]);
  } finally {
    await admin.close();
  }
}

for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"]) {
  test(`a client signs on by ${mechanism} over TLS`, () => {
    const { username, password } = broker.security!;
    return createTopic({
      ...base(),
      "sasl.mechanism": mechanism,
      "sasl.username": username,
      "sasl.password": password,
    });
  });
}

test("a client signs on with the settings of a Java client", () => {
  const { username, password, certificates } = broker.security!;
  return createTopic({
    "bootstrap.servers": broker.bootstrapServers,
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.jaas.config":
      `org.apache.kafka.common.security.scram.ScramLoginModule required username="${username}" password="${password}";`,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": certificates.caFile,
    "ssl.enabled.protocols": "TLSv1.3",
  });
});

test("a client signs on by a token that the oauthBearer callback gives", async () => {
  const asked: string[] = [];
  const encode = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  await createTopic({ ...base(), "sasl.mechanism": "OAUTHBEARER" }, {
    oauthBearer(config) {
      asked.push(config);
      const now = Math.floor(Date.now() / 1_000);
      const claims = { sub: "weir", iat: now, exp: now + 600 };
      const token = `${encode({ alg: "none" })}.${encode(claims)}.`;
      return Promise.resolve({ token, lifetimeMs: (now + 600) * 1_000, principal: "weir" });
    },
  });
  assertEquals(asked.length, 1);
});

test("a token that cannot be had is an error of the client", async () => {
  const producer = librdkafkaClients.producer({ ...base(), "sasl.mechanism": "OAUTHBEARER" }, {
    oauthBearer: () => Promise.reject(new Error("the token endpoint is down")),
  });
  let error: KafkaError | undefined;
  while (!(error = producer.takeError())) await producer.wait(100);
  assertEquals(error.codeName, "_AUTHENTICATION");
  assert(error.message.includes("the token endpoint is down"), error.message);
  await producer.close();
});

test("a wrong password is an authentication error, and appears in no log and no error", async () => {
  const password = "hunter2-is-wrong";
  const told: string[] = [];
  const producer = librdkafkaClients.producer({
    ...base(),
    "sasl.mechanism": "SCRAM-SHA-256",
    "sasl.username": broker.security!.username,
    "sasl.password": password,
    "debug": "all",
  }, { log: (_, facility, text) => told.push(`${facility} ${text}`) });
  let error: KafkaError | undefined;
  while (!(error = producer.takeError()) || error.codeName !== "_AUTHENTICATION") {
    if (error) told.push(error.message);
    await producer.wait(100);
  }
  told.push(error.message);
  await producer.close();
  assert(told.length > 10);
  assertEquals(told.filter((line) => line.includes(password)), []);
});

test("a broker with a certificate of an unknown authority is refused", async () => {
  const { username, password } = broker.security!;
  const producer = librdkafkaClients.producer({
    "bootstrap.servers": broker.bootstrapServers,
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "PLAIN",
    "sasl.username": username,
    "sasl.password": password,
  });
  let error: KafkaError | undefined;
  while (!(error = producer.takeError())) await producer.wait(100);
  assertEquals(error.codeName, "_SSL");
  await assertRejects(() => producer.partitionCount("any", 200), KafkaError);
  await producer.close();
});
