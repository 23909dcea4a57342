// Applications on the embedded broker.
import { after, before } from "node:test";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import type { Subject } from "../kafka/subject.ts";
import { applicationContract } from "./application_contract.ts";
import { declaredTopicsContract } from "./declared_topics_contract.ts";
import { rebalanceContract } from "./rebalance_contract.ts";

let subject: Subject;
before(() => {
  const broker = startEmbeddedBroker();
  subject = {
    kind: "embedded",
    clients: embeddedClients(broker),
    bootstrapServers: broker.bootstrapServers,
    createTopic: async (topic, partitions) => broker.createTopic(topic, partitions),
    close: async () => broker.close(),
  };
});
after(() => subject.close());

applicationContract("embedded", () => subject);
declaredTopicsContract("embedded", () => subject);
rebalanceContract("embedded", () => subject);
