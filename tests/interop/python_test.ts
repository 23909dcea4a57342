// What Weir writes, other languages read: Python's Avro consumer reads the windows of the order pipeline. Needs Java and Python.
import { test } from "node:test";
import { join } from "node:path";
import { assertEquals } from "@std/assert";
import { type GeneratedOrder, generateOrders } from "../../examples/orders/generator.ts";
import { orders, orderStats } from "../../examples/orders/topics.ts";
import { OrderFeed } from "../../lib/cli/order_feed.ts";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import { murmur2Partition } from "../../lib/kafka/murmur2.ts";
import { SchemaRegistryClient } from "../../lib/serde/schema_registry_client.ts";
import { expectedAggregate } from "../examples/expected_orders.ts";
import { type KafkaBroker, startKafkaBroker } from "../support/kafka_broker.ts";
import { type PythonRecord, readAvroInPython } from "../support/python.ts";
import { seededRandom } from "../support/random.ts";
import { sharedRegistry } from "../support/registry.ts";
import { type Program, spawnDeno } from "../support/spawn.ts";
import { withTempDir } from "../support/temp_dir.ts";

const PARTITIONS = 3;
const PATIENCE_MS = 120_000;

test("Python reads the closed windows that weir run writes exactly once from Avro orders", () =>
  withTempDir(async (dir) => {
    const { seed } = seededRandom("python");
    const generated = [...generateOrders(30_000, { seed, customers: 50 })];
    const { url } = await sharedRegistry();
    // The examples name their topics themselves, so they get a broker of their own.
    const broker = await startKafkaBroker();
    try {
      const topics = [orders.topic, orderStats.topic];
      await broker.createTopics(topics.map((name) => ({ name, partitions: PARTITIONS })));
      await writeOrders(broker, url, generated);
      const program = runAggregate(broker, url, dir);
      const expected = byPartition(generated).flatMap((part) => expectedAggregate(part).windows);
      const rows = await readUntil(broker, url, program, expected.length);
      assertEquals(await program.stop(), { code: 0, signal: null });
      const want = expected.map(({ customer, stats }) => ({ key: customer, value: { ...stats } }));
      assertEquals(inOrder(rows.map(({ key, value }) => ({ key, value }))), inOrder(want));
    } finally {
      await broker.stop();
    }
  }));

async function writeOrders(
  broker: KafkaBroker,
  registryUrl: string,
  generated: readonly GeneratedOrder[],
): Promise<void> {
  orders.value.bind!({ registry: new SchemaRegistryClient({ baseURLs: [registryUrl] }) });
  await orders.value.prepare?.({ topic: orders.topic, isKey: false });
  const feed = new OrderFeed(librdkafkaClients, broker.bootstrapServers);
  await feed.write(generated);
  await feed.close();
}

function runAggregate(broker: KafkaBroker, registryUrl: string, dir: string): Program {
  const settings = {
    "application.id": "orders-aggregate",
    "bootstrap.servers": broker.bootstrapServers,
    "schema.registry.url": registryUrl,
    "processing.guarantee": "exactly_once_v2",
    "commit.interval.ms": "200",
    "replication.factor": "1",
    "deserialization.exception.handler": "log-and-continue",
    "state.dir": join(dir, "state"),
    "admin.port": "0",
  };
  const sets = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  return spawnDeno("main.ts", ["run", "examples/orders/aggregate.ts", ...sets]);
}

/** What Python reads, again and again until there are as many records as there must be. */
async function readUntil(
  broker: KafkaBroker,
  registryUrl: string,
  program: Program,
  count: number,
): Promise<PythonRecord[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const rows = await readAvroInPython(broker.bootstrapServers, registryUrl, orderStats.topic);
    if (rows.length >= count) return rows;
    if (!program.running || performance.now() > deadline) {
      throw new Error(
        `Python reads ${rows.length} of ${count} windows\n${program.stdout}${program.stderr}`,
      );
    }
  }
}

/** The records of each partition, in the order in which they were written. */
function byPartition<T extends { readonly key: string }>(generated: readonly T[]): T[][] {
  const parts: T[][] = Array.from({ length: PARTITIONS }, () => []);
  for (const each of generated) {
    parts[murmur2Partition(new TextEncoder().encode(each.key), PARTITIONS)].push(each);
  }
  return parts;
}

function inOrder<T>(rows: readonly T[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
