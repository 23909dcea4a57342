// A Worker whose call is on its way when it is ended: nobody answers the flush.
import { parentPort } from "node:worker_threads";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";

const producer = librdkafkaClients.producer({ "bootstrap.servers": "127.0.0.1:1" });
const batch = new ProduceBatch();
batch.add(batch.topic("nowhere"), 0, 0, null, new Uint8Array(10));
producer.produce(batch, 0);
producer.flush(1_500).catch(() => {});
parentPort!.postMessage("flushing");
