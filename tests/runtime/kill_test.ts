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
const SHARED_KILLS = 6;
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

/** The topics of one run, with what was written and what must come out. */
class Run {
  readonly subject: Subject;
  readonly prefix: string = uniqueName("kill");
  readonly rounds: Round[] = [];
  readonly #random: Random;
  readonly #firstMs = Math.floor(systemClock.now() / WINDOW_MS) * WINDOW_MS - 600_000;

  constructor(bootstrapServers: string, random: Random) {
    this.subject = {
      kind: "real",
      bootstrapServers,
      clients: librdkafkaClients,
    } as unknown as Subject;
    this.#random = random;
  }

  topic(name: string): string {
    return `${this.prefix}-${name}`;
  }

  start(dir: string): Program {
    const { subject: { bootstrapServers }, prefix } = this;
    return spawnSame("tests/runtime/kill_child.ts", [bootstrapServers, prefix, prefix, dir]);
  }

  async writeRound(): Promise<void> {
    const round = makeRound(
      this.#random,
      this.#firstMs + this.rounds.length * 5_000,
      this.rounds.length,
    );
    this.rounds.push(round);
    await writeRecords(this.subject, this.topic("sales"), round.sales);
    await writeRecords(this.subject, this.topic("left"), round.left);
    await writeRecords(this.subject, this.topic("right"), round.right);
  }

  /** A record far ahead in each partition closes all windows; its own stays open. */
  async writeEnd(): Promise<void> {
    const timestamp = this.#firstMs + 3_600_000;
    await writeRecords(
      this.subject,
      this.topic("sales"),
      Array.from(
        { length: PARTITIONS },
        (_, partition) => ({ key: "end", value: "7", timestamp, partition }),
      ),
    );
  }

  /** Resolves when as much is there as must come out. */
  async arrived(): Promise<void> {
    const { subject } = this;
    const totals = expectedTotals(this.rounds).size;
    const pairs = expectedPairs(this.rounds).length;
    const amounts = this.#amounts();
    await readUntil(subject, this.topic("totals"), PARTITIONS, (rows) => rows.length >= totals);
    await readUntil(subject, this.topic("pairs"), PARTITIONS, (rows) => rows.length >= pairs);
    await readUntil(
      subject,
      this.topic("amounts"),
      PARTITIONS,
      (rows) => sameCounts(lastCounts(rows), amounts),
    );
  }

  #amounts(): Map<string, number> {
    const amounts = expectedAmounts(this.rounds);
    amounts.set("0", amounts.get("0")! + PARTITIONS);
    return amounts;
  }

  async assertExact(): Promise<void> {
    const { subject } = this;
    const totals = await readAllCommitted(subject, this.topic("totals"), PARTITIONS);
    const expected = expectedTotals(this.rounds);
    assertEquals(totals.length, expected.size);
    assertEquals(
      new Map(totals.map((row) => [row.key!, JSON.parse(row.value!) as Totals])),
      expected,
    );
    const pairs = await readAllCommitted(subject, this.topic("pairs"), PARTITIONS);
    assertEquals(pairs.map((row) => row.value!).sort(), expectedPairs(this.rounds));
    const amounts = await readAllCommitted(subject, this.topic("amounts"), PARTITIONS);
    assertEquals(lastCounts(amounts), this.#amounts());
  }
}

async function newRun(random: Random): Promise<Run> {
  const broker = await sharedKafkaBroker();
  const run = new Run(broker.bootstrapServers, random);
  const names = ["sales", "left", "right", "totals", "pairs", "amounts"];
  await broker.createTopics(
    names.map((name) => ({ name: run.topic(name), partitions: PARTITIONS })),
  );
  return run;
}

test("KafkaStreams loses nothing and writes nothing twice when it is killed with SIGKILL twelve times", () =>
  withTempDir(async (dir) => {
    const random = seededRandom("kills");
    const run = await newRun(random);
    for (let i = 0; i < KILLS; i++) {
      const child = run.start(dir);
      await run.writeRound();
      // One in four dies while it still starts or restores.
      if (!random.chance(0.25)) await child.waitForLine(/state RUNNING/, RESTART_LIMIT_MS);
      await systemClock.sleep(random.int(50, 1_200));
      const exit = await child.kill("SIGKILL");
      assertEquals(exit.signal, "SIGKILL", `${child.stdout}${child.stderr}`);
    }
    const last = run.start(dir);
    await last.waitForLine(/state RUNNING/, RESTART_LIMIT_MS);
    await run.writeEnd();
    await run.arrived();
    const exit = await last.stop();
    assertEquals(exit.code, 0, last.stderr);
    assert(last.stdout.includes("closed"));
    await run.assertExact();
  }));

test("KafkaStreams loses nothing and writes nothing twice when instances that share the work are killed in turn", () =>
  withTempDir(async (dir) => {
    const random = seededRandom("shared kills");
    const run = await newRun(random);
    const dirs = [`${dir}/a`, `${dir}/b`];
    const instances = dirs.map((own) => run.start(own));
    for (const instance of instances) await instance.waitForLine(/state RUNNING/, RESTART_LIMIT_MS);
    for (let i = 0; i < SHARED_KILLS; i++) {
      await run.writeRound();
      await systemClock.sleep(random.int(100, 1_500));
      const victim = random.int(0, instances.length);
      // Some go in order, so that their tasks move; a killed one keeps its place in the group for its restart.
      if (random.chance(0.3)) await instances[victim].stop();
      else await instances[victim].kill("SIGKILL");
      await systemClock.sleep(random.int(0, 1_000));
      // Some come back without their state, which is restored in full.
      if (random.chance(0.3)) dirs[victim] = `${dir}/${i}`;
      instances[victim] = run.start(dirs[victim]);
    }
    await run.writeEnd();
    await run.arrived();
    for (const instance of instances) {
      const exit = await instance.stop();
      assertEquals(exit.code, 0, instance.stderr);
    }
    await run.assertExact();
  }));

/** The last count of each key. */
function lastCounts(rows: readonly Plain[]): Map<string, number> {
  return new Map(rows.map((row) => [row.key!, Number(row.value)]));
}

function sameCounts(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([key, count]) => b.get(key) === count);
}
