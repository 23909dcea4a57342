// What tests of applications that are killed write, start and expect.
import { assertEquals } from "@std/assert";
import { systemClock } from "../../lib/record/time.ts";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import type { Plain, Subject } from "../kafka/subject.ts";
import { type BrokerAccess, uniqueName } from "../support/kafka_broker.ts";
import type { Random } from "../support/random.ts";
import { type Program, spawnSame } from "../support/spawn.ts";
import { type Input, readAllCommitted, readUntil, writeRecords } from "./application.ts";
import { GRACE_MS, JOIN_MS, type Totals, WINDOW_MS } from "./kill_topology.ts";

export const PARTITIONS = 4;
const SALES_PER_ROUND = 1_500;
const PAIRS_PER_ROUND = 800;
const CUSTOMERS = 40;

export interface Round {
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
export class KillRun {
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

  /** Starts an instance; `config` goes over what `kill_child.ts` sets. */
  start(dir: string, config: Readonly<Record<string, unknown>> = {}): Program {
    const { subject: { bootstrapServers }, prefix } = this;
    const args = [bootstrapServers, prefix, prefix, dir, JSON.stringify(config)];
    return spawnSame("tests/runtime/kill_child.ts", args);
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

  /** What is missing of the pairs, and what there is too much, for whoever looks for the reason. */
  async pairsGap(): Promise<string> {
    const rows = await readAllCommitted(this.subject, this.topic("pairs"), PARTITIONS);
    const expected = new Set(expectedPairs(this.rounds));
    const found = new Set(rows.map((row) => row.value!));
    const missing = [...expected].filter((pair) => !found.has(pair));
    const extra = [...found].filter((pair) => !expected.has(pair));
    return `of ${expected.size} pairs ${missing.length} are missing: ${
      missing.slice(0, 20).join(", ")
    }; ${rows.length - found.size} are there twice, ${extra.length} are wrong: ${
      extra.slice(0, 20).join(", ")
    }`;
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

/** A run on topics of its own. */
export async function newKillRun(broker: BrokerAccess, random: Random): Promise<KillRun> {
  const run = new KillRun(broker.bootstrapServers, random);
  const names = ["sales", "left", "right", "totals", "pairs", "amounts"];
  await broker.createTopics(
    names.map((name) => ({ name: run.topic(name), partitions: PARTITIONS })),
  );
  return run;
}

/** The last count of each key. */
function lastCounts(rows: readonly Plain[]): Map<string, number> {
  return new Map(rows.map((row) => [row.key!, Number(row.value)]));
}

function sameCounts(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([key, count]) => b.get(key) === count);
}
