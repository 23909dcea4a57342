// The client contract against Apache Kafka.
import { before } from "node:test";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import { sharedKafkaBroker } from "../support/kafka_broker.ts";
import { adminContract } from "./contract_admin.ts";
import { consumerProtocolContract } from "./contract_consumer_protocol.ts";
import { groupsContract } from "./contract_groups.ts";
import { recordsContract } from "./contract_records.ts";
import { transactionsContract } from "./contract_transactions.ts";
import type { Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  const broker = await sharedKafkaBroker();
  subject = {
    kind: "real",
    clients: librdkafkaClients,
    bootstrapServers: broker.bootstrapServers,
    createTopic: (topic, partitions) => broker.createTopic(topic, { partitions }),
    close: async () => {},
  };
});

recordsContract("real", () => subject);
groupsContract("real", () => subject);
transactionsContract("real", () => subject);
adminContract("real", () => subject);
consumerProtocolContract("real", () => subject);
