/** Scenarios of tables: each kind of join between tables of each kind, foreign keys, versions, groupings. */
import type { Fields } from "./choices.ts";
import { grouped, maybeName, regrouped, streamOf, useTable } from "./parts.ts";
import type { Part, Sketch } from "./sketch.ts";
import { aggregationOf, type Base, base, joinerOf, materialization } from "./typed_choices.ts";

/** Two to four tables, joined one after the other. */
export function tables(sketch: Sketch): void {
  const { random } = sketch;
  let left = tableOf(sketch);
  const others: Part[] = [left];
  for (let i = random.int(1, 4); i > 0; i--) {
    const right = random.chance(0.2) ? random.pick(others) : tableOf(sketch);
    others.push(right);
    left = joined(sketch, left, right);
    if (random.chance(0.2)) useTable(sketch, left, random.int(0, 2));
  }
  useTable(sketch, left, random.int(0, 3));
}

function versioned(sketch: Sketch): Fields {
  return {
    store: sketch.store(),
    versionedHistoryMs: sketch.random.pick([0, 10, 40, 1000]) * sketch.time.unit,
  };
}

function tableOf(sketch: Sketch): Part {
  const { random } = sketch;
  const value = base(random);
  const key = random.chance(0.8) ? "string" : random.pick<Base>(["long", "int"]);
  const roll = random.next();
  if (roll < 0.45) {
    const options = random.chance(0.2)
      ? versioned(sketch)
      : random.chance(0.6)
      ? materialization(sketch)
      : {};
    return sketch.source("table", { key, value }, { ...options, ...maybeName(sketch) });
  }
  if (roll < 0.6) {
    const options = random.chance(0.2) ? versioned(sketch) : materialization(sketch);
    return sketch.then(streamOf(sketch, { key }), { op: "toTable", ...options });
  }
  if (roll < 0.8) {
    const group = grouped(sketch, streamOf(sketch, { key }));
    const [step, result] = aggregationOf(random, group, false);
    return sketch.then(group, { ...step, ...materialization(sketch) }, { value: result });
  }
  return regrouped(sketch, sketch.source("table", { key, value }, materialization(sketch)));
}

function joined(sketch: Sketch, left: Part, right: Part): Part {
  const { random } = sketch;
  const [joiner, value] = joinerOf(random, left.value, right.value);
  if (joiner.joiner === "withKey") delete joiner.joiner;
  const result = joiner.joiner === undefined ? "string" : value;
  const canBeWritten = left.isBare !== true && right.isBare !== true;
  if (canBeWritten && (left.key !== right.key || random.chance(0.5))) {
    const keyFn = foreignKey(sketch, left.value, right.key);
    if (keyFn !== undefined) {
      const step = {
        op: random.pick(["join", "leftJoin"]),
        kind: "fk",
        with: right.id,
        ...keyFn,
        ...joiner,
        ...maybeName(sketch),
        ...materialization(sketch),
      };
      return sketch.then(left, step, { value: result, closes: false });
    }
  }
  if (left.key !== right.key) return left;
  const op = random.pick(["join", "leftJoin", "outerJoin"]);
  const options = random.chance(0.7) ? materialization(sketch) : {};
  const step = {
    op,
    kind: "table-table",
    with: right.id,
    ...joiner,
    ...maybeName(sketch),
    ...options,
  };
  return sketch.then(left, step, { value: result, closes: false });
}

/** How a value of the left table names a key of the right one; undefined when nothing fits. */
function foreignKey(sketch: Sketch, value: Base, key: Base): Fields | undefined {
  const choices: Fields[] = value === key ? [{ keyFn: "value" }, { keyFn: "value" }] : [];
  if (key === "string") {
    choices.push({ keyFn: "toString" }, { keyFn: "constant", keyArg: "a" });
    if (value === "string") {
      choices.push(
        { keyFn: "firstChar" },
        { keyFn: "firstChar" },
        { keyFn: "field", keyArg: sketch.random.int(0, 2) },
        { keyFn: "nullIf", keyArg: "a" },
        { keyFn: "failIf", keyArg: "2,c" },
      );
    }
  }
  if (key === "int" && value === "string") choices.push({ keyFn: "length" }, { keyFn: "toInt" });
  if (key === "long") {
    choices.push(value === "string" ? { keyFn: "toLong" } : { keyFn: "constant", keyArg: 1 });
    if (value === "string") choices.push({ keyFn: "fieldLong", keyArg: sketch.random.int(0, 2) });
  }
  return choices.length === 0 ? undefined : sketch.random.pick(choices);
}
