// Applications on Apache Kafka.
import { before } from "node:test";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import type { Subject } from "../kafka/subject.ts";
import { sharedKafkaBroker } from "../support/kafka_broker.ts";
import { applicationContract } from "./application_contract.ts";
import { declaredTopicsContract } from "./declared_topics_contract.ts";
import { rebalanceContract } from "./rebalance_contract.ts";

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

applicationContract("real", () => subject);
declaredTopicsContract("real", () => subject);
rebalanceContract("real", () => subject);
rebalanceContract("real", () => subject, { "group.protocol": "consumer" });
