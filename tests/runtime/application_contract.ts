// What every application must do, on the embedded broker as on Apache Kafka.
import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { newTopic, type Plain, type Subject, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import {
  application,
  log,
  reaches,
  readAllCommitted,
  readUntil,
  testHome,
  writeRecords,
} from "./application.ts";
import { counting, passThrough } from "./counting.ts";

const values = (rows: readonly Plain[]) => rows.map((r) => r.value);
const keyed = (count: number, keys: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i % keys}`, value: `v${i}` }));

/** The last value of each key. */
function lastOfEach(rows: readonly Plain[]): Map<string, string> {
  return new Map(rows.map((row) => [row.key!, row.value!]));
}

/** Registers the suite for one kind of broker. */
export function applicationContract(kind: string, subject: () => Subject): void {
  for (const guarantee of ["exactly_once_v2", "at_least_once"]) {
    const config = { "processing.guarantee": guarantee };

    test(`KafkaStreams copies a topic (${guarantee}, ${kind})`, () =>
      log.printOnFailure(() =>
        withTempDir(async (dir) => {
          const from = await newTopic(subject(), "from", 2);
          const to = await newTopic(subject(), "to", 2);
          await writeRecords(subject(), from, keyed(1_000, 10));
          const streams = application(subject(), passThrough(from, to), testHome(dir, "a"), {
            ...config,
            "application.id": unique("copy"),
          });
          await streams.start();
          const rows = await readUntil(subject(), to, 2, (r) => r.length >= 1_000);
          assertEquals(await streams.close(), true);
          assertEquals(streams.state, "NOT_RUNNING");
          assertEquals(values(rows).sort(), keyed(1_000, 10).map((r) => r.value).sort());
        })
      ));

    test(`KafkaStreams goes on where it stopped, with its store (${guarantee}, ${kind})`, () =>
      log.printOnFailure(() =>
        withTempDir(async (dir) => {
          const from = await newTopic(subject(), "from", 2);
          const to = await newTopic(subject(), "to", 2);
          const all = { ...config, "application.id": unique("count") };
          for (let round = 1; round <= 3; round++) {
            await writeRecords(subject(), from, keyed(300, 10));
            const streams = application(
              subject(),
              counting(from, to),
              testHome(dir, "a"),
              all,
            );
            await streams.start();
            await readUntil(subject(), to, 2, (r) => r.length >= 300 * round);
            await streams.close();
          }
          const rows = await readAllCommitted(subject(), to, 2);
          assertEquals(rows.length, 900);
          assertEquals(
            lastOfEach(rows),
            new Map(Array.from({ length: 10 }, (_, i) => [`k${i}`, "90"])),
          );
        })
      ));

    for (const inMemory of [false, true]) {
      const where = inMemory ? "in memory" : "on disk";
      test(`KafkaStreams restores a store ${where} from its changelog on a new machine (${guarantee}, ${kind})`, () =>
        log.printOnFailure(() =>
          withTempDir(async (dir) => {
            const from = await newTopic(subject(), "from", 2);
            const to = await newTopic(subject(), "to", 2);
            const all = { ...config, "application.id": unique("restore") };
            for (let round = 1; round <= 2; round++) {
              await writeRecords(subject(), from, keyed(300, 10));
              const home = testHome(`${dir}/${inMemory ? 1 : round}`, `p${round}`);
              const streams = application(subject(), counting(from, to, { inMemory }), home, all);
              const restored: number[] = [];
              streams.setRestoreListener({ onRestoreEnd: (_, total) => restored.push(total) });
              await streams.start();
              await readUntil(subject(), to, 2, (r) => r.length >= 300 * round);
              await streams.close();
              if (round === 2) assertEquals(restored.reduce((a, b) => a + b, 0), 300);
            }
            const rows = await readAllCommitted(subject(), to, 2);
            assertEquals(
              lastOfEach(rows),
              new Map(Array.from({ length: 10 }, (_, i) => [`k${i}`, "60"])),
            );
          })
        ));
    }
  }

  test(`KafkaStreams ends in ERROR when a source topic is missing (${kind})`, () =>
    withTempDir(async (dir) => {
      const streams = application(subject(), passThrough("nowhere", "out"), testHome(dir, "a"), {
        "application.id": unique("missing"),
      });
      await streams.start();
      await reaches(streams, "ERROR");
      assertEquals(streams.failure?.name, "MissingSourceTopicException");
      assertEquals(
        streams.failure?.message,
        "Cannot start as one or more source topics are missing: current value is [nowhere]. Create them, or correct the topology's topic names",
      );
    }));

  test(`KafkaStreams refuses an internal topic with another partition count (${kind})`, () =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject(), "from", 2);
      const id = unique("wrong-count");
      await subject().createTopic(`${id}-counts-changelog`, 3);
      const streams = application(subject(), counting(from, "out"), testHome(dir, "a"), {
        "application.id": id,
      });
      await streams.start();
      await reaches(streams, "ERROR");
      assertEquals(
        streams.failure?.message,
        `Existing internal topic ${id}-counts-changelog has invalid partitions: expected: 2; actual: 3. ` +
          "Use 'org.apache.kafka.tools.StreamsResetter' tool to clean up invalid topics before processing.",
      );
    }));
}
