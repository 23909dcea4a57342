// What the contract suite runs against: the embedded broker or a real one, and short ways to fill and read it.
import type {
  ClientConfig,
  ClientEvents,
  ConsumedBatch,
  Consumer,
  KafkaClients,
  Producer,
  Rebalance,
} from "../../lib/kafka/client.ts";
import { readHeaders } from "../../lib/kafka/headers.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import type { Header, Headers } from "../../lib/record/headers.ts";
import { systemClock } from "../../lib/record/time.ts";

export const TIMEOUT_MS = 30_000;

/** A broker with clients for it. */
export interface Subject {
  readonly kind: "embedded" | "real";
  readonly clients: KafkaClients;
  readonly bootstrapServers: string;
  createTopic(topic: string, partitions: number): Promise<void>;
  close(): Promise<void>;
}

let count = 0;
/** A name that no other test has. */
export function unique(label: string): string {
  return `${label}-${systemClock.now().toString(36)}-${count++}`;
}

/** A topic of the test's own. */
export async function newTopic(subject: Subject, label: string, partitions = 1): Promise<string> {
  const topic = unique(label);
  await subject.createTopic(topic, partitions);
  return topic;
}

export function newProducer(
  subject: Subject,
  config: ClientConfig = {},
  events: ClientEvents = {},
): Producer {
  return subject.clients.producer({
    "bootstrap.servers": subject.bootstrapServers,
    "linger.ms": 0,
    ...config,
  }, events);
}

export function newConsumer(
  subject: Subject,
  config: ClientConfig = {},
  events: ClientEvents = {},
): Consumer {
  return subject.clients.consumer({
    "bootstrap.servers": subject.bootstrapServers,
    "auto.offset.reset": "earliest",
    ...config,
  }, events);
}

/** A record as tests write and compare it. */
export interface Plain {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly Header[];
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
export const bytes = (text: string): Uint8Array => ENCODER.encode(text);

/** Writes values "first" to "last" with keys of the same text, and waits for the acknowledgements. */
export async function write(
  producer: Producer,
  topic: string,
  values: readonly string[],
  partition = 0,
  headers?: Headers,
): Promise<void> {
  const batch = new ProduceBatch();
  const index = batch.topic(topic);
  for (const value of values) {
    batch.add(index, partition, 1_000, bytes(value), bytes(value), headers);
  }
  await produceAll(producer, batch);
  await producer.flush(TIMEOUT_MS);
}

/** Hands all rows over, waiting when the queue is full. */
export async function produceAll(producer: Producer, batch: ProduceBatch): Promise<void> {
  for (let from = 0; from < batch.count;) {
    const taken = producer.produce(batch, from);
    from += taken;
    if (from < batch.count) await producer.wait(1_000);
  }
}

/** The rows of a batch, in its order. */
export function rowsOf(batch: ConsumedBatch): Plain[] {
  const out: Plain[] = [];
  const text = (start: number, length: number) =>
    length < 0 ? null : DECODER.decode(batch.slab.subarray(start, start + length));
  for (const run of batch.runs) {
    for (let i = run.from; i < run.to; i++) {
      out.push({
        partition: run.partition,
        offset: batch.offsets[i],
        timestamp: batch.timestamps[i],
        key: text(batch.keyStarts[i], batch.keyLengths[i]),
        value: text(batch.valueStarts[i], batch.valueLengths[i]),
        headers: [...readHeaders(batch.slab, batch.headerStarts[i], batch.headerLengths[i])],
      });
    }
  }
  return out;
}

/** Polls until `done`, answering rebalances at once; fails after the time-out. */
export async function pollUntil(
  consumer: Consumer,
  done: (rows: readonly Plain[]) => boolean,
  options: { maxRecords?: number; onRebalance?(rebalance: Rebalance): void } = {},
): Promise<Plain[]> {
  const rows: Plain[] = [];
  const deadline = systemClock.monotonic() + TIMEOUT_MS;
  while (!done(rows)) {
    if (systemClock.monotonic() > deadline) {
      throw new Error(`Cannot go on as nothing more arrives: current value is ${rows.length} rows`);
    }
    const batch = consumer.poll(options.maxRecords ?? 500);
    if (batch) {
      rows.push(...rowsOf(batch));
      batch.release();
    }
    const rebalance = consumer.takeRebalance();
    if (rebalance) {
      options.onRebalance?.(rebalance);
      consumer.completeRebalance(rebalance);
    }
    if (!batch && !rebalance && !done(rows)) await consumer.wait(100);
  }
  return rows;
}

/** Reads a partition from its beginning until that many rows are there. */
export async function readAll(
  subject: Subject,
  topic: string,
  howMany: number,
  config: ClientConfig = {},
  partition = 0,
): Promise<Plain[]> {
  const consumer = newConsumer(subject, config);
  consumer.assign([{ topic, partition, offset: -2 }]);
  const rows = await pollUntil(consumer, (rows) => rows.length >= howMany);
  await consumer.close();
  return rows;
}
