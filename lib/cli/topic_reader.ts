import type {
  Admin,
  ConsumedBatch,
  Consumer,
  KafkaClients,
  TopicPartition,
} from "../kafka/client.ts";

/** What is read, and how a row becomes a value. */
export interface TopicReaderOptions<T> {
  readonly clients: KafkaClients;
  readonly bootstrapServers: string;
  readonly topic: string;
  readonly partitions: number;
  decode(batch: ConsumedBatch, row: number): T;
}

const PATIENCE_MS = 30_000;

/** Reads a topic from its beginning, records of committed transactions only, without a group. */
export class TopicReader<T> {
  readonly #consumer: Consumer;
  readonly #partitions: readonly TopicPartition[];
  readonly #decode: (batch: ConsumedBatch, row: number) => T;

  constructor(options: TopicReaderOptions<T>) {
    const { topic } = options;
    this.#decode = options.decode;
    this.#partitions = Array.from(
      { length: options.partitions },
      (_, partition) => ({ topic, partition }),
    );
    this.#consumer = options.clients.consumer({
      "bootstrap.servers": options.bootstrapServers,
      "client.id": `reader-of-${topic}`,
      "isolation.level": "read_committed",
    });
    this.#consumer.assign(this.#partitions.map((each) => ({ ...each, offset: -2 })));
  }

  /** What has arrived; waits for up to `waitMs` when nothing has. */
  async read(waitMs: number): Promise<T[]> {
    const batch = this.#consumer.poll(10_000);
    const error = this.#consumer.takeError();
    if (error !== undefined && !error.retriable) throw error;
    if (batch === undefined) {
      await this.#consumer.wait(waitMs);
      return [];
    }
    const values = Array.from({ length: batch.count }, (_, row) => this.#decode(batch, row));
    batch.release();
    return values;
  }

  /** Everything that is committed now and has not been read. */
  async readAll(admin: Admin): Promise<T[]> {
    const ends = await admin.listOffsets(this.#partitions, "latest", PATIENCE_MS, "readCommitted");
    const all: T[] = [];
    const isBehind = () =>
      ends.some((end) => end.offset > 0 && (this.#consumer.position(end) ?? 0) < end.offset);
    while (isBehind()) all.push(...await this.read(50));
    return all;
  }

  close(): Promise<void> {
    return this.#consumer.close();
  }
}
