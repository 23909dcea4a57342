// The client contract against the embedded broker.
import { after, before } from "node:test";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { adminContract } from "./contract_admin.ts";
import { consumerProtocolContract } from "./contract_consumer_protocol.ts";
import { groupsContract } from "./contract_groups.ts";
import { recordsContract } from "./contract_records.ts";
import { transactionsContract } from "./contract_transactions.ts";
import type { Subject } from "./subject.ts";

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

recordsContract("embedded", () => subject);
groupsContract("embedded", () => subject);
transactionsContract("embedded", () => subject);
adminContract("embedded", () => subject);
consumerProtocolContract("embedded", () => subject);
