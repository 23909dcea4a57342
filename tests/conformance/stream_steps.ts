/** The steps of a scenario that apply to streams and grouped streams. */
import { KGroupedStream } from "../../lib/dsl/grouped_stream.ts";
import { KStream } from "../../lib/dsl/kstream.ts";
import { hopping, session, sliding, tumbling, unlimited, within } from "../../lib/dsl/windows.ts";
import { combine, flatPairs, flatValues, joiner, mapper, predicate } from "./functions.ts";
import { processorOutput, processorStoreValue, ScenarioProcessor } from "./processors.ts";
import type { ProcessStep } from "./processors.ts";
import { materialized, type Step, type Typed, type Workshop } from "./scenario.ts";
import { fromJson, inner, innerType, serdeOf, text, type Ty, ty } from "./values.ts";

type Result = Typed | "done" | undefined;

/** Applies a step to a stream or a grouped stream; undefined when it is none of theirs. */
export function streamStep(shop: Workshop, step: Step): Result {
  if (step.op === "cogroup") return cogroup(shop, step);
  const from = shop.get(step.from);
  if (from.it instanceof KStream) {
    return statelessStep(from, step) ?? statefulStep(shop, from, step) ??
      joinStep(shop, from, step);
  }
  if (step.op === "windowedBy") return windowedBy(from, step);
  if (from.windowed || from.isCogroup || from.it instanceof KGroupedStream) {
    return aggregateStep(from, step);
  }
  return undefined;
}

/** The stream with the serdes of its types, which the scenario's steps always give. */
function serdes({ key, value }: Typed): { key: any; value: any } {
  return { key: serdeOf(key), value: serdeOf(value) };
}

function statelessStep(from: Typed, step: Step): Result {
  const { it, key, value } = from;
  const named = { name: step.name };
  const reordered = (f: (k: unknown, v: unknown) => unknown) => (v: unknown, k: unknown) => f(k, v);
  switch (step.op) {
    case "filter":
    case "filterNot":
      return { ...from, it: it[step.op](predicate(step.fn, step.arg, key, value), named) };
    case "mapValues": {
      const { apply, out } = mapper(step.fn, step.arg, key, value);
      return { it: it.mapValues(reordered(apply), named), key, value: out };
    }
    case "selectKey": {
      const { apply, out } = mapper(step.fn, step.arg, key, value);
      return { it: it.selectKey(reordered(apply), named), key: out, value };
    }
    case "map": {
      const forKey = mapper(step.keyFn, step.keyArg, key, value);
      const forValue = mapper(step.valueFn, step.valueArg, key, value);
      const map = (v: unknown, k: unknown) => [forKey.apply(k, v), forValue.apply(k, v)];
      return { it: it.map(map, named), key: forKey.out, value: forValue.out };
    }
    case "flatMapValues": {
      const { apply, out } = flatValues(step.fn, step.arg, value);
      return { it: it.flatMapValues(apply, named), key, value: out };
    }
    case "flatMap": {
      const { apply, outKey, outValue } = flatPairs(step.fn, key, value);
      return { it: it.flatMap(apply, named), key: outKey, value: outValue };
    }
    case "peek":
      return { ...from, it: it.peek(() => {}, named) };
    default:
      return undefined;
  }
}

function statefulStep(shop: Workshop, from: Typed, step: Step): Result {
  const { it, key, value } = from;
  const named = { name: step.name };
  switch (step.op) {
    case "merge":
      return { ...from, it: it.merge(shop.get(step.with).it, named) };
    case "branch":
      return branch(shop, from, step);
    case "repartition": {
      const options = { ...named, partitions: step.partitions, ...serdes(from) };
      return { ...from, it: it.repartition(options) };
    }
    case "toTable":
      return { ...from, it: it.toTable({ ...named, ...serdes(from), ...materialized(step) }) };
    case "groupByKey":
      return { ...from, it: it.groupByKey({ ...named, ...serdes(from) }) };
    case "groupBy": {
      const { apply, out } = mapper(step.fn, step.arg, key, value);
      const options = { ...named, key: serdeOf(out), value: serdeOf(value) };
      const select = (v: unknown, k: unknown) => apply(k, v);
      return { it: it.groupBy(select, options), key: out, value };
    }
    case "to":
      return to(shop, from, step);
    case "process":
    case "processValues":
      return process(shop, from, step);
    default:
      return undefined;
  }
}

function branch(shop: Workshop, from: Typed, step: Step): Result {
  const { it, key, value } = from;
  const split = it.split({ name: step.name });
  const keep = (id: string) => (stream: unknown) => shop.set(id, { it: stream, key, value });
  for (const { id, fn, arg, name } of step.branches) {
    split.branch(predicate(fn, arg, key, value), { name, then: keep(id) });
  }
  if (step.default === undefined) split.noDefaultBranch();
  else split.defaultBranch({ name: step.default.name, then: keep(step.default.id) });
  return "done";
}

function to(shop: Workshop, from: Typed, step: Step): Result {
  const { it, key, value } = from;
  const options = { name: step.name, ...serdes(from) };
  if (step.topicPrefix === undefined) {
    shop.types.outputs.set(step.topic, [key, value]);
    it.to(step.topic, options);
  } else {
    shop.types.prefixes.set(step.topicPrefix, [key, value]);
    it.to((_: unknown, k: unknown) => step.topicPrefix + text(inner(k)), options);
  }
  return "done";
}

function process(shop: Workshop, from: Typed, step: Step): Result {
  const { it, key, value } = from;
  const { store, fn } = step;
  if (store !== undefined && !step.shared) {
    shop.addStore(store, key, processorStoreValue(fn, value), step);
  }
  const supplier = () => new ScenarioProcessor(step as unknown as ProcessStep);
  const options = { name: step.name, stores: store === undefined ? [] : [store] };
  return {
    it: it[step.op](supplier, options),
    key: fn === "cancellingPunctuator" ? ty("string") : key,
    value: processorOutput(fn, value),
  };
}

function joinStep(shop: Workshop, from: Typed, step: Step): Result {
  if (!["join", "leftJoin", "outerJoin"].includes(step.op)) return undefined;
  const { it, key, value } = from;
  const other = shop.get(step.with);
  const { apply, out } = joiner(step.joiner ?? "concat", value, other.value);
  switch (step.kind) {
    case "stream-stream": {
      const windows = within({
        before: step.beforeMs,
        after: step.afterMs,
        grace: step.graceMs ?? 0,
      });
      const options = {
        name: step.name,
        store: step.store,
        ...(step.logging === false ? { logging: false } : {}),
        ...serdes(from),
        otherValue: serdeOf(other.value),
      };
      return { it: it[step.op](other.it, apply, windows, options), key, value: out };
    }
    case "stream-table": {
      const options = { name: step.name, grace: step.graceMs, ...serdes(from) };
      return { it: it[step.op](other.it, apply, options), key, value: out };
    }
    case "stream-globaltable": {
      const forKey = mapper(step.keyFn, step.keyArg, key, value);
      const select = (v: unknown, k: unknown) => forKey.apply(k, v);
      const joined = it[step.op](other.it, select, apply, { name: step.name });
      return { it: joined, key, value: out };
    }
    default:
      throw new Error(`unknown join kind ${step.kind}`);
  }
}

function cogroup(shop: Workshop, step: Step): Result {
  let it: any;
  for (const source of step.sources) {
    const aggregator = combine(source.fn);
    const grouped = shop.get(source.from).it;
    it = it === undefined ? grouped.cogroup(aggregator) : it.cogroup(grouped, aggregator);
  }
  const { key } = shop.get(step.sources[0].from);
  return { it, key, value: ty(step.result), isCogroup: true };
}

function windowedBy(from: Typed, step: Step): Result {
  const { kind, sizeMs: size, advanceMs: advance, gapMs: gap, graceMs: grace } = step;
  const [windows, windowed] = ((): [any, Typed["windowed"]] => {
    switch (kind) {
      case "tumbling":
      case "hopping":
        return [
          advance === undefined ? tumbling({ size, grace }) : hopping({ size, advance, grace }),
          { window: "time", sizeMs: size },
        ];
      case "sliding":
        return [sliding({ timeDifference: size, grace }), { window: "time", sizeMs: size }];
      case "session":
        return [session({ gap, grace }), { window: "session" }];
      case "unlimited":
        return [unlimited({ start: step.startMs }), {
          window: "time",
          sizeMs: Number.MAX_SAFE_INTEGER,
        }];
      default:
        throw new Error(`unknown window kind ${kind}`);
    }
  })();
  let it = from.it.windowedBy(windows);
  // A cogroup's windows have no strategy.
  if (step.emit === "onWindowClose" && !from.isCogroup) it = it.emitStrategy("onWindowClose");
  return { ...from, it, windowed };
}

function aggregateStep(from: Typed, step: Step): Result {
  const { it, key, value, windowed, isCogroup } = from;
  const result: Ty = step.op === "reduce" || isCogroup
    ? value
    : ty(step.op === "count" ? "long" : step.result);
  const outKey: Ty = { ...key, ...windowed };
  const options = {
    name: step.name,
    key: serdeOf(innerType(key)),
    value: serdeOf(result),
    ...materialized(step),
  };
  if (key.window !== undefined) options.key = serdeOf(key);
  const typed = (table: unknown): Typed => ({ it: table, key: outKey, value: result });
  switch (step.op) {
    case "count":
      return typed(it.count(options));
    case "reduce":
      return typed(it.reduce(combine(step.fn), options));
    case "aggregate": {
      const initializer = () => fromJson(step.init, result);
      const parts: unknown[] = [initializer];
      if (!isCogroup) parts.push(combine(step.fn));
      if (windowed?.window === "session") parts.push(combine(step.merger));
      return typed(it.aggregate(...parts, options));
    }
    default:
      return undefined;
  }
}
