// An Apache Kafka broker that is not there yet, that goes away and comes back, and that says no: nothing is lost, nothing comes twice where that was promised.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import { callAfter, systemClock } from "../../lib/record/time.ts";
import { string } from "../../lib/serde/primitives.ts";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { type Subject, unique } from "../kafka/subject.ts";
import { type KafkaBroker, startKafkaBroker } from "../support/kafka_broker.ts";
import { withTempDir } from "../support/temp_dir.ts";
import {
  eventually,
  log,
  reaches,
  readAllCommitted,
  readUntil,
  writeRecords,
} from "./application.ts";
import { committedOffsets, dropped, realApplication, writeRaw } from "./bad_input.ts";
import { counting } from "./counting.ts";

const TEXT = { key: string(), value: string() };
const KEYS = 10;
let broker: KafkaBroker;
let subject: Subject;
before(async () => {
  broker = await startKafkaBroker();
  subject = {
    kind: "real",
    clients: librdkafkaClients,
    bootstrapServers: broker.bootstrapServers,
    createTopic: (name, partitions) => broker.createTopic(name, { partitions }),
    close: () => broker.stop(),
  };
});
after(async () => {
  // The broker's process does not hold the event loop while it ends.
  const letGo = callAfter(30_000, () => {});
  await subject.close();
  letGo();
});

const keyed = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i % KEYS}`, value: `v${i}` }));

for (const guarantee of ["exactly_once_v2", "at_least_once"]) {
  test(`An application starts before its broker does, outlives two crashes of it, and loses nothing (${guarantee})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const [from, to] = [unique("from"), unique("to")];
        await broker.createTopics([from, to].map((name) => ({ name, partitions: 2 })));
        const all = {
          "application.id": unique("away"),
          "processing.guarantee": guarantee,
          "replication.factor": 1,
          "session.timeout.ms": 10_000,
        };
        await broker.kill();
        const streams = realApplication(subject, counting(from, to), dir, all);
        const failures: Error[] = [];
        streams.setUncaughtExceptionHandler((error) => {
          failures.push(error);
          return "shutdown-client";
        });
        await streams.start();
        await systemClock.sleep(1_000);
        assertEquals([streams.state, streams.threads()[0].state], ["REBALANCING", "STARTING"]);
        await broker.start();
        await reaches(streams, "RUNNING");
        for (let round = 1; round <= 3; round++) {
          await writeRecords(subject, from, keyed(200));
          await readUntil(subject, to, 2, (rows) => rows.length >= 200 * round);
          if (round === 3) break;
          await broker.kill();
          await systemClock.sleep(2_000);
          await broker.start();
        }
        await eventually("it runs", () => streams.state === "RUNNING");
        assertEquals(failures, []);
        assert(await streams.close());
        const rows = await readAllCommitted(subject, to, 2);
        for (const [key, own] of Map.groupBy(rows, (row) => row.key!)) {
          const counts = own.map((row) => Number(row.value));
          if (guarantee === "exactly_once_v2") {
            assertEquals(counts, Array.from({ length: 60 }, (_, i) => i + 1), `counts of ${key}`);
          } else assert(counts.at(-1)! >= 60, `counts of ${key}: ${counts}`);
        }
      })
    ));
}

for (const guarantee of ["exactly_once_v2", "at_least_once"]) {
  test(`A record that the topic refuses for its size is left out when that is said, and its neighbours are written (${guarantee})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const [from, to] = [unique("from"), unique("to")];
        await broker.createTopics([
          { name: from, partitions: 1 },
          { name: to, partitions: 1, config: { "max.message.bytes": "20000" } },
        ]);
        const id = unique("refused");
        const topology = defineTopology((builder) =>
          builder.stream(topic(from, TEXT)).to(topic(to, TEXT))
        );
        const random = (length: number) =>
          Array.from(
            crypto.getRandomValues(new Uint8Array(length)),
            (b) => String.fromCharCode(33 + b % 90),
          ).join("");
        const inputs = Array.from({ length: 200 }, (_, i) => ({
          key: String(i),
          value: i === 100 ? random(30_000) : random(1_000),
        }));
        const streams = realApplication(subject, topology, dir, {
          "application.id": id,
          "processing.guarantee": guarantee,
          "production.exception.handler": "log-and-continue",
        });
        await writeRaw(subject, from, inputs);
        await streams.start();
        await eventually(
          "all is committed",
          async () => (await committedOffsets(subject, id))[`${from}-0`] === 200,
        );
        assertEquals(dropped(streams, "production"), [1, 1]);
        assert(await streams.close());
        const rows = await readAllCommitted(subject, to, 1);
        const keys = new Set(rows.map((r) => r.key));
        assertEquals(keys.size, 199);
        assert(!keys.has("100"));
        if (guarantee === "exactly_once_v2") assertEquals(rows.length, 199);
      })
    ));
}
