import { SchemaRegistryError } from "../serde/registry.ts";
import type { Serde, SerdeEnvironment, SerdePurpose, SerdeSite } from "../serde/serde.ts";
import { changelogTopicName, type PlanNode, type TopologyPlan } from "../topology/compile.ts";
import { untilAnswered, type Waiting } from "./patience.ts";
import type { TaskSettings } from "./task_context.ts";

/**
 * Gives every serde of a topology its environment, and lets it fetch or register what it needs, before the first record. Topics that are chosen by record are not known yet: their
 * serdes prepare themselves when they are first used.
 */
export async function prepareSerdes(
  plan: TopologyPlan,
  settings: TaskSettings,
  environment: SerdeEnvironment,
): Promise<void> {
  const waits: Promise<void>[] = [];
  const prepare = (serde: Serde<any> | undefined, site: SerdeSite, purpose?: SerdePurpose) => {
    serde?.bind?.(environment);
    const wait = serde?.prepare?.(site, purpose);
    if (wait !== undefined) waits.push(wait);
  };
  const ofNode = ({ node, topics }: PlanNode) => {
    if (node.kind === "processor") return;
    node.key?.bind?.(environment);
    node.value?.bind?.(environment);
    // A topic that is only read belongs to those who write it: nothing is registered for it.
    const purpose = node.kind === "source" ? "read" : "write";
    for (const topic of topics) {
      prepare(node.key ?? settings.defaultKeySerde, { topic, isKey: true }, purpose);
      prepare(node.value ?? settings.defaultValueSerde, { topic, isKey: false }, purpose);
    }
  };
  for (const subtopology of plan.subtopologies) {
    subtopology.nodes.forEach(ofNode);
    for (const { name, builder, changelogTopic } of subtopology.stores) {
      const topic = changelogTopic ?? changelogTopicName(plan.applicationId, name);
      for (const { serde, isKey } of builder.serdes) prepare(serde as Serde<any>, { topic, isKey });
    }
  }
  plan.global?.nodes.forEach(ofNode);
  for (const { builder, topic } of plan.global?.stores ?? []) {
    for (const { serde, isKey } of builder.serdes) prepare(serde as Serde<any>, { topic, isKey });
  }
  await Promise.all(waits);
}

/**
 * As `prepareSerdes`; a registry that does not answer is waited for, as a broker is.
 * @throws {SchemaRegistryError} when the registry refuses
 */
export function prepareSerdesPatiently(
  plan: TopologyPlan,
  settings: TaskSettings,
  environment: SerdeEnvironment,
  waiting: Waiting,
): Promise<void> {
  const isAway = (error: unknown) => error instanceof SchemaRegistryError && error.retriable;
  return untilAnswered(
    "The schema registry",
    waiting,
    isAway,
    () => prepareSerdes(plan, settings, environment),
  );
}
