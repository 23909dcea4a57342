/**
 * Rules between settings. Where Kafka Streams has the same rule, in its words.
 *
 * @module
 */
import type { Findings } from "./sources.ts";
import { STREAMS_KEYS, WITHOUT_EFFECT } from "./streams_keys.ts";

/** Checked values by name; undefined where nothing is given and there is no default. */
export type Values = Readonly<Record<string, unknown>>;

const SECURITY = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];
const DEAD_LETTERS = "errors.dead.letter.queue.topic.name";

/** Adds a finding for each rule that the values break together. */
export function checkTogether(values: Values, findings: Findings): void {
  checkTransactions(values, findings);
  checkTopics(values, findings);
  checkDeadLetters(values, findings);
  checkGroup(values, findings);
  checkSecurity(values, findings);
  checkRegistry(values, findings);
  for (const [key, why] of Object.entries(WITHOUT_EFFECT)) {
    if (values[key] === STREAMS_KEYS[key as keyof typeof STREAMS_KEYS].default) continue;
    findings.warnings.push(`${key} has no effect as ${why}: current value is ${values[key]}`);
  }
}

function number(values: Values, ...keys: string[]): number | undefined {
  for (const key of keys) {
    if (values[key] !== undefined) return Number(values[key]);
  }
  return undefined;
}

function checkTransactions(values: Values, { issues }: Findings): void {
  if (values["processing.guarantee"] !== "exactly_once_v2") return;
  const timeout = number(values, "transaction.timeout.ms")!;
  const interval = number(values, "commit.interval.ms")!;
  if (timeout < interval) {
    issues.push({
      key: "transaction.timeout.ms",
      given: String(timeout),
      rule:
        `Transaction timeout ${timeout} was set lower than streams commit interval ${interval}. ` +
        "This will cause ongoing transaction always timeout due to inactivity caused by long commit interval. " +
        "Consider reconfiguring commit interval to match transaction timeout by tuning 'commit.interval.ms' config, " +
        "or increase the transaction timeout to match commit interval by tuning `producer.transaction.timeout.ms` config.",
    });
  }
  const key = "max.in.flight.requests.per.connection";
  const inFlight = number(values, `producer.${key}`, key);
  if (inFlight !== undefined && !(inFlight <= 5)) {
    issues.push({
      key,
      given: String(inFlight),
      rule: "Can't exceed 5 when exactly-once processing is enabled",
    });
  }
}

function checkTopics(values: Values, { issues }: Findings): void {
  const segment = number(values, "topic.segment.bytes");
  const batch = number(values, "producer.batch.size", "batch.size");
  if (segment !== undefined && batch !== undefined && segment < batch) {
    issues.push({
      key: "topic.segment.bytes",
      given: String(segment),
      rule:
        `Specified topic segment size ${segment} is is smaller than the configured producer batch size ${batch}, ` +
        "this will cause produced batch not able to be appended to the topic",
    });
  }
  if (values["replication.factor"] === 0) {
    issues.push({
      key: "replication.factor",
      given: "0",
      rule: "must be -1 (the broker's default) or at least 1",
    });
  }
}

function checkDeadLetters(values: Values, { issues }: Findings): void {
  if (values[DEAD_LETTERS] !== undefined) return;
  for (const kind of ["deserialization", "processing", "production"]) {
    const key = `${kind}.exception.handler`;
    if (values[key] === "dead-letter-queue") {
      issues.push({
        key,
        given: "dead-letter-queue",
        rule: `needs ${DEAD_LETTERS} to name the topic`,
      });
    }
  }
  const dropped = values["errors.dead.letter.queue.dropped.records"];
  if (dropped !== undefined) {
    issues.push({
      key: "errors.dead.letter.queue.dropped.records",
      given: String(dropped),
      rule: `needs ${DEAD_LETTERS} to name the topic`,
    });
  }
}

function checkGroup(values: Values, { issues }: Findings): void {
  if (values["group.protocol"] === "consumer") {
    for (
      const key of ["session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"]
    ) {
      for (const name of [key, `consumer.${key}`, `main.consumer.${key}`]) {
        if (values[name] === undefined) continue;
        issues.push({
          key: name,
          given: String(values[name]),
          rule: "must not be given with group.protocol=consumer, where the broker sets it",
        });
      }
    }
    return;
  }
  const session = number(
    values,
    "main.consumer.session.timeout.ms",
    "consumer.session.timeout.ms",
    "session.timeout.ms",
  );
  const poll = number(
    values,
    "main.consumer.max.poll.interval.ms",
    "consumer.max.poll.interval.ms",
    "max.poll.interval.ms",
  ) ??
    300_000;
  if (session !== undefined && session > poll) {
    issues.push({
      key: "session.timeout.ms",
      given: String(session),
      rule: `must be at most max.poll.interval.ms, which is ${poll}`,
    });
  }
}

function checkSecurity(values: Values, { issues, warnings }: Findings): void {
  const protocol = values["security.protocol"];
  if (protocol !== undefined && !SECURITY.includes(String(protocol).toUpperCase())) {
    issues.push({
      key: "security.protocol",
      given: String(protocol),
      rule: `must be one of ${SECURITY.join(", ")}`,
    });
    return;
  }
  const usesSasl = String(protocol).toUpperCase().startsWith("SASL_");
  const mechanism = values["sasl.mechanism"] ?? values["sasl.mechanisms"];
  if (!usesSasl) {
    if (mechanism !== undefined) {
      warnings.push(
        `sasl.mechanism has no effect as security.protocol is ${protocol ?? "PLAINTEXT"}`,
      );
    }
    return;
  }
  if (mechanism === undefined || !MECHANISMS.includes(String(mechanism).toUpperCase())) {
    issues.push({
      key: "sasl.mechanism",
      given: mechanism === undefined ? "nothing" : String(mechanism),
      rule: `must be one of ${MECHANISMS.join(", ")} as security.protocol is ${protocol}`,
    });
    return;
  }
  if (
    String(mechanism).toUpperCase() === "OAUTHBEARER" || values["sasl.jaas.config"] !== undefined
  ) {
    return;
  }
  for (const key of ["sasl.username", "sasl.password"]) {
    if (values[key] !== undefined) continue;
    issues.push({ key, given: "nothing", rule: `must be given with sasl.mechanism=${mechanism}` });
  }
}

function checkRegistry(values: Values, { issues }: Findings): void {
  if (
    values["schema.registry.basic.auth.user.info"] !== undefined &&
    values["schema.registry.bearer.auth.token"] !== undefined
  ) {
    issues.push({
      key: "schema.registry.bearer.auth.token",
      given: "[hidden]",
      rule: "must not be given together with schema.registry.basic.auth.user.info",
    });
  }
  const certificate = "schema.registry.ssl.certificate.location";
  const key = "schema.registry.ssl.key.location";
  if ((values[certificate] === undefined) !== (values[key] === undefined)) {
    const [missing, given] = values[key] === undefined ? [key, certificate] : [certificate, key];
    issues.push({ key: missing, given: "nothing", rule: `must be given together with ${given}` });
  }
}
