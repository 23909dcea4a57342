// Topics that are missing, that go away, and internal ones that are not as they must be; and what the handler of uncaught exceptions makes of it.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { string } from "../../lib/serde/primitives.ts";
import { newTopic, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { eventually, log, reaches, readAllCommitted, readUntil } from "./application.ts";
import { committedOffsets, embeddedSubject, realApplication, writeRaw } from "./bad_input.ts";
import { passThrough } from "./counting.ts";

const TEXT = { key: string(), value: string() };
let subject: ReturnType<typeof embeddedSubject>;
before(() => {
  subject = embeddedSubject();
});
after(() => subject.close());

const inDir = (body: (dir: string) => Promise<void>) => () =>
  log.printOnFailure(() => withTempDir(body));

for (const kind of ["repartition", "changelog"]) {
  test(
    `An application refuses a ${kind} topic with another partition count, touches nothing, and goes on when it is gone`,
    inDir(async (dir) => {
      const from = await newTopic(subject, "from", 2);
      const to = await newTopic(subject, "to", 2);
      const id = unique("wrong-count");
      const wrong = `${id}-counts-${kind}`;
      await subject.createTopic(wrong, 3);
      const topology = defineTopology((builder) =>
        builder.stream(topic(from, TEXT)).groupBy((value) => value, TEXT)
          .count({ store: "counts", caching: false }).toStream()
          .mapValues((count) => String(count)).to(topic(to, TEXT))
      );
      await writeRaw(subject, from, [{ key: "a", value: "x" }, { key: "b", value: "x" }]);
      const refused = realApplication(subject, topology, dir, { "application.id": id });
      await refused.start();
      await reaches(refused, "ERROR");
      assertEquals(
        [refused.failure?.name, refused.failure?.message],
        [
          "StreamsException",
          `Existing internal topic ${wrong} has invalid partitions: expected: 2; actual: 3. ` +
          "Use 'org.apache.kafka.tools.StreamsResetter' tool to clean up invalid topics before processing.",
        ],
      );
      await refused.close();
      assertEquals(await committedOffsets(subject, id), {});
      subject.broker.deleteTopic(wrong);
      const right = realApplication(subject, topology, dir, { "application.id": id });
      await right.start();
      await readUntil(subject, to, 2, (rows) => rows.length >= 2);
      assert(await right.close());
      assertEquals((await readAllCommitted(subject, to, 2)).map((r) => r.value), ["1", "2"]);
    }),
  );
}

test(
  "An application names every source topic that is missing, and loses nothing of those that are there",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const missing = [unique("missing"), unique("missing")].sort();
    const all = { "application.id": unique("missing") };
    await writeRaw(subject, from, [{ key: "a", value: "1" }]);
    const topology = defineTopology((builder) => {
      for (const name of [...missing, from]) {
        builder.stream(topic(name, TEXT)).to(topic(to, TEXT));
      }
    });
    const refused = realApplication(subject, topology, dir, all);
    await refused.start();
    await reaches(refused, "ERROR");
    assertEquals(
      [refused.failure?.name, refused.failure?.message],
      [
        "MissingSourceTopicException",
        `Cannot start as one or more source topics are missing: current value is [${
          missing.join(", ")
        }]. Create them, or correct the topology's topic names`,
      ],
    );
    await refused.close();
    for (const name of missing) await subject.createTopic(name, 1);
    const right = realApplication(subject, topology, dir, all);
    await right.start();
    await readUntil(subject, to, 1, (rows) => rows.length >= 1);
    assert(await right.close());
  }),
);

test(
  "An application ends when its source topic is deleted while it runs",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const streams = realApplication(subject, passThrough(from, to), dir, {
      "application.id": unique("deleted"),
      "metadata.max.age.ms": 500,
      "topic.metadata.refresh.interval.ms": 500,
    });
    await streams.start();
    await writeRaw(subject, from, [{ key: "a", value: "1" }]);
    await readUntil(subject, to, 1, (rows) => rows.length >= 1);
    subject.broker.deleteTopic(from);
    await reaches(streams, "ERROR");
    assertEquals(streams.failure?.name, "MissingSourceTopicException");
    await streams.close();
  }),
);

for (
  const { name, handler, ends } of [
    { name: "replace-thread", handler: "replace-thread", ends: "RUNNING" },
    { name: "shutdown-client", handler: "shutdown-client", ends: "ERROR" },
    { name: "shutdown-application", handler: "shutdown-application", ends: "ERROR" },
    { name: "the default", handler: undefined, ends: "ERROR" },
    {
      name: "a function that throws",
      handler: () => {
        throw new Error("the handler is broken");
      },
      ends: "ERROR",
    },
    {
      name: "a function that gives a Promise",
      handler: () => Promise.resolve("replace-thread"),
      ends: "ERROR",
    },
  ]
) {
  test(
    `The configuration's handler of uncaught exceptions decides (${name})`,
    inDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      let left = 1;
      const topology = defineTopology((builder) =>
        builder.stream(topic(from, TEXT)).peek(() => {
          if (left-- > 0) throw new RangeError("once");
        }).to(topic(to, TEXT))
      );
      const streams = realApplication(subject, topology, dir, {
        "application.id": unique("uncaught"),
        ...(handler === undefined ? {} : { "uncaught.exception.handler": handler }),
      });
      await writeRaw(subject, from, [{ key: "a", value: "1" }]);
      await streams.start();
      if (ends === "RUNNING") {
        await readUntil(subject, to, 1, (rows) => rows.length >= 1);
        await eventually("it runs", () => streams.state === "RUNNING");
        assertEquals(streams.failedThreads, 1);
      } else {
        await reaches(streams, "ERROR");
        assertEquals((streams.failure?.cause as Error).message, "once");
      }
      assert(await streams.close());
    }),
  );
}
