// A process that is killed again and again loses nothing and writes nothing twice. Needs Java for the broker.
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../lib/record/time.ts";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import type { Plain, Subject } from "../kafka/subject.ts";
import { sharedKafkaBroker, uniqueName } from "../support/kafka_broker.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { type Program, spawnSame } from "../support/spawn.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { type Input, readAllCommitted, readUntil, writeRecords } from "./application.ts";
import { GRACE_MS, JOIN_MS, type Totals, WINDOW_MS } from "./kill_topology.ts";

const PARTITIONS = 4;
const KILLS = 12;
const SALES_PER_ROUND = 1_500;
const PAIRS_PER_ROUND = 800;
const CUSTOMERS = 40;
const RESTART_LIMIT_MS = 30_000;

interface Round {
  readonly sales: readonly Input[];
  readonly left: readonly Input[];
  readonly right: readonly Input[];
}

/** One round of input. Event time goes on from round to round; within a partition records are late by less than the grace. */
function makeRound(random: Random, startMs: number, round: number): Round {
  const at = (i: number, count: number) =>
    startMs + Math.floor(i * 5_000 / count) + random.int(0, GRACE_MS / 2);
  const sales = Array.from({ length: SALES_PER_ROUND }, (_, i) => ({
    key: `c${random.int(0, CUSTOMERS)}`,
    value: String(random.int(1, 1_000)),
    timestamp: at(i, SALES_PER_ROUND),
  }));
  const sides = ["l", "r"].map((side) =>
    Array.from({ length: PAIRS_PER_ROUND }, (_, i) => ({
      key: `o${random.int(0, PAIRS_PER_ROUND)}`,
      value: `${side}${round}.${i}`,
      timestamp: at(i, PAIRS_PER_ROUND),
    }))
  );
  return { sales, left: sides[0], right: sides[1] };
}

/** What the windows must come to. */
function expectedTotals(rounds: readonly Round[]): Map<string, Totals> {
  const totals = new Map<string, Totals>();
  for (const { key, value, timestamp } of rounds.flatMap((r) => r.sales)) {
    const name = `${key}@${Math.floor(timestamp! / WINDOW_MS) * WINDOW_MS}`;
    const { count, sum } = totals.get(name) ?? { count: 0, sum: 0 };
    totals.set(name, { count: count + 1, sum: sum + Number(value) });
  }
  return totals;
}

function expectedPairs(rounds: readonly Round[]): string[] {
  const right = Map.groupBy(rounds.flatMap((r) => r.right), (r) => r.key!);
  return rounds.flatMap((r) => r.left).flatMap((left) =>
    (right.get(left.key!) ?? [])
      .filter((r) => Math.abs(r.timestamp! - left.timestamp!) <= JOIN_MS)
      .map((r) => `${left.value}+${r.value}`)
  ).sort();
}

function expectedAmounts(rounds: readonly Round[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { value } of rounds.flatMap((r) => r.sales)) {
    const key = String(Number(value) % 7);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function start(bootstrap: string, application: string, prefix: string, dir: string): Program {
  return spawnSame("tests/runtime/kill_child.ts", [bootstrap, application, prefix, dir]);
}

test("KafkaStreams loses nothing and writes nothing twice when it is killed with SIGKILL twelve times", () =>
  withTempDir(async (dir) => {
    const random = seededRandom("kills");
    const broker = await sharedKafkaBroker();
    const { bootstrapServers } = broker;
    const subject = {
      kind: "real",
      bootstrapServers,
      clients: librdkafkaClients,
    } as unknown as Subject;
    const prefix = uniqueName("kill");
    const names = ["sales", "left", "right", "totals", "pairs", "amounts"];
    await broker.createTopics(
      names.map((n) => ({ name: `${prefix}-${n}`, partitions: PARTITIONS })),
    );
    const write = async ({ sales, left, right }: Round) => {
      await writeRecords(subject, `${prefix}-sales`, sales);
      await writeRecords(subject, `${prefix}-left`, left);
      await writeRecords(subject, `${prefix}-right`, right);
    };
    const firstMs = Math.floor(systemClock.now() / WINDOW_MS) * WINDOW_MS - 600_000;
    const rounds: Round[] = [];
    for (let i = 0; i < KILLS; i++) {
      const child = start(bootstrapServers, prefix, prefix, dir);
      const round = makeRound(random, firstMs + i * 5_000, i);
      rounds.push(round);
      await write(round);
      // One in four dies while it still starts or restores.
      if (!random.chance(0.25)) await child.waitForLine(/state RUNNING/, RESTART_LIMIT_MS);
      await systemClock.sleep(random.int(50, 1_200));
      const exit = await child.kill("SIGKILL");
      assertEquals(exit.signal, "SIGKILL", `${child.stdout}${child.stderr}`);
    }
    const last = start(bootstrapServers, prefix, prefix, dir);
    await last.waitForLine(/state RUNNING/, RESTART_LIMIT_MS);
    // A record far ahead in each partition closes all windows; its own stays open.
    await writeRecords(
      subject,
      `${prefix}-sales`,
      Array.from({ length: PARTITIONS }, (_, partition) => ({
        key: "end",
        value: "7",
        timestamp: firstMs + 3_600_000,
        partition,
      })),
    );
    const totals = expectedTotals(rounds);
    const pairs = expectedPairs(rounds);
    const amounts = expectedAmounts(rounds);
    amounts.set("0", amounts.get("0")! + PARTITIONS);
    await readUntil(subject, `${prefix}-totals`, PARTITIONS, (rows) => rows.length >= totals.size);
    await readUntil(subject, `${prefix}-pairs`, PARTITIONS, (rows) => rows.length >= pairs.length);
    await readUntil(
      subject,
      `${prefix}-amounts`,
      PARTITIONS,
      (rows) => sameCounts(lastCounts(rows), amounts),
    );
    const exit = await last.stop();
    assertEquals(exit.code, 0, last.stderr);
    assert(last.stdout.includes("closed"));

    const totalRows = await readAllCommitted(subject, `${prefix}-totals`, PARTITIONS);
    assertEquals(totalRows.length, totals.size);
    assertEquals(
      new Map(totalRows.map((row) => [row.key!, JSON.parse(row.value!) as Totals])),
      totals,
    );
    const pairRows = await readAllCommitted(subject, `${prefix}-pairs`, PARTITIONS);
    assertEquals(pairRows.map((row) => row.value!).sort(), pairs);
    const amountRows = await readAllCommitted(subject, `${prefix}-amounts`, PARTITIONS);
    assertEquals(lastCounts(amountRows), amounts);
  }));

/** The last count of each key. */
function lastCounts(rows: readonly Plain[]): Map<string, number> {
  return new Map(rows.map((row) => [row.key!, Number(row.value)]));
}

function sameCounts(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([key, count]) => b.get(key) === count);
}
