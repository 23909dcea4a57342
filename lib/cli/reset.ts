import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseConfig, type StreamsConfig } from "../config.ts";
import { StreamsException } from "../errors.ts";
import type { Admin, KafkaClients, TopicPartition } from "../kafka/client.ts";
import { librdkafkaClients } from "../kafka/librdkafka.ts";
import { systemClock } from "../record/time.ts";
import { StateDirectory } from "../state/state_directory.ts";
import { configFile } from "./config_file.ts";
import { EXIT } from "./exit_codes.ts";
import { checkTarget, type OffsetTarget, targetOffsets } from "./reset_offsets.ts";

/** The flags of `weir reset`. Kafka: `StreamsResetter`. */
export interface ResetOptions extends OffsetTarget {
  readonly applicationId: string;
  readonly bootstrapServer: string;
  readonly inputTopics: readonly string[];
  readonly internalTopics?: readonly string[];
  readonly configFile?: string;
  readonly force: boolean;
  readonly local: boolean;
  readonly stateDir?: string;
  readonly dryRun?: boolean;
  /** Without it nothing is changed. */
  readonly execute: boolean;
}

const TIMEOUT_MS = 30_000;

/**
 * Lets an application begin anew: moves the offsets of its input topics, deletes its internal topics and, by choice, its local state. It refuses while the group
 * has members. Only says what it would do unless `execute` is set.
 *
 * @throws {ConfigException} when the flags are wrong
 * @throws {StreamsException} when the group has members, or a topic does not exist
 */
export async function reset(
  options: ResetOptions,
  out: (text: string) => void,
  clients: KafkaClients = librdkafkaClients,
): Promise<number> {
  checkTarget(options);
  const config = parseConfig(
    { "application.id": options.applicationId, "bootstrap.servers": options.bootstrapServer },
    { below: options.configFile === undefined ? [] : [configFile(options.configFile)] },
  );
  const act = options.execute && !options.dryRun;
  const say = (text: string) => out(`${act ? "" : "[dry run] "}${text}\n`);
  const admin = clients.admin(config.clientConfig("admin"));
  try {
    await refuseActiveGroup(admin, options);
    await resetInputs(options, { admin, clients, config, act, say });
    await deleteInternalTopics(options, { admin, act, say });
  } finally {
    await admin.close();
  }
  if (options.local) deleteLocalState(options, config, act, say);
  if (!act) out("Nothing was changed. Add --execute to do it.\n");
  return EXIT.ok;
}

async function refuseActiveGroup(admin: Admin, options: ResetOptions): Promise<void> {
  const [group] = await admin.describeGroups([options.applicationId], TIMEOUT_MS);
  if (group === undefined || group.members.length === 0) return;
  const members = group.members.map((member) => `${member.clientId} on ${member.host}`).join(", ");
  const hint = options.force
    ? "librdkafka has no request that removes members, so --force cannot help: stop them, or wait until their session.timeout.ms is over"
    : "Stop all instances first";
  throw new StreamsException(
    `Cannot reset ${options.applicationId} as its group must have no members: current value is ${members}. ${hint}`,
  );
}

interface Tools {
  readonly admin: Admin;
  readonly act: boolean;
  readonly say: (text: string) => void;
}

async function resetInputs(
  options: ResetOptions,
  { admin, clients, config, act, say }: Tools & { clients: KafkaClients; config: StreamsConfig },
): Promise<void> {
  if (options.inputTopics.length === 0) return;
  const partitions = await partitionsOf(admin, options.inputTopics);
  const consumer = clients.consumer({
    ...config.clientConfig("admin"),
    "group.id": options.applicationId,
  });
  try {
    const offsets = await targetOffsets(options, partitions, {
      admin,
      consumer,
      group: options.applicationId,
      nowMs: systemClock.now(),
      timeoutMs: TIMEOUT_MS,
    });
    for (const { topic, partition, offset } of offsets) {
      say(`Topic: ${topic} Partition: ${partition} Offset: ${offset}`);
    }
    if (act) await admin.alterGroupOffsets(options.applicationId, offsets, TIMEOUT_MS);
  } finally {
    await consumer.close();
  }
}

async function partitionsOf(admin: Admin, topics: readonly string[]): Promise<TopicPartition[]> {
  const described = await admin.describeTopics(topics, TIMEOUT_MS);
  const missing = described.filter((each) => each.partitions === 0).map((each) => each.topic);
  if (missing.length > 0) {
    throw new StreamsException(
      `Cannot reset the input offsets as all input topics must exist: current value is ${
        missing.join(", ")
      }`,
    );
  }
  return described.flatMap(({ topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  );
}

async function deleteInternalTopics(
  options: ResetOptions,
  { admin, act, say }: Tools,
): Promise<void> {
  const existing = (await admin.listTopics(TIMEOUT_MS)).map((each) => each.topic);
  const inferred = existing.filter((topic) => isInternalTopic(topic, options.applicationId));
  const asked = options.internalTopics;
  const unknown = (asked ?? []).filter((topic) => !inferred.includes(topic));
  if (unknown.length > 0) {
    throw new StreamsException(
      `Cannot delete topics that are no internal topics of ${options.applicationId}: current value is ${
        unknown.join(", ")
      }`,
    );
  }
  const doomed = asked ?? inferred;
  for (const topic of doomed) say(`Delete internal topic: ${topic}`);
  if (!act || doomed.length === 0) return;
  const failures = (await admin.deleteTopics(doomed, TIMEOUT_MS))
    .filter((error) => error !== undefined);
  if (failures.length > 0) {
    throw new StreamsException(
      `Cannot delete ${failures.length} of the internal topics: ${failures[0].message}`,
      { cause: failures[0] },
    );
  }
}

/** Whether a topic's name is one that the application gives its internal topics. Kafka: `StreamsResetter.isInternalTopic`. */
export function isInternalTopic(topic: string, applicationId: string): boolean {
  return topic.startsWith(`${applicationId}-`) &&
    /-(changelog|repartition|subscription-(registration|response)-topic)$|KTABLE-FK-JOIN-SUBSCRIPTION-(REGISTRATION|RESPONSE)-\d+-topic$/
      .test(topic);
}

/** @throws {LockException} when an instance runs on it */
function deleteLocalState(
  options: ResetOptions,
  config: StreamsConfig,
  act: boolean,
  say: (text: string) => void,
): void {
  const { applicationId, stateDir = config.stateDir } = options;
  if (!existsSync(join(stateDir, applicationId))) return;
  const directory = new StateDirectory({ stateDir, applicationId });
  say(`Delete local state: ${directory.path}`);
  if (!act) return;
  directory.lock();
  try {
    directory.wipe();
  } finally {
    directory.unlock();
  }
}
