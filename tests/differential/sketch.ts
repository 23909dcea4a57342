/** A scenario under way: its steps, topics and stores, and what they are made of. */
import type { Scenario, Step } from "../conformance/scenario.ts";
import type { Random } from "../support/random.ts";
import type { Fields } from "./choices.ts";
import { chooseTimeline, moments, type Timeline } from "./moments.ts";
import type { Base } from "./typed_choices.ts";

/** A stream, table or grouping, with the types of what it holds. */
export interface Part {
  readonly id: string;
  readonly key: Base;
  readonly value: Base;
  /** The kind of window of its keys. */
  readonly window?: "time" | "session";
  /** Its grace is found by `suppress`: windows of one aggregation are behind it. */
  readonly closes?: boolean;
  /** A table of values for which nothing names a serde: what has to write them is refused. */
  readonly isBare?: boolean;
}

/** A topic that records are put into. */
export interface SketchTopic {
  readonly topic: string;
  readonly key: Base;
  readonly value: Base;
  readonly timestampExtractor?: string;
  /** Some of its values are bytes that no value is made of. */
  readonly isCorrupt?: boolean;
}

/** Whether nothing names a serde for the values of a table that a step makes of `from`. */
function isBare(step: Fields & { op: string }, from: Part): boolean {
  const isMaterialized = step.store !== undefined || step.caching !== undefined ||
    step.logging !== undefined;
  if (isMaterialized || step.kind === "fk") return false;
  if (step.op === "filter" || step.op === "filterNot") return from.isBare === true;
  return ["mapValues", "transformValues", "join", "leftJoin", "outerJoin"].includes(step.op);
}

/** Collects a scenario's parts. */
export class Sketch {
  readonly random: Random;
  readonly time: Timeline;
  readonly config: Fields = {};
  /** The caches hold a few entries: what they evict is forwarded between two commits. */
  readonly isTight: boolean;
  readonly topics: SketchTopic[] = [];
  readonly #steps: Step[] = [];
  readonly #stores: string[] = [];
  #next = 0;
  #outputs = 0;

  constructor(random: Random, { isTight = false }: { readonly isTight?: boolean } = {}) {
    this.random = random;
    this.isTight = isTight;
    this.time = chooseTimeline(random);
    const emit = (name: string) => {
      const interval = random.pick([0, 0, 0, undefined, 5]);
      if (interval !== undefined) this.config[`__emit.interval.ms.kstreams.${name}__`] = interval;
    };
    this.config["statestore.cache.max.bytes"] = isTight
      ? random.int(1, 2000)
      : random.pick([0, 10_485_760]);
    emit("outer.join.spurious.results.fix");
    emit("windowed.aggregation");
    if (random.chance(0.15)) this.config["topology.optimization"] = "all";
    if (random.chance(0.05)) this.config["max.task.idle.ms"] = random.pick([-1, 1, 500, 1500]);
    if (random.chance(0.2)) {
      this.config["processing.exception.handler"] = "logAndContinueProcessing";
    }
    if (random.chance(0.1)) this.config.initialWallClockMs = random.pick([1, 500, 1000, 999_999]);
  }

  /** An id of its own. */
  id(prefix = "n"): string {
    return `${prefix}${this.#next++}`;
  }
  /** The name of a store whose contents are compared. */
  store(): string {
    const name = this.id("store");
    this.#stores.push(name);
    return name;
  }
  /** A duration in the scenario's unit of time. */
  ms(from: number, below: number): number {
    return this.random.int(from, below) * this.time.unit;
  }
  step(step: Fields & { op: string }): void {
    this.#steps.push(step as Step);
  }
  /** Adds a step that makes something of `from`. */
  then(from: Part, step: Fields & { op: string }, changes: Partial<Part> = {}): Part {
    const id = this.id();
    this.step({ ...step, id, from: from.id });
    return { ...from, ...changes, isBare: isBare(step, from), id };
  }
  /** A source of a kind, on a topic of its own. */
  source(
    op: "stream" | "table" | "globalTable",
    types: Partial<Part>,
    step: Fields = {},
    { isCorrupt = false }: { readonly isCorrupt?: boolean } = {},
  ): Part {
    const { key = "string", value = "string" } = types;
    const topic = `in${this.topics.length}`;
    const id = this.id();
    const timestampExtractor = step.timestampExtractor as string | undefined;
    // A record that waits is deserialized when the one before it is done with, not before: see docs/differences.md.
    const waits = this.config["max.task.idle.ms"] !== undefined;
    this.topics.push({ topic, key, value, timestampExtractor, isCorrupt: isCorrupt && !waits });
    this.step({ op, id, topic, key, value, ...step });
    return { id, key, value };
  }
  /** A stream of several topics of its own. */
  sourceOfTopics(count: number, { key, value }: Pick<Part, "key" | "value">): Part {
    const id = this.id();
    const topics = Array.from({ length: count }, (_, i) => `in${this.topics.length + i}`);
    for (const topic of topics) this.topics.push({ topic, key, value });
    this.step({ op: "stream", id, topics, key, value });
    return { id, key, value };
  }
  /** Writes a stream to a topic of its own. */
  to(from: Part): void {
    this.step({ op: "to", from: from.id, topic: `out${this.#outputs++}` });
  }
  /** Writes each record to the topic that its key names. */
  toTopicOfKey(from: Part): void {
    this.step({ op: "to", from: from.id, topicPrefix: `out${this.#outputs++}-` });
  }
  finish(name: string): Scenario & { readonly name: string } {
    return {
      name,
      config: this.config,
      topology: this.#steps,
      inputs: moments(this.random, this.topics, this.time),
      stores: this.#stores,
      expected: {},
    };
  }
}
