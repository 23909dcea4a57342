/**
 * The topics that a topology declares: those that are missing are made, the others have to be as declared.
 *
 * @module
 */
import { isRetriable, StreamsException, TopologyException } from "../errors.ts";
import type { Admin, NewTopic, TopicDescription } from "../kafka/client.ts";
import type { DeclaredTopic } from "../topology/declared_topic.ts";
import { untilAnswered, type Waiting } from "./patience.ts";

/** What making and checking needs. */
export interface DeclaredTopicTools extends Waiting {
  readonly admin: Admin;
}

/** How declared topics are made, and how long is waited. */
export interface DeclaredTopicSettings {
  /** For topics that declare none; -1 takes the broker's default. */
  readonly replicationFactor: number;
  readonly requestTimeoutMs: number;
  /** How long a new topic may take to be seen. */
  readonly patienceMs: number;
}

const RETRY_MS = 200;

/**
 * Makes declared topics that do not exist and checks those that do; gives the partition counts of them all.
 *
 * @throws {TopologyException} when topics exist otherwise than declared; all differences are named
 * @throws {StreamsException} when a topic cannot be made
 */
export async function prepareDeclaredTopics(
  declared: ReadonlyMap<string, DeclaredTopic>,
  settings: DeclaredTopicSettings,
  tools: DeclaredTopicTools,
): Promise<Map<string, number>> {
  if (declared.size === 0) return new Map();
  const topics = [...declared.keys()];
  const { requestTimeoutMs, patienceMs } = settings;
  const { admin, clock, log, stopped } = tools;
  const deadline = clock.now() + patienceMs;
  for (;;) {
    const found = await untilAnswered(
      "The broker",
      tools,
      isRetriable,
      () => admin.describeTopics(topics, requestTimeoutMs),
    );
    const missing = found.filter((topic) => topic.partitions === 0);
    if (missing.length === 0) {
      await refuseDifferences(declared, found, settings, tools);
      return new Map(found.map(({ topic, partitions }) => [topic, partitions]));
    }
    const made = missing.map(({ topic }) => newTopic(topic, declared.get(topic)!, settings));
    const results = await admin.createTopics(made, requestTimeoutMs);
    results.forEach((cause, index) => {
      if (cause === undefined) log.info("Made a declared topic", { topic: made[index].topic });
      // Another instance may be making it; what can be tried again is tried until the deadline.
      else if (cause.codeName !== "TOPIC_ALREADY_EXISTS" && !isRetriable(cause)) {
        throw new StreamsException(
          `Cannot make the declared topic ${
            made[index].topic
          } as the broker refuses: current value is ${cause.message}. ` +
            "Make it by hand, or correct its partitions, replicationFactor and settings",
          { cause },
        );
      }
    });
    if (stopped() || clock.now() > deadline) {
      throw new StreamsException(
        `Cannot make declared topics within ${patienceMs} ms: current value is [${
          made.map((t) => t.topic).join(", ")
        }] missing`,
      );
    }
    await clock.sleep(RETRY_MS);
  }
}

function newTopic(
  topic: string,
  { partitions = -1, replicationFactor, settings }: DeclaredTopic,
  defaults: DeclaredTopicSettings,
): NewTopic {
  return {
    topic,
    partitions,
    replicationFactor: replicationFactor ?? defaults.replicationFactor,
    config: settings,
  };
}

async function refuseDifferences(
  declared: ReadonlyMap<string, DeclaredTopic>,
  found: readonly TopicDescription[],
  { requestTimeoutMs }: DeclaredTopicSettings,
  tools: DeclaredTopicTools,
): Promise<void> {
  const differences: string[] = [];
  for (const { topic, partitions, replicas } of found) {
    const wanted = declared.get(topic)!;
    const differs = (what: string, asked: string | number, is: string | number | undefined) =>
      differences.push(`${topic}: ${what} is declared as ${asked}: current value is ${is}`);
    if (wanted.partitions !== undefined && wanted.partitions !== partitions) {
      differs("partitions", wanted.partitions, partitions);
    }
    const { replicationFactor } = wanted;
    if (replicationFactor !== undefined && replicas !== undefined) {
      if (replicationFactor !== replicas) differs("replicationFactor", replicationFactor, replicas);
    }
    const settings = Object.entries(wanted.settings);
    if (settings.length === 0) continue;
    const actual = await untilAnswered(
      "The broker",
      tools,
      isRetriable,
      () => tools.admin.topicConfig(topic, requestTimeoutMs),
    );
    for (const [key, value] of settings) {
      if (!sameSetting(value, actual[key])) differs(key, value, actual[key]);
    }
  }
  if (differences.length === 0) return;
  throw new TopologyException(
    `Cannot start as declared topics must be as they are declared:\n  ${
      differences.join("\n  ")
    }\nChange the topics (kafka-topics --alter, kafka-configs --alter), or their declarations`,
  );
}

/** Lists, such as `compact,delete`, have no order. */
function sameSetting(wanted: string, actual: string | undefined): boolean {
  if (actual === undefined) return false;
  if (wanted === actual) return true;
  const parts = (text: string) => text.split(",").map((part) => part.trim()).sort().join(",");
  return parts(wanted) === parts(actual);
}
