// What the tests of bad input share: applications as a user starts them, their counters, dead letters and committed offsets.
import { assertEquals } from "@std/assert";
import type { EmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import { systemClock } from "../../lib/record/time.ts";
import type { StreamsHost } from "../../lib/runtime/streams_host.ts";
import type { TopologySource } from "../../lib/runtime/topology_source.ts";
import { KafkaStreams } from "../../lib/streams.ts";
import { bytes, type Plain, produceAll, type Subject, TIMEOUT_MS } from "../kafka/subject.ts";
import { testLog } from "./application.ts";

/** An embedded broker of a test file's own. */
export function embeddedSubject(): Subject & { readonly broker: EmbeddedBroker } {
  const broker = startEmbeddedBroker();
  return {
    kind: "embedded",
    broker,
    clients: embeddedClients(broker),
    bootstrapServers: broker.bootstrapServers,
    createTopic: async (topic, partitions) => broker.createTopic(topic, partitions),
    close: async () => broker.close(),
  };
}

/** An application as a user makes it, with LMDB in `dir` and a lock on it; commits every 50 ms. */
export function realApplication(
  subject: Subject,
  source: TopologySource,
  dir: string,
  config: Readonly<Record<string, unknown>>,
  own: Partial<StreamsHost> = {},
): KafkaStreams {
  const settings = {
    "bootstrap.servers": subject.bootstrapServers,
    "processing.guarantee": "exactly_once_v2",
    "commit.interval.ms": 50,
    "producer.linger.ms": 5,
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 500,
    "state.dir": dir,
    ...config,
  };
  return new KafkaStreams(source, settings, { clients: subject.clients, log: testLog, ...own });
}

/** The sum of a counter over its series, of those with a label alone where one is given. */
export function counter(
  streams: { metrics(): ReturnType<KafkaStreams["metrics"]> },
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const series = streams.metrics().families.find((f) => f.name === name)?.series ?? [];
  return series
    .filter((s) => Object.entries(labels).every(([key, value]) => s.labels[key] === value))
    .reduce((sum, s) => sum + s.value, 0);
}

/** Records left out, in all and for this reason. */
export function dropped(streams: KafkaStreams, reason: string): [number, number] {
  return [
    counter(streams, "kafka_stream_task_dropped_records_total"),
    counter(streams, "kafka_streams_dropped_records_total", { reason }),
  ];
}

/** The offsets that the application's group has committed, by `topic-partition`. */
export async function committedOffsets(
  subject: Subject,
  applicationId: string,
): Promise<Record<string, number>> {
  const admin = subject.clients.admin({ "bootstrap.servers": subject.bootstrapServers });
  try {
    const offsets = await admin.groupOffsets(applicationId, TIMEOUT_MS);
    return Object.fromEntries(offsets.map((o) => [`${o.topic}-${o.partition}`, o.offset]));
  } finally {
    await admin.close();
  }
}

/** A record of bytes. */
export interface RawInput {
  readonly key?: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly timestamp?: number;
}

const raw = (part: Uint8Array | string | null | undefined) =>
  typeof part === "string" ? bytes(part) : part ?? null;

/** Writes records to partition 0. */
export async function writeRaw(
  subject: Subject,
  topic: string,
  inputs: readonly RawInput[],
): Promise<void> {
  const producer = subject.clients.producer({
    "bootstrap.servers": subject.bootstrapServers,
    "linger.ms": 0,
  });
  const batch = new ProduceBatch();
  const index = batch.topic(topic);
  const now = systemClock.now();
  for (const { key, value, timestamp } of inputs) {
    batch.add(index, 0, timestamp ?? now, raw(key), raw(value));
  }
  await produceAll(producer, batch);
  await producer.flush(TIMEOUT_MS);
  assertEquals(producer.takeFailures(), []);
  await producer.close();
}

/** The headers of a record as text. */
export function headersOf(row: Plain): Record<string, string> {
  return Object.fromEntries(
    row.headers.map((h) => [h.name, h.value === null ? "" : new TextDecoder().decode(h.value)]),
  );
}

const STACK = "__streams.errors.stacktrace";

/** The `__streams.errors.` headers of a dead letter but for the stack, whose beginning is checked. */
export function errorHeaders(row: Plain): Record<string, string> {
  const errors = Object.entries(headersOf(row)).filter(([name]) =>
    name.startsWith("__streams.errors.")
  );
  return Object.fromEntries(errors.filter(([name]) => name !== STACK));
}
