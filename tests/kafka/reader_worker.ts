// A Worker with clients of its own; it leaves them open.
import { parentPort, workerData } from "node:worker_threads";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";

const { kind, bootstrapServers, topic, partition } = workerData;
const clients = kind === "embedded" ? embeddedClients(bootstrapServers) : librdkafkaClients;
const consumer = clients.consumer({ "bootstrap.servers": bootstrapServers });
const producer = clients.producer({ "bootstrap.servers": bootstrapServers });
await producer.partitionCount(topic, 30_000);
consumer.assign([{ topic, partition, offset: -2 }]);
let count = 0;
while (count < 50) {
  const batch = consumer.poll(7);
  if (batch) count += batch.count;
  else await consumer.wait(1_000);
}
parentPort!.postMessage(count);
