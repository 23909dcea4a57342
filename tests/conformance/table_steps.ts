/** The steps of a scenario that apply to tables and grouped tables. */
import { KGroupedTable } from "../../lib/dsl/grouped_table.ts";
import { KTable } from "../../lib/dsl/ktable.ts";
import type { KeyValueStore } from "../../lib/state/store.ts";
import type { ProcessingContext } from "../../lib/topology/processor.ts";
import { combine, joiner, mapper, predicate } from "./functions.ts";
import { transform } from "./processors.ts";
import { materialized, type Step, type Typed, type Workshop } from "./scenario.ts";
import { fromJson, serdeOf, type Ty, ty } from "./values.ts";

/** Applies a step to a table or a grouped table; undefined when it is none of theirs. */
export function tableStep(shop: Workshop, step: Step): Typed | undefined {
  const from = shop.get(step.from);
  if (from.it instanceof KTable) {
    return rowStep(shop, from, step) ?? changeStep(from, step) ?? joinStep(shop, from, step);
  }
  return from.it instanceof KGroupedTable ? groupedStep(from, step) : undefined;
}

/** A materialization, which is passed only where the step gives one; then with serdes. */
function optional(step: Step, key: Ty, value: Ty): Record<string, unknown> {
  const given = materialized(step);
  return Object.keys(given).length === 0
    ? { name: step.name }
    : { name: step.name, key: serdeOf(key), value: serdeOf(value), ...given };
}

function rowStep(shop: Workshop, from: Typed, step: Step): Typed | undefined {
  const { it, key, value } = from;
  switch (step.op) {
    case "filter":
    case "filterNot": {
      const test = predicate(step.fn, step.arg, key, value);
      return { ...from, it: it[step.op](test, optional(step, key, value)) };
    }
    case "mapValues": {
      const { apply, out } = mapper(step.fn, step.arg, key, value);
      const map = (v: unknown, k: unknown) => apply(k, v);
      return { it: it.mapValues(map, optional(step, key, out)), key, value: out };
    }
    case "transformValues": {
      const { useStore } = step;
      if (useStore !== undefined) shop.addStore(useStore, key, ty("long"));
      const transforming = {
        stores: useStore === undefined ? [] : [useStore],
        get: () => new Transformer(step.fn, useStore),
      };
      const out = ty("string");
      return { it: it.transformValues(transforming, optional(step, key, out)), key, value: out };
    }
    default:
      return undefined;
  }
}

class Transformer {
  #store: KeyValueStore<any, any> | undefined;
  readonly #fn: string;
  readonly #storeName: string | undefined;
  constructor(fn: string, storeName: string | undefined) {
    this.#fn = fn;
    this.#storeName = storeName;
  }
  init(context: ProcessingContext): void {
    if (this.#storeName !== undefined) this.#store = context.getStateStore(this.#storeName);
  }
  transform(value: unknown, key: unknown): unknown {
    return transform(this.#fn, value, key, this.#store);
  }
}

function changeStep(from: Typed, step: Step): Typed | undefined {
  const { it, key, value } = from;
  switch (step.op) {
    case "toStream": {
      if (step.fn === undefined) return { ...from, it: it.toStream({ name: step.name }) };
      const { apply, out } = mapper(step.fn, step.arg, key, value);
      const select = (v: unknown, k: unknown) => apply(k, v);
      return { it: it.toStream(select, { name: step.name }), key: out, value };
    }
    case "suppress":
      return { ...from, it: it.suppress(suppression(from, step)) };
    case "groupBy": {
      const forKey = mapper(step.keyFn, step.keyArg, key, value);
      const forValue = mapper(step.valueFn ?? "identity", step.valueArg, key, value);
      const select = (v: unknown, k: unknown) => [forKey.apply(k, v), forValue.apply(k, v)];
      const options = { name: step.name, key: serdeOf(forKey.out), value: serdeOf(forValue.out) };
      return { it: it.groupBy(select, options), key: forKey.out, value: forValue.out };
    }
    default:
      return undefined;
  }
}

/** The recorder knows one bound at a time, and only one of records for final results, which always shut down. */
function suppression({ key, value }: Typed, step: Step): Record<string, unknown> {
  const { name, until, timeLimitMs: limitMs, maxRecords, maxBytes, whenFull } = step;
  const options: Record<string, unknown> = {
    name,
    until,
    maxRecords,
    key: serdeOf(key),
    value: serdeOf(value),
  };
  if (step.logging === false) options.logging = false;
  if (until === "windowCloses") return options;
  if (maxRecords === undefined) options.maxBytes = maxBytes;
  const isBounded = maxRecords !== undefined || maxBytes !== undefined;
  return { ...options, limitMs, whenFull: isBounded ? whenFull : undefined };
}

function joinStep(shop: Workshop, from: Typed, step: Step): Typed | undefined {
  if (!["join", "leftJoin", "outerJoin"].includes(step.op)) return undefined;
  const { it, key, value } = from;
  const other = shop.get(step.with);
  const { apply, out } = joiner(step.joiner ?? "concat", value, other.value);
  if (step.kind === "table-table") {
    return { it: it[step.op](other.it, apply, optional(step, key, out)), key, value: out };
  }
  if (step.kind !== "fk") throw new Error(`unknown join kind ${step.kind}`);
  const forKey = mapper(step.keyFn, step.keyArg, key, value);
  const options = {
    name: step.name,
    key: serdeOf(key),
    value: serdeOf(out),
    ...materialized(step),
  };
  const select = (v: unknown, k: unknown) => forKey.apply(k, v);
  return {
    it: it.withSerdes({ key: serdeOf(key), value: serdeOf(value) })[step.op](
      other.it.withSerdes({ key: serdeOf(other.key), value: serdeOf(other.value) }),
      select,
      apply,
      options,
    ),
    key,
    value: out,
  };
}

function groupedStep(from: Typed, step: Step): Typed | undefined {
  const { it, key, value } = from;
  const result = step.op === "reduce" ? value : ty(step.op === "count" ? "long" : step.result);
  const options = {
    name: step.name,
    key: serdeOf(key),
    value: serdeOf(result),
    ...materialized(step),
  };
  const typed = (table: unknown): Typed => ({ it: table, key, value: result });
  switch (step.op) {
    case "count":
      return typed(it.count(options));
    case "reduce":
      return typed(it.reduce(combine(step.fn), combine(step.subtractor), options));
    case "aggregate": {
      const initializer = () => fromJson(step.init, result);
      const [adder, subtractor] = [combine(step.fn), combine(step.subtractor)];
      return typed(it.aggregate(initializer, adder, subtractor, options));
    }
    default:
      return undefined;
  }
}
