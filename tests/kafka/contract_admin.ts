// The admin client, logs, statistics, and several isolates at once.
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KafkaError } from "../../lib/errors.ts";
import type { Admin } from "../../lib/kafka/client.ts";
import {
  newConsumer,
  newProducer,
  newTopic,
  pollUntil,
  readAll,
  type Subject,
  TIMEOUT_MS,
  unique,
  write,
} from "./subject.ts";

export function adminContract(name: string, subject: () => Subject): void {
  const withAdmin = async (use: (admin: Admin) => Promise<void>) => {
    const admin = subject().clients.admin({ "bootstrap.servers": subject().bootstrapServers });
    try {
      await use(admin);
    } finally {
      await admin.close();
    }
  };

  test(`${name}: topics are created, described, listed and deleted`, () =>
    withAdmin(async (admin) => {
      const topic = unique("admin");
      const config = { "cleanup.policy": "compact", "retention.ms": "86400000" };
      const wanted = { topic, partitions: 3, replicationFactor: 1, config };
      assertEquals(await admin.createTopics([wanted], TIMEOUT_MS), [undefined]);
      const [again] = await admin.createTopics([wanted], TIMEOUT_MS);
      assertEquals(again?.codeName, "TOPIC_ALREADY_EXISTS");
      const described = await admin.describeTopics([topic, unique("none")], TIMEOUT_MS);
      assertEquals(described.map((each) => each.partitions), [3, 0]);
      const listed = await admin.listTopics(TIMEOUT_MS);
      assert(listed.some((each) => each.topic === topic && each.partitions === 3));
      const found = await admin.topicConfig(topic, TIMEOUT_MS);
      assertEquals(found["cleanup.policy"], "compact");
      assertEquals(found["retention.ms"], "86400000");
      assertEquals(await admin.deleteTopics([topic], TIMEOUT_MS), [undefined]);
      const [missing] = await admin.deleteTopics([unique("none")], TIMEOUT_MS);
      assertEquals(missing?.codeName, "UNKNOWN_TOPIC_OR_PART");
      const error = await assertRejects(
        () => admin.topicConfig(unique("none"), TIMEOUT_MS),
        KafkaError,
      );
      assertEquals(error.codeName, "UNKNOWN_TOPIC_OR_PART");
    }));

  test(`${name}: offsets are listed, and what lies before an offset is deleted`, () =>
    withAdmin(async (admin) => {
      const topic = await newTopic(subject(), "delete-records", 2);
      const producer = newProducer(subject());
      for (const value of ["a", "b", "c", "d"]) await write(producer, topic, [value]);
      await producer.close();
      const both = [0, 1].map((partition) => ({ topic, partition }));
      const list = async (which: "earliest" | "latest") =>
        (await admin.listOffsets(both, which, TIMEOUT_MS)).map((each) => each.offset);
      assertEquals(await list("earliest"), [0, 0]);
      assertEquals(await list("latest"), [4, 0]);
      await admin.deleteRecords([{ topic, partition: 0, offset: 3 }], TIMEOUT_MS);
      assertEquals(await list("earliest"), [3, 0]);
      assertEquals((await readAll(subject(), topic, 1)).map((row) => row.value), ["d"]);
    }));

  test(`${name}: groups are described with the client ids and partitions of their members`, () =>
    withAdmin(async (admin) => {
      const topic = await newTopic(subject(), "groups", 2);
      const group = unique("group");
      const config = { "group.id": group, "client.id": "host-1:8080" };
      const consumer = newConsumer(subject(), config);
      consumer.subscribe([topic]);
      await pollUntil(consumer, () => consumer.assignment().length === 2);
      await consumer.commit([{ topic, partition: 1, offset: 5 }]);
      const [described] = await admin.describeGroups([group], TIMEOUT_MS);
      assertEquals(described.groupId, group);
      assertEquals(described.state, "Stable");
      assertEquals(described.members.length, 1);
      assertEquals(described.members[0].clientId, "host-1:8080");
      assertEquals(described.members[0].memberId, consumer.memberId());
      assertEquals(
        described.members[0].partitions,
        [0, 1].map((partition) => ({ topic, partition })),
      );
      assert((await admin.listGroups(TIMEOUT_MS)).includes(group));
      const [refused] = await admin.deleteGroups([group], TIMEOUT_MS);
      assertEquals(refused?.codeName, "NON_EMPTY_GROUP");
      await consumer.close();
      const [dead] = await admin.describeGroups([unique("none")], TIMEOUT_MS);
      assertEquals([dead.state, dead.members.length], ["Dead", 0]);
    }));

  test(`${name}: a group's offsets are read, changed and deleted from outside`, () =>
    withAdmin(async (admin) => {
      const topic = await newTopic(subject(), "group-offsets", 2);
      const group = unique("group");
      await admin.alterGroupOffsets(group, [{ topic, partition: 1, offset: 3 }], TIMEOUT_MS);
      const read = async () =>
        (await admin.groupOffsets(group, TIMEOUT_MS)).map((each) => [each.partition, each.offset]);
      assertEquals(await read(), [[1, 3]]);
      await admin.alterGroupOffsets(group, [{ topic, partition: 1, offset: 1 }], TIMEOUT_MS);
      assertEquals(await read(), [[1, 1]]);
      assertEquals(await admin.deleteGroups([group], TIMEOUT_MS), [undefined]);
      assertEquals(await read(), []);
    }));

  test(`${name}: logs and statistics reach the callbacks`, async () => {
    const logs: string[] = [];
    const stats: Record<string, unknown>[] = [];
    const producer = newProducer(subject(), {
      "client.id": "talker",
      "debug": "generic",
      "statistics.interval.ms": 50,
    }, { log: (_, __, text) => logs.push(text), stats: (each) => stats.push(each) });
    while (stats.length < 2 || logs.length === 0) await producer.wait(100);
    assertEquals(stats[0]["client_id"], "talker");
    assertEquals(stats[0]["type"], "producer");
    await producer.close();
    const consumerStats: Record<string, unknown>[] = [];
    const consumer = newConsumer(subject(), { "statistics.interval.ms": 50 }, {
      stats: (each) => consumerStats.push(each),
    });
    await pollUntil(consumer, () => consumerStats.length > 1);
    assertEquals(consumerStats[0]["type"], "consumer");
    await consumer.close();
  });

  test(`${name}: two Workers have clients of their own, and end with what they left open`, async () => {
    const topic = await newTopic(subject(), "workers", 2);
    const producer = newProducer(subject());
    for (const partition of [0, 1]) {
      await write(producer, topic, Array.from({ length: 50 }, (_, i) => `${i}`), partition);
    }
    await producer.close();
    const answers = await Promise.all(
      [0, 1].map((partition) => readInWorker(subject(), topic, partition)),
    );
    assertEquals(answers, [50, 50]);
  });
}

function readInWorker(subject: Subject, topic: string, partition: number): Promise<number> {
  const workerData = {
    kind: subject.kind,
    bootstrapServers: subject.bootstrapServers,
    topic,
    partition,
  };
  const worker = new Worker(new URL("./reader_worker.ts", import.meta.url), { workerData });
  return new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("message", (count: number) => {
      // Its clients are still open: ending the Worker frees them.
      worker.terminate().then(() => resolve(count), reject);
    });
  });
}
