import type { ConsumedBatch, PartitionRun } from "./client.ts";

const SMALLEST_SLAB = 256 * 1024;
/** A slab grows to this by itself; only a single record that is larger makes a larger one. */
const LARGEST_SLAB = 16 * 1024 * 1024;
const KEPT = 4;

/** The memory of one batch: a slab, and an ArrayBuffer with the columns (`native/consumer_poll.c` lays out the same). */
export interface Buffers {
  readonly slab: Uint8Array;
  readonly columns: ArrayBuffer;
  /** How many rows the columns hold. */
  readonly capacity: number;
  readonly offsets: Float64Array;
  readonly timestamps: Float64Array;
  /** Key starts and lengths, value starts and lengths, header starts and lengths. */
  readonly narrow: readonly Int32Array[];
}

/** Slabs and columns that batches give back, so that a steady flow allocates nothing. */
export class SlabPool {
  readonly #free: Buffers[] = [];
  #slabSize = SMALLEST_SLAB;

  /** Buffers for that many rows. */
  take(rows: number): Buffers {
    const free = this.#free.pop();
    if (free === undefined) return newBuffers(this.#slabSize, rows);
    if (free.slab.length >= this.#slabSize && free.capacity >= rows) return free;
    return newBuffers(this.#slabSize, Math.max(rows, free.capacity));
  }

  /** Takes buffers back. */
  give(buffers: Buffers): void {
    const fits = buffers.slab.length <= LARGEST_SLAB && buffers.slab.length >= this.#slabSize;
    if (fits && this.#free.length < KEPT) this.#free.push(buffers);
  }

  /** Buffers whose slab holds at least `bytes`. */
  grown(buffers: Buffers, bytes: number): Buffers {
    let size = this.#slabSize;
    while (size < bytes) size *= 2;
    this.#slabSize = Math.min(size, LARGEST_SLAB);
    return newBuffers(size, buffers.capacity);
  }

  /** The last batch filled its slab: the next ones get a larger one. */
  wantLarger(): void {
    this.#slabSize = Math.min(this.#slabSize * 2, LARGEST_SLAB);
  }

  /** The filled buffers as a batch that gives them back on release. */
  batch(buffers: Buffers, count: number, runs: readonly PartitionRun[]): ConsumedBatch {
    return new PooledBatch(this, buffers, count, runs);
  }
}

class PooledBatch implements ConsumedBatch {
  readonly slab: Uint8Array;
  readonly count: number;
  readonly runs: readonly PartitionRun[];
  readonly offsets: Float64Array;
  readonly timestamps: Float64Array;
  readonly keyStarts: Int32Array;
  readonly keyLengths: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueLengths: Int32Array;
  readonly headerStarts: Int32Array;
  readonly headerLengths: Int32Array;
  #pool: SlabPool | undefined;
  readonly #buffers: Buffers;

  constructor(pool: SlabPool, buffers: Buffers, count: number, runs: readonly PartitionRun[]) {
    this.#pool = pool;
    this.#buffers = buffers;
    this.slab = buffers.slab;
    this.count = count;
    this.runs = runs;
    this.offsets = buffers.offsets;
    this.timestamps = buffers.timestamps;
    this.keyStarts = buffers.narrow[0];
    this.keyLengths = buffers.narrow[1];
    this.valueStarts = buffers.narrow[2];
    this.valueLengths = buffers.narrow[3];
    this.headerStarts = buffers.narrow[4];
    this.headerLengths = buffers.narrow[5];
  }

  release(): void {
    this.#pool?.give(this.#buffers);
    this.#pool = undefined;
  }
}

function newBuffers(slabSize: number, rows: number): Buffers {
  const columns = new ArrayBuffer(rows * 40);
  return {
    slab: new Uint8Array(slabSize),
    columns,
    capacity: rows,
    offsets: new Float64Array(columns, 0, rows),
    timestamps: new Float64Array(columns, rows * 8, rows),
    narrow: [0, 1, 2, 3, 4, 5].map((i) => new Int32Array(columns, rows * (16 + 4 * i), rows)),
  };
}
