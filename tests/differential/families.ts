/** Scenarios that dwell on one thing: windows, cogroup, each kind of join, suppression. */
import type { Scenario } from "../conformance/scenario.ts";
import { Random } from "../support/random.ts";
import type { Fields } from "./choices.ts";
import { generateScenario } from "./generate.ts";
import {
  grouped,
  rekeyed,
  streamOf,
  streamOut,
  suppressed,
  useTable,
  windowed,
  windowedAggregate,
} from "./parts.ts";
import { processors } from "./process_family.ts";
import { type Part, Sketch } from "./sketch.ts";
import { tables } from "./table_family.ts";
import { aggregationOf, base, joinerOf, keyMapperOf, materialization } from "./typed_choices.ts";

const FAMILIES = {
  windows,
  cogroup,
  "stream-stream": streamStream,
  "stream-table": streamTable,
  suppress,
  caching,
  processors,
  tables,
} as const;

/**
 * What a scenario dwells on; `any` is a graph of many things, `all` takes each in turn. `tight` is any of them with caches of a few entries,
 * in which Kafka Streams' own slips of counting show now and then: see docs/differences.md.
 */
export type Family = keyof typeof FAMILIES | "any" | "all" | "tight";

/** The families' names. */
export const FAMILY_NAMES: readonly Family[] = [
  "any",
  "all",
  "tight",
  ...Object.keys(FAMILIES) as (keyof typeof FAMILIES)[],
];

/** The scenario of a family and a seed. */
export function scenarioOf(family: Family, seed: number): Scenario & { readonly name: string } {
  if (family === "any") return generateScenario(seed);
  const names = Object.keys(FAMILIES) as (keyof typeof FAMILIES)[];
  if (family === "all") {
    const all = ["any", ...names] as const;
    return scenarioOf(all[seed % all.length], seed);
  }
  const isTight = family === "tight";
  const sketch = new Sketch(new Random(seed), { isTight });
  FAMILIES[isTight ? names[seed % names.length] : family](sketch);
  return sketch.finish(`differential-${family}-${seed}`);
}

function windows(sketch: Sketch): void {
  const table = windowedAggregate(sketch, grouped(sketch, streamOf(sketch)));
  useTable(sketch, table);
  if (sketch.random.chance(0.15)) {
    useTable(sketch, windowedAggregate(sketch, grouped(sketch, streamOf(sketch))), 1);
  }
}

function cogroup(sketch: Sketch): void {
  const { random } = sketch;
  const result = random.pick(["string", "long"] as const);
  const fns = result === "string"
    ? ["concat", "concatPlus", "concatBar", "first"]
    : ["count", "count", "uncount", "first"];
  const sources: Part[] = [];
  for (let i = random.int(1, 4); i > 0; i--) {
    const part = sources.length > 0 && random.chance(0.15)
      ? random.pick(sources)
      : streamOf(sketch, { key: "string" });
    sources.push(part);
  }
  const groups = sources.map((part) => {
    if (random.chance(0.7) && part.key === "string") return sketch.then(part, { op: "groupByKey" });
    const fn = random.pick(["keyUpperCase", "keyFirstChar", "toString"]);
    return sketch.then(part, { op: "groupBy", fn }, { key: "string" });
  });
  const id = sketch.id();
  sketch.step({
    op: "cogroup",
    id,
    sources: groups.map((group) => ({
      from: group.id,
      fn: random.pick(result === "long" && group.value === "long" ? [...fns, "sum", "max"] : fns),
    })),
    result,
  });
  let part: Part = { id, key: "string", value: result };
  const step: Fields & { op: string } = { op: "aggregate", init: result === "long" ? 0 : "" };
  if (random.chance(0.7)) {
    part = windowed(sketch, part, { emit: false }).part;
    if (part.window === "session") step.merger = result === "long" ? "sum" : "concatBar";
  }
  useTable(sketch, sketch.then(part, { ...step, ...materialization(sketch) }));
}

function streamStream(sketch: Sketch): void {
  const { random } = sketch;
  let left = streamOf(sketch, { key: "string" });
  if (random.chance(0.15)) left = rekeyed(sketch, left);
  for (let i = random.pick([1, 1, 1, 2]); i > 0; i--) {
    let right = random.chance(0.12) ? left : streamOf(sketch, { key: left.key });
    if (right !== left && left.key === "string" && random.chance(0.15)) {
      const fn = random.pick(["keyUpperCase", "keyFirstChar", "firstChar", "toString"]);
      right = sketch.then(right, { op: "selectKey", fn });
    }
    const joined = joinStreams(sketch, left, right);
    sketch.to(joined);
    left = joined;
  }
  if (random.chance(0.2)) {
    useTable(sketch, windowedAggregate(sketch, grouped(sketch, left)), random.int(0, 2));
  }
}

function joinStreams(sketch: Sketch, left: Part, right: Part): Part {
  const { random } = sketch;
  const [joiner, value] = joinerOf(random, left.value, right.value);
  const [before, after] = random.pick([
    () => [0, 0],
    () => Array(2).fill(sketch.ms(0, 15)),
    () => [sketch.ms(0, 15), 0],
    () => [0, sketch.ms(0, 15)],
    () => [sketch.ms(0, 15), sketch.ms(0, 15)],
    () => {
      const wide = sketch.ms(0, 15);
      const narrow = -random.int(0, wide + 1);
      return random.chance(0.5) ? [wide, narrow] : [narrow, wide];
    },
  ])();
  const step: Fields & { op: string } = {
    op: random.pick(["join", "leftJoin", "leftJoin", "outerJoin", "outerJoin"]),
    kind: "stream-stream",
    with: right.id,
    beforeMs: before,
    afterMs: after,
    ...joiner,
  };
  if (random.chance(0.7)) step.graceMs = random.chance(0.05) ? 1e12 : sketch.ms(0, 20);
  if (random.chance(0.15)) step.name = sketch.id("joining");
  if (random.chance(0.15)) step.store = sketch.id("joined");
  if (random.chance(0.08)) step.logging = false;
  return sketch.then(left, step, { value });
}

function streamTable(sketch: Sketch): void {
  const { random } = sketch;
  let stream = streamOf(sketch, { key: "string" });
  if (random.chance(0.15)) stream = rekeyed(sketch, stream);
  if (stream.key !== "string") {
    stream = sketch.then(stream, { op: "selectKey", fn: "toString" }, { key: "string" });
  }
  if (random.chance(0.25)) {
    // Kafka Streams refuses a materialization without a name here.
    const options = random.chance(0.5) ? materialization(sketch) : {};
    delete options.logging;
    if (Object.keys(options).length > 0) options.store ??= sketch.store();
    const table = sketch.source("globalTable", { key: "string", value: base(random) }, options);
    const [keyStep] = keyMapperOf(random, { ...stream, key: "string", value: "string" });
    const [joiner, value] = joinerOf(random, stream.value, table.value);
    const joined = sketch.then(stream, {
      op: random.pick(["join", "leftJoin"]),
      kind: "stream-globaltable",
      with: table.id,
      ...(keyStep.fn === "value" || keyStep.fn === "key"
        ? { keyFn: "toString" }
        : { keyFn: keyStep.fn, keyArg: keyStep.arg }),
      ...joiner,
    }, { value });
    sketch.to(joined);
    return;
  }
  const table = joinableTable(sketch);
  if (random.chance(0.1) && stream.key === "string") {
    stream = sketch.then(stream, { op: "selectKey", fn: "keyUpperCase" });
  }
  const graceMs = (table.closes ? random.chance(0.6) : random.chance(0.03))
    ? sketch.ms(0, 20)
    : undefined;
  // A left join with grace dies of a null key in Kafka Streams: see docs/differences.md.
  if (graceMs !== undefined) stream = sketch.then(stream, { op: "filter", fn: "keyNotNull" });
  const [joiner, value] = joinerOf(random, stream.value, table.value);
  const step: Fields & { op: string } = {
    op: random.pick(["join", "leftJoin"]),
    kind: "stream-table",
    with: table.id,
    ...joiner,
  };
  if (graceMs !== undefined) step.graceMs = graceMs;
  if (random.chance(0.15)) step.name = sketch.id("joining");
  const joined = sketch.then(stream, step, { value });
  sketch.to(joined);
  if (random.chance(0.2)) {
    useTable(sketch, sketch.then(joined, { op: "toTable", ...materialization(sketch) }));
  }
  if (random.chance(0.15)) streamOut(sketch, { ...table, closes: false });
}

/** A table with text keys; `closes` says here that it is versioned. */
function joinableTable(sketch: Sketch): Part {
  const { random } = sketch;
  const value = base(random);
  const versioned = () => ({
    store: sketch.store(),
    versionedHistoryMs: random.pick([0, 10, 40, 1000]) * sketch.time.unit,
  });
  const roll = random.next();
  if (roll < 0.4) {
    return {
      ...sketch.source("table", { key: "string", value }, versioned()),
      closes: true,
    };
  }
  if (roll < 0.6) {
    const stream = streamOf(sketch, { key: "string" });
    const isVersioned = random.chance(0.5);
    const options = isVersioned ? versioned() : materialization(sketch);
    return sketch.then(stream, { op: "toTable", ...options }, { closes: isVersioned });
  }
  if (roll < 0.75) {
    const stream = grouped(sketch, streamOf(sketch, { key: "string" }));
    if (stream.key !== "string") {
      return sketch.source("table", { key: "string", value });
    }
    const [step, result] = aggregationOf(random, stream, false);
    const isVersioned = random.chance(0.4);
    const options = isVersioned ? versioned() : materialization(sketch);
    return sketch.then(stream, { ...step, ...options }, { value: result, closes: isVersioned });
  }
  const options = random.chance(0.5) ? materialization(sketch) : {};
  const table = sketch.source("table", { key: "string", value }, options);
  return random.chance(0.3) ? sketch.then(table, { op: "filter", fn: "valueNotNull" }) : table;
}

function suppress(sketch: Sketch): void {
  const { random } = sketch;
  const roll = random.next();
  const table = roll < 0.6
    ? windowedAggregate(sketch, grouped(sketch, streamOf(sketch)))
    : roll < 0.8
    ? sketch.source("table", { key: "string", value: base(random) }, materialization(sketch))
    : unwindowed(sketch);
  useTable(sketch, suppressed(sketch, table), random.int(0, 3));
}

function unwindowed(sketch: Sketch): Part {
  const group = grouped(sketch, streamOf(sketch));
  const [step, value] = aggregationOf(sketch.random, group, false);
  return sketch.then(group, { ...step, ...materialization(sketch) }, { value });
}

/** Several updates of a key in one record, through caches. */
function caching(sketch: Sketch): void {
  const { random } = sketch;
  if (!sketch.isTight) sketch.config["statestore.cache.max.bytes"] = 10_485_760;
  const source = sketch.source("stream", { key: "string", value: "string" });
  const several = random.pick<[Fields & { op: string }, Partial<Part>]>([
    [{ op: "flatMapValues", fn: "repeat", arg: random.int(2, 4) }, {}],
    [{ op: "flatMapValues", fn: "splitComma" }, {}],
    [{ op: "flatMap", fn: "wordsToPairs" }, {}],
    [{ op: "flatMap", fn: "mirror" }, {}],
    [{ op: "process", fn: "forwardTwice" }, {}],
  ]);
  let part = sketch.then(source, several[0], several[1]);
  if (random.chance(0.3)) part = sketch.then(part, { op: "process", fn: "forwardTwice" });
  const group = grouped(sketch, part);
  const table = random.chance(0.7)
    ? windowedAggregate(sketch, group)
    : (([step, value]) => sketch.then(group, { ...step, ...materialization(sketch) }, { value }))(
      aggregationOf(random, group, false),
    );
  useTable(sketch, table);
}
