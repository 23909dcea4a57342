// The consumer group protocol of KIP-848: the broker assigns, members change incrementally.
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { ClientConfig, Consumer, Rebalance, TopicPartition } from "../../lib/kafka/client.ts";
import {
  newConsumer,
  newProducer,
  newTopic,
  pollUntil,
  type Subject,
  TIMEOUT_MS,
  unique,
} from "./subject.ts";

function names(partitions: readonly TopicPartition[]): string {
  return partitions.map((each) => `${each.topic.slice(0, 1)}${each.partition}`).sort().join(",");
}

async function step(consumer: Consumer, seen: Rebalance[]): Promise<void> {
  consumer.poll(100)?.release();
  const rebalance = consumer.takeRebalance();
  if (!rebalance) return await consumer.wait(20);
  seen.push(rebalance);
  consumer.completeRebalance(rebalance);
}

export function consumerProtocolContract(name: string, subject: () => Subject): void {
  test(`${name}: the broker's range assignor gives equal partitions of two topics to one member, and moves only what it must`, async () => {
    const topics = [await newTopic(subject(), "a", 4), await newTopic(subject(), "b", 4)];
    const config: ClientConfig = {
      "group.id": unique("group"),
      "group.protocol": "consumer",
      "group.remote.assignor": "range",
    };
    const first = newConsumer(subject(), config);
    const firstSeen: Rebalance[] = [];
    first.subscribe(topics);
    while (first.assignment().length < 8) await step(first, firstSeen);
    assert(firstSeen.every((each) => each.incremental));
    const second = newConsumer(subject(), config);
    const secondSeen: Rebalance[] = [];
    second.subscribe(topics);
    while (first.assignment().length !== 4 || second.assignment().length !== 4) {
      await step(first, firstSeen);
      await step(second, secondSeen);
    }
    const revoked = firstSeen.filter((each) => each.kind === "revoke").flatMap((each) =>
      each.partitions
    );
    assertEquals(revoked.length, 4);
    assertEquals(names(second.assignment()), names(revoked));
    const half = [names(first.assignment()), names(second.assignment())].sort();
    assertEquals(half, ["a0,a1,b0,b1", "a2,a3,b2,b3"]);

    const producer = newProducer(subject(), { "transactional.id": unique("tx") });
    await producer.initTransactions(TIMEOUT_MS);
    producer.beginTransaction();
    const offset = { ...second.assignment()[0], offset: 3 };
    await producer.sendOffsets([offset], second.groupMetadata()!, TIMEOUT_MS);
    await producer.commitTransaction(TIMEOUT_MS);
    await producer.close();

    await second.close();
    while (first.assignment().length < 8) await step(first, firstSeen);
    await first.close();
  });

  test(`${name}: a member of the new protocol reads from the committed offset`, async () => {
    const topic = await newTopic(subject(), "c", 1);
    const config: ClientConfig = { "group.id": unique("group"), "group.protocol": "consumer" };
    const first = newConsumer(subject(), config);
    first.subscribe([topic]);
    await pollUntil(first, () => first.assignment().length === 1);
    await first.commit([{ topic, partition: 0, offset: 0, metadata: "x" }]);
    const [committed] = await first.committed([{ topic, partition: 0 }], TIMEOUT_MS);
    assertEquals([committed.offset, committed.metadata], [0, "x"]);
    await first.close();
  });
}
