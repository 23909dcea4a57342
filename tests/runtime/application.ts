// Starts applications on a broker, fills their inputs and reads what they wrote.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { KafkaStreams } from "../../lib/runtime/kafka_streams.ts";
import type { RuntimeLog } from "../../lib/runtime/runtime_log.ts";
import type { StateHome, StreamsHost } from "../../lib/runtime/streams_host.ts";
import type { TopologySource } from "../../lib/runtime/topology_source.ts";
import { callAfter, systemClock } from "../../lib/record/time.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import {
  bytes,
  type Plain,
  produceAll,
  rowsOf,
  type Subject,
  TIMEOUT_MS,
} from "../kafka/subject.ts";
import { removeDir } from "../support/temp_dir.ts";
import { RingLog } from "../support/ring_log.ts";

export const log: RingLog = new RingLog(5_000);

function line(level: string) {
  return (message: string, facts: Readonly<Record<string, unknown>> = {}) => {
    const shown = Object.entries(facts).map(([key, value]) =>
      `${key}=${value instanceof Error ? value.stack : JSON.stringify(value)}`
    );
    log.write(`${level} ${message} ${shown.join(" ")}`);
  };
}

/** The log of tests' applications: `log` prints it when a test fails. */
export const testLog: RuntimeLog = {
  debug: line("debug"),
  info: line("info"),
  warn: line("warn"),
  error: line("error"),
};

/** A state directory without a lock, for tests that start several instances in one process. */
export function testHome(directory: string, processId: string, stable = false): StateHome {
  mkdirSync(directory, { recursive: true });
  return {
    processId,
    stable,
    globalDirectory: join(directory, "global"),
    openTask: (id) => new LmdbEnvironment({ directory: join(directory, id) }),
    taskDirectory: (id) => join(directory, id),
    openGlobal: () => new LmdbEnvironment({ directory: join(directory, "global") }),
    taskBytes: () => 0,
    removeIdle: () => [],
    wipe: () => removeDir(directory),
    close: () => {},
  };
}

/** The host of a test's application. */
export function testHost(subject: Subject, home: StateHome): StreamsHost {
  return {
    clients: subject.clients,
    clock: systemClock,
    log: testLog,
    serdes: { registry: undefined },
    openState: () => home,
    startWorker: () => {
      throw new Error("Workers are started by lib/streams.ts");
    },
  };
}

/** An application on the subject's broker; commits every 50 ms. */
export function application(
  subject: Subject,
  source: TopologySource,
  home: StateHome,
  config: Readonly<Record<string, unknown>>,
): KafkaStreams {
  const settings = {
    "bootstrap.servers": subject.bootstrapServers,
    "processing.guarantee": "exactly_once_v2",
    "commit.interval.ms": 50,
    "producer.linger.ms": 5,
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 500,
    ...config,
  };
  return new KafkaStreams(source, settings, testHost(subject, home));
}

/** Resolves when the application is in the state; fails when it ends otherwise. */
export async function reaches(streams: KafkaStreams, state: string): Promise<void> {
  await eventually(`${streams.config.applicationId} reaches ${state}`, () => {
    if (streams.state === "ERROR" && state !== "ERROR") throw streams.failure;
    return streams.state === state;
  });
}

/** Resolves when the condition holds; fails after the time-out. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = systemClock.monotonic() + TIMEOUT_MS;
  while (!await holds()) {
    if (systemClock.monotonic() > deadline) throw new Error(`It does not come about that ${what}`);
    await new Promise<void>((resolve) => callAfter(10, resolve));
  }
}

/** A record to write. */
export interface Input {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp?: number;
  readonly partition?: number;
}

/** Old records would be deleted, and changelogs of old records compacted, while the test runs. */
const RECENT = systemClock.now();

/** Writes records, by key where no partition is given. */
export async function writeRecords(
  subject: Subject,
  topic: string,
  inputs: readonly Input[],
): Promise<void> {
  const producer = subject.clients.producer({
    "bootstrap.servers": subject.bootstrapServers,
    "linger.ms": 0,
  });
  const batch = new ProduceBatch();
  const index = batch.topic(topic);
  inputs.forEach(({ key, value, timestamp, partition }, i) =>
    batch.add(
      index,
      partition ?? -1,
      timestamp ?? RECENT + i,
      key === null ? null : bytes(key),
      value === null ? null : bytes(value),
    )
  );
  await produceAll(producer, batch);
  await producer.flush(TIMEOUT_MS);
  await producer.close();
}

/** Reads all partitions of a topic, committed records only, until `done` says that it is enough. */
export async function readUntil(
  subject: Subject,
  topic: string,
  partitions: number,
  done: (rows: readonly Plain[]) => boolean,
): Promise<Plain[]> {
  const consumer = subject.clients.consumer({
    "bootstrap.servers": subject.bootstrapServers,
    "isolation.level": "read_committed",
  });
  consumer.assign(
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: -2 })),
  );
  const rows: Plain[] = [];
  const deadline = systemClock.monotonic() + TIMEOUT_MS;
  try {
    while (!done(rows)) {
      if (systemClock.monotonic() > deadline) {
        throw new Error(`${topic} holds only ${rows.length} committed records`);
      }
      const batch = consumer.poll(1_000);
      consumer.takePartitionEnds();
      if (batch === undefined) await consumer.wait(50);
      else {
        rows.push(...rowsOf(batch));
        batch.release();
      }
    }
  } finally {
    await consumer.close();
  }
  return rows;
}

/** All committed records of a topic, up to its end now. */
export async function readAllCommitted(
  subject: Subject,
  topic: string,
  partitions: number,
): Promise<Plain[]> {
  const admin = subject.clients.admin({ "bootstrap.servers": subject.bootstrapServers });
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = await admin.listOffsets(all, "latest", TIMEOUT_MS, "readCommitted");
  await admin.close();
  const consumer = subject.clients.consumer({
    "bootstrap.servers": subject.bootstrapServers,
    "isolation.level": "read_committed",
  });
  consumer.assign(all.map((p) => ({ ...p, offset: -2 })));
  const open = new Map(ends.filter((e) => e.offset > 0).map((e) => [e.partition, e.offset]));
  const rows: Plain[] = [];
  while (open.size > 0) {
    const batch = consumer.poll(1_000);
    if (batch !== undefined) {
      rows.push(...rowsOf(batch));
      batch.release();
    }
    for (const end of consumer.takePartitionEnds()) {
      if (end.offset >= (open.get(end.partition) ?? Infinity)) open.delete(end.partition);
    }
    if (batch === undefined && open.size > 0) await consumer.wait(50);
  }
  await consumer.close();
  return rows;
}
