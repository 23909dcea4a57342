/**
 * How fast records cross the door to Kafka: 100-byte values that lz4 halves, 8-byte keys. One JSON line for each measurement.
 *
 * ```sh
 * deno run -A bench/transport.ts [--bootstrap host:port] [--records n] [--partitions n] [--rounds n] [--mode all|produce|consume|fill]
 *                                [--compression lz4] [--topic name] [--set name=value]…
 * ```
 *
 * Without `--bootstrap` the embedded broker is measured, in the same process. `--topic` names a topic that stays: `--mode fill` makes
 * it, any other mode finds it full, so that several programs read the same records. `--set` goes to the consumer.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { KafkaClients } from "../lib/kafka/client.ts";
import { startEmbeddedBroker } from "../lib/kafka/embedded_broker.ts";
import { embeddedClients } from "../lib/kafka/embedded_clients.ts";
import { librdkafkaClients } from "../lib/kafka/librdkafka.ts";
import { ProduceBatch } from "../lib/kafka/produce_batch.ts";
import { systemClock } from "../lib/record/time.ts";

const KEY_BYTES = 8;
const VALUE_BYTES = 100;
const BATCH = 2_000;
const TIMEOUT_MS = 60_000;

const { values } = parseArgs({
  options: {
    bootstrap: { type: "string" },
    records: { type: "string", default: "2000000" },
    partitions: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
    mode: { type: "string", default: "all" },
    compression: { type: "string", default: "lz4" },
    topic: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
  },
});
const records = Number(values.records);
const partitions = Number(values.partitions);

const broker = values.bootstrap ? undefined : startEmbeddedBroker();
const clients: KafkaClients = broker ? embeddedClients(broker) : librdkafkaClients;
const servers = values.bootstrap ?? broker!.bootstrapServers;
const topic = values.topic ?? `transport-${systemClock.now()}`;
const settings = Object.fromEntries(values.set.map((pair) => pair.split(/=(.*)/, 2)));

if (values.topic === undefined || values.mode === "fill") {
  await createTopic();
  await fill();
}
for (let round = 1; values.mode !== "fill" && round <= Number(values.rounds); round++) {
  if (values.mode !== "produce") await consume(round);
  if (values.mode !== "consume") await produce(round);
}
if (values.topic === undefined) await deleteTopic();
broker?.close();

/** What a measurement starts from. */
interface Start {
  readonly at: number;
  readonly cpu: NodeJS.CpuUsage;
}

function begin(): Start {
  return { at: systemClock.monotonic(), cpu: process.cpuUsage() };
}

/** `cpuMs` counts all threads of this process: on a busy machine it says more than the time that passed. */
function tell(round: number, measure: string, count: number, start: Start): void {
  const ms = systemClock.monotonic() - start.at;
  const { user, system } = process.cpuUsage(start.cpu);
  const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
  const line = { runtime, broker: broker ? "embedded" : "real", round, measure, count };
  const rate = Math.round(count / ms * 1000);
  const cpuMs = Math.round((user + system) / 1000);
  const rssMb = Math.round(process.memoryUsage().rss / 1048576);
  console.log(
    JSON.stringify({ ...line, ms: Math.round(ms), recordsPerSecond: rate, cpuMs, rssMb }),
  );
}

async function createTopic(): Promise<void> {
  const admin = clients.admin({ "bootstrap.servers": servers });
  const [error] = await admin.createTopics(
    [{ topic, partitions, replicationFactor: 1 }],
    TIMEOUT_MS,
  );
  if (error) throw error;
  await admin.close();
}

async function deleteTopic(): Promise<void> {
  const admin = clients.admin({ "bootstrap.servers": servers });
  await admin.deleteTopics([topic], TIMEOUT_MS);
  await admin.close();
}

function oneBatch(): ProduceBatch {
  const batch = new ProduceBatch(BATCH, BATCH * (KEY_BYTES + VALUE_BYTES));
  const at = batch.topic(topic);
  for (let i = 0; i < BATCH; i++) {
    batch.beginRow(at, i % partitions, 1_700_000_000_000 + i, i);
    batch.writer.int64(i);
    batch.endKey();
    writeValue(batch, i);
    batch.endValue();
    batch.endRow();
  }
  return batch;
}

/** One half is the same in all values, as the names of fields are, the other is not: what lz4 makes of it is about half. As in the peer's `Transport.java`. */
function writeValue(batch: ProduceBatch, row: number): void {
  let random = row;
  for (let b = 0; b < VALUE_BYTES; b++) {
    random = Math.imul(random, 1664525) + 1013904223 | 0;
    batch.writer.uint8(b < VALUE_BYTES / 2 ? (b * 7) & 0x3f : random >>> 26);
  }
}

/** Writes the topic full, and measures that as well: from the first record to the last acknowledgement. */
async function fill(): Promise<void> {
  const producer = clients.producer({
    "bootstrap.servers": servers,
    "compression.type": values.compression,
    "linger.ms": 10,
    "batch.size": 262_144,
  });
  const batch = oneBatch();
  const start = begin();
  for (let sent = 0; sent < records; sent += BATCH) {
    let from = 0;
    while ((from += producer.produce(batch, from)) < BATCH) await producer.wait(1_000);
  }
  await producer.flush(TIMEOUT_MS);
  tell(0, "produce to acknowledgement", records, start);
  if (producer.takeFailures().length > 0) throw new Error("records were not delivered");
  await producer.close();
}

/** From the first poll with records to the last record. */
async function consume(round: number): Promise<void> {
  const consumer = clients.consumer({
    "bootstrap.servers": servers,
    "group.id": topic,
    "isolation.level": "read_committed",
    ...settings,
  });
  const parts = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  consumer.assign(parts.map((each) => ({ ...each, offset: -2 })));
  let count = 0;
  let bytes = 0;
  let start: Start | undefined;
  while (count < records) {
    const batch = consumer.poll(BATCH * 2);
    if (batch === undefined) {
      await consumer.wait(1_000);
      continue;
    }
    start ??= begin();
    count += batch.count;
    for (let i = 0; i < batch.count; i++) bytes += batch.keyLengths[i] + batch.valueLengths[i];
    batch.release();
  }
  tell(round, "consume", count, start!);
  if (bytes !== count * (KEY_BYTES + VALUE_BYTES)) throw new Error("bytes were lost");
  await consumer.close();
}

/** How fast rows are taken into the producer's queue: it knows the topic's partitions, and sends nothing meanwhile. */
async function produce(round: number): Promise<void> {
  const count = Math.min(records, 1_000_000);
  const producer = clients.producer({
    "bootstrap.servers": servers,
    "queue.buffering.max.messages": count + BATCH,
    "queue.buffering.max.kbytes": 2_000_000,
    "compression.type": "lz4",
    "linger.ms": 60_000,
    "batch.num.messages": 1_000_000,
    "batch.size": 2_000_000_000,
    "message.timeout.ms": 120_000,
  });
  const batch = oneBatch();
  await producer.partitionCount(topic, TIMEOUT_MS);
  const start = begin();
  for (let sent = 0; sent < count; sent += BATCH) {
    if (producer.produce(batch, 0) !== BATCH) throw new Error("the queue is full");
  }
  tell(round, "enqueue", count, start);
  await producer.close();
}
