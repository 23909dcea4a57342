/**
 * The settings of each client, as Kafka Streams puts them together: its own defaults, then what was given without a prefix, then `consumer.`,
 * then the client's own prefix, then what the engine insists on.
 *
 * @module
 */
import { CLIENT_KEYS, clientKnows } from "./client_keys.ts";
import type { Values } from "./cross_rules.ts";

/** The clients of an application. */
export type ClientKind =
  | "main.consumer"
  | "restore.consumer"
  | "global.consumer"
  | "producer"
  | "admin";

/** Settings of a client by Kafka's or librdkafka's names. */
export type ClientSettings = Record<string, string | number | boolean>;

/** Settings that the engine decides; another value is left out with a warning. Kafka Streams: `NON_CONFIGURABLE_…`. */
function insisted(kind: ClientKind, exactlyOnce: boolean): ClientSettings {
  if (kind === "producer") return exactlyOnce ? { "enable.idempotence": true } : {};
  if (kind === "admin") return {};
  return {
    "enable.auto.commit": false,
    "enable.auto.offset.store": false,
    "allow.auto.create.topics": false,
    ...(exactlyOnce ? { "isolation.level": "read_committed" } : {}),
    ...(kind === "main.consumer" ? {} : { "auto.offset.reset": "none" }),
  };
}

/** Names that the engine gives itself; a value given for them is left out with a warning. */
const OWN: ReadonlySet<string> = new Set(["group.id", "transactional.id"]);
/** Names of client settings that the engine uses itself instead of passing them on. */
const NOT_PASSED: ReadonlySet<string> = new Set(["max.poll.records", "transaction.timeout.ms"]);

/** The settings of one client. Neither `client.id` nor the member's and transaction's ids are in it: the thread adds them. */
export function clientSettings(kind: ClientKind, values: Values): ClientSettings {
  const exactlyOnce = values["processing.guarantee"] === "exactly_once_v2";
  const scope = kind === "producer" ? "producer" : kind === "admin" ? "all" : "consumer";
  const settings: ClientSettings = { ...preferred(kind, values, exactlyOnce) };
  for (const prefix of prefixesOf(kind)) {
    for (const name of CLIENT_KEYS.keys()) {
      if (OWN.has(name) || NOT_PASSED.has(name) || !clientKnows(scope, name)) continue;
      const given = values[prefix + name];
      if (given !== undefined) settings[name] = given as string | number | boolean;
    }
  }
  Object.assign(settings, insisted(kind, exactlyOnce));
  settings["bootstrap.servers"] = (values["bootstrap.servers"] as string[] ?? []).join(",");
  return settings;
}

/** The prefixes that reach a client, the one that counts least first. */
function prefixesOf(kind: ClientKind): readonly string[] {
  switch (kind) {
    case "producer":
      return ["", "producer."];
    case "admin":
      return ["", "admin."];
    default:
      return ["", "consumer.", `${kind}.`];
  }
}

/** What Kafka Streams prefers to the clients' own defaults, and what librdkafka needs to be told to act as Java's clients do. */
function preferred(kind: ClientKind, values: Values, exactlyOnce: boolean): ClientSettings {
  if (kind === "admin") return {};
  if (kind === "producer") {
    return {
      "linger.ms": 100,
      "enable.idempotence": true,
      "partitioner": "murmur2_random",
      ...(exactlyOnce
        ? { "transaction.timeout.ms": values["transaction.timeout.ms"] as number }
        : {}),
    };
  }
  const consumer: ClientSettings = {
    "isolation.level": "read_uncommitted",
    "auto.offset.reset": "earliest",
  };
  if (kind !== "main.consumer") return consumer;
  consumer["group.id"] = values["application.id"] as string;
  consumer["group.protocol"] = values["group.protocol"] as string;
  // Equal partition numbers must land on the same member: of the assignors only range does that.
  if (values["group.protocol"] === "consumer") consumer["group.remote.assignor"] = "range";
  else consumer["partition.assignment.strategy"] = "range";
  if (values["group.instance.id"] !== undefined) {
    consumer["group.instance.id"] = values["group.instance.id"] as string;
  }
  return consumer;
}

/** Warnings of what was given and is left out. */
export function overruled(given: Iterable<string>, values: Values): string[] {
  const exactlyOnce = values["processing.guarantee"] === "exactly_once_v2";
  const warnings: string[] = [];
  for (const key of given) {
    for (
      const kind of ["main.consumer", "producer", "restore.consumer", "global.consumer"] as const
    ) {
      const prefix = prefixesOf(kind).findLast((p) => key.startsWith(p))!;
      const name = key.slice(prefix.length);
      if (!clientKnows(kind === "producer" ? "producer" : "consumer", name)) continue;
      const used = OWN.has(name) ? "its own" : insisted(kind, exactlyOnce)[name];
      // An offset reset that is meant for the main consumer says nothing to the others.
      if (used === undefined || (name === "auto.offset.reset" && prefix !== `${kind}.`)) continue;
      if (String(used) === String(values[key])) continue;
      warnings.push(
        `Unexpected user-specified ${
          kind === "producer" ? "producer" : "consumer"
        } config '${key}' found. ` +
          `User setting (${
            values[key]
          }) will be ignored and the Streams default setting (${used}) will be used.`,
      );
      break;
    }
  }
  return warnings;
}
