// Transactions: what readers see of them, offsets within them, and fencing.
import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { isFenced, KafkaError } from "../../lib/errors.ts";
import type { Producer } from "../../lib/kafka/client.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import {
  bytes,
  newConsumer,
  newProducer,
  newTopic,
  pollUntil,
  produceAll,
  readAll,
  type Subject,
  TIMEOUT_MS,
  unique,
  write,
} from "./subject.ts";

const COMMITTED = { "isolation.level": "read_committed" };

async function transactional(subject: Subject, id: string): Promise<Producer> {
  const producer = newProducer(subject, {
    "transactional.id": id,
    "transaction.timeout.ms": 20_000,
  });
  await producer.initTransactions(TIMEOUT_MS);
  return producer;
}

async function commit(producer: Producer, topic: string, values: string[]): Promise<void> {
  producer.beginTransaction();
  await write(producer, topic, values);
  await producer.commitTransaction(TIMEOUT_MS);
}

async function abort(producer: Producer, topic: string, values: string[]): Promise<void> {
  producer.beginTransaction();
  await write(producer, topic, values);
  await producer.abortTransaction(TIMEOUT_MS);
}

export function transactionsContract(name: string, subject: () => Subject): void {
  test(`${name}: read_committed shows what was committed and hides what was aborted`, async () => {
    const topic = await newTopic(subject(), "committed");
    const producer = await transactional(subject(), unique("tx"));
    await commit(producer, topic, ["a", "b"]);
    await abort(producer, topic, ["x", "y", "z"]);
    await commit(producer, topic, ["c"]);
    await abort(producer, topic, ["x"]);
    await commit(producer, topic, ["d", "e"]);
    await producer.close();
    const committed = await readAll(subject(), topic, 5, COMMITTED);
    assertEquals(committed.map((row) => row.value), ["a", "b", "c", "d", "e"]);
    const all = await readAll(subject(), topic, 9);
    assertEquals(all.map((row) => row.value), ["a", "b", "x", "y", "z", "c", "x", "d", "e"]);
  });

  test(`${name}: an open transaction holds read_committed back at the last stable offset`, async () => {
    const topic = await newTopic(subject(), "open");
    const open = await transactional(subject(), unique("tx"));
    const plain = newProducer(subject());
    await write(plain, topic, ["before"]);
    open.beginTransaction();
    await write(open, topic, ["open"]);
    await write(plain, topic, ["behind"]);
    const consumer = newConsumer(subject(), COMMITTED);
    const partition = { topic, partition: 0 };
    consumer.assign([{ ...partition, offset: -2 }]);
    const ends: number[] = [];
    const first = await pollUntil(consumer, () => {
      ends.push(...consumer.takePartitionEnds().map((each) => each.offset));
      return ends.length > 0;
    });
    assertEquals(first.map((row) => row.value), ["before"]);
    assertEquals(ends, [1]);
    assertEquals(consumer.cachedWatermarks(partition).high, 1);
    const admin = subject().clients.admin({ "bootstrap.servers": subject().bootstrapServers });
    const at = async (isolation: "readCommitted" | "readUncommitted") =>
      (await admin.listOffsets([partition], "latest", TIMEOUT_MS, isolation))[0].offset;
    assertEquals([await at("readCommitted"), await at("readUncommitted")], [1, 3]);
    await admin.close();
    await open.commitTransaction(TIMEOUT_MS);
    const rest = await pollUntil(consumer, (rows) => rows.length >= 2);
    assertEquals(rest.map((row) => row.value), ["open", "behind"]);
    await consumer.close();
    await open.close();
    await plain.close();
  });

  test(`${name}: the position moves over transaction markers`, async () => {
    const topic = await newTopic(subject(), "markers");
    const producer = await transactional(subject(), unique("tx"));
    await commit(producer, topic, ["a"]);
    await abort(producer, topic, ["b"]);
    await producer.close();
    const consumer = newConsumer(subject(), COMMITTED);
    const partition = { topic, partition: 0 };
    consumer.assign([{ ...partition, offset: -2 }]);
    const rows = await pollUntil(consumer, () => consumer.position(partition) === 4);
    assertEquals(rows.map((row) => row.value), ["a"]);
    await consumer.close();
  });

  test(`${name}: offsets are committed with their transaction, and not when it aborts`, async () => {
    const topic = await newTopic(subject(), "offsets");
    const group = unique("group");
    const producer = await transactional(subject(), unique("tx"));
    // Under read_committed the committed offsets are those of ended transactions.
    const consumer = newConsumer(subject(), { "group.id": group, ...COMMITTED });
    consumer.subscribe([topic]);
    await pollUntil(consumer, () => consumer.assignment().length === 1);
    const partition = { topic, partition: 0 };
    const send = async (offset: number) => {
      producer.beginTransaction();
      const metadata = consumer.groupMetadata()!;
      await producer.sendOffsets([{ ...partition, offset, metadata: "m" }], metadata, TIMEOUT_MS);
    };
    const committed = async () => (await consumer.committed([partition], TIMEOUT_MS))[0];
    await send(7);
    await producer.commitTransaction(TIMEOUT_MS);
    assertEquals(await committed(), { ...partition, offset: 7, metadata: "m" });
    await send(9);
    await producer.abortTransaction(TIMEOUT_MS);
    assertEquals((await committed()).offset, 7);
    await consumer.close();
    await producer.close();
  });

  test(`${name}: a consumer that is no member has no group metadata, which nothing would fence`, async () => {
    const topic = await newTopic(subject(), "alone");
    const consumer = newConsumer(subject(), { "group.id": unique("group") });
    consumer.assign([{ topic, partition: 0, offset: 0 }]);
    assertEquals(consumer.groupMetadata(), undefined);
    await consumer.close();
  });

  test(`${name}: offsets of a member that left its group are refused`, async () => {
    const topic = await newTopic(subject(), "left");
    const group = unique("group");
    const producer = await transactional(subject(), unique("tx"));
    const consumer = newConsumer(subject(), { "group.id": group });
    consumer.subscribe([topic]);
    await pollUntil(consumer, () => consumer.assignment().length === 1);
    const stale = consumer.groupMetadata()!;
    await consumer.close();
    const next = newConsumer(subject(), { "group.id": group });
    next.subscribe([topic]);
    await pollUntil(next, () => next.assignment().length === 1);
    producer.beginTransaction();
    const error = await assertRejects(
      () => producer.sendOffsets([{ topic, partition: 0, offset: 1 }], stale, TIMEOUT_MS),
      KafkaError,
    );
    assert(isFenced(error), error.message);
    assertEquals(error.fatal, false);
    assertEquals(error.abortable, true);
    await producer.abortTransaction(TIMEOUT_MS);
    await next.close();
    await producer.close();
  });

  test(`${name}: a second producer of the same transactional id fences the first`, async () => {
    const topic = await newTopic(subject(), "fenced");
    const id = unique("tx");
    const first = await transactional(subject(), id);
    await commit(first, topic, ["a"]);
    first.beginTransaction();
    await write(first, topic, ["lost"]);
    const second = await transactional(subject(), id);
    await commit(second, topic, ["b"]);
    const error = await assertRejects(() => first.commitTransaction(TIMEOUT_MS), KafkaError);
    assert(isFenced(error), error.message);
    assertEquals(error.fatal, true);
    const batch = new ProduceBatch();
    batch.add(batch.topic(topic), 0, 0, null, bytes("after"), undefined, 5);
    await produceAll(first, batch);
    const [failure] = first.takeFailures();
    assertEquals([failure.tag, failure.error.fatal], [5, true]);
    await first.close();
    await second.close();
    const rows = await readAll(subject(), topic, 2, COMMITTED);
    assertEquals(rows.map((row) => row.value), ["a", "b"]);
  });

  test(`${name}: an abort drops what is still queued, and says which records those were`, async () => {
    const topic = await newTopic(subject(), "purged");
    const id = unique("tx");
    const config = { "transactional.id": id, "linger.ms": 20_000 };
    const producer = newProducer(subject(), config);
    await producer.initTransactions(TIMEOUT_MS);
    producer.beginTransaction();
    const batch = new ProduceBatch();
    for (let i = 0; i < 10; i++) {
      batch.add(batch.topic(topic), 0, i, null, bytes("dropped"), undefined, i);
    }
    await produceAll(producer, batch);
    await producer.abortTransaction(TIMEOUT_MS);
    assertEquals(producer.queued(), 0);
    const failures = producer.takeFailures();
    assertEquals(failures.map((each) => each.tag), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert(failures.every((each) => each.error.codeName.startsWith("_PURGE_")));
    await commit(producer, topic, ["kept"]);
    await producer.close();
    const rows = await readAll(subject(), topic, 1, COMMITTED);
    assertEquals(rows.map((row) => row.value), ["kept"]);
  });

  test(`${name}: a transaction call in the wrong state is a typed error`, async () => {
    const producer = newProducer(subject(), { "transactional.id": unique("tx") });
    const error = await assertRejects(() => producer.commitTransaction(TIMEOUT_MS), KafkaError);
    assertEquals(error.codeName, "_STATE");
    assertEquals([error.fatal, error.retriable], [false, false]);
    await producer.close();
  });
}
