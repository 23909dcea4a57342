// What the embedded broker can be made to do, and that it keeps what it is given.
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KafkaError } from "../../lib/errors.ts";
import {
  API_KEYS,
  type EmbeddedBroker,
  startEmbeddedBroker,
} from "../../lib/kafka/embedded_broker.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import { systemClock } from "../../lib/record/time.ts";
import {
  newConsumer,
  newProducer,
  pollUntil,
  produceAll,
  readAll,
  type Subject,
  TIMEOUT_MS,
  unique,
  write,
} from "./subject.ts";

const TOPIC_AUTHORIZATION_FAILED = 29;
const GROUP_AUTHORIZATION_FAILED = 30;
const NOT_LEADER = 6;

function start(options: { brokers?: number; defaultPartitions?: number } = {}): {
  broker: EmbeddedBroker;
  subject: Subject;
} {
  const broker = startEmbeddedBroker(options);
  const subject: Subject = {
    kind: "embedded",
    clients: embeddedClients(broker),
    bootstrapServers: broker.bootstrapServers,
    createTopic: async (topic, partitions) => broker.createTopic(topic, partitions),
    close: async () => broker.close(),
  };
  return { broker, subject };
}

test("the embedded broker keeps more than librdkafka's mock does: nothing is lost before it is read", async () => {
  const { broker, subject } = start();
  broker.createTopic("large", 1);
  const producer = newProducer(subject, { "linger.ms": 5 });
  const batch = new ProduceBatch();
  const records = 150_000;
  const value = new Uint8Array(100);
  for (let i = 0; i < 10_000; i++) batch.add(batch.topic("large"), 0, i, null, value);
  for (let i = 0; i < records / batch.count; i++) await produceAll(producer, batch);
  await producer.flush(TIMEOUT_MS);
  await producer.close();
  const consumer = newConsumer(subject);
  consumer.assign([{ topic: "large", partition: 0, offset: -2 }]);
  let next = 0;
  while (next < records) {
    const got = consumer.poll(5_000);
    if (!got) {
      await consumer.wait(1_000);
      continue;
    }
    for (let i = 0; i < got.count; i++) assertEquals(got.offsets[i], next++);
    got.release();
  }
  await consumer.close();
  broker.close();
});

test("failNext makes requests fail: what can be retried is, the rest comes back", async () => {
  const { broker, subject } = start();
  broker.createTopic("failing", 1);
  const producer = newProducer(subject, { "enable.idempotence": false });
  await write(producer, "failing", ["warm"]);
  broker.failNext(API_KEYS.produce, NOT_LEADER);
  await write(producer, "failing", ["retried"]);
  assertEquals(producer.takeFailures(), []);
  broker.failNext(API_KEYS.produce, TOPIC_AUTHORIZATION_FAILED);
  await write(producer, "failing", ["refused"]);
  const [failure] = producer.takeFailures();
  assertEquals(failure.error.codeName, "TOPIC_AUTHORIZATION_FAILED");
  assert(failure.error.message.includes("Topic authorization failed"), failure.error.message);
  assertEquals((await readAll(subject, "failing", 2)).map((row) => row.value), ["warm", "retried"]);
  await producer.close();
  broker.close();
});

test("setRoundTripDelay slows every answer down", async () => {
  const { broker, subject } = start();
  broker.createTopic("slow", 1);
  const producer = newProducer(subject);
  await write(producer, "slow", ["warm"]);
  broker.setRoundTripDelay(200);
  const before = systemClock.monotonic();
  await write(producer, "slow", ["delayed"]);
  assert(systemClock.monotonic() - before >= 190);
  broker.setRoundTripDelay(0);
  await producer.close();
  broker.close();
});

test("a flush that a broker does not answer in time is a retriable error, and what is open is dropped at close", async () => {
  const { broker, subject } = start();
  broker.createTopic("down", 1);
  const producer = newProducer(subject);
  await write(producer, "down", ["warm"]);
  broker.setBrokerUp(1, false);
  const batch = new ProduceBatch();
  batch.add(batch.topic("down"), 0, 0, null, null);
  producer.produce(batch, 0);
  const error = await assertRejects(() => producer.flush(100), KafkaError);
  assertEquals([error.codeName, error.retriable], ["_TIMED_OUT", true]);
  // Closing drops the record, and with nothing left to wait for the flush ends.
  const flushing = producer.flush(TIMEOUT_MS);
  await producer.close();
  await flushing;
  broker.close();
});

test("an error of a transaction that can go on after an abort says so", async () => {
  const { broker, subject } = start();
  broker.createTopic("abortable", 1);
  const producer = newProducer(subject, { "transactional.id": unique("tx") });
  await producer.initTransactions(TIMEOUT_MS);
  producer.beginTransaction();
  await write(producer, "abortable", ["aborted"]);
  const consumer = newConsumer(subject, { "group.id": unique("group") });
  consumer.subscribe(["abortable"]);
  await pollUntil(consumer, () => consumer.assignment().length === 1);
  broker.failNext(API_KEYS.addOffsetsToTxn, GROUP_AUTHORIZATION_FAILED);
  const offsets = [{ topic: "abortable", partition: 0, offset: 1 }];
  const error = await assertRejects(
    () => producer.sendOffsets(offsets, consumer.groupMetadata()!, TIMEOUT_MS),
    KafkaError,
  );
  assertEquals(error.codeName, "GROUP_AUTHORIZATION_FAILED");
  assertEquals([error.abortable, error.fatal], [true, false]);
  await producer.abortTransaction(TIMEOUT_MS);
  producer.beginTransaction();
  await write(producer, "abortable", ["fine"]);
  await producer.commitTransaction(TIMEOUT_MS);
  const rows = await readAll(subject, "abortable", 1, { "isolation.level": "read_committed" });
  assertEquals(rows.map((row) => row.value), ["fine"]);
  await consumer.close();
  await producer.close();
  broker.close();
});

test("several brokers share the partitions, and a topic that is written to comes into being", async () => {
  const { broker, subject } = start({ brokers: 3, defaultPartitions: 5 });
  const producer = newProducer(subject);
  await write(producer, "new", ["a"]);
  assertEquals(await producer.partitionCount("new", TIMEOUT_MS), 5);
  for (let p = 0; p < 5; p++) await write(producer, "new", ["b"], p);
  assertEquals((await readAll(subject, "new", 1, {}, 4)).length, 1);
  await producer.close();
  broker.close();
});

test("an embedded cluster that is closed is not found any more", () => {
  const { broker } = start();
  broker.close();
  const error = assertThrows(() => broker.createTopic("x", 1), KafkaError);
  assertEquals(error.codeName, "_UNKNOWN_BROKER");
});

test("a Worker that is ended while a call is on its way leaves the process sound", async () => {
  const workers = Array.from(
    { length: 3 },
    () => new Worker(new URL("./flushing_worker.ts", import.meta.url)),
  );
  await Promise.all(workers.map((worker) =>
    new Promise<void>((resolve, reject) => {
      worker.on("error", reject);
      worker.on("message", () => worker.terminate().then(() => resolve(), reject));
    })
  ));
  // The threads of the calls outlive the Workers, and end here.
  await systemClock.sleep(2_500);
});
