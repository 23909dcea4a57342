/**
 * Random scenarios: a topology in the scenario format's steps and records for it, from one seed. Only what Kafka Streams accepts is generated, and no
 * function meets a value of another type, so that a difference is a difference in behaviour.
 */
import type { Scenario, Step } from "../conformance/scenario.ts";
import { Random } from "../support/random.ts";
import {
  aggregation,
  type Base,
  inputs,
  keyMapper,
  predicate,
  type Source,
  windows,
} from "./choices.ts";

interface Stream {
  readonly id: string;
  readonly value: Base;
  readonly windowed: boolean;
}
interface Table extends Stream {
  /** Materialized in a store that other tables may join. */
  readonly grace: number;
  readonly session: boolean;
}

/** Makes the scenario of a seed. */
export function generateScenario(seed: number): Scenario & { readonly name: string } {
  return new Generator(new Random(seed)).run(seed);
}

class Generator {
  readonly #random: Random;
  readonly #steps: Step[] = [];
  readonly #streams: Stream[] = [];
  readonly #tables: Table[] = [];
  readonly #inputs: { topic: string; value: Source["value"]; table: boolean }[] = [];
  readonly #stores: string[] = [];
  readonly #used = new Set<string>();
  #next = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  run(seed: number): Scenario & { readonly name: string } {
    const random = this.#random;
    for (let i = random.int(1, 3); i > 0; i--) this.#addStreamSource();
    if (random.chance(0.5)) this.#addTableSource();
    for (let i = random.int(2, 9); i > 0; i--) this.#addStep();
    this.#closeAll();
    const config: Record<string, unknown> = {
      "statestore.cache.max.bytes": random.chance(0.5) ? 0 : 10_485_760,
      "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__": 0,
      "__emit.interval.ms.kstreams.windowed.aggregation__": 0,
    };
    if (random.chance(0.3)) config["topology.optimization"] = "all";
    return {
      name: `differential-${seed}`,
      config,
      topology: this.#steps,
      inputs: inputs(this.#random, this.#inputs),
      stores: this.#stores,
      expected: {},
    };
  }

  #id(): string {
    return `n${this.#next++}`;
  }

  #add<T extends Stream>(
    step: Record<string, unknown> & { op: string },
    result?: T,
    into?: T[],
  ): T | undefined {
    this.#steps.push(step as Step);
    if (result !== undefined) into?.push(result);
    return result;
  }

  #addStreamSource(): void {
    const value = this.#random.pick<Source["value"]>(["string", "long"]);
    const topic = `in${this.#inputs.length}`;
    this.#inputs.push({ topic, value, table: false });
    const id = this.#id();
    this.#add(
      { op: "stream", id, topic, key: "string", value },
      { id, value, windowed: false },
      this.#streams,
    );
  }

  #addTableSource(): void {
    const value = this.#random.pick<Source["value"]>(["string", "long"]);
    const topic = `in${this.#inputs.length}`;
    this.#inputs.push({ topic, value, table: true });
    const id = this.#id();
    const store = this.#random.chance(0.6) ? { store: this.#storeName() } : {};
    this.#add(
      { op: "table", id, topic, key: "string", value, ...store },
      plainTable(id, value),
      this.#tables,
    );
  }

  #storeName(): string {
    const name = `store${this.#next++}`;
    this.#stores.push(name);
    return name;
  }

  #maybeStore(): Record<string, unknown> {
    const options: Record<string, unknown> = {};
    if (this.#random.chance(0.5)) options.store = this.#storeName();
    if (this.#random.chance(0.3)) options.caching = this.#random.chance(0.5);
    return options;
  }

  #addStep(): void {
    const random = this.#random;
    const stream = this.#streams.length > 0 ? random.pick(this.#streams) : undefined;
    const table = this.#tables.length > 0 ? random.pick(this.#tables) : undefined;
    if (table !== undefined && (stream === undefined || random.chance(0.4))) this.#tableStep(table);
    else if (stream !== undefined) this.#streamStep(stream);
  }

  #then(
    from: Stream,
    step: Record<string, unknown> & { op: string },
    changes: Partial<Stream> = {},
  ): Stream {
    const id = this.#id();
    this.#used.add(from.id);
    return this.#add({ ...step, id, from: from.id }, { ...from, ...changes, id }, this.#streams)!;
  }

  #streamStep(from: Stream): void {
    const random = this.#random;
    const choices: (() => void)[] = [
      () =>
        this.#then(from, {
          op: random.pick(["filter", "filterNot"]),
          ...predicate(this.#random, from.value),
        }),
      () => this.#mapValues(from),
      () => this.#then(from, { op: "peek" }),
    ];
    if (from.value === "string") {
      choices.push(() =>
        this.#then(from, {
          op: "flatMapValues",
          ...random.pick([{ fn: "splitWords" }, { fn: "splitComma" }, {
            fn: "repeat",
            arg: random.int(0, 4),
          }]),
        })
      );
    }
    if (!from.windowed) {
      choices.push(
        () => this.#then(from, { op: "selectKey", ...keyMapper(this.#random, from.value) }),
        () => this.#then(from, { op: "repartition" }),
        () => this.#process(from),
        () => this.#branch(from),
        () => this.#merge(from),
        () => this.#toTable(from),
        () => this.#aggregate(from),
        () => this.#aggregate(from),
        () => this.#aggregate(from),
        () => this.#joinStreams(from),
        () => this.#joinTable(from),
      );
    }
    random.pick(choices)();
  }

  #mapValues(from: Stream): void {
    const random = this.#random;
    const [step, value] = random.pick<[Record<string, unknown>, Stream["value"]]>(
      from.value === "string"
        ? [
          [{ fn: "upperCase" }, "string"],
          [{ fn: "append", arg: "!" }, "string"],
          [{ fn: "length" }, "int"],
          [{ fn: "keyAndValue" }, "string"],
          [{ fn: "toLong" }, "long"],
        ]
        : [
          [{ fn: "plus", arg: 1 }, from.value],
          [{ fn: "modulo", arg: 3 }, from.value],
          [{ fn: "toString" }, "string"],
          [{ fn: "keyAndValue" }, "string"],
          [{ fn: "nullIf", arg: 2 }, from.value],
        ],
    );
    this.#then(from, { op: "mapValues", ...step }, { value });
  }

  #process(from: Stream): void {
    const random = this.#random;
    const store = () => ({ store: this.#storeName() });
    const [step, value] = random.pick<() => [Record<string, unknown>, Stream["value"]]>([
      () => [{ fn: "countingStore", ...store() }, "long"],
      () => [{ fn: "previousValue", ...store() }, "string"],
      () => [{ fn: "dedupe", windowMs: random.int(0, 20), ...store() }, from.value],
      () => [{ fn: "streamTimeReporter" }, "long"],
      () => [{ fn: "forwardTwice" }, from.value],
      // Less than a punctuator's interval: else a punctuation forwards what brings the next one about.
      () => [{ fn: "shiftTimestamp", deltaMs: random.int(0, 5) }, from.value],
      () => [{
        fn: "streamTimePunctuator",
        intervalMs: random.int(5, 30),
        clear: random.chance(0.5),
        ...store(),
      }, "long"],
    ])();
    // The stores of processors are keyed by the record's key, which must not be null.
    const keyed = this.#then(from, { op: "filter", fn: "keyNotNull" });
    this.#then(keyed, { op: "process", ...step }, { value });
  }

  #branch(from: Stream): void {
    const [one, rest] = [this.#id(), this.#id()];
    this.#used.add(from.id);
    this.#steps.push({
      op: "branch",
      from: from.id,
      branches: [{ id: one, ...predicate(this.#random, from.value) }],
      default: { id: rest },
    });
    this.#streams.push({ ...from, id: one }, { ...from, id: rest });
  }

  #merge(from: Stream): void {
    const other = this.#random.pick(
      this.#streams.filter((s) => s.value === from.value && !s.windowed),
    );
    this.#used.add(other.id);
    this.#then(from, { op: "merge", with: other.id });
  }

  #toTable(from: Stream): void {
    const id = this.#id();
    this.#used.add(from.id);
    this.#add(
      { op: "toTable", id, from: from.id, ...this.#maybeStore() },
      plainTable(id, from.value),
      this.#tables,
    );
  }

  #aggregate(from: Stream): void {
    const random = this.#random;
    // Nulls reach windowed aggregators: a sum over one would be an error, not a result.
    const source = random.chance(0.3)
      ? from
      : this.#then(from, { op: "filter", fn: "valueNotNull" });
    const nullSafe = source === from;
    const grouped = this.#id();
    this.#used.add(source.id);
    this.#steps.push(
      random.chance(0.5)
        ? { op: "groupByKey", id: grouped, from: source.id }
        : { op: "groupBy", id: grouped, from: source.id, ...keyMapper(this.#random, source.value) },
    );
    const windowing = random.chance(0.6) ? windows(this.#random) : undefined;
    let over = grouped;
    if (windowing !== undefined) {
      over = this.#id();
      this.#steps.push({ ...windowing.step, op: "windowedBy", id: over, from: grouped });
    }
    const id = this.#id();
    const { step, value } = aggregation(
      this.#random,
      source.value,
      nullSafe && windowing !== undefined,
      windowing?.session ?? false,
    );
    const store = this.#maybeStore();
    if (windowing?.onClose) delete store.caching;
    this.#steps.push({ ...step, id, from: over, ...store } as unknown as Step);
    this.#tables.push({
      id,
      value,
      windowed: windowing !== undefined,
      grace: windowing?.grace ?? 0,
      session: windowing?.session ?? false,
    });
  }

  #joinStreams(from: Stream): void {
    const random = this.#random;
    const others = this.#streams.filter((s) =>
      !s.windowed && (s.id !== from.id || random.chance(0.2))
    );
    if (others.length === 0) return;
    const other = random.pick(others);
    this.#used.add(other.id);
    const before = random.int(0, 15);
    const op = random.pick(["join", "leftJoin", "outerJoin"]);
    this.#then(from, {
      op,
      kind: "stream-stream",
      with: other.id,
      beforeMs: before,
      afterMs: random.chance(0.5) ? before : random.int(0, 15),
      graceMs: random.int(0, 12),
    }, { value: "string" });
  }

  #joinTable(from: Stream): void {
    const plain = this.#tables.filter((t) => !t.windowed);
    if (plain.length === 0) return;
    const table = this.#random.pick(plain);
    this.#used.add(table.id);
    this.#then(from, {
      op: this.#random.pick(["join", "leftJoin"]),
      kind: "stream-table",
      with: table.id,
    }, { value: "string" });
  }

  #tableStep(from: Table): void {
    const random = this.#random;
    const derive = (
      step: Record<string, unknown> & { op: string },
      value: Stream["value"] = from.value,
    ) => {
      const id = this.#id();
      this.#used.add(from.id);
      this.#add({ ...step, id, from: from.id }, { ...from, value, id }, this.#tables);
    };
    const choices: (() => void)[] = [
      () =>
        derive({
          op: random.pick(["filter", "filterNot"]),
          ...predicate(this.#random, from.value),
          ...this.#maybeStoreOf(from),
        }),
      () =>
        from.value === "string"
          ? derive({ op: "mapValues", fn: "append", arg: "?", ...this.#maybeStoreOf(from) })
          : derive({ op: "mapValues", fn: "toString", ...this.#maybeStoreOf(from) }, "string"),
      () => this.#toStream(from),
    ];
    if (from.windowed) choices.push(() => derive({ op: "suppress", until: "windowCloses" }));
    else {
      choices.push(
        () =>
          derive({
            op: "suppress",
            until: "timeLimit",
            timeLimitMs: random.int(0, 20),
            ...(random.chance(0.3) ? { maxRecords: random.int(1, 4) } : {}),
          }),
        () => this.#groupTable(from),
        () => this.#joinTables(from),
        () => this.#joinTables(from),
      );
    }
    random.pick(choices)();
  }

  /** Only plain tables are named here: a windowed one's derived store needs nothing that differs. */
  #maybeStoreOf(from: Table): Record<string, unknown> {
    return from.windowed ? {} : this.#random.chance(0.3) ? { store: this.#storeName() } : {};
  }

  #groupTable(from: Table): void {
    const random = this.#random;
    const grouped = this.#id();
    this.#used.add(from.id);
    this.#steps.push({
      op: "groupBy",
      id: grouped,
      from: from.id,
      keyFn: random.pick(["keyFirstChar", "keyUpperCase"]),
      valueFn: "identity",
    });
    const id = this.#id();
    const [step, value] = random.pick<[Record<string, unknown>, Stream["value"]]>([
      [{ op: "count" }, "long"],
      [
        {
          op: "aggregate",
          fn: "concatPlus",
          subtractor: "concatMinus",
          init: "",
          result: "string",
        },
        "string",
      ],
      ...(from.value === "string" ? [] : [
        [{ op: "reduce", fn: "sum", subtractor: "subtract" }, from.value] as [
          Record<string, unknown>,
          Stream["value"],
        ],
      ]),
    ]);
    this.#add(
      { ...step, id, from: grouped, ...this.#maybeStore() } as never,
      plainTable(id, value),
      this.#tables,
    );
  }

  #joinTables(from: Table): void {
    const random = this.#random;
    const plain = this.#tables.filter((t) => !t.windowed && t.id !== from.id);
    if (plain.length === 0) return;
    const other = random.pick(plain);
    this.#used.add(from.id);
    this.#used.add(other.id);
    const id = this.#id();
    const foreign = from.value === "string" && random.chance(0.3);
    const step = foreign
      ? { op: random.pick(["join", "leftJoin"]), kind: "fk", keyFn: "firstChar" }
      : { op: random.pick(["join", "leftJoin", "outerJoin"]), kind: "table-table" };
    this.#add(
      { ...step, id, from: from.id, with: other.id, ...(foreign ? {} : this.#maybeStore()) },
      plainTable(id, "string"),
      this.#tables,
    );
  }

  #toStream(from: Table): Stream {
    const id = this.#id();
    this.#used.add(from.id);
    const mapped = from.windowed && this.#random.chance(0.4);
    const step = mapped ? { fn: this.#random.pick(["windowKey", "windowKeyStart"]) } : {};
    return this.#add({ op: "toStream", id, from: from.id, ...step }, {
      id,
      value: from.value,
      windowed: from.windowed && !mapped,
    }, this.#streams)!;
  }

  /** Everything that leads nowhere is written to a topic of its own. */
  #closeAll(): void {
    for (const table of this.#tables) if (!this.#used.has(table.id)) this.#toStream(table);
    let count = 0;
    for (const stream of this.#streams) {
      if (!this.#used.has(stream.id)) {
        this.#steps.push({ op: "to", from: stream.id, topic: `out${count++}` });
      }
    }
  }
}

function plainTable(id: string, value: Stream["value"]): Table {
  return { id, value, windowed: false, grace: 0, session: false };
}
