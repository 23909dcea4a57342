import { ConfigException, type ConfigIssue } from "../errors.ts";
import type { TimestampExtractor } from "../topology/processor.ts";
import { failOnInvalidTimestamp, NAMED_EXTRACTORS } from "../topology/timestamp_extractors.ts";
import { type ExceptionHandlers, NAMED_ACTIONS, namedHandler } from "./exception_handlers.ts";
import type { TaskSettings } from "./task_context.ts";

/**
 * Picks what tasks need from a configuration by Kafka's names. Handlers and extractors are functions, or one of the names
 * that `NAMED_ACTIONS` and `NAMED_EXTRACTORS` list.
 * @throws {ConfigException} when a handler or an extractor is neither
 */
export function taskSettings(config: Readonly<Record<string, unknown>>): TaskSettings {
  const issues: ConfigIssue[] = [];
  const settings: TaskSettings = {
    applicationId: String(config["application.id"] ?? ""),
    maxTaskIdleMs: Number(config["max.task.idle.ms"] ?? 0),
    exactlyOnce: config["processing.guarantee"] === "exactly_once_v2",
    defaultKeySerde: config["default.key.serde"] as TaskSettings["defaultKeySerde"],
    defaultValueSerde: config["default.value.serde"] as TaskSettings["defaultValueSerde"],
    timestampExtractor: extractorOf(config["default.timestamp.extractor"], issues),
    handlers: handlersOf(config, issues),
    appConfigs: config,
  };
  if (issues.length > 0) throw new ConfigException(issues);
  return settings;
}

function extractorOf(given: unknown, issues: ConfigIssue[]): TimestampExtractor {
  if (given === undefined) return failOnInvalidTimestamp;
  if (typeof given === "function") return given as TimestampExtractor;
  const named = NAMED_EXTRACTORS[String(given)];
  if (named) return named;
  issues.push({
    key: "default.timestamp.extractor",
    given: String(given),
    rule: `must be a function or one of ${Object.keys(NAMED_EXTRACTORS).join(", ")}`,
  });
  return failOnInvalidTimestamp;
}

function handlersOf(
  config: Readonly<Record<string, unknown>>,
  issues: ConfigIssue[],
): ExceptionHandlers {
  const topic = config["errors.dead.letter.queue.topic.name"] as string | undefined;
  const handler = (key: string) => {
    const given = config[key] ?? "log-and-fail";
    if (typeof given === "function") return given as never;
    const action = NAMED_ACTIONS[String(given)];
    if (action === undefined) {
      issues.push({
        key,
        given: String(given),
        rule: `must be a function or one of ${Object.keys(NAMED_ACTIONS).join(", ")}`,
      });
    } else if (given === "dead-letter-queue" && topic === undefined) {
      issues.push({
        key,
        given: String(given),
        rule: "needs errors.dead.letter.queue.topic.name to name the topic",
      });
    }
    return namedHandler(action ?? "fail", topic);
  };
  const drops = config["errors.dead.letter.queue.dropped.records"];
  return {
    deserialization: handler("deserialization.exception.handler"),
    processing: handler("processing.exception.handler"),
    production: handler("production.exception.handler"),
    deadLetterTopic: topic,
    deadLetterDrops: new Set(
      Array.isArray(drops)
        ? drops as string[]
        : typeof drops === "string"
        ? drops.split(/\s*,\s*/)
        : [],
    ),
  };
}
