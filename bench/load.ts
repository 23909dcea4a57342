/** Fills the input topics of a topology as the Java peer's loader does (bench/peer): the same keys, values, times and topics, other random numbers. */
import { mulberry32 } from "../examples/orders/generator.ts";
import type { KafkaClients, Producer } from "../lib/kafka/client.ts";
import { murmur2Partition } from "../lib/kafka/murmur2.ts";
import { ProduceBatch } from "../lib/kafka/produce_batch.ts";
import { json } from "../lib/serde/json.ts";
import { string } from "../lib/serde/primitives.ts";
import type { Serde } from "../lib/serde/serde.ts";
import { inputTopics, ORDER, type Order, PAYMENT, type Payment } from "./broker_topologies.ts";

const CUSTOMERS = 10_000;
const FIRST_TIME = 28_333_333 * 60_000;
const JITTER_MS = 2_000;
const PAYMENT_DELAY_MS = 5_000;
const STATUSES = ["PAID", "DECLINED", "PENDING"];
const BATCH = 2_000;
const TIMEOUT_MS = 60_000;
const KEY = string();

/** What to load. */
export interface LoadOptions {
  readonly bootstrap: string;
  readonly topology: string;
  readonly topic: string;
  readonly payments: string;
  /** Over all input topics. */
  readonly records: number;
  readonly partitions: number;
  readonly seed: number;
}

/** A record to write: its time (epoch ms), key and value. */
type Row = readonly [timestamp: number, key: string, value: unknown];

/** @throws {Error} when a topic cannot be made or a record is not delivered */
export async function load(clients: KafkaClients, options: LoadOptions): Promise<void> {
  const { bootstrap, topology, partitions } = options;
  const topics = inputTopics(topology, options.topic, options.payments);
  const admin = clients.admin({ "bootstrap.servers": bootstrap });
  const failed = await admin.createTopics(
    topics.map((topic) => ({
      topic,
      partitions,
      replicationFactor: 1,
      config: { "retention.ms": "-1" },
    })),
    TIMEOUT_MS,
  );
  await admin.close();
  for (const error of failed) if (error) throw error;
  const producer = clients.producer({
    "bootstrap.servers": bootstrap,
    "compression.type": "lz4",
    "linger.ms": 10,
    "batch.size": 262_144,
  });
  const random = mulberry32(options.seed);
  const each = Math.ceil(options.records / topics.length);
  try {
    const value = topology === "join" || topology.startsWith("agg") ? ORDER : json<Order>();
    const byOrder = topology === "join";
    await write(producer, topics[0], partitions, value, orders(each, random, byOrder));
    if (byOrder) {
      const rest = options.records - each;
      await write(producer, topics[1], partitions, PAYMENT, payments(rest, random));
    }
  } finally {
    await producer.close();
  }
}

function* orders(count: number, random: () => number, byOrder: boolean): IterableIterator<Row> {
  for (let i = 0; i < count; i++) {
    const order: Order = {
      OrderId: orderId(i),
      CustomerId: `customer-${padded(Math.floor(random() * CUSTOMERS), 6)}`,
      Amount: (1 + Math.floor(random() * 50_000)) / 100,
      Timestamp: FIRST_TIME + i + jitter(random),
    };
    yield [order.Timestamp, byOrder ? order.OrderId : order.CustomerId, order];
  }
}

function* payments(count: number, random: () => number): IterableIterator<Row> {
  for (let i = 0; i < count; i++) {
    const isAlien = random() < 0.1;
    const payment: Payment = {
      OrderId: isAlien ? `alien-${padded(i, 10)}` : orderId(i),
      Status: STATUSES[Math.floor(random() * STATUSES.length)],
      PaidAt: FIRST_TIME + i + PAYMENT_DELAY_MS + jitter(random),
    };
    yield [payment.PaidAt, payment.OrderId, payment];
  }
}

function orderId(number: number): string {
  return `order-${padded(number, 10)}`;
}
function padded(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}
function jitter(random: () => number): number {
  return Math.floor(random() * (2 * JITTER_MS + 1)) - JITTER_MS;
}

async function write(
  producer: Producer,
  topic: string,
  partitions: number,
  value: Serde<any>,
  rows: Iterable<Row>,
): Promise<void> {
  await producer.partitionCount(topic, TIMEOUT_MS);
  const batch = new ProduceBatch(BATCH);
  const at = batch.topic(topic);
  const keySite = { topic, isKey: true };
  const valueSite = { topic, isKey: false };
  for (const [timestamp, key, each] of rows) {
    batch.beginRow(at, -1, timestamp, batch.count);
    KEY.encode(key, batch.writer, keySite);
    batch.endKey();
    const { start, end } = batch.keyRange();
    batch.setPartition(murmur2Partition(batch.slab, partitions, start, end));
    value.encode(each, batch.writer, valueSite);
    batch.endValue();
    batch.endRow();
    if (batch.count === BATCH) await send(producer, batch);
  }
  await send(producer, batch);
  await producer.flush(TIMEOUT_MS);
  const [failure] = producer.takeFailures();
  if (failure !== undefined) throw failure.error;
}

async function send(producer: Producer, batch: ProduceBatch): Promise<void> {
  let from = 0;
  while (from < batch.count && (from += producer.produce(batch, from)) < batch.count) {
    await producer.wait(1_000);
  }
  batch.reset();
}
