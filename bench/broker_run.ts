/** One pipeline on a broker, measured: what `broker.ts` runs. @module */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Admin, KafkaClients, PartitionOffset } from "../lib/kafka/client.ts";
import { startEmbeddedBroker } from "../lib/kafka/embedded_broker.ts";
import { systemClock } from "../lib/record/time.ts";
import { clientsFor, KafkaStreams } from "../lib/streams.ts";
import { inputTopics, topology } from "./broker_topologies.ts";
import { load } from "./load.ts";
import { cpuSeconds, probe } from "./probe.ts";
import { readArgs } from "./report.ts";

const TIMEOUT_MS = 30_000;
const DEFAULTS = {
  topology: "agg",
  topic: "orders",
  payments: "payments",
  bootstrap: "127.0.0.1:9092",
  guarantee: "at_least_once",
  commit: "",
  threads: "1",
  cache: "10485760",
  records: "1000000",
  timeout: "300",
  verify: "false",
  log: "silent",
  set: "",
  partitions: "4",
  seed: "1",
};
type Options = typeof DEFAULTS;

/** Runs the pipeline that the arguments name and prints its line. */
export async function runPipeline(args: readonly string[]): Promise<void> {
  const options = readArgs([...args], DEFAULTS);
  const isEmbedded = options.bootstrap === "embedded";
  const broker = isEmbedded ? startEmbeddedBroker() : undefined;
  if (broker !== undefined) options.bootstrap = `embedded://${broker.bootstrapServers}`;
  try {
    await run(options, clientsFor([options.bootstrap]), isEmbedded);
  } finally {
    broker?.close();
  }
}

async function run(options: Options, clients: KafkaClients, isEmbedded: boolean): Promise<void> {
  const { bootstrap, topology: name, topic, payments } = options;
  if (isEmbedded) {
    const [records, partitions, seed] = [options.records, options.partitions, options.seed].map(
      Number,
    );
    await load(clients, { bootstrap, topology: name, topic, payments, records, partitions, seed });
  }
  const admin = clients.admin({ "bootstrap.servers": bootstrap });
  const application = `weirbench-${options.topology}-${crypto.randomUUID().slice(0, 8)}`;
  const output = `${application}-out`;
  const stateDir = mkdtempSync(join(tmpdir(), "weirbench-"));
  try {
    const inputs = inputTopics(options.topology, options.topic, options.payments);
    const partitions = await checkInputs(admin, inputs, Number(options.records));
    await admin.createTopics(
      [{ topic: output, partitions, replicationFactor: 1, config: { "retention.ms": "-1" } }],
      TIMEOUT_MS,
    );
    const module = { url: import.meta.resolve("./broker_topologies.ts") };
    const streams = new KafkaStreams(
      options.threads === "1" ? topology : module,
      settings(options, application, output, stateDir),
    );
    const line = await measure(streams, admin, options, application, inputs);
    line.broker = isEmbedded ? "embedded" : "real";
    if (options.verify === "true") {
      line.out_records = await countOutput(clients, admin, options, output);
    }
    console.log(JSON.stringify(line));
    const made = (await admin.listTopics(TIMEOUT_MS)).map((t) => t.topic);
    await admin.deleteTopics(made.filter((t) => t.startsWith(application)), TIMEOUT_MS);
  } finally {
    await admin.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

function settings(
  options: Options,
  application: string,
  output: string,
  stateDir: string,
): Record<string, unknown> {
  return {
    "application.id": application,
    "bootstrap.servers": options.bootstrap,
    "processing.guarantee": options.guarantee,
    "commit.interval.ms": options.commit ||
      (options.guarantee === "exactly_once_v2" ? 100 : 30_000),
    "num.stream.threads": options.threads,
    "statestore.cache.max.bytes": options.cache,
    "replication.factor": 1,
    "state.dir": stateDir,
    "log.level": options.log,
    // Event times lie in the past: the broker must not delete windowed changelogs during the run.
    "windowstore.changelog.additional.retention.ms": 20 * 365 * 86_400_000,
    "app.bench.topology": options.topology,
    "app.bench.input": options.topic,
    "app.bench.payments": options.payments,
    "app.bench.output": output,
    "app.bench.records": options.records,
    ...Object.fromEntries(
      options.set.split(",").filter((pair) => pair !== "").map((pair) => pair.split(/=(.*)/, 2)),
    ),
  };
}

async function checkInputs(admin: Admin, topics: readonly string[], records: number) {
  const described = await admin.describeTopics(topics, TIMEOUT_MS);
  const missing = described.find((t) => t.partitions === 0);
  if (missing) throw new Error(`Cannot run as the topic ${missing.topic} does not exist`);
  const ends = await admin.listOffsets(all(described), "latest", TIMEOUT_MS);
  const have = sum(ends);
  if (have < records) {
    throw new Error(`Cannot run as the input has too few records: current value is ${have}`);
  }
  return Math.max(...described.map((t) => t.partitions));
}

function all(topics: readonly { topic: string; partitions: number }[]) {
  return topics.flatMap(({ topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  );
}

function sum(offsets: readonly PartitionOffset[]): number {
  return offsets.reduce((total, { offset }) => total + Math.max(0, offset), 0);
}

async function measure(
  streams: KafkaStreams,
  admin: Admin,
  options: Options,
  application: string,
  inputs: readonly string[],
): Promise<Record<string, string | number>> {
  const records = Number(options.records);
  const deadline = systemClock.monotonic() + Number(options.timeout) * 1_000;
  // Workers count for themselves: there the clock starts when all threads run, and N/2 is when the committed offsets say so.
  const here = options.threads === "1";
  if (!here) {
    streams.onStateChange((next) => {
      if (next !== "RUNNING" || probe.startedMs >= 0) return;
      probe.startedMs = systemClock.monotonic();
      probe.startedCpu = cpuSeconds();
    });
  }
  await streams.start();
  try {
    while (here && probe.count < records) {
      await check(streams, deadline, `${probe.count} of ${records} records`);
      await systemClock.sleep(5);
    }
    for (let done = 0; done < records;) {
      done = await committed(admin, application, inputs);
      if (!here && probe.halfMs < 0 && done >= records / 2) probe.halfMs = systemClock.monotonic();
      await check(streams, deadline, `${done} of ${records} records committed`);
      await systemClock.sleep(5);
    }
    return report(options, records);
  } finally {
    await streams.close();
  }
}

async function check(streams: KafkaStreams, deadline: number, what: string): Promise<void> {
  if (streams.state === "ERROR" || streams.state === "PENDING_ERROR") throw streams.failure;
  if (systemClock.monotonic() > deadline) throw new Error(`timed out: ${what}`);
}

async function committed(admin: Admin, group: string, inputs: readonly string[]): Promise<number> {
  const offsets = await admin.groupOffsets(group, TIMEOUT_MS);
  return sum(offsets.filter((o) => inputs.includes(o.topic)));
}

function report(options: Options, records: number): Record<string, string | number> {
  const now = systemClock.monotonic();
  const seconds = (now - probe.startedMs) / 1_000;
  const cpu = cpuSeconds();
  const half = (now - probe.halfMs) / 1_000;
  return {
    engine: "weir",
    topology: options.topology,
    threads: Number(options.threads),
    guarantee: options.guarantee,
    cache: Number(options.cache),
    commit_ms: Number(options.commit),
    records,
    seconds: rounded(seconds),
    records_per_s: Math.round(records / seconds),
    cpu_seconds: rounded(cpu),
    rss_mb: Math.round(memoryMb("VmRSS")),
    cpu_seconds_measured: rounded(cpu - probe.startedCpu),
    rss_peak_mb: Math.round(memoryMb("VmHWM")),
    second_half_records_per_s: Math.round((records - (records >> 1)) / half),
    runtime: "Deno" in globalThis ? "deno" : "bun",
  };
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function memoryMb(field: string): number {
  try {
    const line = readFileSync("/proc/self/status", "utf8").match(new RegExp(`${field}:\\s+(\\d+)`));
    return line === null ? -1 : Number(line[1]) / 1_024;
  } catch {
    // Not Linux.
    return process.memoryUsage.rss() / 1_048_576;
  }
}

async function countOutput(
  clients: KafkaClients,
  admin: Admin,
  options: Options,
  output: string,
): Promise<number> {
  const partitions = all(await admin.describeTopics([output], TIMEOUT_MS));
  const ends = await admin.listOffsets(partitions, "latest", TIMEOUT_MS);
  const open = new Set(ends.filter((e) => e.offset > 0).map((e) => e.partition));
  const consumer = clients.consumer({
    "bootstrap.servers": options.bootstrap,
    "isolation.level": "read_committed",
  });
  consumer.assign(partitions.map((p) => ({ ...p, offset: -2 })));
  let count = 0;
  while (open.size > 0) {
    const batch = consumer.poll(10_000);
    count += batch?.count ?? 0;
    batch?.release();
    for (const end of consumer.takePartitionEnds()) open.delete(end.partition);
    if (batch === undefined && open.size > 0) await consumer.wait(100);
  }
  await consumer.close();
  return count;
}
