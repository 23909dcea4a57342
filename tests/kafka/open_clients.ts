// A program that leaves clients open, with a call on its way, and ends: by itself, by process.exit or by an error.
import process from "node:process";
import { startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";

const broker = startEmbeddedBroker();
const clients = embeddedClients(broker);
broker.createTopic("open", 2);
const consumer = clients.consumer({ "group.id": "open" });
consumer.subscribe(["open"]);
const producer = clients.producer({});
const batch = new ProduceBatch();
batch.add(batch.topic("open"), 0, 0, null, new Uint8Array(10));
producer.produce(batch, 0);
await producer.flush(10_000);
while (consumer.assignment().length < 2) {
  consumer.poll(10);
  const rebalance = consumer.takeRebalance();
  if (rebalance) consumer.completeRebalance(rebalance);
  else await consumer.wait(100);
}
console.log("ready");
const how = process.argv[2];
if (how === "exit" || how === "throw") {
  broker.setBrokerUp(1, false);
  producer.produce(batch, 0);
  producer.flush(60_000).catch(() => {});
  if (how === "exit") process.exit(7);
  throw new Error("the program fails");
}
