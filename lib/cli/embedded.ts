import type { EmbeddedBroker } from "../kafka/embedded_broker.ts";
import { startEmbeddedBroker } from "../kafka/embedded_broker.ts";
import type { TopologyPlan } from "../topology/compile.ts";

/**
 * Starts the broker that `bootstrap.servers=embedded://` asks for; undefined when it names a real cluster. `embedded://?brokers=3&partitions=8` says how
 * many brokers, and how many partitions a new topic has.
 */
export function embeddedBrokerFor(
  bootstrapServers: readonly string[] | undefined,
): EmbeddedBroker | undefined {
  const address = bootstrapServers?.find((server) => server.startsWith("embedded://"));
  if (address === undefined) return undefined;
  const query = new URLSearchParams(address.split("?")[1] ?? "");
  const numberOf = (name: string, otherwise: number) =>
    Math.max(1, Number.parseInt(query.get(name) ?? "", 10) || otherwise);
  return startEmbeddedBroker({
    brokers: numberOf("brokers", 1),
    defaultPartitions: numberOf("partitions", 4),
  });
}

/** Makes the topics that a topology reads and writes, as nobody else would on a broker that is new. */
export function createTopicsOf(
  plan: TopologyPlan,
  broker: EmbeddedBroker,
  made: Set<string>,
): void {
  const own = new Set(plan.repartitionTopics.keys());
  const topics = plan.subtopologies.flatMap((s) => [...s.sourceTopics, ...s.sinkTopics]);
  topics.push(...(plan.global?.stores ?? []).map((store) => store.topic));
  for (const topic of topics) {
    if (own.has(topic) || made.has(topic)) continue;
    broker.createTopic(topic);
    made.add(topic);
  }
}
