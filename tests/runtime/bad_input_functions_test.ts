// User functions that throw or give a Promise, in a running application: what it says, and that the record is processed once the function is right.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import type { StreamsBuilder } from "../../lib/dsl/streams_builder.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { string } from "../../lib/serde/primitives.ts";
import { Topology } from "../../lib/topology/topology.ts";
import type { TopologySource } from "../../lib/runtime/topology_source.ts";
import { newTopic, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { eventually, log, reaches, readAllCommitted, readUntil } from "./application.ts";
import {
  committedOffsets,
  dropped,
  embeddedSubject,
  errorHeaders,
  realApplication,
  writeRaw,
} from "./bad_input.ts";
import { passThrough } from "./counting.ts";

const TEXT = { key: string(), value: string() };
let subject: ReturnType<typeof embeddedSubject>;
before(() => {
  subject = embeddedSubject();
});
after(() => subject.close());

/** What happens to the record "bad": the user's function throws, or gives a Promise that rejects. */
const throwing = <T>(value: string, right: T): T => {
  if (value === "bad") throw new RangeError("it is bad");
  return right;
};
// deno-lint-ignore no-explicit-any
const rejecting = (value: string, right: unknown): any =>
  value === "bad" ? Promise.reject(new RangeError("it is bad")) : right;

const dsl = (from: string, build: (stream: ReturnType<StreamsBuilder["stream"]>) => void) =>
  defineTopology((builder) => build(builder.stream(topic(from, TEXT)) as never));

interface Fault {
  readonly name: string;
  // deno-lint-ignore no-explicit-any
  readonly build: (from: string, to: string) => TopologySource | ((stream: any) => void);
  readonly error: string;
  readonly message: (from: string) => string;
  readonly cause?: string | undefined;
}
const caught = (processor: string) => (from: string) =>
  `Exception caught in process. taskId=0_0, processor=${processor}, topic=${from}, partition=0, offset=1`;
const promise = (what: string) => () =>
  `Cannot use the ${what} as user functions are synchronous: current value is a Promise; do asynchronous work before the topic or behind it`;

const FAULTS: readonly Fault[] = [
  {
    name: "a mapper that throws",
    build: (_, to) => (s) => s.mapValues((v: string) => throwing(v, v)).to(topic(to, TEXT)),
    error: "StreamsException",
    message: caught("KSTREAM-MAPVALUES-0000000001"),
    cause: "it is bad",
  },
  {
    name: "a mapper that gives a Promise",
    build: (_, to) => (s) => s.mapValues((v: string) => rejecting(v, v)).to(topic(to, TEXT)),
    error: "AsyncFunctionError",
    message: promise("value mapper"),
    cause: "it is bad",
  },
  {
    name: "an aggregator that throws",
    build: (_, to) => (s) =>
      s.groupByKey().aggregate(() => "", (_: string, v: string) => throwing(v, v), {
        store: "all",
        ...TEXT,
        caching: false,
      }).toStream().to(topic(to, TEXT)),
    error: "StreamsException",
    message: caught("KSTREAM-AGGREGATE-0000000001"),
    cause: "it is bad",
  },
  {
    name: "an aggregator that gives a Promise",
    build: (_, to) => (s) =>
      s.groupByKey().aggregate(() => "", (_: string, v: string) => rejecting(v, v), {
        store: "all",
        ...TEXT,
        caching: false,
      }).toStream().to(topic(to, TEXT)),
    error: "AsyncFunctionError",
    message: promise("aggregator"),
    cause: "it is bad",
  },
  {
    name: "a predicate that gives a Promise",
    build: (_, to) => (s) => s.filter((v: string) => rejecting(v, true)).to(topic(to, TEXT)),
    error: "AsyncFunctionError",
    message: promise("predicate"),
    cause: "it is bad",
  },
  {
    name: "a processor whose process() is asynchronous",
    build: (from, to) =>
      passThrough(from, to).addProcessor("own", () => ({
        process: ({ value }: { value: string }) => rejecting(value, undefined),
      }), "source"),
    error: "AsyncFunctionError",
    message: () =>
      "Cannot go on in processor own as process() gave a Promise and the record path is synchronous: current value is a Promise. " +
      "Return nothing, and do asynchronous work before the record enters the topology",
    cause: "it is bad",
  },
  {
    name: "a timestamp extractor that throws",
    build: (from, to) =>
      new Topology().addSource("source", from, {
        ...TEXT,
        timestampExtractor: ({ value }) => throwing(String(value), 5),
      }).addSink("sink", to, TEXT, "source"),
    error: "StreamsException",
    message: (from) =>
      `Fatal user code error in TimestampExtractor callback for record topic=${from} partition=0 offset=1`,
    cause: "it is bad",
  },
  {
    name: "a timestamp extractor that gives a Promise",
    build: (from, to) =>
      new Topology().addSource("source", from, {
        ...TEXT,
        timestampExtractor: ({ value }) => rejecting(String(value), 5),
      }).addSink("sink", to, TEXT, "source"),
    error: "AsyncFunctionError",
    message: (from) =>
      `Cannot use the timestamp of topic=${from} partition=0 offset=1 as an extractor must give whole milliseconds: current value is a Promise`,
    cause: "it is bad",
  },
  {
    name: "a timestamp extractor that gives no number",
    build: (from, to) =>
      new Topology().addSource("source", from, {
        ...TEXT,
        timestampExtractor: ({ value }) => value === "bad" ? Number("soon") : 5,
      }).addSink("sink", to, TEXT, "source"),
    error: "StreamsException",
    message: (from) =>
      `Cannot use the timestamp of topic=${from} partition=0 offset=1 as an extractor must give whole milliseconds: current value is NaN`,
  },
  {
    name: "a function that chooses topics and gives a Promise",
    build: (_, to) => (s) => s.to((v: string) => rejecting(v, to), TEXT),
    error: "AsyncFunctionError",
    message: () =>
      "Cannot choose a topic in sink KSTREAM-SINK-0000000001 as user functions are synchronous: current value is a Promise",
    cause: "it is bad",
  },
  {
    name: "a function that chooses topics and throws",
    build: (_, to) => (s) => s.to((v: string) => throwing(v, to), TEXT),
    error: "StreamsException",
    message: caught("unknown"),
    cause: "it is bad",
  },
  {
    name: "a partitioner that gives a Promise",
    build: (_, to) => (s) => s.to(topic(to, TEXT), { partitioner: (v: string) => rejecting(v, 0) }),
    error: "AsyncFunctionError",
    message: () =>
      "Cannot choose partitions in sink KSTREAM-SINK-0000000001 as user functions are synchronous: current value is a Promise",
    cause: "it is bad",
  },
  {
    name: "a partitioner that gives a partition which the topic has not got",
    build: (_, to) => (s) =>
      s.to(topic(to, TEXT), { partitioner: (v: string) => v === "bad" ? 7 : 0 }),
    error: "StreamsException",
    message: () =>
      "Cannot choose partitions in sink KSTREAM-SINK-0000000001 as the topic has 1: current value is 7",
  },
];

for (const { name, build, error, message, cause } of FAULTS) {
  test(`An application stops at ${name}, and processes the record when that is mended`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        const id = unique("functions");
        const all = { "application.id": id };
        const made = build(from, to);
        const faulty = typeof made === "function" ? dsl(from, made) : made;
        await writeRaw(subject, from, [
          { key: "a", value: "first" },
          { key: "b", value: "bad" },
          { key: "c", value: "last" },
        ]);
        const failing = realApplication(subject, faulty, dir, all);
        await failing.start();
        await reaches(failing, "ERROR");
        const failure = failing.failure!;
        assertEquals([failure.name, failure.message], [error, message(from)]);
        assertEquals((failure.cause as Error | undefined)?.message, cause);
        await failing.close();
        assert(((await committedOffsets(subject, id))[`${from}-0`] ?? 0) <= 1);

        const right = realApplication(subject, passThrough(from, to), dir, all);
        await right.start();
        await readUntil(subject, to, 1, (rows) => rows.length >= 3);
        assert(await right.close());
        const rows = await readAllCommitted(subject, to, 1);
        assertEquals(rows.map((r) => r.value), ["first", "bad", "last"]);
      })
    ));
}

test("A processing handler leaves a record out that a function throws at, and never one that it gave a Promise for", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const letters = await newTopic(subject, "letters", 1);
      const config = {
        "application.id": unique("functions"),
        "processing.exception.handler": "dead-letter-queue",
        "errors.dead.letter.queue.topic.name": letters,
      };
      const topology = defineTopology((builder) =>
        builder.stream(topic(from, TEXT))
          .mapValues((value) => throwing(value, value))
          .mapValues((value) => value === "later" ? rejecting("bad", value) : value)
          .to(topic(to, TEXT))
      );
      const streams = realApplication(subject, topology, dir, config);
      await streams.start();
      await writeRaw(subject, from, [
        { key: "a", value: "first" },
        { key: "b", value: "bad" },
        { key: "c", value: "last" },
      ]);
      await eventually("all is committed", async () =>
        (await committedOffsets(subject, config["application.id"]))[`${from}-0`] === 3);
      assertEquals(dropped(streams, "processing"), [1, 1]);
      const rows = await readAllCommitted(subject, to, 1);
      assertEquals(
        rows.map((r) =>
          r.value
        ),
        ["first", "last"],
      );
      const [letter, ...others] = await readAllCommitted(subject, letters, 1);
      assertEquals([letter.key, letter.value, others.length], ["b", "bad", 0]);
      assertEquals(errorHeaders(letter), {
        "__streams.errors.exception": "RangeError",
        "__streams.errors.message": "it is bad",
        "__streams.errors.topic": from,
        "__streams.errors.partition": "0",
        "__streams.errors.offset": "1",
      });
      await writeRaw(subject, from, [{ key: "d", value: "later" }]);
      await reaches(streams, "ERROR");
      assertEquals(streams.failure?.name, "AsyncFunctionError");
      await streams.close();
      assertEquals((await committedOffsets(subject, config["application.id"]))[`${from}-0`], 3);
    })
  ));

for (
  const { what, handler, message } of [
    {
      what: "throws",
      handler: () => {
        throw new RangeError("the handler is broken");
      },
      message: "the handler is broken",
    },
    {
      what: "gives a Promise",
      handler: () => Promise.reject(new Error("too late")),
      message:
        'Cannot use the processing handler\'s answer as it must be "continue" or "fail": current value is a Promise',
    },
  ]
) {
  test(`An application stops when its processing handler ${what}`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        const id = unique("functions");
        const topology = dsl(from, (s) => s.foreach((v) => throwing(String(v), undefined)));
        const streams = realApplication(subject, topology, dir, {
          "application.id": id,
          "processing.exception.handler": handler,
        });
        await streams.start();
        await writeRaw(subject, from, [{ key: "b", value: "bad" }]);
        await reaches(streams, "ERROR");
        const { failure } = streams;
        assert(failure!.message.startsWith("Exception caught in process. taskId=0_0"));
        const cause = failure!.cause as Error;
        assertEquals(cause.message, "Fatal user code error in processing error callback");
        assertEquals((cause.cause as Error).message, message);
        await streams.close();
        assertEquals((await committedOffsets(subject, id))[`${from}-0`] ?? 0, 0);
      })
    ));
}

for (const how of ["throws", "gives a Promise"]) {
  test(`An application stops when a punctuator ${how}`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        const bad = how === "throws" ? throwing : rejecting;
        const topology = passThrough(from, "out").addProcessor("own", () => ({
          init(context: { schedule(...args: unknown[]): unknown }) {
            context.schedule(20, "wall-clock-time", () => bad("bad", undefined));
          },
          process() {},
        }), "source");
        const streams = realApplication(subject, topology as TopologySource, dir, {
          "application.id": unique("punctuator"),
        });
        await streams.start();
        await reaches(streams, "ERROR");
        const failure = streams.failure!;
        assertEquals(
          [failure.name, failure.message],
          how === "throws"
            ? ["StreamsException", "task [0_0] Exception caught while punctuating processor 'own'"]
            : [
              "AsyncFunctionError",
              "Cannot go on in processor own as its punctuator gave a Promise and punctuators are synchronous: current value is a Promise",
            ],
        );
        assertEquals((failure.cause as Error).message, "it is bad");
        await streams.close();
      })
    ));
}
