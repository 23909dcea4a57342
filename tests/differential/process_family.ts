/** Scenarios of the Processor API: stores of one's own and shared ones, punctuation, names, branches, topics chosen by record, and what fails. */
import type { Fields } from "./choices.ts";
import { grouped, maybeName, streamOf, useTable, windowedAggregate } from "./parts.ts";
import type { Part, Sketch } from "./sketch.ts";
import { base, materialization, predicateOf } from "./typed_choices.ts";

/** Whether processors change the time of records, or wait for it. */
type Clock = "shifted" | "punctual";

/** A few streams, each through some processors. */
export function processors(sketch: Sketch): void {
  const { random } = sketch;
  const shared = random.chance(0.4) ? sharedStore(sketch) : undefined;
  // Both together make a loop in one task: a punctuation forwards what brings the next one about.
  const clock: Clock = random.chance(0.3) ? "shifted" : "punctual";
  if (random.chance(0.2)) {
    sketch.config["deserialization.exception.handler"] = random.pick([
      "logAndContinue",
      "logAndFail",
    ]);
  }
  for (let i = random.int(1, 4); i > 0; i--) {
    let part = sourceOf(sketch);
    for (let steps = random.int(1, 4); steps > 0; steps--) {
      part = processed(sketch, part, shared, clock);
    }
    finish(sketch, part);
  }
}

/** Gives the shared store; adds it when it is first asked for, as nothing could be read from one that no processor has. */
function sharedStore(sketch: Sketch): () => string {
  let added: string | undefined;
  return () => added ??= addShared(sketch);
}

function addShared(sketch: Sketch): string {
  const store = sketch.store();
  const step: Fields & { op: string } = { op: "addStore", store, key: "string", value: "long" };
  if (sketch.random.chance(0.2)) step.logging = false;
  if (sketch.random.chance(0.3)) step.caching = true;
  sketch.step(step);
  return store;
}

function sourceOf(sketch: Sketch): Part {
  const { random } = sketch;
  const roll = random.next();
  if (roll < 0.15) {
    const value = random.pick(["long", "int", "double"] as const);
    return sketch.source("stream", { key: "string", value }, {}, { isCorrupt: true });
  }
  if (roll < 0.3) {
    return sketch.sourceOfTopics(random.int(2, 4), { key: "string", value: base(random) });
  }
  return streamOf(sketch, random.chance(0.8) ? { key: "string" } : {});
}

/** A processor, most often one with a store. */
function processed(
  sketch: Sketch,
  from: Part,
  shared: (() => string) | undefined,
  clock: Clock,
): Part {
  const { random } = sketch;
  // The stores of processors are keyed by the record's key, which must not be null.
  const keyed = random.chance(0.9) ? sketch.then(from, { op: "filter", fn: "keyNotNull" }) : from;
  const isShared = shared !== undefined && from.key === "string" && random.chance(0.6);
  const ownStore = (): Fields =>
    isShared ? { store: shared(), shared: true } : {
      store: sketch.store(),
      ...(random.chance(0.15) ? { caching: true } : {}),
      ...(random.chance(0.1) ? { logging: false } : {}),
    };
  const stored = (): Fields => keyed === from ? {} : ownStore();
  const plain: [Fields, Partial<Part>][] = [
    [{ fn: "streamTimeReporter" }, { value: "long" }],
    [{ fn: "wallClockReporter" }, { value: "long" }],
    [{ fn: "recordInfo" }, { value: "string" }],
    [{ fn: "forwardTwice" }, {}],
    [{ fn: "addHeader", headerName: random.pick(["made", "h"]), headerValue: "x" }, {}],
    [{ fn: "failOnValue", arg: from.value === "string" ? "1" : "2" }, {}],
    [{
      fn: "cancellingPunctuator",
      type: random.pick(["stream", "wall"]),
      intervalMs: random.pick([sketch.ms(1, 30), 1, 500]),
      times: random.int(1, 5),
    }, { key: "string", value: "long" }],
  ];
  if (clock === "shifted") plain.push([{ fn: "shiftTimestamp", deltaMs: sketch.ms(0, 20) }, {}]);
  const named = maybeName(sketch);
  if (keyed === from || random.chance(0.35)) {
    const [step, changes] = random.pick(plain);
    return sketch.then(keyed, { op: "process", ...step, ...named }, changes);
  }
  if (random.chance(0.25)) {
    const [step, value] = random.pick<[() => Fields, Part["value"]]>([
      [() => ({ fn: "countingStore", ...stored() }), "long"],
      [() => ({ fn: "previousValue", store: sketch.store() }), "string"],
      [() => ({ fn: "streamTimeReporter" }), "long"],
    ]);
    return sketch.then(keyed, { op: "processValues", ...step(), ...named }, { value });
  }
  const clear = random.chance(0.5) ? { clear: random.chance(0.7) } : {};
  const choices: [() => Fields, Part["value"]][] = [
    [() => ({ fn: "countingStore", ...stored() }), "long"],
    [() => ({ fn: "previousValue", store: sketch.store() }), "string"],
    [() => ({ fn: "dedupe", windowMs: sketch.ms(0, 20), ...stored() }), from.value],
    [() => ({
      fn: "wallClockPunctuator",
      intervalMs: random.pick([1, 7, 500, 1000, 1500]),
      ...clear,
      ...stored(),
    }), "long"],
  ];
  if (clock === "punctual") {
    choices.push([() => ({
      fn: "streamTimePunctuator",
      intervalMs: sketch.ms(1, 30),
      ...clear,
      ...stored(),
    }), "long"]);
  }
  const [step, value] = random.pick(choices);
  return sketch.then(keyed, { op: "process", ...step(), ...named }, { value });
}

/** Writes it to one topic or to many, splits it, or makes a table of it. */
function finish(sketch: Sketch, part: Part): void {
  const { random } = sketch;
  const roll = random.next();
  if (roll < 0.1 && part.key === "string") {
    // A topic's name is made of the key: of one that topics may be named by.
    const named = sketch.then(part, { op: "filter", fn: "keyStartsWith", arg: "a" });
    return sketch.toTopicOfKey(named);
  }
  if (roll < 0.3) return branched(sketch, part);
  if (roll < 0.45) {
    return useTable(sketch, sketch.then(part, { op: "toTable", ...materialization(sketch) }));
  }
  if (roll < 0.6) return useTable(sketch, windowedAggregate(sketch, grouped(sketch, part)), 1);
  sketch.to(
    random.chance(0.1) ? sketch.then(part, { op: "repartition", ...maybeName(sketch) }) : part,
  );
}

function branched(sketch: Sketch, from: Part): void {
  const { random } = sketch;
  const name = (): Fields => random.chance(0.4) ? { name: sketch.id("-branch") } : {};
  const ends: Part[] = [];
  const end = (): Fields => {
    const id = sketch.id();
    ends.push({ ...from, id });
    return { id };
  };
  const branches = Array.from(
    { length: random.int(1, 4) },
    () => ({ ...end(), ...predicateOf(random, from), ...name() }),
  );
  const step: Fields & { op: string } = { op: "branch", from: from.id, branches };
  if (random.chance(0.5)) step.name = sketch.id("split");
  if (random.chance(0.6)) step.default = { ...end(), ...name() };
  sketch.step(step);
  if (ends.length > 1 && random.chance(0.3)) {
    const [one, other] = ends;
    return sketch.to(sketch.then(one, { op: "merge", with: other.id, ...maybeName(sketch) }));
  }
  for (const each of ends) sketch.to(each);
}
