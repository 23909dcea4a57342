/**
 * Topics of the user's own that a topology declares: they are made at the start when they are missing, and checked when they exist.
 *
 * @module
 */
import { TopologyException } from "../errors.ts";

/** What a topic of the user's has to be like. What is left out is not checked, and is the broker's default in a new topic. */
export interface TopicDeclaration {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  /** The topic's own settings by Kafka's names, such as `cleanup.policy` and `retention.ms`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/** A declaration in its checked form: settings are text. */
export interface DeclaredTopic {
  readonly partitions: number | undefined;
  readonly replicationFactor: number | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

/** Whether anything is declared. */
export function isDeclaration(given: TopicDeclaration): boolean {
  return [given.partitions, given.replicationFactor, given.settings].some((v) => v !== undefined);
}

/**
 * Checks a declaration.
 *
 * @throws {RangeError} when a number is not a positive whole one
 * @throws {TypeError} when a setting is neither text, number nor truth value
 */
export function declaredTopic(topic: string, given: TopicDeclaration): DeclaredTopic {
  const { partitions, replicationFactor, settings = {} } = given;
  for (const [what, value] of Object.entries({ partitions, replicationFactor })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(
        `Cannot declare the topic ${topic} as ${what} must be a positive whole number: current value is ${value}`,
      );
    }
  }
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(settings)) {
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw new TypeError(
        `Cannot declare the topic ${topic} as ${key} must be text, a number or a truth value: current value is ${value}`,
      );
    }
    texts[key] = String(value);
  }
  return Object.freeze({ partitions, replicationFactor, settings: Object.freeze(texts) });
}

/**
 * Notes a declaration among others. One topic may be declared several times, as long as it is declared alike.
 *
 * @throws {TopologyException} when it was declared otherwise
 */
export function noteDeclaration(
  known: Map<string, DeclaredTopic>,
  topic: string,
  declared: DeclaredTopic,
): void {
  const before = known.get(topic);
  if (before !== undefined && shown(before) !== shown(declared)) {
    throw new TopologyException(
      `Cannot declare the topic ${topic} as it must be declared alike everywhere: current value is ${
        shown(before)
      } and ${shown(declared)}`,
    );
  }
  known.set(topic, declared);
}

function shown({ partitions, replicationFactor, settings }: DeclaredTopic): string {
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ partitions, replicationFactor, settings: Object.fromEntries(sorted) });
}
