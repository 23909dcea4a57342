import { ByteWriter } from "../record/bytes.ts";
import type { Headers } from "../record/headers.ts";
import type { ProduceRows } from "./client.ts";
import { writeHeaders } from "./headers.ts";

/**
 * Builds rows for `Producer.produce`: keys, values and headers are encoded straight into one slab. A row is
 * begun, filled in the order key, value, headers, and ended; `cancelRow` forgets a half-made one (a serde threw).
 *
 * ```ts
 * batch.beginRow(batch.topic("orders"), -1, timestamp, tag);
 * keySerde.write(key, batch.writer); batch.endKey();
 * valueSerde.write(value, batch.writer); batch.endValue();
 * batch.endRow(headers);
 * ```
 */
export class ProduceBatch implements ProduceRows {
  /** Where keys and values are written between `beginRow` and `endRow`. */
  readonly writer: ByteWriter;
  readonly topics: string[] = [];
  count = 0;
  topicIndexes: Int32Array;
  partitions: Int32Array;
  timestamps: Float64Array;
  keyStarts: Int32Array;
  keyLengths: Int32Array;
  valueStarts: Int32Array;
  valueLengths: Int32Array;
  headerStarts: Int32Array;
  headerLengths: Int32Array;
  tags: Int32Array;
  readonly #topicIndex = new Map<string, number>();
  #capacity: number;

  constructor(rows = 1024, bytes = 64 * 1024) {
    this.#capacity = rows;
    this.writer = new ByteWriter(bytes);
    this.topicIndexes = new Int32Array(rows);
    this.partitions = new Int32Array(rows);
    this.timestamps = new Float64Array(rows);
    this.keyStarts = new Int32Array(rows);
    this.keyLengths = new Int32Array(rows);
    this.valueStarts = new Int32Array(rows);
    this.valueLengths = new Int32Array(rows);
    this.headerStarts = new Int32Array(rows);
    this.headerLengths = new Int32Array(rows);
    this.tags = new Int32Array(rows);
  }

  get slab(): Uint8Array {
    return this.writer.bytes;
  }

  get slabLength(): number {
    return this.writer.length;
  }

  /** The index by which rows name a topic; asked for once per topic and kept across `reset`. */
  topic(name: string): number {
    let index = this.#topicIndex.get(name);
    if (index === undefined) {
      index = this.topics.push(name) - 1;
      this.#topicIndex.set(name, index);
    }
    return index;
  }

  /** Starts a row. `partition` -1 lets the key choose; `timestamp` is epoch ms; `tag` comes back with a failure. */
  beginRow(topic: number, partition: number, timestamp: number, tag: number): void {
    const row = this.count;
    if (row === this.#capacity) this.#grow();
    this.topicIndexes[row] = topic;
    this.partitions[row] = partition;
    this.timestamps[row] = timestamp;
    this.tags[row] = tag;
    this.keyStarts[row] = this.writer.length;
    this.keyLengths[row] = -1;
    this.valueStarts[row] = this.writer.length;
    this.valueLengths[row] = -1;
    this.headerStarts[row] = this.writer.length;
    this.headerLengths[row] = -1;
  }

  /** What was written since `beginRow` is the key; without this call the key is null. */
  endKey(): void {
    const row = this.count;
    const end = this.writer.length;
    this.keyLengths[row] = end - this.keyStarts[row];
    this.valueStarts[row] = end;
  }

  /** What was written since the key's end is the value; without this call the value is null. */
  endValue(): void {
    this.valueLengths[this.count] = this.writer.length - this.valueStarts[this.count];
  }

  /** Where the key of the open row lies in the slab, for a partitioner: its first byte and the one after its last. */
  keyRange(): { start: number; end: number } {
    const start = this.keyStarts[this.count];
    return { start, end: start + Math.max(0, this.keyLengths[this.count]) };
  }

  /** Chooses the open row's partition after its key is known. */
  setPartition(partition: number): void {
    this.partitions[this.count] = partition;
  }

  /** Completes the row. */
  endRow(headers?: Headers): void {
    const row = this.count;
    if (headers !== undefined && headers.size > 0) {
      this.headerStarts[row] = this.writer.length;
      this.headerLengths[row] = writeHeaders(this.writer, headers);
    }
    this.count = row + 1;
  }

  /** Completes the row with headers that are in their slab form already; null and empty mean none. */
  endRowWithHeaderBytes(headers: Uint8Array | null): void {
    const row = this.count;
    if (headers !== null && headers.length > 0) {
      this.headerStarts[row] = this.writer.length;
      this.headerLengths[row] = headers.length;
      this.writer.raw(headers);
    }
    this.count = row + 1;
  }

  /** Forgets the open row and its bytes. */
  cancelRow(): void {
    this.writer.length = this.keyStarts[this.count];
  }

  /** A whole row from bytes that are there already. */
  add(
    topic: number,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: Headers | undefined = undefined,
    tag = 0,
  ): void {
    this.beginRow(topic, partition, timestamp, tag);
    if (key !== null) {
      this.writer.raw(key);
      this.endKey();
    }
    if (value !== null) {
      this.writer.raw(value);
      this.endValue();
    }
    this.endRow(headers);
  }

  /** Forgets all rows; memory and topics are kept. */
  reset(): void {
    this.count = 0;
    this.writer.reset();
  }

  #grow(): void {
    const capacity = this.#capacity * 2;
    this.#capacity = capacity;
    this.topicIndexes = longer(this.topicIndexes, capacity);
    this.partitions = longer(this.partitions, capacity);
    const timestamps = new Float64Array(capacity);
    timestamps.set(this.timestamps);
    this.timestamps = timestamps;
    this.keyStarts = longer(this.keyStarts, capacity);
    this.keyLengths = longer(this.keyLengths, capacity);
    this.valueStarts = longer(this.valueStarts, capacity);
    this.valueLengths = longer(this.valueLengths, capacity);
    this.headerStarts = longer(this.headerStarts, capacity);
    this.headerLengths = longer(this.headerLengths, capacity);
    this.tags = longer(this.tags, capacity);
  }
}

function longer(column: Int32Array, capacity: number): Int32Array {
  const out = new Int32Array(capacity);
  out.set(column);
  return out;
}
