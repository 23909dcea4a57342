/** Builds the topology of a scenario file by the public DSL; its README defines the steps. */
import {
  failOnInvalidTimestamp,
  logAndSkipOnInvalidTimestamp,
  usePartitionTimeOnInvalidTimestamp,
  wallclockTimestamp,
} from "../../lib/topology/timestamp_extractors.ts";
import type { TimestampExtractor } from "../../lib/topology/processor.ts";
import type { Topology } from "../../lib/topology/topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { StreamsBuilder } from "../../lib/dsl/streams_builder.ts";
import { keyValueStoreBuilder } from "../../lib/state/stores.ts";
import {
  inMemoryKeyValueStore,
  persistentKeyValueStore,
  persistentVersionedKeyValueStore,
} from "../../lib/state/suppliers.ts";
import { streamStep } from "./stream_steps.ts";
import { tableStep } from "./table_steps.ts";
import { baseSerde, serdeOf, type Ty, ty } from "./values.ts";

/** A scenario file. */
export interface Scenario {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly topology: readonly Step[];
  readonly inputs: readonly any[];
  readonly stores?: readonly string[];
  readonly expected: Record<string, unknown>;
}

/** A step of a scenario file; which fields there are depends on `op`. */
export type Step = Readonly<Record<string, any>> & { readonly op: string };

/** What the runner has to know of the topics and stores to read them. */
export interface ScenarioTypes {
  readonly inputs: Map<string, readonly [Ty, Ty]>;
  readonly outputs: Map<string, readonly [Ty, Ty]>;
  /** Topics that are chosen by record, by what their names begin with. */
  readonly prefixes: Map<string, readonly [Ty, Ty]>;
  readonly storeKinds: Map<string, string>;
  readonly storeKeys: Map<string, Ty>;
}

/** A stream, table or grouping with the types that the scenario's functions need. */
export interface Typed {
  readonly it: any;
  readonly key: Ty;
  readonly value: Ty;
  /** The windows of a windowed grouping: how its results' keys look. */
  readonly windowed?: Pick<Ty, "window" | "sizeMs">;
  readonly isCogroup?: boolean;
}

/** What steps share. */
export class Workshop {
  readonly builder: StreamsBuilder;
  readonly types: ScenarioTypes = {
    inputs: new Map(),
    outputs: new Map(),
    prefixes: new Map(),
    storeKinds: new Map(),
    storeKeys: new Map(),
  };
  readonly #results = new Map<string, Typed>();

  constructor(config: Readonly<Record<string, unknown>>) {
    this.builder = new StreamsBuilder(config);
  }
  /** The result of an earlier step. */
  get(id: string): Typed {
    const result = this.#results.get(id);
    if (result === undefined) throw new Error(`no step ${id}`);
    return result;
  }
  set(id: string | undefined, result: Typed | undefined): void {
    if (id !== undefined && result !== undefined) this.#results.set(id, result);
  }
  /** Adds the plain store of a processor or transformer. */
  addStore(store: string, key: Ty, value: Ty, step: Step = { op: "addStore" }): void {
    const supplier = step.inMemory ? inMemoryKeyValueStore(store) : persistentKeyValueStore(store);
    let builder = keyValueStoreBuilder(supplier, { key: serdeOf(key), value: serdeOf(value) });
    if (step.logging === false) builder = builder.withLoggingDisabled();
    if (step.caching === true) builder = builder.withCachingEnabled();
    this.builder.addStateStore(builder);
  }
}

/** The topology of a scenario, and the types of what goes in and comes out. */
export function buildScenario(
  scenario: Scenario,
  config: Readonly<Record<string, unknown>>,
): { readonly topology: Topology; readonly types: ScenarioTypes } {
  const shop = new Workshop(config);
  for (const step of scenario.topology) {
    const result = sourceStep(shop, step) ?? streamStep(shop, step) ?? tableStep(shop, step);
    if (result === undefined) throw new Error(`unknown operator ${step.op} for ${step.from}`);
    if (result === "done") continue;
    shop.set(step.id, result);
    if (step.store !== undefined) shop.types.storeKeys.set(step.store, result.key);
  }
  return { topology: shop.builder.build(config), types: shop.types };
}

/** The options of a materialization that a step gives. */
export function materialized(step: Step): Record<string, unknown> {
  const { store, caching, logging, retentionMs: retention } = step;
  const { versionedHistoryMs: historyRetentionMs } = step;
  const options: Record<string, unknown> = { store, caching, logging, retention };
  if (historyRetentionMs !== undefined) {
    options.store = persistentVersionedKeyValueStore(store, { historyRetentionMs });
  }
  for (const name of Object.keys(options)) if (options[name] === undefined) delete options[name];
  return options;
}

function sourceStep(shop: Workshop, step: Step): Typed | "done" | undefined {
  if (step.op === "addStore") {
    shop.addStore(step.store, ty(step.key), ty(step.value), step);
    return "done";
  }
  if (!["stream", "table", "globalTable"].includes(step.op)) return undefined;
  const key = ty(step.key);
  const value = ty(step.value);
  const names: string[] = step.topics ?? [step.topic];
  const topics = names.map((name) =>
    topic(name, {
      key: baseSerde(step.key),
      value: baseSerde(step.value),
      timestampExtractor: extractor(step.timestampExtractor),
    })
  );
  for (const name of names) shop.types.inputs.set(name, [key, value]);
  const options = { name: step.name, ...materialized(step) };
  switch (step.op) {
    case "stream":
      return { it: shop.builder.stream(topics, { name: step.name }), key, value };
    case "table":
      return { it: shop.builder.table(topics[0], options), key, value };
    default:
      return { it: shop.builder.globalTable(topics[0], options), key, value };
  }
}

function extractor(name: string | undefined): TimestampExtractor | undefined {
  switch (name) {
    case undefined:
      return undefined;
    case "value":
      return (record) => record.value === null ? -1 : Number(record.value);
    case "failOnInvalid":
      return failOnInvalidTimestamp;
    case "logAndSkipOnInvalid":
      return logAndSkipOnInvalidTimestamp;
    case "usePartitionTimeOnInvalid":
      return usePartitionTimeOnInvalidTimestamp;
    case "wallClock":
      return wallclockTimestamp;
    default:
      throw new Error(`unknown timestamp extractor ${name}`);
  }
}
