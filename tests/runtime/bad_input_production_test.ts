// Records that cannot be written, and clusters that do not let the application read or write.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { API_KEYS } from "../../lib/kafka/embedded_broker.ts";
import { string } from "../../lib/serde/primitives.ts";
import { SerializationException } from "../../lib/errors.ts";
import type { Serde } from "../../lib/serde/serde.ts";
import type { StreamRecord } from "../../lib/record/record.ts";
import type { Processor, ProcessorContext } from "../../lib/topology/processor.ts";
import { Topology } from "../../lib/topology/topology.ts";
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
const GUARANTEES = ["exactly_once_v2", "at_least_once"];
const CODES = { topicAuthorization: 29, groupAuthorization: 30, messageTooLarge: 10 } as const;

let subject: ReturnType<typeof embeddedSubject>;
before(() => {
  subject = embeddedSubject();
});
after(() => subject.close());

class Doubling implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;
  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }
  process(record: StreamRecord<string, string>): void {
    this.#context.forward(record.withValue(`${record.value}${record.value}`));
  }
}

/** Doubles what it copies, so that a record that may be read may be too large to write. */
function doubling(from: string, to: string): Topology {
  return new Topology().addSource("source", from, TEXT)
    .addProcessor("double", () => new Doubling(), "source")
    .addSink("sink", to, TEXT, "double");
}

const refused = (topic: string, why: string, what: string) =>
  `Error encountered sending record to topic ${topic} for task 0_0 due to:\n` +
  `Cannot deliver a record as Kafka refuses: current value is ${why}\n${what}`;
const FAILS = "Exception handler choose to FAIL the processing, no more records would be sent.";
const TOO_LARGE = "MSG_SIZE_TOO_LARGE (Failed to produce message: Broker: Message size too large)";

for (const guarantee of GUARANTEES) {
  test(`An application stops at a record that is too large to be written, and goes on behind it when it is told to (${guarantee})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        const letters = await newTopic(subject, "letters", 1);
        const id = unique("too-large");
        const all = { "application.id": id, "processing.guarantee": guarantee };
        await writeRaw(subject, from, [
          { key: "a", value: "1" },
          { key: "b", value: "x".repeat(600_000) },
          { key: "c", value: "3" },
        ]);
        const failing = realApplication(subject, doubling(from, to), dir, all);
        await failing.start();
        await reaches(failing, "ERROR");
        assertEquals(
          [failing.failure?.name, failing.failure?.message],
          ["StreamsException", refused(to, TOO_LARGE, FAILS)],
        );
        assertEquals((failing.failure?.cause as Error).name, "KafkaError");
        await failing.close();
        assert(((await committedOffsets(subject, id))[`${from}-0`] ?? 0) <= 1);

        const going = realApplication(subject, doubling(from, to), dir, {
          ...all,
          "production.exception.handler": "dead-letter-queue",
          "errors.dead.letter.queue.topic.name": letters,
        });
        await going.start();
        await eventually(
          "all is committed",
          async () => (await committedOffsets(subject, id))[`${from}-0`] === 3,
        );
        await readUntil(subject, to, 1, (rows) => rows.some((r) => r.value === "33"));
        assertEquals(dropped(going, "production"), [1, 1]);
        assert(await going.close());
        const written = (await readAllCommitted(subject, to, 1)).map((r) => r.value);
        const [letter, ...others] = await readAllCommitted(subject, letters, 1);
        assertEquals([letter.key, others.length], ["b", 0]);
        assertEquals(errorHeaders(letter), {
          "__streams.errors.exception": "KafkaError",
          "__streams.errors.message":
            `Cannot deliver a record as Kafka refuses: current value is ${TOO_LARGE}`,
          "__streams.errors.topic": from,
          "__streams.errors.partition": "0",
          "__streams.errors.offset": "1",
        });
        if (guarantee === "exactly_once_v2") {
          assertEquals(written, ["11", "33"]);
          // Processed again after the abort, the source record is in hand.
          assertEquals(letter.value?.length, 600_000);
        } else {
          assertEquals([...new Set(written)], ["11", "33"]);
          assertEquals(letter.value, null);
        }
      })
    ));

  test(`An application leaves out a record that the broker refuses when it is told to, and loses no other (${guarantee})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        const id = unique("refused");
        const streams = realApplication(subject, passThrough(from, to), dir, {
          "application.id": id,
          "processing.guarantee": guarantee,
          "producer.linger.ms": 0,
          "production.exception.handler": "log-and-continue",
        });
        await streams.start();
        await reaches(streams, "RUNNING");
        streams.pause();
        await writeRaw(subject, from, [{ key: "a", value: "refused" }]);
        await eventually("it waits", () => streams.threads()[0].tasks[0].buffered === 1);
        subject.broker.failNext(API_KEYS.produce, CODES.messageTooLarge);
        streams.resume();
        await eventually("it is left out", () => dropped(streams, "production")[1] === 1);
        await writeRaw(subject, from, [{ key: "b", value: "next" }]);
        await readUntil(subject, to, 1, (rows) => rows.some((r) => r.value === "next"));
        await eventually(
          "all is committed",
          async () => (await committedOffsets(subject, id))[`${from}-0`] === 2,
        );
        assert(await streams.close());
      })
    ));

  test(`An application stops when it may not write to a topic, whatever its handler says, and loses nothing (${guarantee})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        const id = unique("forbidden");
        const all = {
          "application.id": id,
          "processing.guarantee": guarantee,
          "production.exception.handler": "log-and-continue",
        };
        const streams = realApplication(subject, passThrough(from, to), dir, all);
        await streams.start();
        await reaches(streams, "RUNNING");
        streams.pause();
        await writeRaw(subject, from, [{ key: "a", value: "1" }, { key: "b", value: "2" }]);
        await eventually("it waits", () => streams.threads()[0].tasks[0].buffered === 2);
        subject.broker.failNext(API_KEYS.produce, CODES.topicAuthorization);
        streams.resume();
        await reaches(streams, "ERROR");
        assertEquals(
          [streams.failure?.name, streams.failure?.message],
          [
            "StreamsException",
            refused(
              to,
              "TOPIC_AUTHORIZATION_FAILED (Broker: Topic authorization failed)",
              "Written offsets would not be recorded and no more records would be sent since this is a fatal error.",
            ),
          ],
        );
        await streams.close();
        subject.broker.failNext(API_KEYS.produce);
        assertEquals((await committedOffsets(subject, id))[`${from}-0`] ?? 0, 0);
        const again = realApplication(subject, passThrough(from, to), dir, all);
        await again.start();
        await readUntil(subject, to, 1, (rows) => rows.length >= 2);
        assert(await again.close());
        const rows = await readAllCommitted(subject, to, 1);
        assertEquals([...new Set(rows.map((r) => r.value))], ["1", "2"]);
      })
    ));
}

test("An application stops when it cannot write a dead letter, so that none is lost", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      for (const guarantee of GUARANTEES) {
        const from = await newTopic(subject, "from", 1);
        const letters = await newTopic(subject, "letters", 1);
        const id = unique("letterless");
        const topology = new Topology().addSource("source", from, TEXT)
          .addProcessor("fails", () => ({
            process() {
              throw new RangeError("always");
            },
          }), "source");
        const streams = realApplication(subject, topology, dir, {
          "application.id": id,
          "processing.guarantee": guarantee,
          "processing.exception.handler": "dead-letter-queue",
          "production.exception.handler": "dead-letter-queue",
          "errors.dead.letter.queue.topic.name": letters,
          "producer.message.max.bytes": 100_000,
        });
        await streams.start();
        await writeRaw(subject, from, [{ key: "a", value: "x".repeat(200_000) }]);
        await reaches(streams, "ERROR");
        assertEquals(
          streams.failure?.message,
          refused(
            letters,
            TOO_LARGE,
            "A dead letter that cannot be written would be lost: no more records would be sent.",
          ).replace("task 0_0", "task unknown"),
        );
        await streams.close();
        assertEquals((await committedOffsets(subject, id))[`${from}-0`] ?? 0, 0);
      }
    })
  ));

for (
  const { what, apiKey, code, message } of [
    {
      what: "may not read its topic",
      apiKey: API_KEYS.fetch,
      code: CODES.topicAuthorization,
      message: "TOPIC_AUTHORIZATION_FAILED",
    },
    {
      what: "may not join its group",
      apiKey: API_KEYS.joinGroup,
      code: CODES.groupAuthorization,
      message: "GROUP_AUTHORIZATION_FAILED",
    },
  ]
) {
  test(`An application stops when it ${what}, and says so`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        await writeRaw(subject, from, [{ key: "a", value: "1" }]);
        const all = { "application.id": unique("forbidden") };
        const streams = realApplication(subject, passThrough(from, to), dir, all);
        subject.broker.failNext(apiKey, ...Array.from({ length: 20 }, () => code));
        await streams.start();
        await reaches(streams, "ERROR");
        assertEquals(streams.failure?.name, "StreamsException");
        assert(streams.failure?.message.includes(message), streams.failure?.message);
        await streams.close();
        subject.broker.failNext(apiKey);
        const again = realApplication(subject, passThrough(from, to), dir, all);
        await again.start();
        await readUntil(subject, to, 1, (rows) => rows.length >= 1);
        assert(await again.close());
      })
    ));
}

/** Text of which some cannot be written. */
const fussy: Serde<string> = {
  ...string(),
  name: "fussy",
  encode(value, out, site) {
    if (value === "unwritable") throw new SerializationException("It cannot be written");
    string().encode(value, out, site);
  },
};

test("An application asks its handler about a record that cannot be serialized, with the record it came of", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const letters = await newTopic(subject, "letters", 1);
      const all = { "application.id": unique("unwritable") };
      const topology = () =>
        new Topology().addSource("source", from, TEXT)
          .addSink("sink", to, { key: string(), value: fussy }, "source");
      await writeRaw(subject, from, [
        { key: "a", value: "1" },
        { key: "b", value: "unwritable" },
        { key: "c", value: "3" },
      ]);
      const failing = realApplication(subject, topology(), dir, all);
      await failing.start();
      await reaches(failing, "ERROR");
      assert(
        failing.failure?.message.startsWith(
          `Unable to serialize record. ProducerRecord(topic=[${to}], partition=[`,
        ),
        failing.failure?.message,
      );
      assertEquals((failing.failure?.cause as Error).message, "It cannot be written");
      await failing.close();
      const broken = realApplication(subject, topology(), dir, {
        ...all,
        "production.exception.handler": () => {
          throw new RangeError("the handler is broken");
        },
      });
      await broken.start();
      await reaches(broken, "ERROR");
      assertEquals(broken.failure?.message, "Fatal user code error in production error callback");
      await broken.close();
      const going = realApplication(subject, topology(), dir, {
        ...all,
        "production.exception.handler": "dead-letter-queue",
        "errors.dead.letter.queue.topic.name": letters,
      });
      await going.start();
      const rows = await readUntil(subject, to, 1, (r) => r.length >= 2);
      assertEquals(rows.map((r) => r.value), ["1", "3"]);
      assertEquals(dropped(going, "production"), [1, 1]);
      const [letter] = await readUntil(subject, letters, 1, (r) => r.length >= 1);
      assertEquals([letter.key, letter.value], ["b", "unwritable"]);
      assertEquals(errorHeaders(letter), {
        "__streams.errors.exception": "SerializationException",
        "__streams.errors.message": "It cannot be written",
        "__streams.errors.topic": from,
        "__streams.errors.partition": "0",
        "__streams.errors.offset": "1",
      });
      assert(await going.close());
    })
  ));
