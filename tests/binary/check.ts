/**
 * `deno run -A tests/binary/check.ts dist/weir`: copies the binary alone into an empty directory and runs it there, with an
 * environment that names nothing of this machine. Prints a line a check and ends with `N passed, N failed`.
 *
 * @module
 */
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { generateOrders } from "../../examples/orders/generator.ts";
import { orders, orderStats } from "../../examples/orders/topics.ts";
import { OrderFeed } from "../../lib/cli/order_feed.ts";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import { SchemaRegistryClient } from "../../lib/serde/schema_registry_client.ts";
import { freePort } from "../support/free_port.ts";
import { startKafkaBroker } from "../support/kafka_broker.ts";
import { startRegistry } from "../support/registry.ts";
import { Program, repositoryRoot } from "../support/spawn.ts";
import { makeTempDir, removeDir } from "../support/temp_dir.ts";

const TOPOLOGY = `import { defineTopology, int64, string, topic } from "weir";

const words = topic("words", { key: string(), value: string() });
const counts = topic("counts", { key: string(), value: int64() });

export const topology = defineTopology((builder) => {
  builder.stream(words).groupByKey().count({ store: "counts-store" }).toStream().to(counts);
});
`;

const binary = resolve(process.argv[2] ?? join(repositoryRoot, "dist/weir"));
const dir = makeTempDir("binary");
const weir = join(dir, "weir");
copyFileSync(binary, weir);
writeFileSync(join(dir, "words.ts"), TOPOLOGY);
cpSync(join(repositoryRoot, "examples"), join(dir, "examples"), { recursive: true });
const options = { cwd: dir, env: { HOME: dir } };

const EMBEDDED = { "bootstrap.servers": "embedded://", "num.stream.threads": "2" };
const checks: Record<string, () => Promise<void>> = {
  "weir version prints the version of package.json": async () => {
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8"));
    assertStringIncludes(await output(["version"]), version);
  },
  "weir topology prints the description of a file": async () => {
    assertMatch(await output(["topology", "words.ts"]), /Topologies:\s+Sub-topology: 0/);
  },
  "weir run serves a topology on the embedded broker and ends on SIGTERM": () => runEmbedded(1),
  "weir run works with two threads": () => runEmbedded(2),
  "weir run writes the log of all Workers to the console and to the day's file": runLogged,
  "weir run changes levels in all Workers, and shows its page": runChanged,
  "weir run traces records with an SDK from the disk": runTraced,
  "weir run writes the windows of the order example to Apache Kafka": runOrders,
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok     ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}\n${error instanceof Error ? error.stack : error}`);
  }
}
removeDir(dir);
console.log(`\n${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function output(args: readonly string[]): Promise<string> {
  const program = new Program(weir, args, options);
  const exit = await program.exited;
  assertEquals(exit.code, 0, program.stdout + program.stderr);
  return program.stdout;
}

async function runEmbedded(threads: number): Promise<void> {
  const settings = {
    "application.id": `binary-check-${threads}`,
    "bootstrap.servers": "embedded://",
    "num.stream.threads": String(threads),
  };
  await runAndStop("words.ts", settings, async () => {});
}

function logLines(text: string): Record<string, unknown>[] {
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

async function runLogged(): Promise<void> {
  const settings = {
    ...EMBEDDED,
    "application.id": "binary-logged",
    "log.format": "json",
    "log.file": join(dir, "logs", "weir.log"),
  };
  const program = await runAndStop("words.ts", settings, async () => {});
  const [name, ...more] = readdirSync(join(dir, "logs"));
  assertMatch(name, /^weir\.\d{4}-\d\d-\d\d\.log$/);
  assertEquals(more, []);
  const inFile = readFileSync(join(dir, "logs", name), "utf8");
  assertEquals(inFile.split("\n").sort(), program.stderr.split("\n").sort());
  const threads = new Set(
    logLines(inFile).filter((line) => line.logger === "stream-thread")
      .map((line) => String(line.thread_id).replace(/^.*-/, "")),
  );
  assertEquals([...threads].sort(), ["1", "2"]);
}

async function runChanged(): Promise<void> {
  const settings = {
    ...EMBEDDED,
    "application.id": "binary-changed",
    "admin.token": "correct-horse",
    "log.format": "json",
  };
  await runAndStop("words.ts", settings, async (url) => {
    const page = await (await fetch(url)).text();
    assertStringIncludes(page, "<title>Weir</title>");
    const answer = await fetch(`${url}/api/v1/metrics/recording-level`, {
      method: "PUT",
      headers: { authorization: "Bearer correct-horse" },
      body: '{"level":"debug"}',
    });
    assertEquals(answer.status, 200);
    for (let attempt = 0;; attempt++) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const threads = new Set(
        [...text.matchAll(/^kafka_stream_task_process_total\{thread_id="([^"]+)"/gm)]
          .map((match) => match[1]),
      );
      if (threads.size === 2) return;
      assert(attempt < 100, text);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
}

/** The SDK lies in `node_modules` beside the module, as a user's would. */
async function runTraced(): Promise<void> {
  const packages = join(dir, "node_modules", "@opentelemetry");
  mkdirSync(packages, { recursive: true });
  for (const name of ["api", "core", "sdk-trace", "resources", "semantic-conventions"]) {
    cpSync(opentelemetryPackage(name), join(packages, name), {
      recursive: true,
      dereference: true,
    });
  }
  writeFileSync(
    join(dir, "otel.ts"),
    `import { trace } from "@opentelemetry/api";
import { SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { appendFileSync } from "node:fs";
const exporter = {
  export(spans, done) { for (const span of spans) appendFileSync("spans.txt", span.name + "\\n"); done({ code: 0 }); },
  shutdown: () => Promise.resolve(),
};
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
`,
  );
  const settings = {
    ...EMBEDDED,
    "application.id": "binary-traced",
    "tracing.module": "otel.ts",
    "processing.guarantee": "exactly_once_v2",
  };
  await runAndStop("words.ts", settings, async (url) => {
    await (await fetch(`${url}/healthz`)).text();
  });
  const spans = readFileSync(join(dir, "spans.txt"), "utf8").trim().split("\n");
  assert(spans.includes("GET /healthz"), spans.join());
}

/** Where Deno keeps a package, its own dependencies beside it. */
function opentelemetryPackage(name: string): string {
  const store = join(repositoryRoot, "node_modules", ".deno");
  const folder = readdirSync(store).find((each) => each.startsWith(`@opentelemetry+${name}@`));
  assert(folder !== undefined, `${name} is not installed`);
  return join(store, folder, "node_modules", "@opentelemetry", name);
}

async function runOrders(): Promise<void> {
  const broker = await startKafkaBroker();
  const registry = await startRegistry();
  try {
    const { bootstrapServers } = broker;
    const names = [orders.topic, orderStats.topic];
    await broker.createTopics(names.map((name) => ({ name, partitions: 2 })));
    orders.value.bind!({ registry: new SchemaRegistryClient({ baseURLs: [registry.url] }) });
    await orders.value.prepare?.({ topic: orders.topic, isKey: false });
    const feed = new OrderFeed(librdkafkaClients, bootstrapServers);
    await feed.write(generateOrders(20_000, { seed: 1, corruptEvery: 0 }));
    await feed.close();
    const settings = {
      "application.id": "binary-orders",
      "bootstrap.servers": bootstrapServers,
      "schema.registry.url": registry.url,
      "processing.guarantee": "exactly_once_v2",
      "replication.factor": "1",
    };
    await runAndStop("examples/orders/aggregate.ts", settings, () => written(bootstrapServers));
  } finally {
    await broker.stop();
    await registry.stop();
  }
}

/** Resolves when the topic of closed windows has records, at most a minute from now. */
async function written(bootstrapServers: string): Promise<void> {
  const consumer = librdkafkaClients.consumer({
    "bootstrap.servers": bootstrapServers,
    "group.id": "binary-check",
    "isolation.level": "read_committed",
  });
  const parts = [0, 1].map((partition) => ({ topic: orderStats.topic, partition, offset: -2 }));
  consumer.assign(parts);
  try {
    for (let attempt = 0; attempt < 600; attempt++) {
      if (consumer.poll(1) !== undefined) return;
      await consumer.wait(100);
    }
    throw new Error(`Nothing came out of ${orderStats.topic} in a minute`);
  } finally {
    await consumer.close();
  }
}

async function runAndStop(
  file: string,
  own: Readonly<Record<string, string>>,
  meanwhile: (url: string) => Promise<void>,
): Promise<Program> {
  const port = await freePort();
  const stateDir = join(dir, `state-${port}`);
  const settings = { ...own, "state.dir": stateDir, "admin.port": String(port) };
  const sets = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const program = new Program(weir, ["run", file, ...sets], options);
  try {
    await answersOk(program, `http://127.0.0.1:${port}/healthz`);
    await answersOk(program, `http://127.0.0.1:${port}/readyz`);
    await meanwhile(`http://127.0.0.1:${port}`);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assertStringIncludes(metrics, "kafka_streams_");
    assertEquals(await program.stop(), { code: 0, signal: null });
    return program;
  } catch (error) {
    await program.kill();
    const text = `${program.stdout}${program.stderr}`.slice(-8_000);
    throw new Error(`${(error as Error).message}\n${text}`, { cause: error });
  }
}

/** Waits until `url` answers 200, at most a minute. */
async function answersOk(program: Program, url: string): Promise<void> {
  let last = "nothing";
  for (let attempt = 0; attempt < 600; attempt++) {
    assert(program.running, `The program ended before ${url} answered`);
    try {
      const answer = await fetch(url);
      last = `${answer.status} ${await answer.text()}`;
      if (answer.ok) return;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer 200 in a minute: ${last}`);
}
