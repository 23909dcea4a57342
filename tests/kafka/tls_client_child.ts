// A process that makes a client with TLS, which brings OpenSSL to life, closes it and ends.
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";

const producer = librdkafkaClients.producer({
  "bootstrap.servers": "127.0.0.1:1",
  "security.protocol": "ssl",
});
await producer.close();
console.log("closed");
