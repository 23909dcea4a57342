// Groups: who reads what, what was committed, and what changes when members come and go.
import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KafkaError } from "../../lib/errors.ts";
import type { Consumer, Rebalance, TopicPartition } from "../../lib/kafka/client.ts";
import {
  newConsumer,
  newProducer,
  newTopic,
  type Plain,
  pollUntil,
  rowsOf,
  type Subject,
  TIMEOUT_MS,
  unique,
  write,
} from "./subject.ts";

/** A member that polls and answers rebalances as they come. */
class Member {
  readonly consumer: Consumer;
  readonly rebalances: Rebalance[] = [];
  readonly rows: Plain[] = [];
  constructor(consumer: Consumer) {
    this.consumer = consumer;
  }

  get partitions(): string {
    return names(this.consumer.assignment());
  }

  async step(): Promise<void> {
    const error = this.consumer.takeError();
    if (error) throw error;
    const batch = this.consumer.poll(100);
    if (batch) this.rows.push(...rowsOf(batch));
    batch?.release();
    const rebalance = this.consumer.takeRebalance();
    if (rebalance) {
      this.rebalances.push(rebalance);
      this.consumer.completeRebalance(rebalance);
    } else if (!batch) {
      await this.consumer.wait(20);
    }
  }
}

function names(partitions: readonly TopicPartition[]): string {
  return partitions.map((each) => each.partition).sort((a, b) => a - b).join(",");
}

async function stepUntil(members: readonly Member[], done: () => boolean): Promise<void> {
  for (let i = 0; !done(); i++) {
    if (i > 1_500) throw new Error("Cannot go on as the group does not come to rest");
    for (const member of members) await member.step();
  }
}

export function groupsContract(name: string, subject: () => Subject): void {
  test(`${name}: two members share the partitions by range, and one takes over from the other`, async () => {
    const topic = await newTopic(subject(), "range", 4);
    const group = unique("group");
    const config = {
      "group.id": group,
      "session.timeout.ms": 10_000,
      "heartbeat.interval.ms": 200,
    };
    const first = new Member(newConsumer(subject(), config));
    first.consumer.subscribe([topic]);
    await stepUntil([first], () => first.partitions === "0,1,2,3");
    assertEquals(first.rebalances[0].kind, "assign");
    assertEquals(first.rebalances[0].incremental, false);
    const second = new Member(newConsumer(subject(), config));
    second.consumer.subscribe([topic]);
    const shared = () => first.partitions.length === 3 && second.partitions.length === 3;
    await stepUntil([first, second], shared);
    assertEquals([first.partitions, second.partitions].sort(), ["0,1", "2,3"]);
    // A member that is slow to join may cost one round more; what was assigned is always revoked before the next.
    const kinds = first.rebalances.map((each) => each.kind);
    assert(kinds.length >= 3, kinds.join());
    assertEquals(kinds, kinds.map((_, i) => i % 2 === 0 ? "assign" : "revoke"));
    assert(first.consumer.memberId() !== undefined);
    assert(first.consumer.groupMetadata() !== undefined);
    await second.consumer.close();
    await stepUntil([first], () => first.partitions === "0,1,2,3");
    await first.consumer.close();
  });

  test(`${name}: committed offsets and their metadata come back, and reading starts there`, async () => {
    const topic = await newTopic(subject(), "commit", 2);
    const group = unique("group");
    const producer = newProducer(subject());
    await write(producer, topic, ["a", "b", "c"]);
    await producer.close();
    const member = new Member(newConsumer(subject(), { "group.id": group }));
    member.consumer.subscribe([topic]);
    await stepUntil([member], () => member.rows.length === 3);
    await member.consumer.commit([{ topic, partition: 0, offset: 2, metadata: "AgAAAY" }]);
    const asked = [{ topic, partition: 0 }, { topic, partition: 1 }];
    const committed = await member.consumer.committed(asked, TIMEOUT_MS);
    assertEquals(committed[0], { topic, partition: 0, offset: 2, metadata: "AgAAAY" });
    assert(committed[1].offset < 0);
    await member.consumer.close();
    const next = new Member(newConsumer(subject(), { "group.id": group }));
    next.consumer.subscribe([topic]);
    await stepUntil([next], () => next.rows.length > 0);
    assertEquals(next.rows.map((row) => row.offset), [2]);
    await next.consumer.close();
  });

  test(`${name}: where reading starts can be said with the answer to a rebalance`, async () => {
    const topic = await newTopic(subject(), "start-at", 1);
    const producer = newProducer(subject());
    await write(producer, topic, ["a", "b", "c"]);
    await producer.close();
    const consumer = newConsumer(subject(), { "group.id": unique("group") });
    consumer.subscribe([topic]);
    let rebalance: Rebalance | undefined;
    while (!(rebalance = consumer.takeRebalance())) {
      await consumer.wait(100);
      assertEquals(consumer.poll(10), undefined);
    }
    consumer.completeRebalance(rebalance, [{ topic, partition: 0, offset: 1 }]);
    const rows = await pollUntil(consumer, (rows) => rows.length >= 2);
    assertEquals(rows.map((row) => row.value), ["b", "c"]);
    await consumer.close();
  });

  test(`${name}: a pattern subscribes to the topics that match it`, async () => {
    const prefix = unique("pattern");
    for (const suffix of ["-a", "-b"]) await subject().createTopic(prefix + suffix, 1);
    const producer = newProducer(subject());
    await write(producer, `${prefix}-a`, ["a"]);
    await write(producer, `${prefix}-b`, ["b"]);
    await producer.close();
    const member = new Member(newConsumer(subject(), { "group.id": unique("group") }));
    member.consumer.subscribe([`^${prefix}-.*`]);
    await stepUntil([member], () => member.rows.length === 2);
    assertEquals(member.rows.map((row) => row.value).sort(), ["a", "b"]);
    await member.consumer.close();
  });

  test(`${name}: after unsubscribe the partitions are revoked`, async () => {
    const topic = await newTopic(subject(), "unsubscribe", 2);
    const member = new Member(newConsumer(subject(), { "group.id": unique("group") }));
    member.consumer.subscribe([topic]);
    await stepUntil([member], () => member.partitions === "0,1");
    member.consumer.unsubscribe();
    await stepUntil([member], () => member.partitions === "");
    assertEquals(member.rebalances.at(-1)!.kind, "revoke");
    await member.consumer.close();
  });

  test(`${name}: a static member that comes back at once keeps its partitions`, async () => {
    const topic = await newTopic(subject(), "static", 2);
    const config = {
      "group.id": unique("group"),
      "group.instance.id": "one",
      "session.timeout.ms": 10_000,
    };
    const first = new Member(newConsumer(subject(), config));
    first.consumer.subscribe([topic]);
    await stepUntil([first], () => first.partitions === "0,1");
    await first.consumer.close();
    const second = new Member(newConsumer(subject(), config));
    second.consumer.subscribe([topic]);
    await stepUntil([second], () => second.partitions === "0,1");
    await second.consumer.close();
  });

  test(`${name}: a commit of a member that is gone is refused as fenced`, async () => {
    const topic = await newTopic(subject(), "stale", 1);
    const group = unique("group");
    const config = {
      "group.id": group,
      "session.timeout.ms": 10_000,
      "heartbeat.interval.ms": 200,
    };
    const stale = new Member(newConsumer(subject(), config));
    stale.consumer.subscribe([topic]);
    await stepUntil([stale], () => stale.partitions === "0");
    const outsider = newConsumer(subject(), { "group.id": group });
    const error = await assertRejects(
      () => outsider.commit([{ topic, partition: 0, offset: 0 }]),
      KafkaError,
    );
    assertEquals(error.codeName, "UNKNOWN_MEMBER_ID");
    await outsider.close();
    await stale.consumer.close();
  });

  test(`${name}: a client closes while a rebalance waits for its answer`, async () => {
    const topic = await newTopic(subject(), "unanswered", 1);
    const consumer = newConsumer(subject(), { "group.id": unique("group") });
    consumer.subscribe([topic]);
    while (!consumer.takeRebalance()) {
      await consumer.wait(100);
      consumer.poll(10);
    }
    await consumer.close();
  });
}
