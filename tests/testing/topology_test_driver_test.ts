import { join } from "node:path";
import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AsyncFunctionError, StreamsException, TopologyException } from "../../lib/errors.ts";
import { StreamRecord } from "../../lib/record/record.ts";
import { long, string } from "../../lib/serde/primitives.ts";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import type { KeyValueStore } from "../../lib/state/store.ts";
import { keyValueStoreBuilder } from "../../lib/state/stores.ts";
import { inMemoryKeyValueStore, persistentKeyValueStore } from "../../lib/state/suppliers.ts";
import { TopologyTestDriver } from "../../lib/testing/topology_test_driver.ts";
import type { Processor, ProcessorContext, PunctuationType } from "../../lib/topology/processor.ts";
import { Topology } from "../../lib/topology/topology.ts";
import { withTempDir } from "../support/temp_dir.ts";

const TEXT = { key: string(), value: string() };
const COUNTS = { key: string(), value: long() };

class Counter implements Processor<string, string, string, number> {
  #context!: ProcessorContext<string, number>;
  #store!: KeyValueStore<string, number>;
  init(context: ProcessorContext<string, number>): void {
    this.#context = context;
    this.#store = context.getStateStore("counts");
  }
  process(record: StreamRecord<string, string>): void {
    const count = (this.#store.get(record.key) ?? 0) + 1;
    this.#store.put(record.key, count);
    this.#context.forward(record.withValue(count));
  }
}

function counting(persistent: boolean): Topology {
  const supplier = persistent ? persistentKeyValueStore("counts") : inMemoryKeyValueStore("counts");
  return new Topology()
    .addSource("source", "in", TEXT)
    .addProcessor("counter", () => new Counter(), "source")
    .addStateStore(keyValueStoreBuilder(supplier, COUNTS), "counter")
    .addSink("sink", "out", COUNTS, "counter");
}

class Each implements Processor<any, any, any, any> {
  readonly #run: (record: StreamRecord<any, any>, context: ProcessorContext<any, any>) => unknown;
  #context!: ProcessorContext<any, any>;
  constructor(
    run: (record: StreamRecord<any, any>, context: ProcessorContext<any, any>) => unknown,
  ) {
    this.#run = run;
  }
  init(context: ProcessorContext<any, any>): void {
    this.#context = context;
  }
  process(record: StreamRecord<any, any>): void {
    return this.#run(record, this.#context) as void;
  }
}

function each(
  run: (record: StreamRecord<any, any>, context: ProcessorContext<any, any>) => unknown,
): Topology {
  return new Topology().addSource("source", "in", TEXT).addProcessor(
    "each",
    () => new Each(run),
    "source",
  )
    .addSink("sink", "out", TEXT, "each");
}

for (const persistent of [true, false]) {
  test(`TopologyTestDriver counts with a ${persistent ? "persistent" : "memory"} store and logs to its changelog`, () => {
    using driver = new TopologyTestDriver(counting(persistent), { "application.id": "app" });
    const input = driver.createInputTopic("in", TEXT, { startMs: 10, autoAdvanceMs: 5 });
    input.pipeAll([["a", "x"], ["b", "y"], ["a", "z"]]);
    const output = driver.createOutputTopic("out", COUNTS);
    assertEquals(output.readRecords().map((r) => [r.key, r.value, r.timestamp]), [
      ["a", 1, 10],
      ["b", 1, 15],
      ["a", 2, 20],
    ]);
    assert(output.isEmpty);
    const changelog = driver.createOutputTopic("app-counts-changelog", COUNTS);
    assertEquals(changelog.readKeyValuesToMap(), new Map([["a", 2], ["b", 1]]));
    assertEquals([...driver.getKeyValueStore<string, number>("counts")!.all()], [["a", 2], [
      "b",
      1,
    ]]);
    assertEquals(driver.producedTopicNames(), ["app-counts-changelog", "out"]);
    assertEquals(driver.storeKind("counts"), "keyValue");
  });
}

test("TopologyTestDriver feeds what is written to a topic that is read", () => {
  const topology = new Topology()
    .addSource("source", "in", TEXT).addSink("through", "middle", TEXT, "source")
    .addSource("again", "middle", TEXT).addSink("sink", "out", TEXT, "again");
  using driver = new TopologyTestDriver(topology);
  driver.createInputTopic("in", TEXT).pipe("k", "v", { timestamp: 3 });
  assertEquals(driver.createOutputTopic("out", TEXT).readKeyValues(), [["k", "v"]]);
  assertEquals(driver.createOutputTopic("middle", TEXT).readRecord().timestamp, 3);
});

class Ticker implements Processor<string, string, string, string> {
  readonly #type: PunctuationType;
  readonly #startMs: number | undefined;
  constructor(type: PunctuationType, startMs?: number) {
    this.#type = type;
    this.#startMs = startMs;
  }
  init(context: ProcessorContext<string, string>): void {
    context.schedule(10, this.#type, (timestamp) => {
      assertEquals(context.recordMetadata(), { topic: null, partition: -1, offset: -1 });
      context.forward(new StreamRecord("tick", String(timestamp), timestamp));
    }, this.#startMs);
  }
  process(): void {}
}

function ticking(type: PunctuationType, startMs?: number): Topology {
  return new Topology().addSource("source", "in", TEXT)
    .addProcessor("ticker", () => new Ticker(type, startMs), "source").addSink(
      "sink",
      "out",
      TEXT,
      "ticker",
    );
}

test("TopologyTestDriver fires stream-time punctuations with the first record and at multiples of the interval", () => {
  using driver = new TopologyTestDriver(ticking("stream-time"));
  const input = driver.createInputTopic("in", TEXT);
  for (const timestamp of [7, 9, 12, 45, 40]) input.pipe("k", "v", { timestamp });
  assertEquals(driver.createOutputTopic("out", TEXT).readKeyValues().map(([, v]) => v), [
    "7",
    "12",
    "45",
  ]);
});

test("TopologyTestDriver fires wall-clock punctuations only when the clock is moved", () => {
  using driver = new TopologyTestDriver(ticking("wall-clock-time"), {}, { startMs: 1_000 });
  driver.createInputTopic("in", TEXT).pipe("k", "v", { timestamp: 99_999 });
  driver.advanceWallClockTime(9);
  const output = driver.createOutputTopic("out", TEXT);
  assert(output.isEmpty);
  driver.advanceWallClockTime(1);
  driver.advanceWallClockTime(35);
  assertEquals(output.readKeyValues().map(([, v]) => v), ["1010", "1045"]);
});

test("TopologyTestDriver starts an anchored schedule at its anchor", () => {
  using driver = new TopologyTestDriver(ticking("wall-clock-time", 1_003), {}, { startMs: 1_000 });
  for (let i = 0; i < 14; i++) driver.advanceWallClockTime(1);
  assertEquals(driver.createOutputTopic("out", TEXT).readKeyValues().map(([, v]) => v), [
    "1003",
    "1013",
  ]);
});

test("A processor that throws stops the task with Kafka Streams' message and the cause", () => {
  using driver = new TopologyTestDriver(each(() => {
    throw new RangeError("no");
  }));
  const error = assertThrows(
    () => driver.createInputTopic("in", TEXT).pipe("k", "v"),
    StreamsException,
    "Exception caught in process. taskId=0_0, processor=each, topic=in, partition=0, offset=0",
  );
  assert((error.cause as Error) instanceof RangeError);
});

test("A processor that throws is skipped, and counted, when the handler says so", () => {
  using driver = new TopologyTestDriver(
    each((record, context) => {
      if (record.value === "bad") throw new Error("no");
      context.forward(record);
    }),
    { "processing.exception.handler": "log-and-continue" },
  );
  const input = driver.createInputTopic("in", TEXT);
  for (const value of ["a", "bad", "b"]) input.pipe("k", value);
  assertEquals(driver.createOutputTopic("out", TEXT).readKeyValues(), [["k", "a"], ["k", "b"]]);
  assertEquals([driver.droppedRecords, driver.droppedFor("processing")], [1, 1]);
});

test("A failed record goes to the dead letter topic as it came, with its cause in headers", () => {
  using driver = new TopologyTestDriver(
    each(() => {
      throw new RangeError("too much");
    }),
    {
      "processing.exception.handler": "dead-letter-queue",
      "errors.dead.letter.queue.topic.name": "dlq",
    },
  );
  driver.createInputTopic("in", TEXT).pipe("k", "v", { timestamp: 7 });
  const letter = driver.createOutputTopic("dlq", TEXT).readRecord();
  assertEquals([letter.key, letter.value, letter.timestamp], ["k", "v", 7]);
  const header = (name: string) => letter.headers.lastText(`__streams.errors.${name}`);
  assertEquals(
    [
      header("exception"),
      header("message"),
      header("topic"),
      header("partition"),
      header("offset"),
    ],
    ["RangeError", "too much", "in", "0", "0"],
  );
  assert(header("stacktrace")!.includes("too much"));
});

test("Undecodable bytes stop the task by default, and go to the dead letter topic by choice", () => {
  const topology = () =>
    new Topology().addSource("source", "in", { key: string(), value: long() })
      .addSink("sink", "out", COUNTS, "source");
  const record = { topic: "in", key: null, value: Uint8Array.of(1, 2), timestamp: 5 };
  using strict = new TopologyTestDriver(topology());
  assertThrows(
    () => strict.pipeRaw(record),
    StreamsException,
    "Deserialization exception handler is set to fail",
  );
  using lenient = new TopologyTestDriver(topology(), {
    "deserialization.exception.handler": "dead-letter-queue",
    "errors.dead.letter.queue.topic.name": "dlq",
  });
  lenient.pipeRaw(record);
  assertEquals(lenient.droppedFor("deserialization"), 1);
  assertEquals([...lenient.outputQueue("dlq")[0].value!], [1, 2]);
});

test("A value that cannot be serialized asks the production handler", () => {
  const topology = () => each((record, context) => context.forward(record.withValue(5)));
  using strict = new TopologyTestDriver(topology());
  assertThrows(() => strict.createInputTopic("in", TEXT).pipe("k", "v"), StreamsException);
  using lenient = new TopologyTestDriver(topology(), {
    "production.exception.handler": "log-and-continue",
  });
  lenient.createInputTopic("in", TEXT).pipe("k", "v");
  assert(lenient.createOutputTopic("out", TEXT).isEmpty);
  assertEquals(lenient.droppedFor("production"), 1);
});

test("A processor that returns a Promise is refused by name", () => {
  using driver = new TopologyTestDriver(each(() => Promise.resolve()));
  assertThrows(
    () => driver.createInputTopic("in", TEXT).pipe("k", "v"),
    AsyncFunctionError,
    "processor each",
  );
});

test("Dropped records go to the dead letter topic with their reason when that is asked for", () => {
  using driver = new TopologyTestDriver(
    each((_, context) => context.dropped("late", "window closed")),
    {
      "errors.dead.letter.queue.topic.name": "dlq",
      "errors.dead.letter.queue.dropped.records": "late,null-key",
    },
  );
  driver.createInputTopic("in", TEXT).pipe("k", "v");
  const letter = driver.createOutputTopic("dlq", TEXT).readRecord();
  assertEquals([letter.key, letter.headers.lastText("__streams.errors.reason")], ["k", "late"]);
  assertEquals(driver.droppedRecords, 1);
});

test("A sink sends to each partition that its partitioner chooses, or to none", () => {
  const topology = new Topology().addSource("source", "in", TEXT).addSink("sink", "out", {
    ...TEXT,
    partitioner: (_topic, _key, value) =>
      value === "drop" ? [] : value === "all" ? [0, 0] : undefined,
  }, "source");
  using driver = new TopologyTestDriver(topology);
  const input = driver.createInputTopic("in", TEXT);
  for (const value of ["one", "drop", "all"]) input.pipe("k", value);
  assertEquals(driver.createOutputTopic("out", TEXT).readKeyValues().map(([, v]) => v), [
    "one",
    "all",
    "all",
  ]);
});

test("A sink may choose the topic by record, and the name must be text", () => {
  const topology = new Topology().addSource("source", "in", TEXT)
    .addSink("sink", (key, _value, context) => `${key}-${context.topic}`, TEXT, "source");
  using driver = new TopologyTestDriver(topology);
  driver.createInputTopic("in", TEXT).pipe("k", "v");
  assertEquals(driver.createOutputTopic("k-in", TEXT).readKeyValues(), [["k", "v"]]);
});

test("A processor sees only the stores it is connected to", () => {
  using driver = new TopologyTestDriver(each(() => {}));
  assertEquals(driver.getAllStateStores().size, 0);
  const topology = counting(false).addProcessor("other", () => new Counter(), "source");
  assertThrows(
    () => new TopologyTestDriver(topology),
    StreamsException,
    "failed to initialize processor other",
  );
});

test("A topic that no source reads is refused", () => {
  using driver = new TopologyTestDriver(counting(false));
  assertThrows(
    () => driver.createInputTopic("nowhere", TEXT).pipe("k", "v"),
    TopologyException,
    "Unknown topic: nowhere",
  );
});

test("Forwarding to a child by name reaches that child alone", () => {
  const topology = new Topology().addSource("source", "in", TEXT)
    .addProcessor("each", () => new Each((r, context) => context.forward(r, r.value)), "source")
    .addSink("left", "l", TEXT, "each").addSink("right", "r", TEXT, "each");
  using driver = new TopologyTestDriver(topology);
  const input = driver.createInputTopic("in", TEXT);
  input.pipe("k", "right");
  assertEquals(driver.createOutputTopic("r", TEXT).queueSize, 1);
  assertEquals(driver.createOutputTopic("l", TEXT).queueSize, 0);
  assertThrows(() => input.pipe("k", "nobody"), StreamsException, "Exception caught in process");
});

test("A store that is written downstream of a changed timestamp logs with the changed one", () => {
  const topology = new Topology().addSource("source", "in", TEXT)
    .addProcessor(
      "shift",
      () => new Each((r, context) => context.forward(r.withTimestamp(500))),
      "source",
    )
    .addProcessor("counter", () => new Counter(), "shift")
    .addStateStore(keyValueStoreBuilder(persistentKeyValueStore("counts"), COUNTS), "counter");
  using driver = new TopologyTestDriver(topology, { "application.id": "app" });
  driver.createInputTopic("in", TEXT).pipe("k", "v", { timestamp: 5 });
  assertEquals(driver.outputQueue("app-counts-changelog")[0].timestamp, 500);
});

test("TopologyTestDriver waits for an empty source as max.task.idle.ms says, and then goes by timestamps", () => {
  const topology = new Topology()
    .addSource("one", "in1", TEXT)
    .addSource("two", "in2", TEXT)
    .addSink("sink", "out", TEXT, "one", "two");
  const driver = new TopologyTestDriver(topology, { "max.task.idle.ms": 100 });
  const [one, two] = ["in1", "in2"].map((name) => driver.createInputTopic(name, TEXT));
  const out = driver.createOutputTopic("out", TEXT);
  const values = () => out.readRecords().map(({ value }) => value);
  one.pipe("k", "a20", { timestamp: 20 });
  assertEquals(values(), []);
  two.pipe("k", "b10", { timestamp: 10 });
  assertEquals(values(), ["b10"]);
  driver.advanceWallClockTime(99);
  assertEquals(values(), []);
  driver.advanceWallClockTime(1);
  assertEquals(values(), ["a20"]);
  driver.close();
});

test("TopologyTestDriver with stores on disk goes on from what an earlier one left there", () =>
  withTempDir((directory) => {
    const openState = (task: string) => new LmdbEnvironment({ directory: join(directory, task) });
    for (const expected of [[1, 2], [3, 4]]) {
      const driver = new TopologyTestDriver(counting(true), {}, { openState });
      const input = driver.createInputTopic("in", TEXT);
      const output = driver.createOutputTopic("out", COUNTS);
      input.pipe("a", "x");
      input.pipe("a", "y");
      assertEquals(output.readKeyValues().map(([, count]) => count), expected);
      driver.close();
    }
    const inMemory = new TopologyTestDriver(counting(false), {}, { openState });
    inMemory.createInputTopic("in", TEXT).pipe("a", "x");
    assertEquals(inMemory.createOutputTopic("out", COUNTS).readValue(), 1);
    inMemory.close();
  }));
