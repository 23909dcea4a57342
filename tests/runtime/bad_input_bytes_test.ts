// Records that cannot be read: what stops the application, what it says, and that nothing before or behind them is lost.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { avro } from "../../lib/serde/avro.ts";
import { encodeAlone } from "../../lib/serde/list.ts";
import { mockRegistry } from "../../lib/serde/mock_registry.ts";
import { string } from "../../lib/serde/primitives.ts";
import { newTopic, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { eventually, log, reaches, readAllCommitted, readUntil } from "./application.ts";
import {
  committedOffsets,
  dropped,
  embeddedSubject,
  errorHeaders,
  headersOf,
  realApplication,
  writeRaw,
} from "./bad_input.ts";

const TEXT = { key: string(), value: string() };
interface Order {
  readonly amount: number;
}
const ORDER = { type: "record", name: "Order", fields: [{ name: "amount", type: "int" }] } as const;
const SCOPE = unique("bad-bytes");
const REGISTRY = mockRegistry(SCOPE);

let subject: ReturnType<typeof embeddedSubject>;
before(() => {
  subject = embeddedSubject();
});
after(() => subject.close());

/** Orders as another producer writes them. */
const order = (from: string, amount: number): Uint8Array =>
  encodeAlone(avro<Order>(ORDER, { registry: REGISTRY }), { amount }, {
    topic: from,
    isKey: false,
  });

const amounts = (from: string, to: string) =>
  defineTopology((builder) =>
    builder.stream(topic(from, { key: string(), value: avro<Order>(ORDER) }))
      .mapValues(({ amount }) => String(amount))
      .to(topic(to, TEXT))
  );

/** The same bytes with one of them changed. */
const changed = (bytes: Uint8Array, at: number, to: number) => {
  const copy = bytes.slice();
  copy[at] = to;
  return copy;
};

const noPrefix = (from: string, given: string) =>
  `Cannot read the value of ${from} as Avro as it must begin with the magic byte 0 and a schema id of 4 bytes, ` +
  `or carry a GUID in the header __value_schema_id: current value is ${given}`;

const FAULTS: readonly {
  readonly name: string;
  readonly bad: (from: string) => Uint8Array;
  readonly message: (from: string) => string;
}[] = [
  {
    name: "corrupt Avro",
    bad: (from) => changed(order(from, 5), 5, 0xff),
    message: (from) =>
      `Cannot read the value of ${from} as avro(Order) as it is cut short within a number: current value is 6 bytes with schema SCHEMA_ID`,
  },
  {
    name: "an unknown schema id",
    bad: (from) => new Uint8Array([0, 0, 0, 0x30, 0x39, ...order(from, 5).subarray(5)]),
    message: (from) =>
      `Cannot read the value of ${from} as its schema must be registered: current value is id 12345: Schema 12345 not found`,
  },
  {
    name: "a wrong magic byte",
    bad: (from) => changed(order(from, 5), 0, 7),
    message: (from) => noPrefix(from, "6 bytes that begin with 7"),
  },
  {
    name: "a record that is shorter than its schema id",
    bad: () => new Uint8Array([0, 0, 0]),
    message: (from) => noPrefix(from, "3 bytes that begin with 0"),
  },
  {
    name: "an empty record",
    bad: () => new Uint8Array(0),
    message: (from) => noPrefix(from, "0 bytes"),
  },
];

for (const [i, { name, bad, message }] of FAULTS.entries()) {
  for (const guarantee of i === 0 ? ["exactly_once_v2", "at_least_once"] : ["exactly_once_v2"]) {
    test(`An application stops at ${name}, and goes on behind it only when it is told to (${guarantee})`, () =>
      log.printOnFailure(() =>
        withTempDir(async (dir) => {
          const from = await newTopic(subject, "from", 1);
          const to = await newTopic(subject, "to", 1);
          const letters = await newTopic(subject, "letters", 1);
          const id = unique("bytes");
          const all = {
            "application.id": id,
            "processing.guarantee": guarantee,
            "schema.registry.url": `mock://${SCOPE}`,
          };
          const schemaId = new DataView(order(from, 1).buffer).getUint32(1);
          const why = message(from).replace("SCHEMA_ID", String(schemaId));
          const start = async (more: Record<string, unknown> = {}) => {
            const streams = realApplication(subject, amounts(from, to), dir, { ...all, ...more });
            await streams.start();
            return streams;
          };
          await writeRaw(subject, from, [
            { key: "a", value: order(from, 1) },
            { key: "b", value: bad(from) },
            { key: "c", value: order(from, 3) },
          ]);

          for (let round = 0; round < 2; round++) {
            const failing = await start();
            await reaches(failing, "ERROR");
            assertEquals(failing.failure?.name, "StreamsException");
            assertEquals(
              failing.failure?.message,
              "Deserialization exception handler is set to fail upon a deserialization error. " +
                "If you would rather have the streaming pipeline continue after a deserialization error, please set the " +
                `deserialization.exception.handler appropriately. topic=[${from}] partition=[0] offset=[1]`,
            );
            const cause = failing.failure?.cause as Error;
            assertEquals([cause.name, cause.message], ["SerializationException", why]);
            await failing.close();
            assert(((await committedOffsets(subject, id))[`${from}-0`] ?? 0) <= 1);
          }

          const going = await start({
            "errors.dead.letter.queue.topic.name": letters,
            "deserialization.exception.handler": "log-and-continue",
          });
          await readUntil(subject, to, 1, (rows) => rows.some((r) => r.value === "3"));
          assertEquals(dropped(going, "deserialization"), [1, 1]);
          await eventually("all is committed", async () =>
            (await committedOffsets(subject, id))[`${from}-0`] === 3);
          assert(await going.close());
          const written = (await readAllCommitted(subject, to, 1)).map((r) =>
            r.value
          );
          if (guarantee === "exactly_once_v2") assertEquals(written, ["1", "3"]);
          else assertEquals([...new Set(written)], ["1", "3"]);

          const [letter, ...others] = await readAllCommitted(subject, letters, 1);
          assertEquals(others.length, 0);
          assertEquals(letter.key, "b");
          assertEquals(letter.value, new TextDecoder().decode(bad(from)));
          assertEquals(errorHeaders(letter), {
            "__streams.errors.exception": "SerializationException",
            "__streams.errors.message": why,
            "__streams.errors.topic": from,
            "__streams.errors.partition": "0",
            "__streams.errors.offset": "1",
          });
          const stack = headersOf(letter)["__streams.errors.stacktrace"];
          assert(stack.startsWith(`SerializationException: ${why}\n    at `), stack);
        })
      ));
  }
}

test("What a handler that fails has for the dead letter topic is written at least once, and not at all exactly once", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      for (const guarantee of ["at_least_once", "exactly_once_v2"]) {
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        const letters = await newTopic(subject, "letters", 1);
        const streams = realApplication(subject, amounts(from, to), dir, {
          "application.id": unique("bytes"),
          "processing.guarantee": guarantee,
          "schema.registry.url": `mock://${SCOPE}`,
          "errors.dead.letter.queue.topic.name": letters,
        });
        await streams.start();
        await writeRaw(subject, from, [{ key: "b", value: new Uint8Array(3) }]);
        await reaches(streams, "ERROR");
        await streams.close();
        const written = await readAllCommitted(subject, letters, 1);
        // The transaction of the failed task is aborted: its dead letter comes with the run that goes on behind it.
        assertEquals(written.map((r) => r.key), guarantee === "at_least_once" ? ["b"] : []);
      }
    })
  ));

for (
  const { what, handler, message, cause } of [
    {
      what: "throws",
      handler: () => {
        throw new RangeError("the handler is broken");
      },
      message: "Fatal user code error in deserialization error callback",
      cause: "the handler is broken",
    },
    {
      what: "gives a Promise",
      handler: () => Promise.reject(new Error("too late")),
      message: "Fatal user code error in deserialization error callback",
      cause:
        'Cannot use the deserialization handler\'s answer as it must be "continue" or "fail": current value is a Promise',
    },
    {
      what: "answers retry",
      handler: () => "retry",
      message: "Fatal user code error in deserialization error callback",
      cause:
        'Cannot use the deserialization handler\'s answer as it must be "continue" or "fail": current value is "retry"',
    },
  ]
) {
  test(`An application stops when its deserialization handler ${what}`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        const id = unique("bytes");
        const streams = realApplication(subject, amounts(from, "nowhere"), dir, {
          "application.id": id,
          "schema.registry.url": `mock://${SCOPE}`,
          "deserialization.exception.handler": handler,
        });
        await streams.start();
        await writeRaw(subject, from, [{ key: "b", value: new Uint8Array(3) }]);
        await reaches(streams, "ERROR");
        assertEquals(streams.failure?.message, message);
        assertEquals((streams.failure?.cause as Error).message, cause);
        await streams.close();
        assertEquals((await committedOffsets(subject, id))[`${from}-0`] ?? 0, 0);
      })
    ));
}
