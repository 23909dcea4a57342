import type { KafkaError } from "../errors.ts";
import type { Addon } from "./addon.ts";
import type {
  ClientConfig,
  ClientEvents,
  DeliveryFailure,
  GroupMetadata,
  PartitionOffset,
  Producer,
  ProduceRows,
} from "./client.ts";
import { NativeClient } from "./native_client.ts";

/** The producer over librdkafka. */
export class LibrdkafkaProducer implements Producer {
  readonly #client: NativeClient;
  readonly #addon: Addon;
  readonly #topicNumbers = new Map<string, number>();
  /** The topics of the last batch and their numbers here: batches of one builder share the list. */
  #topics: readonly string[] = [];
  #numbers: Int32Array = new Int32Array(0);
  #rowTopics: Int32Array = new Int32Array(0);
  /** Calls that wait for deliveries: while there are any, reports are taken as they come. */
  #blocking = 0;

  constructor(addon: Addon, config: ClientConfig, events: ClientEvents) {
    this.#addon = addon;
    this.#client = new NativeClient(addon, "producer", config, events, () => this.#serve());
  }

  produce(rows: ProduceRows, from: number): number {
    if (from >= rows.count) return 0;
    return this.#addon.produce(
      this.#client.handle,
      rows.slab,
      rows.slabLength,
      from,
      rows.count,
      this.#topicsOf(rows),
      rows.partitions,
      rows.timestamps,
      rows.keyStarts,
      rows.keyLengths,
      rows.valueStarts,
      rows.valueLengths,
      rows.headerStarts,
      rows.headerLengths,
      rows.tags,
    );
  }

  /** The rows' topics by the addon's numbers. When those equal the rows' own indexes, as they do for one builder, no copy is made. */
  #topicsOf(rows: ProduceRows): Int32Array {
    if (rows.topics !== this.#topics || rows.topics.length !== this.#numbers.length) {
      this.#topics = rows.topics;
      this.#numbers = Int32Array.from(rows.topics, (topic) => this.#topicNumber(topic));
    }
    const numbers = this.#numbers;
    if (numbers.every((number, index) => number === index)) return rows.topicIndexes;
    if (this.#rowTopics.length < rows.count) this.#rowTopics = new Int32Array(rows.count * 2);
    const out = this.#rowTopics;
    for (let i = 0; i < rows.count; i++) out[i] = numbers[rows.topicIndexes[i]];
    return out;
  }

  #topicNumber(topic: string): number {
    let number = this.#topicNumbers.get(topic);
    if (number === undefined) {
      number = this.#addon.topicNumber(this.#client.handle, topic);
      this.#topicNumbers.set(topic, number);
    }
    return number;
  }

  wait(timeoutMs: number): Promise<void> {
    const { handle } = this.#client;
    if (this.#addon.serveProducer(handle) > 0) return Promise.resolve();
    if (this.#addon.armProducer(handle)) {
      this.#addon.serveProducer(handle);
      return Promise.resolve();
    }
    return this.#client.nextEvent(timeoutMs);
  }

  /** Takes reports; asks to be woken again while a call waits for deliveries. */
  #serve(): void {
    const { handle } = this.#client;
    if (this.#closed) return;
    this.#addon.serveProducer(handle);
    while (this.#blocking > 0 && this.#addon.armProducer(handle)) this.#addon.serveProducer(handle);
  }
  #closed = false;

  async #block<T>(call: Promise<T>): Promise<T> {
    this.#blocking++;
    try {
      this.#serve();
      return await this.#client.run(call);
    } finally {
      this.#blocking--;
      if (!this.#closed) this.#addon.serveProducer(this.#client.handle);
    }
  }

  flush(timeoutMs: number): Promise<void> {
    const { handle } = this.#client;
    this.#addon.serveProducer(handle);
    if (this.#addon.queued(handle) === 0) return Promise.resolve();
    return this.#block(this.#addon.flush(handle, timeoutMs));
  }

  takeFailures(): DeliveryFailure[] {
    return (this.#addon.takeFailures(this.#client.handle) ?? []) as DeliveryFailure[];
  }

  takeDeliveredOffsets(): PartitionOffset[] {
    return this.#addon.takeDelivered(this.#client.handle);
  }

  queued(): number {
    return this.#addon.queued(this.#client.handle);
  }

  partitionCount(topic: string, timeoutMs: number): Promise<number> {
    const { handle } = this.#client;
    return this.#client.run(
      this.#addon.partitionCount(handle, this.#topicNumber(topic), timeoutMs),
    );
  }

  initTransactions(timeoutMs: number): Promise<void> {
    return this.#block(this.#addon.initTransactions(this.#client.handle, timeoutMs));
  }

  beginTransaction(): void {
    this.#addon.beginTransaction(this.#client.handle);
  }

  sendOffsets(
    offsets: readonly PartitionOffset[],
    group: GroupMetadata,
    timeoutMs: number,
  ): Promise<void> {
    const { handle } = this.#client;
    return this.#block(this.#addon.sendOffsets(handle, offsets, group.handle, timeoutMs));
  }

  commitTransaction(timeoutMs: number): Promise<void> {
    return this.#block(this.#addon.commitTransaction(this.#client.handle, timeoutMs));
  }

  abortTransaction(timeoutMs: number): Promise<void> {
    return this.#block(this.#addon.abortTransaction(this.#client.handle, timeoutMs));
  }

  takeError(): KafkaError | undefined {
    return this.#addon.takeFault(this.#client.handle) as KafkaError | undefined;
  }

  close(): Promise<void> {
    const { handle } = this.#client;
    return this.#client.close(() => this.#addon.purge(handle), () => {
      this.#closed = true;
      return this.#addon.closeProducer(handle);
    });
  }
}
