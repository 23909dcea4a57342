/**
 * Weir beside Apache Kafka Streams, on one broker in one run, by turns and in fresh processes: JSON lines, then tables with ratios.
 *
 *     deno run -A bench/compare.ts [--topologies passthrough,agg] [--guarantee exactly_once_v2] [--commit 1000] [--threads 1]
 *                                  [--cache 10485760] [--records 1000000] [--rounds 3] [--runtimes deno,deno-v8-alone,bun] [--transport yes]
 *
 * `passthrough` reads twice `--records`, `join` half of it from each side. Of the pipelines' rounds the median of each field counts, of the transport's the best round.
 *
 * @module
 */
import process from "node:process";
import { join } from "node:path";
import { startKafkaBroker } from "../tests/support/kafka_broker.ts";
import { bunPath, denoPath, Program } from "../tests/support/spawn.ts";
import { openPeer, type Peer } from "./peer/peer.ts";
import { type Measurement, readArgs, table } from "./report.ts";

/** A flag that changes nothing: V8's heap then keeps its own settings. */
const V8_ALONE = ["--v8-flags=--no-lite-mode"];
const options = readArgs(process.argv.slice(2), {
  topologies: "passthrough,stateless,count,agg,agg-suppress,join",
  guarantee: "exactly_once_v2",
  commit: "1000",
  threads: "1",
  cache: "10485760",
  records: "1000000",
  partitions: "4",
  rounds: "3",
  runtimes: "deno",
  transport: "yes",
});
const records = Number(options.records);
const topologies = options.topologies.split(",").filter((name) => name !== "");
const runtimes = options.runtimes.split(",");

const broker = await startKafkaBroker({ heap: "1g", compile: "fully" });
try {
  const peer = await openPeer(broker.bootstrapServers);
  await load(peer);
  const rows: Measurement[] = [];
  if (options.transport === "yes") await alternate(rows, "transport", transportEngines(peer));
  for (const topology of topologies) {
    await alternate(rows, topology, streamEngines(peer, topology));
  }
  if (options.transport === "yes") console.log(`\n${transportTable(rows)}`);
  if (topologies.length > 0) console.log(`\n${streamsTable(rows)}`);
} finally {
  await broker.stop();
}

/** Something that can be measured: an engine's name and one run of it in a fresh process. */
interface Engine {
  readonly name: string;
  run(): Promise<Measurement[]>;
}

/** Runs the engines by turns, the order turned round each time, so that neither has the warmer machine. */
async function alternate(rows: Measurement[], bench: string, engines: Engine[]): Promise<void> {
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const engine of round % 2 === 0 ? engines : [...engines].reverse()) {
      for (const measured of await engine.run()) {
        const row = { ...measured, bench, engine: engine.name, round };
        console.log(JSON.stringify(row));
        rows.push(row);
      }
    }
  }
}

function streamEngines(peer: Peer, topology: string): Engine[] {
  const setting = {
    topology,
    topic: topicOf(topology),
    payments: "payments-half",
    guarantee: options.guarantee,
    commit: options.commit,
    threads: options.threads,
    cache: options.cache,
    records: recordsOf(topology),
  };
  const java = {
    name: "kafka-streams",
    run: () => peer.run("run", { ...setting, "broker-pid": broker.pid }),
  };
  const args = Object.entries(setting)
    .filter(([name]) => name !== "payments" || topology === "join")
    .flatMap(([name, value]) => [`--${name}`, String(value)]);
  return [java, ...ours("broker.ts", args)];
}

function transportEngines(peer: Peer): Engine[] {
  const setting = { records: 2 * records, partitions: options.partitions };
  const args = Object.entries(setting).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const java = { name: "kafka-clients", run: () => peer.run("transport", setting) };
  return [java, ...ours("transport.ts", args)];
}

/** A program of this directory on each of the runtimes. */
function ours(script: string, args: readonly string[]): Engine[] {
  const all = [join(import.meta.dirname!, script), "--bootstrap", broker.bootstrapServers, ...args];
  return runtimes.map((runtime) => ({
    name: `weir on ${runtime}`,
    run: () => {
      if (runtime === "bun") return jsonLines(bunPath(), ["run", ...all]);
      const flags = runtime === "deno-v8-alone" ? V8_ALONE : [];
      return jsonLines(denoPath(), ["run", "-A", "--no-check", ...flags, ...all]);
    },
  }));
}

async function jsonLines(command: string, args: readonly string[]): Promise<Measurement[]> {
  const program = new Program(command, args);
  const exit = await program.exited;
  if (exit.code !== 0) {
    throw new Error(
      `${args.join(" ")} ended with ${JSON.stringify(exit)}\n${program.stdout}${program.stderr}`,
    );
  }
  const lines = program.stdout.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as Measurement);
}

/** The input topics, as the peer's README describes them. */
async function load(peer: Peer): Promise<void> {
  const { partitions } = options;
  const needs = (...names: string[]) => names.some((name) => topologies.includes(name));
  if (needs("passthrough")) {
    await peer.run("load", {
      topic: "orders-big",
      records: 2 * records,
      partitions,
      variants: "json",
    });
  }
  const variants = [needs("stateless", "count") && "json", needs("agg", "agg-suppress") && "avro"];
  const wanted = variants.filter(Boolean).join(",");
  if (wanted !== "") {
    await peer.run("load", { topic: "orders", records, partitions, variants: wanted });
  }
  if (needs("join")) {
    const half = { records: Math.floor(records / 2), partitions };
    await peer.run("load", { topic: "orders-half", ...half, variants: "by-order" });
    await peer.run("load-payments", { topic: "payments-half", ...half, variants: "avro" });
  }
}

function topicOf(topology: string): string {
  return { "passthrough": "orders-big", "join": "orders-half" }[topology] ?? "orders";
}

function recordsOf(topology: string): number {
  if (topology === "passthrough") return 2 * records;
  return topology === "join" ? 2 * Math.floor(records / 2) : records;
}

function streamsTable(rows: readonly Measurement[]): string {
  const columns = [
    "topology",
    "engine",
    "records_per_s",
    "ratio",
    "second_half_records_per_s",
    "second half ratio",
    "cpu_seconds",
    "rss_mb",
    "rss ratio",
  ];
  const lines = topologies.flatMap((topology) => {
    const java = medians(rows, topology, "kafka-streams");
    const weir = runtimes.map((r) => medians(rows, topology, `weir on ${r}`));
    return [java, ...weir].filter((row) => row !== undefined).map((row) => ({
      ...row,
      topology,
      "ratio": ratio(row, java, "records_per_s"),
      "second half ratio": ratio(row, java, "second_half_records_per_s"),
      "rss ratio": ratio(row, java, "rss_mb"),
    }));
  });
  return table(lines, columns);
}

function transportTable(rows: readonly Measurement[]): string {
  const found = rows.filter((row) => row.bench === "transport").map((row) => ({
    ...row,
    records_per_s: row.records_per_s ?? row.recordsPerSecond,
    rss_mb: row.rss_mb ?? row.rssMb,
    cpu_seconds: row.cpu_seconds ?? Number(row.cpuMs) / 1_000,
  }));
  const measures = [...new Set(found.map((row) => String((row as Measurement).measure)))];
  const lines = measures.flatMap((measure) => {
    const of = found.filter((row) => (row as Measurement).measure === measure);
    const java = best(of, "transport", "kafka-clients", "records_per_s");
    const weir = runtimes.map((r) => best(of, "transport", `weir on ${r}`, "records_per_s"));
    return [java, ...weir].filter((row) => row !== undefined).map((row) => ({
      ...row,
      measure,
      "ratio": ratio(row, java, "records_per_s"),
    }));
  });
  return table(lines, ["measure", "engine", "records_per_s", "ratio", "cpu_seconds", "rss_mb"]);
}

/** What an engine's rounds have in the middle, field by field. */
function medians(
  rows: readonly Measurement[],
  bench: string,
  engine: string,
): Measurement | undefined {
  const own = rows.filter((row) => row.bench === bench && row.engine === engine);
  if (own.length === 0) return undefined;
  return Object.fromEntries(
    Object.entries(own[0]).map(([field, value]) => {
      if (typeof value !== "number") return [field, value];
      const sorted = own.map((row) => Number(row[field])).sort((a, b) => a - b);
      const middle = sorted.length >> 1;
      return [
        field,
        sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
      ];
    }),
  );
}

/** The row of an engine with the highest value of a field. */
function best(
  rows: readonly Measurement[],
  bench: string,
  engine: string,
  field: string,
): Measurement | undefined {
  return rows.filter((row) => row.bench === bench && row.engine === engine)
    .sort((a, b) => Number(b[field]) - Number(a[field]))[0];
}

/** What `row` has for one of the peer's. */
function ratio(row: Measurement, peer: Measurement | undefined, field: string): string {
  const value = Number(row[field]) / Number(peer?.[field]);
  return Number.isFinite(value) ? value.toFixed(2) : "";
}
