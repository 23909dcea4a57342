// What instances of one application do together: they share partitions, move state, and lose nothing.
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { KafkaStreams } from "../../lib/runtime/kafka_streams.ts";
import { newTopic, type Plain, type Subject, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import {
  application,
  eventually,
  log,
  reaches,
  readAllCommitted,
  readUntil,
  testHome,
  writeRecords,
} from "./application.ts";
import { counting } from "./counting.ts";

const PARTITIONS = 4;
const KEYS = 20;
const keyed = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i % KEYS}`, value: `v${i}` }));

function taskCount(streams: KafkaStreams): number {
  return streams.threads().reduce((sum, thread) => sum + thread.tasks.length, 0);
}

/** Each key's counts, in the order in which they were written, must be 1, 2, 3 … without a gap or a repetition. */
function assertCountsAreWhole(rows: readonly Plain[], each: number): void {
  const byKey = Map.groupBy(rows, (row) => row.key!);
  assertEquals(byKey.size, KEYS);
  for (const [key, own] of byKey) {
    assertEquals(
      own.map((row) => Number(row.value)),
      Array.from({ length: each }, (_, i) => i + 1),
      `the counts of ${key}`,
    );
  }
}

/** Registers the suite for one kind of broker and one group protocol. */
export function rebalanceContract(
  kind: string,
  subject: () => Subject,
  config: Readonly<Record<string, unknown>> = {},
): void {
  const label = `${config["group.protocol"] ?? "classic"}, ${kind}`;
  const protocol = config["group.protocol"] === "consumer"
    ? { "session.timeout.ms": undefined, "heartbeat.interval.ms": undefined }
    : {};

  test(`KafkaStreams shares tasks with a second instance and takes them back, exactly once (${label})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject(), "from", PARTITIONS);
        const to = await newTopic(subject(), "to", PARTITIONS);
        const all = { ...config, ...protocol, "application.id": unique("share") };
        const start = async (name: string) => {
          const streams = application(
            subject(),
            counting(from, to),
            testHome(`${dir}/${name}`, name),
            all,
          );
          await streams.start();
          return streams;
        };
        const first = await start("a");
        await writeRecords(subject(), from, keyed(400));
        await readUntil(subject(), to, PARTITIONS, (rows) => rows.length >= 400);
        const second = await start("b");
        await eventually(
          "both have tasks",
          () => taskCount(first) === 2 && taskCount(second) === 2,
        );
        await writeRecords(subject(), from, keyed(400));
        await readUntil(subject(), to, PARTITIONS, (rows) => rows.length >= 800);
        const third = await start("c");
        await writeRecords(subject(), from, keyed(400));
        await eventually("all have tasks", () =>
          taskCount(first) > 0 && taskCount(second) > 0 && taskCount(third) > 0);
        assert(await second.close({ leaveGroup: true }));
        await writeRecords(subject(), from, keyed(400));
        await eventually("the others took over", () =>
          taskCount(first) + taskCount(third) === PARTITIONS);
        assert(await third.close({ leaveGroup: true }));
        await readUntil(subject(), to, PARTITIONS, (rows) =>
          rows.length >= 1_600);
        await reaches(first, "RUNNING");
        assert(await first.close());
        const rows = await readAllCommitted(subject(), to, PARTITIONS);
        assertEquals(rows.length, 1_600);
        assertCountsAreWhole(rows, 1_600 / KEYS);
      })
    ));

  test(`KafkaStreams keeps the state of tasks that stay open through a rebalance (${label})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject(), "from", PARTITIONS);
        const to = await newTopic(subject(), "to", PARTITIONS);
        const all = { ...config, ...protocol, "application.id": unique("stay") };
        const first = application(subject(), counting(from, to), testHome(`${dir}/a`, "a"), all);
        const restores: string[] = [];
        first.setRestoreListener({
          onRestoreStart: ({ partition }) => restores.push(`${partition}`),
        });
        await first.start();
        await writeRecords(subject(), from, keyed(400));
        await readUntil(subject(), to, PARTITIONS, (rows) => rows.length >= 400);
        const second = application(subject(), counting(from, to), testHome(`${dir}/b`, "b"), all);
        await second.start();
        await eventually(
          "both have tasks",
          () => taskCount(first) === 2 && taskCount(second) === 2,
        );
        await writeRecords(subject(), from, keyed(400));
        await readUntil(subject(), to, PARTITIONS, (rows) => rows.length >= 800);
        assertEquals(restores, []);
        await second.close();
        await first.close();
        assertCountsAreWhole(await readAllCommitted(subject(), to, PARTITIONS), 40);
      })
    ));
}
