/**
 * The names of operators: Kafka Streams' prefixes, and its rules for names that the user gives.
 *
 * @module
 */
import { TopologyException } from "../errors.ts";

/** What generated names begin with, per operator; the number of the step follows. */
export const PREFIX = {
  source: "KSTREAM-SOURCE-",
  sink: "KSTREAM-SINK-",
  filter: "KSTREAM-FILTER-",
  map: "KSTREAM-MAP-",
  mapValues: "KSTREAM-MAPVALUES-",
  flatMap: "KSTREAM-FLATMAP-",
  flatMapValues: "KSTREAM-FLATMAPVALUES-",
  selectKey: "KSTREAM-KEY-SELECT-",
  peek: "KSTREAM-PEEK-",
  foreach: "KSTREAM-FOREACH-",
  print: "KSTREAM-PRINTER-",
  merge: "KSTREAM-MERGE-",
  branch: "KSTREAM-BRANCH-",
  process: "KSTREAM-PROCESSOR-",
  processValues: "KSTREAM-PROCESSVALUES-",
  repartition: "KSTREAM-REPARTITION-",
  toTable: "KSTREAM-TOTABLE-",
  reduce: "KSTREAM-REDUCE-",
  aggregate: "KSTREAM-AGGREGATE-",
  cogroupAggregate: "COGROUPKSTREAM-AGGREGATE-",
  cogroupMerge: "COGROUPKSTREAM-MERGE-",
  join: "KSTREAM-JOIN-",
  leftJoin: "KSTREAM-LEFTJOIN-",
  windowed: "KSTREAM-WINDOWED-",
  joinThis: "KSTREAM-JOINTHIS-",
  joinOther: "KSTREAM-JOINOTHER-",
  outerThis: "KSTREAM-OUTERTHIS-",
  outerOther: "KSTREAM-OUTEROTHER-",
  outerShared: "KSTREAM-OUTERSHARED-",
  deduplicate: "KSTREAM-DEDUPLICATE-",
  rateLimit: "KSTREAM-RATELIMIT-",
  tableSource: "KTABLE-SOURCE-",
  tableSink: "KTABLE-SINK-",
  tableFilter: "KTABLE-FILTER-",
  tableMapValues: "KTABLE-MAPVALUES-",
  tableTransformValues: "KTABLE-TRANSFORMVALUES-",
  tableSelect: "KTABLE-SELECT-",
  tableToStream: "KTABLE-TOSTREAM-",
  tableSuppress: "KTABLE-SUPPRESS-",
  tableMerge: "KTABLE-MERGE-",
  tableJoinThis: "KTABLE-JOINTHIS-",
  tableJoinOther: "KTABLE-JOINOTHER-",
  tableAggregate: "KTABLE-AGGREGATE-",
  tableReduce: "KTABLE-REDUCE-",
  subscriptionRegistration: "KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-",
  subscriptionResponse: "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-",
  subscriptionProcessor: "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-",
  subscriptionResolver: "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-",
  foreignKeyOutput: "KTABLE-FK-JOIN-OUTPUT-",
  foreignKeyStore: "KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-",
} as const;

const MAX_NAME_LENGTH = 249;

/** The number of a step, as it ends a generated name. */
export function stepNumber(index: number): string {
  return String(index).padStart(10, "0");
}

/**
 * Gives the name back when it may stand in a topic's name. Kafka Streams: `Named.validate`.
 *
 * @throws {TopologyException} when it is empty, `.`, `..`, longer than 249, or has other characters than letters, digits, `.`, `_`, `-`
 */
export function checkName(name: string): string {
  if (typeof name !== "string" || name === "") {
    throw new TopologyException(
      `Cannot use a name as it must not be empty: current value is ${JSON.stringify(name)}`,
    );
  }
  if (name === "." || name === "..") {
    throw new TopologyException(
      `Cannot use a name as it must be neither "." nor "..": current value is ${name}`,
    );
  }
  if (name.length > MAX_NAME_LENGTH) {
    throw new TopologyException(
      `Cannot use a name as it must have at most ${MAX_NAME_LENGTH} characters: current value is ${name}`,
    );
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    throw new TopologyException(
      `Cannot use a name as it may have only ASCII letters, digits, ".", "_" and "-": current value is ${name}`,
    );
  }
  return name;
}

/** Whether a repartition topic's name is generated from a stream's step: then its nodes have generated names too. */
export function isGeneratedStreamName(name: string): boolean {
  return /^KSTREAM.*-[0-9]{10}$/.test(name);
}
