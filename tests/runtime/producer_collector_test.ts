import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { StreamsException } from "../../lib/errors.ts";
import type { Producer, ProduceRows } from "../../lib/kafka/client.ts";
import { murmur2Partition } from "../../lib/kafka/murmur2.ts";
import { RecordContext } from "../../lib/record/context.ts";
import { Headers } from "../../lib/record/headers.ts";
import { ManualClock } from "../../lib/record/time.ts";
import { Windowed } from "../../lib/record/windowed.ts";
import { ProducerCollector } from "../../lib/runtime/producer_collector.ts";
import { silentLog } from "../../lib/runtime/runtime_log.ts";
import { StreamsProducer } from "../../lib/runtime/streams_producer.ts";
import { taskSettings } from "../../lib/runtime/task_settings.ts";
import { string } from "../../lib/serde/primitives.ts";
import { timeWindowed } from "../../lib/serde/windowed.ts";
import { text } from "./task_fixture.ts";

interface Sent {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
}

/** A producer that takes at most `room` rows at a time and keeps what it was given. */
class FakeProducer {
  readonly sent: Sent[] = [];
  readonly calls: string[] = [];
  room = Number.POSITIVE_INFINITY;

  produce(rows: ProduceRows, from: number): number {
    const to = Math.min(rows.count, from + this.room);
    const read = (start: number, length: number) =>
      length < 0 ? null : new TextDecoder().decode(rows.slab.subarray(start, start + length));
    for (let i = from; i < to; i++) {
      this.sent.push({
        topic: rows.topics[rows.topicIndexes[i]],
        partition: rows.partitions[i],
        key: read(rows.keyStarts[i], rows.keyLengths[i]),
        value: read(rows.valueStarts[i], rows.valueLengths[i]),
      });
    }
    return to - from;
  }
  async wait(): Promise<void> {
    this.calls.push("wait");
  }
  async flush(): Promise<void> {
    this.calls.push("flush");
  }
  async partitionCount(topic: string): Promise<number> {
    this.calls.push(`count ${topic}`);
    return 12;
  }
  beginTransaction(): void {
    this.calls.push("begin");
  }
  takeFailures(): [] {
    return [];
  }
  takeDeliveredOffsets(): [] {
    return [];
  }
}

function collectorOf(
  fake: FakeProducer,
  config: Readonly<Record<string, unknown>> = {},
): { collector: ProducerCollector; send(key: string | null, value: string | null): void } {
  const producer = new StreamsProducer(
    { exactlyOnce: true, requestTimeoutMs: 1_000, patienceMs: 1_000 },
    { producer: fake as unknown as Producer, clock: new ManualClock(), log: silentLog },
  );
  const collector = new ProducerCollector({
    producer,
    handlers: taskSettings(config).handlers,
    partitionCount: (topic) => topic === "known" ? 5 : undefined,
    requestTimeoutMs: 1_000,
    queueMessages: 1_000,
    log: silentLog,
  });
  const context = new RecordContext();
  return {
    collector,
    send: (key, value) =>
      collector.send(
        collector.destination("out"),
        key,
        value,
        text,
        text,
        1,
        Headers.EMPTY,
        -1,
        context,
        "sink",
        "0_0",
      ),
  };
}

test("ProducerCollector begins a transaction with the first record that is handed over, once", async () => {
  const fake = new FakeProducer();
  const { collector, send } = collectorOf(fake);
  collector.handOver();
  assertEquals(fake.calls, []);
  send("a", "1");
  send("b", null);
  collector.handOver();
  send(null, "3");
  await collector.flush();
  assertEquals(fake.calls, ["begin", "flush"]);
  assertEquals(fake.sent, [
    { topic: "out", partition: -1, key: "a", value: "1" },
    { topic: "out", partition: -1, key: "b", value: null },
    { topic: "out", partition: -1, key: null, value: "3" },
  ]);
});

test("ProducerCollector keeps records in their order while the producer has no room", async () => {
  const fake = new FakeProducer();
  fake.room = 3;
  const { collector, send } = collectorOf(fake);
  for (let i = 0; i < 10; i++) send(`${i}`, "v");
  collector.handOver();
  assertEquals(collector.backlog, true);
  send("10", "v");
  await collector.drain();
  assertEquals(collector.backlog, false);
  assertEquals(fake.sent.map((r) => r.key), Array.from({ length: 11 }, (_, i) => `${i}`));
});

test("ProducerCollector hands a batch over when it is full", () => {
  const fake = new FakeProducer();
  const { send } = collectorOf(fake);
  for (let i = 0; i < 5_000; i++) send(`${i}`, "v");
  assertEquals(fake.sent.length, 4_096);
});

test("ProducerCollector takes back what it wrote of a record that cannot be serialized", () => {
  const fake = new FakeProducer();
  const { collector, send } = collectorOf(fake, {
    "production.exception.handler": "log-and-continue",
  });
  send("a", "1");
  send("lost", "unwritable");
  send("b", "2");
  collector.handOver();
  assertEquals(fake.sent.map((r) => [r.key, r.value]), [["a", "1"], ["b", "2"]]);
});

test("ProducerCollector fails by default when a record cannot be serialized", () => {
  const { send } = collectorOf(new FakeProducer());
  assertThrows(() => send("a", "unwritable"), StreamsException, "Unable to serialize record.");
});

for (const topic of ["known", "unknown"]) {
  test(`ProducerCollector sends windowed keys to the partition of the plain key, to ${topic === "known" ? "a topic it knows" : "one it has to ask for first"}`, async () => {
    const fake = new FakeProducer();
    const { collector } = collectorOf(fake);
    const keys = timeWindowed(string(), 10);
    for (const key of ["a", "b", "c", "d"]) {
      for (const start of [0, 10, 20]) {
        collector.send(
          collector.destination(topic),
          new Windowed(key, start, start + 10),
          "v",
          keys,
          text,
          1,
          Headers.EMPTY,
          -1,
          new RecordContext(),
          "sink",
          "0_0",
        );
      }
    }
    await collector.drain();
    const count = topic === "known" ? 5 : 12;
    const expected = ["a", "b", "c", "d"].flatMap((key) => {
      const partition = murmur2Partition(new TextEncoder().encode(key), count);
      return [partition, partition, partition];
    });
    assertEquals(fake.sent.map((r) => r.partition), expected);
    assertEquals(fake.calls.includes("count unknown"), topic === "unknown");
  });
}

test("ProducerCollector forgets what was not handed over when the transaction is given up", async () => {
  const fake = new FakeProducer();
  fake.room = 0;
  const { collector, send } = collectorOf(fake);
  send("a", "1");
  collector.handOver();
  send("b", "2");
  collector.discard();
  fake.room = 10;
  send("c", "3");
  await collector.drain();
  assertEquals(fake.sent.map((r) => r.key), ["c"]);
});
