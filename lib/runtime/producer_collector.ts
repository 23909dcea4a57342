import { SchemaPending, StreamsException, TaskCorruptedException } from "../errors.ts";
import type { PartitionOffset } from "../kafka/client.ts";
import { murmur2Partition } from "../kafka/murmur2.ts";
import type { RecordContext } from "../record/context.ts";
import type { Headers } from "../record/headers.ts";
import type { Serde } from "../serde/serde.ts";
import {
  askAboutDelivery,
  CHANGELOG,
  DEAD_LETTERS,
  deliveryFailed,
  deliveryMessage,
} from "./delivery_failure.ts";
import { errorContext, type ExceptionHandlers } from "./exception_handlers.ts";
import { OriginRing } from "./origin_ring.ts";
import { BATCH_ROWS, OutgoingRows } from "./outgoing_rows.ts";
import { orAfter } from "./patience.ts";
import type { DeadLetter, Destination, RecordCollector } from "./record_collector.ts";
import type { RuntimeLog } from "./runtime_log.ts";
import { RefusedRecords } from "./refused_records.ts";
import { serializationFailed } from "./serialization_failure.ts";
import type { StreamsProducer } from "./streams_producer.ts";

/** What a collector is made of. */
export interface ProducerCollectorOptions {
  readonly producer: StreamsProducer;
  readonly handlers: ExceptionHandlers;
  /** The partition count of a topic, where it is known. */
  readonly partitionCount: (topic: string) => number | undefined;
  readonly requestTimeoutMs: number;
  /** Records that the producer holds until they are delivered, at most. */
  readonly queueMessages: number;
  readonly log: RuntimeLog;
  /** Told of each record that was left out because it could not be written. */
  readonly onDropped?: (taskId: string) => void;
  /** The counters of what a node of a task writes to a topic. */
  readonly sentCounts?: (taskId: string, nodeName: string, topic: string) => SentCounts;
}

/** What was written to a topic. */
export interface SentCounts {
  recordsProduced: number;
  bytesProduced: number;
  /** Of the records since somebody looked at their times: how many, the sum of their timestamps, the least and the greatest. */
  pending: number;
  timestampSum: number;
  oldest: number;
  newest: number;
}

/** How often the reports are looked at while all records are waited for (ms). */
const REPORTS_MS = 100;
/** How long the producer's full queue is waited for at a time. */
const ROOM_MS = 100;

/**
 * Writes what tasks send straight into batches for the producer. Nothing here waits: rows that the producer has no room for stay in line, and the
 * thread calls `drain` before it goes on. Kafka Streams: `RecordCollectorImpl`.
 */
export class ProducerCollector implements RecordCollector {
  readonly #options: ProducerCollectorOptions;
  readonly #origins: OriginRing;
  readonly #refused = new RefusedRecords();
  readonly #destinations = new Map<string, Destination>();
  readonly #topics: string[] = [];
  readonly #changelogs = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #spare: OutgoingRows[] = [];
  #line: OutgoingRows[] = [];
  #rows: OutgoingRows;
  #delivered = new Map<string, number>();
  #error: unknown;
  /** A record has failed, and the transaction with it. */
  #transactionLost = false;
  /** Dead letters written. */
  deadLetters = 0;
  readonly #sent = new Map<string, (SentCounts | undefined)[]>();
  #sentTask = "";
  #sentOfTask: (SentCounts | undefined)[] = [];

  constructor(options: ProducerCollectorOptions) {
    this.#options = options;
    this.#origins = new OriginRing(options.queueMessages + BATCH_ROWS);
    this.#rows = new OutgoingRows(this.#topics);
  }

  destination(topic: string): Destination {
    const known = this.#destinations.get(topic);
    if (known !== undefined) return known;
    const made: Destination = Object.freeze({
      topic,
      index: this.#topics.length,
      keySite: Object.freeze({ topic, isKey: true }),
      valueSite: Object.freeze({ topic, isKey: false }),
    });
    this.#topics.push(topic);
    this.#destinations.set(topic, made);
    for (const rows of [this.#rows, ...this.#line, ...this.#spare]) rows.batch.topic(topic);
    return made;
  }

  partitionCount({ topic }: Destination): number {
    const count = this.#countOf(topic);
    if (count === undefined) {
      throw new StreamsException(
        `Could not get partition information for topic ${topic}. This can happen if the topic does not exist.`,
      );
    }
    return count;
  }

  #countOf(topic: string): number | undefined {
    return this.#options.partitionCount(topic) ?? this.#counts.get(topic);
  }

  send<K, V>(
    destination: Destination,
    key: K | null,
    value: V | null,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    timestamp: number,
    headers: Headers,
    partition: number,
    context: RecordContext,
    nodeName: string,
    taskId: string,
  ): void {
    if (this.#error !== undefined) this.checkErrors();
    const rows = this.#rows;
    const { batch } = rows;
    const tag = this.#origins.add(
      context.topic ?? undefined,
      context.partition,
      context.offset,
      nodeName,
      taskId,
    );
    batch.beginRow(destination.index, partition, timestamp, tag);
    let sent = headers;
    try {
      if (key !== null && key !== undefined) {
        keySerde.encode(key, batch.writer, destination.keySite);
        batch.endKey();
        if (keySerde.headersOf !== undefined) {
          sent = keySerde.headersOf(key, destination.keySite, sent);
        }
        if (partition < 0 && keySerde.partitionPrefix !== undefined) {
          this.#partitionByPrefix(rows, destination, keySerde);
        }
      }
      if (value !== null && value !== undefined) {
        valueSerde.encode(value, batch.writer, destination.valueSite);
        batch.endValue();
        if (valueSerde.headersOf !== undefined) {
          sent = valueSerde.headersOf(value, destination.valueSite, sent);
        }
      }
    } catch (error) {
      batch.cancelRow();
      if (error instanceof SchemaPending) throw error;
      const { topic } = destination;
      serializationFailed(
        error as Error,
        { topic, partition, timestamp, nodeName, taskId, context },
        this.#options.handlers,
        this,
      );
      this.#options.onDropped?.(taskId);
      return;
    }
    if (!this.#refused.isEmpty && this.#isRefused(destination, context, nodeName, taskId)) return;
    const bytes = batch.writer.length - batch.keyStarts[batch.count];
    batch.endRow(sent);
    const counts = this.#countsOf(taskId, nodeName, destination);
    counts.recordsProduced++;
    counts.bytesProduced += bytes;
    counts.pending++;
    counts.timestampSum += timestamp;
    if (timestamp < counts.oldest) counts.oldest = timestamp;
    if (timestamp > counts.newest) counts.newest = timestamp;
    if (rows.isFull) this.#queueRows();
  }

  /** Leaves the open row out when the cluster refused it before and the handler says so again, now with the source record in hand. */
  #isRefused(
    { topic }: Destination,
    context: RecordContext,
    nodeName: string,
    taskId: string,
  ): boolean {
    const { batch } = this.#rows;
    const failure = this.#refused.find(batch, topic, context, nodeName);
    if (failure === undefined) return false;
    const { handlers, log, onDropped } = this.#options;
    const place = errorContext(context, taskId, nodeName);
    const { action, deadLetters } = askAboutDelivery(failure, place, handlers);
    if (action === "retry") return false;
    batch.cancelRow();
    for (const letter of deadLetters) this.deadLetter(letter);
    const message = deliveryMessage(failure, taskId);
    if (action === "fail") throw new StreamsException(message, { cause: failure.error });
    log.error(`${message}\nThe record is left out.`, { err: failure.error });
    onDropped?.(taskId);
    return true;
  }

  /** Consecutive records mostly are of one task, so that its list is at hand. */
  #countsOf(taskId: string, nodeName: string, { index, topic }: Destination): SentCounts {
    if (taskId !== this.#sentTask) {
      let list = this.#sent.get(taskId);
      if (list === undefined) this.#sent.set(taskId, list = []);
      this.#sentTask = taskId;
      this.#sentOfTask = list;
    }
    return this.#sentOfTask[index] ??= this.#options.sentCounts?.(taskId, nodeName, topic) ??
      uncounted();
  }

  /** Forgets the counters of a task that is closed. */
  forgetTask(taskId: string): void {
    this.#sent.delete(taskId);
    this.#sentTask = "";
    this.#sentOfTask = [];
  }

  #partitionByPrefix(rows: OutgoingRows, { topic }: Destination, serde: Serde<any>): void {
    const { start, end } = rows.batch.keyRange();
    const prefixEnd = start + serde.partitionPrefix!(end - start);
    const count = this.#countOf(topic);
    if (count === undefined) rows.leaveOpen(topic, start, prefixEnd);
    else {
      rows.batch.setPartition(murmur2Partition(rows.batch.slab, count, start, prefixEnd));
    }
  }

  log(
    destination: Destination,
    partition: number,
    key: Uint8Array,
    value: Uint8Array | null,
    timestamp: number,
    headers: Headers,
    valueStart: number,
  ): void {
    if (this.#error !== undefined) this.checkErrors();
    const { batch } = this.#rows;
    const tag = this.#origins.add(undefined, partition, -1, CHANGELOG, "");
    batch.beginRow(destination.index, partition, timestamp, tag);
    batch.writer.raw(key);
    batch.endKey();
    if (value !== null) {
      batch.writer.raw(value, valueStart);
      batch.endValue();
    }
    batch.endRow(headers);
    if (!this.#changelogs.has(destination.topic)) this.#changelogs.add(destination.topic);
    if (this.#rows.isFull) this.#queueRows();
  }

  deadLetter({ topic, key, value, timestamp, headers }: DeadLetter): void {
    this.deadLetters++;
    const { batch } = this.#rows;
    const tag = this.#origins.add(undefined, -1, -1, DEAD_LETTERS, "");
    batch.add(this.destination(topic).index, -1, timestamp, key, value, headers, tag);
    if (this.#rows.isFull) this.#queueRows();
  }

  /** Whether rows wait for room: then `drain` has to be awaited before more is processed. */
  get backlog(): boolean {
    return this.#line.length > 0;
  }

  /** Gives what was written so far to the producer, as far as it has room. */
  handOver(): void {
    if (!this.#rows.isEmpty) this.#queueRows();
  }

  #queueRows(): void {
    const rows = this.#rows;
    this.#options.producer.begin();
    this.#line.push(rows);
    this.#origins.reserve(this.#options.queueMessages + (this.#line.length + 1) * BATCH_ROWS);
    this.#rows = this.#spare.pop() ?? new OutgoingRows(this.#topics);
    this.#handLine();
  }

  /** Gives rows from the front of the line; true when none is left. */
  #handLine(): boolean {
    const { producer } = this.#options.producer;
    while (this.#line.length > 0) {
      const rows = this.#line[0];
      if (rows.unknownTopic !== undefined || !rows.handTo(producer)) return false;
      this.#line.shift();
      rows.reset();
      if (this.#spare.length < 4) this.#spare.push(rows);
    }
    return true;
  }

  /** Resolves when the producer has taken everything that was written. */
  async drain(): Promise<void> {
    this.handOver();
    const { producer } = this.#options.producer;
    while (!this.#handLine()) {
      const topic = this.#line[0].unknownTopic;
      if (topic === undefined) {
        await producer.wait(ROOM_MS);
        this.takeReports();
        this.checkErrors();
      } else {
        const count = this.#countOf(topic) ??
          await producer.partitionCount(topic, this.#options.requestTimeoutMs);
        this.#counts.set(topic, count);
        for (const rows of this.#line) rows.choose(topic, count);
      }
    }
  }

  /**
   * Resolves when everything that was written is delivered.
   * @throws {StreamsException} when a record could not be delivered and the handler says to fail
   */
  async flush(): Promise<void> {
    await this.drain();
    const flushed = this.#options.producer.flush().then(() => true);
    try {
      // When a record has failed, the others of its transaction would be waited for in vain.
      while (!await orAfter(REPORTS_MS, flushed)) this.#takeReportsAndThrow();
    } finally {
      // What became of single records says more than that the transaction is lost.
      this.#takeReportsAndThrow();
    }
    // A handler may have written dead letters about failures.
    if (!this.#rows.isEmpty) await this.flush();
  }

  #takeReportsAndThrow(): void {
    this.takeReports();
    this.checkErrors();
  }

  /** Takes the producer's reports: failures go to the production handler, changelog positions are kept. */
  takeReports(): void {
    const { producer } = this.#options.producer;
    for (const failure of producer.takeFailures()) {
      // A transaction that has failed holds up what else was sent within it: that is no fault of those records.
      if (this.#transactionLost && failure.error.code < 0) continue;
      const error = deliveryFailed(failure, this.#origins.get(failure.tag), {
        handlers: this.#options.handlers,
        collector: this,
        log: this.#options.log,
        onDropped: this.#options.onDropped,
        refused: this.#options.producer.exactlyOnce ? this.#refused : undefined,
      });
      // What can be healed gives way to what cannot.
      if (this.#error === undefined || this.#error instanceof TaskCorruptedException) {
        this.#error = error ?? this.#error;
      }
      this.#transactionLost ||= error instanceof TaskCorruptedException;
    }
    this.#noteDelivered(producer.takeDeliveredOffsets());
  }

  #noteDelivered(offsets: readonly PartitionOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      if (this.#changelogs.has(topic)) this.#delivered.set(`${topic}-${partition}`, offset);
    }
  }

  /** Throws the first failure that has not been thrown yet. */
  checkErrors(): void {
    const error = this.#error;
    if (error === undefined) return;
    this.#error = undefined;
    throw error;
  }

  /** The last offset delivered to each changelog partition (`topic-partition`) since the last call. */
  takeChangelogOffsets(): ReadonlyMap<string, number> {
    const delivered = this.#delivered;
    this.#delivered = new Map();
    return delivered;
  }

  /** Told of offsets that were committed. */
  committed(offsets: readonly PartitionOffset[]): void {
    if (!this.#refused.isEmpty) this.#refused.forget(offsets);
  }

  /** Forgets what was written and not committed, and what is known of it: the transaction was aborted. */
  discard(): void {
    const { producer } = this.#options.producer;
    for (const rows of this.#line) rows.reset();
    this.#spare.push(...this.#line.slice(0, 2));
    this.#line = [];
    this.#rows.reset();
    producer.takeFailures();
    producer.takeDeliveredOffsets();
    this.#delivered = new Map();
    this.#error = undefined;
    this.#transactionLost = false;
  }
}

/** Where nobody asks for the counts. */
function uncounted(): SentCounts {
  return {
    recordsProduced: 0,
    bytesProduced: 0,
    pending: 0,
    timestampSum: 0,
    oldest: Number.POSITIVE_INFINITY,
    newest: Number.NEGATIVE_INFINITY,
  };
}
