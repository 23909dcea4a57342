/**
 * The order pipeline on a broker inside the process, with generated orders.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DEMO_START_MS, generateOrders } from "../../examples/orders/generator.ts";
import { DEAD_LETTERS, orders, orderStats } from "../../examples/orders/topics.ts";
import { parseConfig, type StreamsConfig } from "../config.ts";
import type { Admin, KafkaClients, TopicPartition } from "../kafka/client.ts";
import { embeddedClients } from "../kafka/embedded_clients.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../kafka/embedded_broker.ts";
import { systemClock } from "../record/time.ts";
import { mockRegistry } from "../serde/mock_registry.ts";
import { type Log, openLog } from "../telemetry/logger.ts";
import type { MetricsSnapshot } from "../telemetry/metrics.ts";
import { TASK } from "../telemetry/task_metrics.ts";
import { startAdminServer } from "./admin_server.ts";
import {
  firstFailure,
  makeApplications,
  type RunningApplication,
  stopApplications,
} from "./applications.ts";
import { closedWindow, windowLine } from "./closed_windows.ts";
import { logOptions } from "./log_options.ts";
import { OrderFeed } from "./order_feed.ts";
import type { StartOptions } from "./start_options.ts";
import { listenForStop } from "./stop_signal.ts";
import { TopicReader } from "./topic_reader.ts";
import { findTopologies } from "./topology_files.ts";

/** What a run of a given number of orders ends with. */
export interface DemoSummary {
  readonly records_in: number;
  readonly windows_out: number;
  readonly seconds: number;
  readonly records_per_second: number;
  readonly dropped_late: number;
  readonly dead_letters: number;
  /** Orders that are counted in the closed windows. */
  readonly orders_in_windows: number;
  readonly partitions: number;
  readonly seed: number;
}

const PARTITIONS = 4;
const APPLICATION = "orders-demo";
const SCOPE = "orders-demo";
const PIPELINE = resolve(import.meta.dirname!, "../../examples/orders/aggregate.ts");
const PATIENCE_MS = 30_000;
/** How many events are kept when it goes on for ever, and how often the others are dropped. */
const TRIM_MS = 10_000;

/** Everything that runs. */
interface Demo {
  readonly options: StartOptions;
  readonly config: StreamsConfig;
  readonly broker: EmbeddedBroker;
  readonly clients: KafkaClients;
  readonly admin: Admin;
  readonly application: RunningApplication;
  readonly log: Log;
  readonly failed: Promise<Error>;
  readonly print: (text: string) => void;
}

/** Runs the pipeline; gives the summary when a number of orders is given, and ends with a signal otherwise. */
export async function runDemo(
  options: StartOptions,
  print: (text: string) => void,
): Promise<DemoSummary | undefined> {
  const stateDir = mkdtempSync(join(tmpdir(), "weir-start-"));
  const broker = startEmbeddedBroker({ defaultPartitions: PARTITIONS });
  const clients = embeddedClients(broker);
  const config = demoConfig(options, broker, stateDir);
  const log = openLog(logOptions(config));
  const admin = clients.admin({ "bootstrap.servers": broker.bootstrapServers });
  await bindSerdes();
  broker.createTopic(DEAD_LETTERS);
  try {
    const [application] = await makeApplications(await findTopologies([PIPELINE]), {
      configure: () => config,
      log,
      broker,
    });
    const failed = firstFailure([application]);
    const demo = { options, config, broker, clients, admin, application, log, failed, print };
    return options.records === undefined
      ? await runUntilStopped(demo)
      : await runRecords(demo, options.records);
  } finally {
    await admin.close();
    broker.close();
    log.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

function demoConfig(
  options: StartOptions,
  broker: EmbeddedBroker,
  stateDir: string,
): StreamsConfig {
  return parseConfig({
    "application.id": APPLICATION,
    "bootstrap.servers": `embedded://${broker.bootstrapServers}`,
    "schema.registry.url": `mock://${SCOPE}`,
    "processing.guarantee": "exactly_once_v2",
    "producer.linger.ms": 5,
    "num.stream.threads": options.threads,
    "state.dir": stateDir,
    "admin.port": options.adminPort,
    "deserialization.exception.handler": "dead-letter-queue",
    "errors.dead.letter.queue.topic.name": DEAD_LETTERS,
    "log.level": "warn",
  });
}

/** The serdes that orders are written and windows are read with; the pipeline binds its own. */
async function bindSerdes(): Promise<void> {
  const registry = mockRegistry(SCOPE);
  for (const { topic, value } of [orders, orderStats]) {
    value.bind?.({ registry });
    await value.prepare?.({ topic, isKey: false });
  }
}

/** The orders are written first, so that the time is the pipeline's alone: from its start to the commit of the last one. */
async function runRecords(demo: Demo, records: number): Promise<DemoSummary> {
  const { broker, clients, admin, application, options } = demo;
  const feed = new OrderFeed(clients, broker.bootstrapServers);
  await feed.write(generateOrders(records, { seed: options.seed }));
  await feed.close();
  const started = systemClock.monotonic();
  await application.streams.start();
  await untilCommitted(demo, records);
  const seconds = (systemClock.monotonic() - started) / 1000;
  // Workers report twice a second.
  if (options.threads > 1) await systemClock.sleep(1_000);
  const late = droppedFor(application.view.metrics(), "late");
  await stopApplications([application], demo.config);
  const { bootstrapServers } = broker;
  const windows = new TopicReader({
    clients,
    bootstrapServers,
    topic: orderStats.topic,
    partitions: PARTITIONS,
    decode: closedWindow,
  });
  const deadLetters = new TopicReader({
    clients,
    bootstrapServers,
    topic: DEAD_LETTERS,
    partitions: PARTITIONS,
    decode: () => 1,
  });
  const closed = await windows.readAll(admin);
  const dead = await deadLetters.readAll(admin);
  await Promise.all([windows.close(), deadLetters.close()]);
  return {
    records_in: records,
    windows_out: closed.length,
    seconds: Number(seconds.toFixed(3)),
    records_per_second: Math.round(records / seconds),
    dropped_late: late,
    dead_letters: dead.length,
    orders_in_windows: closed.reduce((sum, { stats }) => sum + stats.count, 0),
    partitions: PARTITIONS,
    seed: options.seed,
  };
}

async function untilCommitted({ admin, failed }: Demo, records: number): Promise<void> {
  let failure: Error | undefined;
  void failed.then((error) => void (failure = error));
  for (;;) {
    if (failure !== undefined) throw failure;
    const offsets = await admin.groupOffsets(APPLICATION, PATIENCE_MS);
    const committed = offsets.filter((each) => each.topic === orders.topic)
      .reduce((sum, { offset }) => sum + offset, 0);
    if (committed >= records) return;
    await systemClock.sleep(50);
  }
}

function droppedFor(metrics: MetricsSnapshot, reason: string): number {
  const family = metrics.families.find(({ name }) => name === TASK.droppedByReason.name);
  return (family?.series ?? []).filter(({ labels }) => labels.reason === reason)
    .reduce((sum, { value }) => sum + value, 0);
}

/** Feeds orders at the given rate and prints windows as they close, until a signal comes. */
async function runUntilStopped(demo: Demo): Promise<undefined> {
  const { application, config, log, print, failed } = demo;
  const stop = listenForStop();
  const server = await startAdminServer(config, [application.view], log);
  try {
    await application.streams.start();
    print(`The admin server listens on ${server?.url}\n`);
    print(
      `Orders arrive at ${demo.options.rate} per second; Ctrl-C ends it. Windows that close:\n`,
    );
    let stopped = false;
    const running = Promise.all([
      feedOrders(demo, () => stopped),
      printWindows(demo, () => stopped),
      trimTopics(demo, () => stopped),
    ]);
    const end = await Promise.race([stop.received, failed, running]);
    stopped = true;
    await running;
    await stopApplications([application], config);
    if (end instanceof Error) throw end;
  } finally {
    stop.dispose();
    await server?.close();
  }
}

async function feedOrders(demo: Demo, stopped: () => boolean): Promise<void> {
  const { clients, broker, options } = demo;
  const feed = new OrderFeed(clients, broker.bootstrapServers);
  const generated = generateOrders(Number.MAX_SAFE_INTEGER, {
    seed: options.seed,
    startMs: DEMO_START_MS,
  });
  const began = systemClock.monotonic();
  while (!stopped()) {
    const due = Math.floor((systemClock.monotonic() - began) / 1000 * options.rate) - feed.written;
    await feed.write(take(generated, due));
    await systemClock.sleep(100);
  }
  await feed.close();
}

function* take<T>(from: Iterator<T>, count: number): Iterable<T> {
  for (let i = 0; i < count; i++) {
    const next = from.next();
    if (next.done) return;
    yield next.value;
  }
}

async function printWindows(demo: Demo, stopped: () => boolean): Promise<void> {
  const reader = new TopicReader({
    clients: demo.clients,
    bootstrapServers: demo.broker.bootstrapServers,
    topic: orderStats.topic,
    partitions: PARTITIONS,
    decode: closedWindow,
  });
  while (!stopped()) {
    for (const window of await reader.read(200)) demo.print(windowLine(window));
  }
  await reader.close();
}

/** The broker keeps everything in memory: what was there at the last look is dropped, as everybody has read it by now. */
async function trimTopics(demo: Demo, stopped: () => boolean): Promise<void> {
  const { admin, application } = demo;
  let seen: readonly (TopicPartition & { offset: number })[] = [];
  let next = systemClock.monotonic() + TRIM_MS;
  while (!stopped()) {
    await systemClock.sleep(200);
    if (systemClock.monotonic() < next) continue;
    next = systemClock.monotonic() + TRIM_MS;
    if (application.streams.state === "RUNNING" && seen.length > 0) {
      await admin.deleteRecords(seen, PATIENCE_MS);
    }
    const topics = (await admin.listTopics(PATIENCE_MS)).flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    );
    seen = (await admin.listOffsets(topics, "latest", PATIENCE_MS))
      .filter(({ topic, offset }) => offset > 0 && !topic.startsWith("__"));
  }
}
