import type { ConsumedBatch } from "../kafka/client.ts";

/** A batch shared by the queues of several partitions: its memory goes back when every row of it is used up. */
export class BatchLease {
  readonly batch: ConsumedBatch;
  #left: number;

  constructor(batch: ConsumedBatch) {
    this.batch = batch;
    this.#left = batch.count;
  }

  /** `rows` more rows are used up. */
  done(rows: number): void {
    this.#left -= rows;
    if (this.#left === 0) this.batch.release();
  }
}
