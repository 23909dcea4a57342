/** What the families of scenarios have in common: sources, groupings, windows, and what is done with a table. */
import type { Fields } from "./choices.ts";
import type { Part, Sketch } from "./sketch.ts";
import {
  aggregationOf,
  type Base,
  base,
  joinerOf,
  keyMapperOf,
  materialization,
  predicateOf,
  valueMapper,
} from "./typed_choices.ts";

/** A stream, as it comes or after some stateless steps. */
export function streamOf(sketch: Sketch, types: Partial<Part> = {}): Part {
  const { random } = sketch;
  const extractors = ["value", "failOnInvalid", "logAndSkipOnInvalid", "usePartitionTimeOnInvalid"];
  // A record that waits is decoded when its turn comes, not when it is piped: see docs/differences.md.
  const waits = sketch.config["max.task.idle.ms"] !== undefined;
  const extractor = !waits && random.chance(0.06)
    ? random.pick([...extractors, "wallClock"])
    : undefined;
  const value = types.value ?? (extractor === "value" ? "long" : base(random));
  let part = sketch.source(
    "stream",
    { key: types.key ?? random.pick<Base>(["string", "string", "string", "long", "int"]), value },
    extractor === undefined || (extractor === "value" && value !== "long")
      ? {}
      : { timestampExtractor: extractor },
  );
  if (random.chance(0.25)) {
    part = sketch.then(part, { op: "filter", ...predicateOf(random, part) });
  }
  if (types.value === undefined && random.chance(0.2)) {
    const [step, result] = valueMapper(random, part);
    part = sketch.then(part, { op: "mapValues", ...step }, { value: result });
  }
  if (random.chance(0.1)) {
    part = sketch.then(part, { op: "flatMapValues", fn: "repeat", arg: random.int(0, 4) });
  } else if (part.value === "string" && random.chance(0.15)) {
    part = sketch.then(part, {
      op: "flatMapValues",
      fn: random.pick(["splitWords", "splitComma"]),
    });
  }
  if (random.chance(0.08)) {
    const shifted = { op: "process", fn: "shiftTimestamp", deltaMs: sketch.ms(0, 20) };
    part = sketch.then(part, shifted);
  }
  if (random.chance(0.05)) {
    part = sketch.then(part, {
      op: "process",
      fn: "addHeader",
      headerName: "made",
      headerValue: "x",
    });
  }
  if (random.chance(0.08)) part = sketch.then(part, { op: "repartition" });
  return part;
}

/** A stream with a key of that type, by selecting one; which asks for a repartition later. */
export function rekeyed(sketch: Sketch, part: Part): Part {
  const [step, key] = keyMapperOf(sketch.random, part);
  const windowless = step.fn === "key" ? {} : { window: undefined, closes: false };
  return sketch.then(part, { op: "selectKey", ...step }, { key, ...windowless });
}

/** The stream grouped, by its key or another one. */
export function grouped(sketch: Sketch, part: Part): Part {
  const { random } = sketch;
  const name = maybeName(sketch);
  if (random.chance(0.7)) return sketch.then(part, { op: "groupByKey", ...name });
  const [step, key] = keyMapperOf(random, part);
  return sketch.then(part, { op: "groupBy", ...step, ...name }, { key, window: undefined });
}

/** Windows of any kind, sizes and grace; few are ones that Kafka Streams refuses. */
export function windowed(
  sketch: Sketch,
  from: Part,
  { emit = true }: { emit?: boolean } = {},
): { part: Part; span: number; isSliding: boolean } {
  const { random } = sketch;
  // Sliding windows and windows emitted on close use small caches in another order: see docs/differences.md.
  const kinds = ["tumbling", "hopping", "hopping", "session"];
  const kind = random.pick(sketch.isTight ? kinds : [...kinds, "sliding", "sliding"]);
  const wrong = random.chance(0.02);
  const size = random.chance(0.15) ? 1 : random.chance(0.03) ? 1e12 : sketch.ms(1, 25);
  const step: Fields & { op: string } = { op: "windowedBy", kind };
  const grace = random.chance(0.25)
    ? undefined
    : random.pick([0, sketch.ms(0, 25), sketch.ms(0, 25), random.chance(0.2) ? 1e12 : 0]);
  if (grace !== undefined) step.graceMs = wrong && random.chance(0.3) ? -1 : grace;
  let span = size;
  if (kind === "session") step.gapMs = span = random.pick([0, sketch.ms(0, 20), sketch.ms(0, 20)]);
  else if (kind === "sliding") {
    step.sizeMs = span = wrong ? 0 : random.pick([size, sketch.ms(1, 25)]);
  } else step.sizeMs = wrong && random.chance(0.3) ? 0 : size;
  if (kind === "hopping") {
    // At most a few windows a record.
    const least = Math.ceil(size / 12);
    step.advanceMs = wrong ? size + 1 : Math.max(1, random.int(least, size + 1));
  }
  const onClose = emit && !sketch.isTight && random.chance(0.25);
  if (onClose) step.emit = "onWindowClose";
  else if (emit && random.chance(0.05)) step.emit = "onWindowUpdate";
  const window = kind === "session" ? "session" as const : "time" as const;
  const part = sketch.then(from, step, { window, closes: true });
  return { part, span: span + (grace ?? 0), isSliding: kind === "sliding" };
}

/** A windowed aggregation of a grouped stream. */
export function windowedAggregate(sketch: Sketch, from: Part): Part {
  const { random } = sketch;
  const { part, span, isSliding } = windowed(sketch, from);
  let [step, value] = aggregationOf(random, part, part.window === "session");
  // Deleted rows trip Kafka Streams' backward iterations over its cache: see docs/differences.md.
  if (isSliding && /^(sumNullAtZero|nullIfEqual)$/.test(String(step.fn))) {
    [step, value] = [{ op: "count" }, "long"];
  }
  const options = materialization(sketch);
  if (random.chance(0.2)) options.retentionMs = span + sketch.ms(random.chance(0.1) ? -3 : 0, 60);
  return sketch.then(part, { ...step, ...maybeName(sketch), ...options }, { value });
}

/** The materialization of a derived table, most often none. */
export function maybeMaterialized(sketch: Sketch): Fields {
  return sketch.random.chance(0.25) ? materialization(sketch) : {};
}

/** A name of its own for a few steps. */
export function maybeName(sketch: Sketch): Fields {
  return sketch.random.chance(0.1) ? { name: sketch.id("named") } : {};
}

/** A few steps on a table; everything that is left is written out. */
export function useTable(sketch: Sketch, table: Part, depth = sketch.random.int(0, 4)): void {
  const { random } = sketch;
  if (depth === 0) {
    streamOut(sketch, table);
    return;
  }
  if (random.chance(0.25)) streamOut(sketch, table);
  const next = tableStep(sketch, table);
  useTable(sketch, next, depth - 1);
  if (random.chance(0.1)) useTable(sketch, tableStep(sketch, table), depth - 1);
}

function tableStep(sketch: Sketch, table: Part): Part {
  const { random } = sketch;
  const roll = random.next();
  if (roll < 0.2) {
    const op = random.pick(["filter", "filterNot"]);
    const named = { ...maybeName(sketch), ...maybeMaterialized(sketch) };
    const step = { op, ...predicateOf(random, table), ...named };
    return sketch.then(table, step);
  }
  if (roll < 0.35) {
    const [step, value] = valueMapper(random, table);
    const options = { ...maybeName(sketch), ...maybeMaterialized(sketch) };
    return sketch.then(table, { op: "mapValues", ...step, ...options }, { value });
  }
  if (roll < 0.43) {
    // A transformer's store is keyed by the plain key in the scenario format.
    const counting = table.window === undefined ? ["callCount"] : [];
    const fn = random.pick(["describeValue", "describeOrNull", ...counting]);
    const step: Fields & { op: string } = { op: "transformValues", fn, ...maybeName(sketch) };
    if (fn === "callCount") step.useStore = sketch.id("calls");
    return sketch.then(table, { ...step, ...maybeMaterialized(sketch) }, { value: "string" });
  }
  if (roll < 0.65 && table.isBare !== true) return suppressed(sketch, table);
  if (roll < 0.85) return regrouped(sketch, table);
  const other = sketch.then(table, { op: "filter", ...predicateOf(random, table) });
  const [joiner, value] = joinerOf(random, table.value, table.value);
  if (joiner.joiner === "withKey") delete joiner.joiner;
  const op = random.pick(["join", "leftJoin", "outerJoin"]);
  const named = { ...maybeName(sketch), ...maybeMaterialized(sketch) };
  const step = { op, kind: "table-table", with: other.id, ...joiner, ...named };
  return sketch.then(table, step, { value, closes: false });
}

/** A suppression of any kind. */
export function suppressed(sketch: Sketch, table: Part): Part {
  const { random } = sketch;
  const step: Fields & { op: string } = { op: "suppress" };
  if (table.closes && random.chance(0.6)) {
    step.until = "windowCloses";
    if (random.chance(0.15)) {
      step.maxRecords = random.int(1, 12);
      step.whenFull = "shutDown";
    }
  } else {
    step.until = "timeLimit";
    step.timeLimitMs = random.chance(0.15) ? 0 : sketch.ms(0, 25);
    const bound = random.next();
    if (bound < 0.3) step.maxRecords = random.int(0, 6);
    else if (bound < 0.5) step.maxBytes = random.int(0, 600);
    const bounded = step.maxRecords !== undefined || step.maxBytes !== undefined;
    if (bounded && random.chance(0.15)) step.whenFull = "shutDown";
    else if (bounded && random.chance(0.2)) step.whenFull = "emitEarly";
  }
  if (random.chance(0.1)) step.logging = false;
  if (random.chance(0.15)) step.name = sketch.id("suppression");
  return sketch.then(table, step);
}

/** The table grouped by another key and aggregated. */
export function regrouped(sketch: Sketch, table: Part): Part {
  const { random } = sketch;
  const [keyStep, key] = keyMapperOf(random, table);
  const [valueStep, value] = random.chance(0.6)
    ? [{ fn: "identity" }, table.value] as const
    : valueMapper(random, table);
  const part = sketch.then(table, {
    op: "groupBy",
    ...maybeName(sketch),
    keyFn: keyStep.fn,
    ...(keyStep.arg === undefined ? {} : { keyArg: keyStep.arg }),
    valueFn: valueStep.fn,
    ...((valueStep as Fields).arg === undefined ? {} : { valueArg: (valueStep as Fields).arg }),
  }, { key, value, window: undefined, closes: false });
  type Choice = [Fields & { op: string }, Base];
  const choices: Choice[] = [
    [{ op: "count" }, "long"],
    [{
      op: "aggregate",
      fn: "concatPlus",
      subtractor: "concatMinus",
      init: "",
      result: "string",
    }, "string"],
  ];
  if (value === "string") {
    choices.push([{ op: "reduce", fn: "concatPlus", subtractor: "concatMinus" }, value]);
  } else {
    choices.push(
      [{ op: "reduce", fn: "sum", subtractor: "subtract" }, value],
      [{ op: "reduce", fn: "sumNullAtZero", subtractor: "subtractNullAtZero" }, value],
    );
  }
  const [step, result] = random.pick(choices);
  return sketch.then(part, { ...step, ...materialization(sketch) }, { value: result });
}

/** What a stream with windowed keys goes into: a table, a join with its table or with itself, a repartition topic. */
function windowedKeys(sketch: Sketch, stream: Part, table: Part): void {
  const { random } = sketch;
  const roll = random.next();
  if (roll < 0.3) {
    const again = sketch.then(stream, { op: "toTable", ...materialization(sketch) });
    sketch.to(sketch.then(again, { op: "toStream" }));
    return;
  }
  if (roll < 0.5) return sketch.to(sketch.then(stream, { op: "repartition" }));
  const op = random.pick(["join", "leftJoin"]);
  if (roll < 0.8 && table.window === stream.window) {
    const step = { op, kind: "stream-table", with: table.id };
    sketch.to(sketch.then(stream, step, { value: "string" }));
    return;
  }
  const reach = { beforeMs: sketch.ms(0, 15), afterMs: sketch.ms(0, 15), graceMs: sketch.ms(0, 9) };
  const step = { op, kind: "stream-stream", with: stream.id, ...reach };
  sketch.to(sketch.then(stream, step, { value: "string" }));
}

/** The table as a stream, written out; sometimes counted once more on the way. */
export function streamOut(sketch: Sketch, table: Part): void {
  const { random } = sketch;
  let stream: Part;
  if (table.window !== undefined && random.chance(0.25)) {
    const fn = random.pick(["windowKey", "windowKeyStart", "value", "key"]);
    const key = fn === "windowKey" || fn === "key"
      ? table.key
      : fn === "value"
      ? table.value
      : "string";
    const windowless = fn === "key" ? {} : { window: undefined, closes: false };
    stream = sketch.then(table, { op: "toStream", fn }, { key, ...windowless });
  } else stream = sketch.then(table, { op: "toStream" });
  sketch.to(stream);
  if (stream.window !== undefined && random.chance(0.3)) windowedKeys(sketch, stream, table);
  // The scenario format gives a grouping's store the plain key's serde: windowed keys cannot be grouped by.
  if (stream.window !== undefined || !random.chance(0.2)) return;
  const again = grouped(sketch, stream);
  const counted = random.chance(0.5)
    ? sketch.then(again, { op: "count", ...materialization(sketch) })
    : windowedAggregate(sketch, again);
  sketch.to(sketch.then(counted, { op: "toStream" }));
}
