/** Runs one scenario file through TopologyTestDriver and gives what the file's `expected` describes. */
import { join } from "node:path";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import { StreamsException } from "../../lib/errors.ts";
import { rootCause } from "../../lib/errors.ts";
import { encodeAlone } from "../../lib/serde/list.ts";
import { Headers } from "../../lib/record/headers.ts";
import type { StreamRecord } from "../../lib/record/record.ts";
import { Windowed } from "../../lib/record/windowed.ts";
import { type StateStore, ValueAndTimestamp } from "../../lib/state/store.ts";
import { TopologyTestDriver } from "../../lib/testing/topology_test_driver.ts";
import { buildScenario, type Scenario, type ScenarioTypes } from "./scenario.ts";
import { baseSerde, fromJson, inner, JavaDouble, serdeOf, type Ty } from "./values.ts";

/** What a run gives; the same fields as `expected`. */
export type Outcome = Record<string, unknown>;

/** Settings whose values are short names for Java classes. */
const CONFIG_VALUES: Record<string, string> = {
  failOnInvalid: "fail-on-invalid",
  logAndSkipOnInvalid: "log-and-skip-on-invalid",
  usePartitionTimeOnInvalid: "use-partition-time-on-invalid",
  logAndContinue: "log-and-continue",
  logAndFail: "log-and-fail",
  logAndContinueProcessing: "log-and-continue",
};

/**
 * Runs a scenario. Errors of the scenario itself are part of the outcome; a step that is not known throws. With `stateDir` its stores are on disk, in that
 * directory.
 */
export function runScenario(scenario: Scenario, stateDir?: string): Outcome {
  const { config, startMs } = readConfig(scenario);
  let built;
  try {
    built = buildScenario(scenario, config);
  } catch (error) {
    if (isUnknown(error)) throw error;
    return { error: { phase: "build", exception: javaName(error) } };
  }
  const { topology, types } = built;
  const driver = new TopologyTestDriver(topology, config, {
    startMs,
    openState: stateDir === undefined
      ? undefined
      : (task) => new LmdbEnvironment({ directory: join(stateDir, task) }),
  });
  const outcome: Outcome = {};
  try {
    const error = pipeInputs(driver, scenario, types);
    const produced = driver.producedTopicNames();
    outcome.outputs = readOutputs(driver, types, produced);
    if (scenario.stores && !error) {
      outcome.stores = Object.fromEntries(
        scenario.stores.map((name) => [name, readStore(driver, name, scenario, types)]),
      );
    }
    outcome.droppedRecords = driver.droppedRecords;
    if (error) outcome.error = error;
    outcome.internalTopics = produced.filter((topic) => topic.startsWith("conformance-"));
    outcome.describe = topology.describe().toString();
  } finally {
    driver.close();
  }
  return outcome;
}

/** What Java calls the built-in errors. */
const JAVA_NAMES: Record<string, string> = {
  TypeError: "NullPointerException",
  RangeError: "IllegalArgumentException",
};

function javaName(error: unknown): string {
  const { name } = error as Error;
  return JAVA_NAMES[name] ?? name;
}

function isUnknown(error: unknown): boolean {
  return /^(unknown|no step) /.test((error as Error).message);
}

function readConfig(scenario: Scenario): { config: Record<string, unknown>; startMs: number } {
  const config: Record<string, unknown> = { "application.id": "conformance" };
  let startMs = 0;
  for (const [key, value] of Object.entries(scenario.config ?? {})) {
    if (key === "initialWallClockMs") startMs = Number(value);
    else config[key] = CONFIG_VALUES[String(value)] ?? value;
  }
  return { config, startMs };
}

function pipeInputs(
  driver: TopologyTestDriver,
  scenario: Scenario,
  types: ScenarioTypes,
): Outcome | undefined {
  for (const [index, input] of scenario.inputs.entries()) {
    try {
      if (input.advanceWallClockMs !== undefined) {
        driver.advanceWallClockTime(input.advanceWallClockMs);
      } else pipe(driver, input, types);
    } catch (error) {
      if (isUnknown(error)) throw error;
      const outcome: Outcome = { phase: "input", atInput: index, exception: javaName(error) };
      const cause = rootCause(error);
      if (cause !== error) outcome.rootCause = javaName(cause);
      return outcome;
    }
  }
  return undefined;
}

function pipe(driver: TopologyTestDriver, input: any, types: ScenarioTypes): void {
  const { topic } = input;
  const [keyType, valueType] = types.inputs.get(topic) ?? [];
  if (!keyType || !valueType) throw new Error(`unknown input topic ${topic}`);
  const encode = (json: unknown, type: Ty, isKey: boolean) => {
    const value = fromJson(json, type);
    return value === null ? null : encodeAlone(baseSerde(type.base), value, { topic, isKey });
  };
  let headers = Headers.EMPTY;
  for (const [name, value] of input.headers ?? []) headers = headers.add(name, value);
  const hex = input.valueHex as string | undefined;
  driver.pipeRaw({
    topic,
    key: encode(input.key, keyType, true),
    value: hex !== undefined
      ? Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
      : encode(input.value, valueType, false),
    timestamp: input.timestamp,
    headers,
  });
}

function readOutputs(
  driver: TopologyTestDriver,
  types: ScenarioTypes,
  produced: readonly string[],
): Outcome {
  const topics = new Map(types.outputs);
  for (const topic of produced) {
    for (const [prefix, type] of types.prefixes) {
      if (topic.startsWith(prefix) && !topics.has(topic)) topics.set(topic, type);
    }
  }
  const outputs: Outcome = {};
  for (const [topic, [key, value]] of topics) {
    const output = driver.createOutputTopic(topic, { key: serdeOf(key), value: serdeOf(value) });
    outputs[topic] = output.readRecords().map(describeRecord);
  }
  return outputs;
}

function describeRecord({ key, value, timestamp, headers }: StreamRecord<any, any>): Outcome {
  const described: Outcome = { ...describeKey(key), value: plain(value), timestamp };
  if (headers.size > 0) {
    described.headers = [...headers].map((
      h,
    ) => [h.name, h.value && new TextDecoder().decode(h.value)]);
  }
  return described;
}

function describeKey(key: unknown): Outcome {
  const described: Outcome = { key: plain(inner(key)) };
  if (key instanceof Windowed) {
    described.windowStart = key.start;
    described.windowEnd = key.end;
  }
  return described;
}

function plain(value: unknown): unknown {
  return value instanceof JavaDouble ? value.value : value ?? null;
}

function readStore(
  driver: TopologyTestDriver,
  name: string,
  scenario: Scenario,
  types: ScenarioTypes,
): Outcome {
  const store = driver.getStateStore<StateStore & Record<string, any>>(name);
  const kind = types.storeKinds.get(name) ?? driver.storeKind(name);
  if (store === undefined || kind === undefined) {
    throw new StreamsException(`there is no store ${name}`);
  }
  const entries: Outcome[] = [];
  if (kind === "versioned") {
    const keyType = types.storeKeys.get(name)!;
    const keys = new Map(
      scenario.inputs.filter((input) => input.key !== null && input.key !== undefined)
        .map((input) => lookedUp(input.key, keyType)).map((key) => [String(key), key]),
    );
    for (const [, key] of [...keys].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const found = store.get(key);
      if (found) {
        entries.push({
          ...describeKey(key),
          value: plain(found.value),
          timestamp: found.timestamp,
        });
      }
    }
  } else {
    for (const [key, value] of store.all()) entries.push(describeEntry(key, value));
  }
  if (!/[kK]eyValue$/.test(kind)) entries.sort(byWindow);
  return { kind, entries };
}

/** The key to look up for an input's key, which may be one of another topic and no number: 0 then. */
function lookedUp(key: unknown, type: Ty): unknown {
  const isNumber = type.base === "string" || !Number.isNaN(Number(key));
  return fromJson(isNumber ? key : 0, type);
}

function describeEntry(key: unknown, value: unknown): Outcome {
  return value instanceof ValueAndTimestamp
    ? { ...describeKey(key), value: plain(value.value), timestamp: value.timestamp }
    : { ...describeKey(key), value: plain(value) };
}

function byWindow(a: Outcome, b: Outcome): number {
  return Number(a.windowStart ?? 0) - Number(b.windowStart ?? 0) ||
    Number(a.windowEnd ?? 0) - Number(b.windowEnd ?? 0) ||
    (String(a.key) < String(b.key) ? -1 : String(a.key) > String(b.key) ? 1 : 0);
}
