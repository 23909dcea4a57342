// Offsets that the broker no longer has: of inputs, of changelogs and of global topics.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { string } from "../../lib/serde/primitives.ts";
import type { AutoOffsetReset } from "../../lib/topology/processor.ts";
import { Topology } from "../../lib/topology/topology.ts";
import { newTopic, type Subject, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import {
  application,
  eventually,
  log,
  reaches,
  readUntil,
  testHome,
  writeRecords,
} from "./application.ts";
import { counting } from "./counting.ts";
import { faultyClients } from "./faulty_clients.ts";

const TEXT = { key: string(), value: string() };

let broker: EmbeddedBroker;
let subject: Subject;
before(() => {
  broker = startEmbeddedBroker();
  subject = {
    kind: "embedded",
    clients: embeddedClients(broker),
    bootstrapServers: broker.bootstrapServers,
    createTopic: async (topic, partitions) => broker.createTopic(topic, partitions),
    close: async () => broker.close(),
  };
});
after(() => subject.close());

function copying(from: string, to: string, offsetReset?: AutoOffsetReset): Topology {
  return new Topology()
    .addSource("source", from, { ...TEXT, ...(offsetReset ? { offsetReset } : {}) })
    .addSink("sink", to, TEXT, "source");
}

function withGlobal(from: string, to: string, table: string) {
  return defineTopology((builder) => {
    const names = builder.globalTable(topic(table, TEXT), { store: "names" });
    builder.stream(topic(from, TEXT))
      .leftJoin(names, (_, key) => key, (value: string, name: string | null) => `${value}/${name}`)
      .to(topic(to, TEXT));
  });
}

const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: "k", value: String(from + i) }));

/** Starts an application whose committed offset 5 is gone: 0 to 9 were deleted, 10 to 14 are there. */
async function startBehind(
  dir: string,
  offsetReset: AutoOffsetReset | undefined,
  config: Readonly<Record<string, unknown>> = {},
) {
  const from = await newTopic(subject, "from", 1);
  const to = await newTopic(subject, "to", 1);
  const id = unique("behind");
  const start = async () => {
    const streams = application(subject, copying(from, to, offsetReset), testHome(dir, "a"), {
      "application.id": id,
      ...config,
    });
    await streams.start();
    return streams;
  };
  const first = await start();
  await reaches(first, "RUNNING");
  await writeRecords(subject, from, numbered(0, 5));
  if (offsetReset !== "none") await readUntil(subject, to, 1, (rows) => rows.length >= 5);
  await first.close();
  await writeRecords(subject, from, numbered(5, 10));
  broker.deleteRecords(from, 0, 10);
  return { from, to, streams: await start() };
}

test("KafkaStreams goes on with the first record that is left when its offset is gone and the source says earliest", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const { to, streams } = await startBehind(dir, "earliest", { "auto.offset.reset": "none" });
      const rows = await readUntil(subject, to, 1, (rows) => rows.length >= 10);
      assertEquals(rows.slice(5).map((r) => r.value), numbered(10, 5).map((r) => r.value));
      await streams.close();
    })
  ));

test("KafkaStreams goes on behind the last record when its offset is gone and the source says latest", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const { from, to, streams } = await startBehind(dir, "latest");
      await reaches(streams, "RUNNING");
      // Where the end was found no test can see: what is written from now on comes sooner or later.
      const written: string[] = [];
      await eventually("something new arrives", async () => {
        await writeRecords(subject, from, [{ key: "k", value: `new${written.length}` }]);
        written.push(`new${written.length}`);
        const rows = await readUntil(subject, to, 1, () => true);
        const all = await readUntil(subject, to, 1, (r) => r.length >= Math.max(5, rows.length));
        return all.some((row) => row.value!.startsWith("new"));
      });
      const rows = await readUntil(subject, to, 1, (r) =>
        r.some((x) =>
          x.value === "new0"
        ) || r.length > 5);
      assert(
        rows.slice(5).every((row) =>
          row.value!.startsWith("new")
        ),
        JSON.stringify(rows),
      );
      await streams.close();
    })
  ));

test("KafkaStreams fails when its offset is gone and no reset is allowed", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const id = unique("none");
      const start = async (offsetReset: AutoOffsetReset) => {
        const streams = application(subject, copying(from, to, offsetReset), testHome(dir, "a"), {
          "application.id": id,
        });
        await streams.start();
        return streams;
      };
      const first = await start("earliest");
      await writeRecords(subject, from, numbered(0, 5));
      await readUntil(subject, to, 1, (rows) => rows.length >= 5);
      await first.close();
      await writeRecords(subject, from, numbered(5, 10));
      broker.deleteRecords(from, 0, 10);
      const second = await start("none");
      await reaches(second, "ERROR");
      assert(second.failure!.message.includes("no valid reset policy"), second.failure!.message);
    })
  ));

test("A store is emptied and restored in full when its changelog loses the next record to restore", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const id = unique("gap");
      const changelog = `${id}-counts-changelog`;
      let listed = () => {};
      const clients = faultyClients(subject.clients, {
        admin: (real) => ({
          async listOffsets(...args) {
            const found = await real.listOffsets(...args);
            if (args[1] === "latest" && args[0].some((p) => p.topic === changelog)) listed();
            return found;
          },
        }),
      });
      const start = async (process: string) => {
        const home = testHome(`${dir}/${process}`, process);
        const streams = application({ ...subject, clients }, counting(from, to), home, {
          "application.id": id,
        });
        await streams.start();
        return streams;
      };
      // The state in `a` stops at the first ten; the changelog goes on without it.
      const a = await start("a");
      await writeRecords(subject, from, numbered(0, 10));
      await readUntil(subject, to, 1, (rows) => rows.length >= 10);
      await a.close();
      const b = await start("b");
      await writeRecords(subject, from, [{ key: "gone", value: "1" }, ...numbered(0, 10)]);
      await readUntil(subject, to, 1, (rows) => rows.length >= 21);
      await b.close();
      // What `a` needs next is deleted between the look at the changelog's ends and the restore.
      listed = () => {
        listed = () => {};
        broker.deleteRecords(changelog, 0, 15);
      };
      const again = await start("a");
      await writeRecords(subject, from, numbered(0, 1));
      const rows = await readUntil(subject, to, 1, (rows) => rows.length >= 22);
      assertEquals(rows.at(-1)!.value, "21");
      await again.close();
    })
  ));

test("KafkaStreams ends when a global topic loses records that were not read yet, and fills the store anew at the next start", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const table = await newTopic(subject, "table", 1);
      await writeRecords(subject, table, [{ key: "a", value: "1" }]);
      let listed = () => {};
      const clients = faultyClients(subject.clients, {
        admin: (real) => ({
          async listOffsets(...args) {
            const found = await real.listOffsets(...args);
            if (args[1] === "latest" && args[0].some((p) => p.topic === table)) listed();
            return found;
          },
        }),
      });
      listed = () => {
        listed = () => {};
        broker.deleteRecords(table, 0, 1);
      };
      const start = () =>
        application({ ...subject, clients }, withGlobal(from, to, table), testHome(dir, "a"), {
          "application.id": "global-gap",
        });
      let failure: Error | undefined;
      const first = start();
      try {
        await first.start();
        await reaches(first, "ERROR");
        failure = first.failure;
      } catch (error) {
        failure = error as Error;
      }
      assert(failure?.message.includes("global"), String(failure));
      await writeRecords(subject, table, [{ key: "b", value: "2" }]);
      const second = start();
      await second.start();
      await writeRecords(subject, from, [{ key: "a", value: "x" }, { key: "b", value: "y" }]);
      const rows = await readUntil(subject, to, 1, (rows) => rows.length >= 2);
      assertEquals(rows.map((r) => r.value), ["x/null", "y/2"]);
      await second.close();
    })
  ));
