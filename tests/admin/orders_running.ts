// The order pipeline of examples/orders on the embedded broker, with its admin server: what tests of metrics and of the page look at.
import { resolve } from "node:path";
import { type GeneratedOrder, generatePayments } from "../../examples/orders/generator.ts";
import { DEAD_LETTERS, orders, orderStats, payments } from "../../examples/orders/topics.ts";
import { startAdminServer } from "../../lib/cli/admin_server.ts";
import { makeApplications, stopApplications } from "../../lib/cli/applications.ts";
import { OrderFeed } from "../../lib/cli/order_feed.ts";
import { findTopologies } from "../../lib/cli/topology_files.ts";
import { parseConfig } from "../../lib/config.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import { mockRegistry } from "../../lib/serde/mock_registry.ts";
import type { KafkaStreams } from "../../lib/streams.ts";
import { openLog } from "../../lib/telemetry/logger.ts";
import { produceAll, TIMEOUT_MS, unique } from "../kafka/subject.ts";
import { eventually } from "../runtime/application.ts";

export const PARTITIONS = 4;
export const TOKEN = "correct-horse";

/** A running order application. */
export interface RunningOrders {
  readonly url: string;
  readonly applicationId: string;
  readonly streams: KafkaStreams;
  /** Writes orders and waits until the broker has them. */
  feed(generated: Iterable<GeneratedOrder>): Promise<void>;
  /** Writes the payments of these orders; gives how many. */
  pay(generated: Iterable<GeneratedOrder>): Promise<number>;
  stop(): Promise<void>;
}

/** Starts all of examples/orders; resolves when every thread has its tasks. */
export async function startOrders(
  stateDir: string,
  threads: number,
  more: Readonly<Record<string, unknown>> = {},
): Promise<RunningOrders> {
  const broker = startEmbeddedBroker({ defaultPartitions: PARTITIONS });
  const clients = embeddedClients(broker);
  const scope = unique("orders");
  const applicationId = unique("orders");
  broker.createTopic(DEAD_LETTERS);
  const config = parseConfig({
    "application.id": applicationId,
    "bootstrap.servers": `embedded://${broker.bootstrapServers}`,
    "schema.registry.url": `mock://${scope}`,
    "processing.guarantee": "exactly_once_v2",
    "deserialization.exception.handler": "dead-letter-queue",
    "errors.dead.letter.queue.topic.name": DEAD_LETTERS,
    "num.stream.threads": threads,
    "statistics.interval.ms": 500,
    "state.dir": stateDir,
    "admin.port": 0,
    "admin.token": TOKEN,
    "log.level": "silent",
    ...more,
  });
  const registry = mockRegistry(scope);
  for (const { topic, value } of [orders, orderStats, payments]) {
    value.bind?.({ registry });
    await value.prepare?.({ topic, isKey: false });
  }
  const log = openLog({ level: "silent" });
  const files = await findTopologies([
    resolve(import.meta.dirname!, "../../examples/orders/all.ts"),
  ]);
  const [application] = await makeApplications(files, { configure: () => config, log, broker });
  const { streams } = application;
  const server = await startAdminServer(config, [application.view], log);
  await streams.start();
  // Six tasks a partition: a group that is complete has given something to each thread.
  await eventually(
    "every thread has tasks",
    () =>
      streams.state === "RUNNING" && streams.threads().length === threads &&
      streams.threads().every((thread) => thread.state === "RUNNING" && thread.tasks.length > 0),
  );
  const { bootstrapServers } = broker;
  return {
    url: server!.url,
    applicationId,
    streams,
    async feed(generated) {
      const feed = new OrderFeed(clients, bootstrapServers);
      await feed.write(generated);
      await feed.close();
    },
    async pay(generated) {
      const batch = new ProduceBatch();
      const topic = batch.topic(payments.topic);
      const site = { topic: payments.topic, isKey: false };
      const producer = clients.producer({ "bootstrap.servers": bootstrapServers });
      let count = 0;
      for (const { key, payment, timestamp } of generatePayments(generated, 1)) {
        batch.beginRow(topic, -1, timestamp, 0);
        payments.key.encode(key, batch.writer, { topic: payments.topic, isKey: true });
        batch.endKey();
        payments.value.encode(payment, batch.writer, site);
        batch.endValue();
        batch.endRow();
        count++;
      }
      await produceAll(producer, batch);
      await producer.flush(TIMEOUT_MS);
      await producer.close();
      return count;
    },
    async stop() {
      await stopApplications([application], config);
      await server!.close();
      broker.close();
      log.close();
    },
  };
}
