import { murmur2Partition } from "../kafka/murmur2.ts";
import { ProduceBatch } from "../kafka/produce_batch.ts";
import type { Producer } from "../kafka/client.ts";

/** Rows after which a batch is handed over; a native call per batch is then nothing beside the rows. */
export const BATCH_ROWS = 2_048;
/** Bytes after which a batch is handed over though it has room for more rows. */
const BYTES = 512 * 1_024;

/** A row whose partition waits for the topic's partition count. */
interface OpenPartition {
  readonly row: number;
  readonly topic: string;
  readonly keyStart: number;
  readonly keyEnd: number;
}

/** A batch on its way to the producer, with what keeps it here: rows the producer had no room for, and partitions that are still to be chosen. */
export class OutgoingRows {
  readonly batch: ProduceBatch = new ProduceBatch(BATCH_ROWS, 64 * 1_024);
  readonly #open: OpenPartition[] = [];
  #taken = 0;

  /** @param topics registered in this order, so that a destination has one index in all batches */
  constructor(topics: readonly string[]) {
    for (const topic of topics) this.batch.topic(topic);
  }

  get isEmpty(): boolean {
    return this.batch.count === 0;
  }
  get isFull(): boolean {
    return this.batch.count >= BATCH_ROWS || this.batch.writer.length >= BYTES;
  }
  /** Rows that the producer has not taken. */
  get left(): number {
    return this.batch.count - this.#taken;
  }
  /** A topic whose partition count has to be found before these rows can go, if there is one. */
  get unknownTopic(): string | undefined {
    return this.#open[0]?.topic;
  }

  /** Leaves the partition of the row in hand open: `[keyStart, keyEnd)` of the slab chooses it once the count is known. */
  leaveOpen(topic: string, keyStart: number, keyEnd: number): void {
    this.#open.push({ row: this.batch.count, topic, keyStart, keyEnd });
  }

  /** Chooses the open partitions of a topic. */
  choose(topic: string, partitionCount: number): void {
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const { row, keyStart, keyEnd } = this.#open[i];
      if (this.#open[i].topic !== topic) continue;
      this.batch.partitions[row] = murmur2Partition(
        this.batch.slab,
        partitionCount,
        keyStart,
        keyEnd,
      );
      this.#open.splice(i, 1);
    }
  }

  /** Gives rows to the producer; true when it took all that were left. */
  handTo(producer: Producer): boolean {
    this.#taken += producer.produce(this.batch, this.#taken);
    return this.#taken === this.batch.count;
  }

  /** Forgets all rows; the memory is kept. */
  reset(): void {
    this.batch.reset();
    this.#taken = 0;
    this.#open.length = 0;
  }
}
