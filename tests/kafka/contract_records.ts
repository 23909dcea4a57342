// What records keep on their way, and how a consumer moves over them.
import { test } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KafkaError } from "../../lib/errors.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import { Headers } from "../../lib/record/headers.ts";
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

export function recordsContract(name: string, subject: () => Subject): void {
  test(`${name}: a record keeps key, value, timestamp and headers, and nulls stay nulls`, async () => {
    const topic = await newTopic(subject(), "round-trip");
    const producer = newProducer(subject());
    const batch = new ProduceBatch(2, 16);
    const at = batch.topic(topic);
    const headers = Headers.EMPTY.add("a", "1").add("b", null).add("a", "").add("ü", "é");
    batch.add(at, 0, 1234, bytes("key"), bytes("value"), headers, 7);
    batch.add(at, 0, 1235, null, bytes("no key"));
    batch.add(at, 0, 1236, bytes("no value"), null);
    batch.add(at, 0, 1237, null, null);
    batch.add(at, 0, 1238, bytes(""), bytes(""));
    await produceAll(producer, batch);
    await producer.flush(TIMEOUT_MS);
    assertEquals(producer.takeFailures(), []);
    assertEquals(producer.takeDeliveredOffsets(), [{ topic, partition: 0, offset: 4 }]);
    assertEquals(producer.takeDeliveredOffsets(), []);
    assertEquals(producer.queued(), 0);
    const rows = await readAll(subject(), topic, 5);
    assertEquals(rows.map(({ key, value, timestamp, offset }) => [key, value, timestamp, offset]), [
      ["key", "value", 1234, 0],
      [null, "no key", 1235, 1],
      ["no value", null, 1236, 2],
      [null, null, 1237, 3],
      ["", "", 1238, 4],
    ]);
    assertEquals(
      rows[0].headers.map((h) => [h.name, h.value && new TextDecoder().decode(h.value)]),
      [["a", "1"], ["b", null], ["a", ""], ["ü", "é"]],
    );
    assertEquals(rows[1].headers, []);
    await producer.close();
  });

  test(`${name}: a record of the epoch keeps its timestamp, as others do, alone or within a batch`, async () => {
    const topic = await newTopic(subject(), "epoch");
    const producer = newProducer(subject(), { "linger.ms": 5 });
    const times = [0, 5, 0, 1_700_000_000_000, 0];
    for (const time of times) {
      const batch = new ProduceBatch();
      batch.add(batch.topic(topic), 0, time, null, bytes(String(time)));
      await produceAll(producer, batch);
    }
    await producer.flush(TIMEOUT_MS);
    const rows = await readAll(subject(), topic, times.length);
    assertEquals(rows.map((r) => r.timestamp), times);
    await producer.close();
  });

  test(`${name}: equal keys go to the partition that murmur2 chooses`, async () => {
    const topic = await newTopic(subject(), "murmur2", 4);
    const producer = newProducer(subject());
    const batch = new ProduceBatch();
    for (let i = 0; i < 40; i++) batch.add(batch.topic(topic), -1, i, bytes(`key-${i}`), null);
    await produceAll(producer, batch);
    await producer.flush(TIMEOUT_MS);
    await producer.close();
    const { murmur2Partition } = await import("../../lib/kafka/murmur2.ts");
    const consumer = newConsumer(subject());
    consumer.assign([0, 1, 2, 3].map((partition) => ({ topic, partition, offset: -2 })));
    const rows = await pollUntil(consumer, (rows) => rows.length >= 40);
    for (const row of rows) assertEquals(row.partition, murmur2Partition(bytes(row.key!), 4));
    await consumer.close();
  });

  test(`${name}: batches larger than the slab lose nothing, and a single large record passes`, async () => {
    const topic = await newTopic(subject(), "large", 2);
    const producer = newProducer(subject(), { "compression.type": "lz4" });
    const batch = new ProduceBatch();
    const large = new Uint8Array(100_000);
    for (let i = 0; i < 200; i++) {
      large[0] = i;
      batch.add(batch.topic(topic), i % 2, i, bytes(`${i}`), large);
    }
    batch.add(batch.topic(topic), 0, 200, bytes("200"), new Uint8Array(900_000));
    await produceAll(producer, batch);
    await producer.flush(TIMEOUT_MS);
    await producer.close();
    const consumer = newConsumer(subject());
    consumer.assign([0, 1].map((partition) => ({ topic, partition, offset: -2 })));
    const seen: number[][] = [[], []];
    const sizes = new Set<number>();
    for (let got = 0; got < 201;) {
      const records = consumer.poll(1_000);
      if (!records) {
        await consumer.wait(1_000);
        continue;
      }
      for (const run of records.runs) {
        for (let i = run.from; i < run.to; i++) {
          seen[run.partition].push(records.offsets[i]);
          sizes.add(records.valueLengths[i]);
          got++;
        }
      }
      records.release();
    }
    assertEquals(seen[0], Array.from({ length: 101 }, (_, i) => i));
    assertEquals(seen[1], Array.from({ length: 100 }, (_, i) => i));
    assertEquals(sizes, new Set([100_000, 900_000]));
    await consumer.close();
  });

  for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
    test(`${name}: large and small batches of ${codec} in one response keep their bytes`, async () => {
      const topic = await newTopic(subject(), "batches");
      const producer = newProducer(subject(), { "compression.type": codec, "linger.ms": 50 });
      const written: string[] = [];
      for (const size of [300, 5, 1, 257, 40, 600, 256, 20, 1, 300]) {
        const values = Array.from({ length: size }, (_, i) => `${size}/${i} `.repeat(30));
        await write(producer, topic, values);
        written.push(...values);
      }
      await producer.close();
      const rows = await readAll(subject(), topic, written.length);
      assertEquals(rows.map((row) => row.value), written);
      assertEquals(rows.map((row) => row.key), written);
    });
  }

  test(`${name}: no more than the wanted records come at a time, from all partitions in turn`, async () => {
    const topic = await newTopic(subject(), "turns", 3);
    const producer = newProducer(subject());
    for (let p = 0; p < 3; p++) {
      await write(producer, topic, Array.from({ length: 30 }, (_, i) => `${p}/${i}`), p);
    }
    await producer.close();
    const consumer = newConsumer(subject());
    consumer.assign([0, 1, 2].map((partition) => ({ topic, partition, offset: -2 })));
    let fewest = 30;
    const counts = [0, 0, 0];
    const rows = await pollUntil(consumer, (rows) => rows.length >= 90, { maxRecords: 7 });
    for (const row of rows) {
      counts[row.partition]++;
      if (counts.every((count) => count > 0)) fewest = Math.min(fewest, counts[row.partition]);
    }
    assertEquals(counts, [30, 30, 30]);
    for (let p = 0; p < 3; p++) {
      const offsets = rows.filter((row) => row.partition === p).map((row) => row.offset);
      assertEquals(offsets, Array.from({ length: 30 }, (_, i) => i));
    }
    await consumer.close();
  });

  test(`${name}: a held partition gives nothing and loses nothing`, async () => {
    const topic = await newTopic(subject(), "hold", 2);
    const producer = newProducer(subject());
    const consumer = newConsumer(subject());
    consumer.assign([0, 1].map((partition) => ({ topic, partition, offset: -2 })));
    consumer.hold([{ topic, partition: 0 }]);
    await write(producer, topic, ["a", "b"], 0);
    await write(producer, topic, ["c", "d"], 1);
    const first = await pollUntil(consumer, (rows) => rows.length >= 2);
    assertEquals(first.map((row) => row.value), ["c", "d"]);
    await consumer.wait(300);
    assertEquals(consumer.poll(10), undefined);
    const waiting = consumer.wait(TIMEOUT_MS);
    consumer.release([{ topic, partition: 0 }]);
    await waiting;
    const second = await pollUntil(consumer, (rows) => rows.length >= 2);
    assertEquals(second.map((row) => row.value), ["a", "b"]);
    await consumer.close();
    await producer.close();
  });

  test(`${name}: a partition that was held is read on while the broker waits for others`, async () => {
    const topic = await newTopic(subject(), "resting", 2);
    const producer = newProducer(subject());
    const count = 3_000;
    await write(producer, topic, Array.from({ length: count }, (_, i) => `${i}`));
    await producer.close();
    // A request that asks for the empty partition alone is not answered within the test's patience, unless somebody thinks of the other.
    const consumer = newConsumer(subject(), {
      "fetch.wait.max.ms": 3 * TIMEOUT_MS,
      "socket.timeout.ms": 4 * TIMEOUT_MS,
      "queued.min.messages": 100,
      "fetch.message.max.bytes": 4_000,
    });
    consumer.assign([0, 1].map((partition) => ({ topic, partition, offset: -2 })));
    const full = { topic, partition: 0 };
    const offsets: number[] = [];
    while (offsets.length < count) {
      consumer.hold([full]);
      await consumer.wait(50);
      consumer.release([full]);
      const more = await pollUntil(consumer, (rows) => rows.length >= 300);
      offsets.push(...more.map((row) => row.offset));
    }
    assertEquals(offsets, Array.from({ length: count }, (_, i) => i));
    await consumer.close();
  });

  test(`${name}: seek moves the position, and nothing of the old one comes after it`, async () => {
    const topic = await newTopic(subject(), "seek");
    const producer = newProducer(subject());
    await write(producer, topic, Array.from({ length: 100 }, (_, i) => `${i}`));
    await producer.close();
    const consumer = newConsumer(subject());
    const partition = { topic, partition: 0 };
    consumer.assign([{ ...partition, offset: -2 }]);
    assertEquals(consumer.position(partition), undefined);
    await pollUntil(consumer, (rows) => rows.length >= 10, { maxRecords: 10 });
    assertEquals(consumer.position(partition), 10);
    await consumer.seek(partition, 95);
    const rows = await pollUntil(consumer, (rows) => rows.length >= 5);
    assertEquals(rows.map((row) => row.offset), [95, 96, 97, 98, 99]);
    await consumer.seek(partition, 3);
    const again = await pollUntil(consumer, (rows) => rows.length >= 2, { maxRecords: 2 });
    assertEquals(again.map((row) => row.offset), [3, 4]);
    assertEquals(consumer.position(partition), 5);
    await consumer.close();
  });

  test(`${name}: the ends of partitions and the watermarks are told`, async () => {
    const topic = await newTopic(subject(), "ends", 2);
    const producer = newProducer(subject());
    await write(producer, topic, ["a", "b", "c"]);
    await producer.close();
    const consumer = newConsumer(subject());
    consumer.assign([0, 1].map((partition) => ({ topic, partition, offset: -2 })));
    const ends = new Map<number, number>();
    await pollUntil(consumer, () => {
      for (const end of consumer.takePartitionEnds()) ends.set(end.partition, end.offset);
      return ends.size === 2;
    });
    assertEquals([ends.get(0), ends.get(1)], [3, 0]);
    assertEquals(consumer.cachedWatermarks({ topic, partition: 0 }), { low: 0, high: 3 });
    assertEquals(consumer.cachedWatermarks({ topic: unique("none"), partition: 0 }), {
      low: -1,
      high: -1,
    });
    assertEquals(await consumer.queryWatermarks({ topic, partition: 0 }, TIMEOUT_MS), {
      low: 0,
      high: 3,
    });
    await consumer.close();
  });

  test(`${name}: incremental assignment adds and takes away partitions`, async () => {
    const topic = await newTopic(subject(), "incremental", 2);
    const producer = newProducer(subject());
    await write(producer, topic, ["a"], 0);
    await write(producer, topic, ["b"], 1);
    const consumer = newConsumer(subject());
    consumer.incrementalAssign([{ topic, partition: 0, offset: 0 }]);
    assertEquals((await pollUntil(consumer, (rows) => rows.length > 0))[0].value, "a");
    consumer.incrementalAssign([{ topic, partition: 1, offset: 0 }]);
    assertEquals((await pollUntil(consumer, (rows) => rows.length > 0))[0].value, "b");
    assertEquals(consumer.assignment().length, 2);
    consumer.incrementalUnassign([{ topic, partition: 0 }]);
    assertEquals(consumer.assignment(), [{ topic, partition: 1 }]);
    await write(producer, topic, ["c"], 0);
    await write(producer, topic, ["d"], 1);
    assertEquals((await pollUntil(consumer, (rows) => rows.length > 0))[0].value, "d");
    consumer.assign([]);
    assertEquals(consumer.assignment(), []);
    await consumer.close();
    await producer.close();
  });

  test(`${name}: offsets are found by time`, async () => {
    const topic = await newTopic(subject(), "times");
    const producer = newProducer(subject());
    for (let i = 0; i < 5; i++) {
      const batch = new ProduceBatch();
      batch.add(batch.topic(topic), 0, 1_000 * (i + 1), null, bytes(`${i}`));
      await produceAll(producer, batch);
      await producer.flush(TIMEOUT_MS);
    }
    await producer.close();
    const consumer = newConsumer(subject());
    const at = async (timestamp: number) => {
      const asked = [{ topic, partition: 0, timestamp }];
      return (await consumer.offsetsForTimes(asked, TIMEOUT_MS))[0].offset;
    };
    assertEquals(await at(3_000), 2);
    assertEquals(await at(2_500), 2);
    assertEquals(await at(0), 0);
    assert(await at(9_000) < 0);
    await consumer.close();
  });

  test(`${name}: a record that is too large comes back with its tag and bytes`, async () => {
    const topic = await newTopic(subject(), "too-large");
    const producer = newProducer(subject(), { "max.request.size": 2_000 });
    const batch = new ProduceBatch();
    const headers = Headers.EMPTY.add("h", "v");
    batch.add(batch.topic(topic), 0, 1, bytes("small"), bytes("fits"));
    batch.add(batch.topic(topic), 0, 2, bytes("key"), new Uint8Array(5_000).fill(7), headers, 42);
    batch.add(batch.topic(topic), 0, 3, bytes("small"), bytes("fits too"));
    await produceAll(producer, batch);
    await producer.flush(TIMEOUT_MS);
    const [failure, ...others] = producer.takeFailures();
    assertEquals(others, []);
    assertEquals(failure.tag, 42);
    assertEquals(failure.topic, topic);
    assertEquals(failure.timestamp, 2);
    assertEquals(failure.key, bytes("key"));
    assertEquals(failure.value, new Uint8Array(5_000).fill(7));
    const { readHeaders } = await import("../../lib/kafka/headers.ts");
    const found = readHeaders(failure.headers!, 0, failure.headers!.length);
    assertEquals(found.lastText("h"), "v");
    assert(failure.error instanceof KafkaError);
    assertEquals(failure.error.codeName, "MSG_SIZE_TOO_LARGE");
    assertEquals(failure.error.fatal, false);
    assertEquals((await readAll(subject(), topic, 2)).map((row) => row.value), [
      "fits",
      "fits too",
    ]);
    await producer.close();
  });

  test(`${name}: a full queue takes fewer rows, and wait goes on when there is room`, async () => {
    const topic = await newTopic(subject(), "full");
    const producer = newProducer(subject(), { "queue.buffering.max.messages": 50 });
    const batch = new ProduceBatch();
    for (let i = 0; i < 500; i++) batch.add(batch.topic(topic), 0, i, null, bytes(`${i}`));
    const taken = producer.produce(batch, 0);
    assert(taken <= 50, `${taken} were taken`);
    for (let from = taken; from < batch.count;) {
      await producer.wait(TIMEOUT_MS);
      from += producer.produce(batch, from);
    }
    await producer.flush(TIMEOUT_MS);
    const rows = await readAll(subject(), topic, 500);
    assertEquals(rows.map((row) => row.value), Array.from({ length: 500 }, (_, i) => `${i}`));
    await producer.close();
  });

  test(`${name}: a wait that nothing ends takes its time-out, and a closed client refuses calls`, async () => {
    const consumer = newConsumer(subject());
    await consumer.wait(20);
    await consumer.close();
    await consumer.close();
    const error = assertThrows(() => consumer.poll(1), KafkaError);
    assertEquals(error.codeName, "_DESTROY");
    const producer = newProducer(subject());
    await producer.wait(20);
    await producer.close();
    assertThrows(() => producer.queued(), KafkaError);
    await assertRejects(async () => await producer.flush(1), KafkaError);
  });

  test(`${name}: the partition count of a topic is known`, async () => {
    const topic = await newTopic(subject(), "count", 3);
    const producer = newProducer(subject());
    assertEquals(await producer.partitionCount(topic, TIMEOUT_MS), 3);
    await write(producer, topic, ["a"], 2);
    assertEquals(producer.takeDeliveredOffsets(), [{ topic, partition: 2, offset: 0 }]);
    await producer.close();
  });
}
