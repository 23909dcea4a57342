/**
 * The aggregate on Apache Kafka with a real schema registry, exactly once: what it writes is what plain loops calculate, and what a Python
 * consumer reads with the registry's schema.
 */
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { topology } from "../../examples/orders/aggregate.ts";
import { type GeneratedOrder, generateOrders } from "../../examples/orders/generator.ts";
import { DEAD_LETTERS, orders, orderStats } from "../../examples/orders/topics.ts";
import { KafkaError } from "../../lib/errors.ts";
import type { Admin } from "../../lib/kafka/client.ts";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import { murmur2Partition } from "../../lib/kafka/murmur2.ts";
import { SchemaRegistryClient } from "../../lib/serde/schema_registry_client.ts";
import { KafkaStreams } from "../../lib/streams.ts";
import { OrderFeed } from "../../lib/cli/order_feed.ts";
import { callAfter } from "../../lib/record/time.ts";
import { startKafkaBroker } from "../support/kafka_broker.ts";
import { readAvroInPython } from "../support/python.ts";
import { seededRandom } from "../support/random.ts";
import { sharedRegistry } from "../support/registry.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { expectedAggregate } from "./expected_orders.ts";

const PARTITIONS = 3;
const RECORDS = 30_000;
const TIMEOUT_MS = 30_000;

test("The order aggregate on Apache Kafka gives what plain loops give, and Python reads it", async () => {
  // The topics have fixed names, so the broker is the test's own.
  const broker = await startKafkaBroker();
  const { url } = await sharedRegistry();
  const { seed } = seededRandom("orders on a broker");
  const bootstrapServers = broker.bootstrapServers;
  const admin = librdkafkaClients.admin({ "bootstrap.servers": bootstrapServers });
  const streams = new KafkaStreams(topology, {
    "application.id": "orders",
    "bootstrap.servers": bootstrapServers,
    "schema.registry.url": url,
    "processing.guarantee": "exactly_once_v2",
    "deserialization.exception.handler": "dead-letter-queue",
    "errors.dead.letter.queue.topic.name": DEAD_LETTERS,
    "state.dir": makeTempDir("orders-broker"),
    "log.level": "error",
  });
  try {
    const names = [orders.topic, orderStats.topic, DEAD_LETTERS];
    const made = await admin.createTopics(
      names.map((topic) => ({ topic, partitions: PARTITIONS, replicationFactor: 1 })),
      TIMEOUT_MS,
    );
    assertEquals(made, [undefined, undefined, undefined]);
    const generated = [...generateOrders(RECORDS, { seed, customers: 40 })];
    await writeOrders(bootstrapServers, url, generated);
    await streams.start();
    await untilCommitted(admin, RECORDS);
    assert(await streams.close(), "it closed in time");

    const expected = byPartition(generated).map(expectedAggregate);
    const wanted = expected.flatMap(({ windows }) =>
      windows.map(({ customer, stats }) => ({ key: customer, value: stats }))
    );
    const read = await readAvroInPython(bootstrapServers, url, orderStats.topic);
    const got = read.map(({ key, value }) => ({ key, value }));
    assert(wanted.length > 100, `${wanted.length} windows`);
    assertEquals(sorted(got), sorted(wanted));
    const letters = await admin.listOffsets(
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: DEAD_LETTERS, partition })),
      "latest",
      TIMEOUT_MS,
    );
    const corrupt = expected.reduce((sum, each) => sum + each.corrupt, 0);
    assert(letters.reduce((sum, { offset }) => sum + offset, 0) >= corrupt);
  } finally {
    await streams.close();
    await admin.close();
    await broker.stop();
  }
});

async function writeOrders(
  bootstrapServers: string,
  url: string,
  generated: readonly GeneratedOrder[],
) {
  orders.value.bind!({ registry: new SchemaRegistryClient({ baseURLs: [url] }) });
  await orders.value.prepare!({ topic: orders.topic, isKey: false });
  const feed = new OrderFeed(librdkafkaClients, bootstrapServers);
  await feed.write(generated);
  await feed.close();
}

async function untilCommitted(
  admin: Admin,
  records: number,
): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await committedOrders(admin) >= records) return;
    await new Promise<void>((resolve) => void callAfter(100, resolve));
  }
  throw new Error(`the group has not committed ${records} records`);
}

async function committedOrders(admin: Admin): Promise<number> {
  try {
    const offsets = await admin.groupOffsets("orders", TIMEOUT_MS);
    return offsets.filter((o) => o.topic === orders.topic).reduce(
      (sum, o) => sum + Math.max(0, o.offset),
      0,
    );
  } catch (error) {
    // A new broker takes a moment to load the group's coordinator.
    if (error instanceof KafkaError && error.codeName.includes("COORDINATOR")) return 0;
    throw error;
  }
}

function byPartition(generated: readonly GeneratedOrder[]): GeneratedOrder[][] {
  const parts: GeneratedOrder[][] = Array.from({ length: PARTITIONS }, () => []);
  for (const each of generated) {
    const key = new TextEncoder().encode(each.key);
    parts[murmur2Partition(key, PARTITIONS)].push(each);
  }
  return parts;
}

function sorted(rows: readonly unknown[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
