import type { ConsumedBatch, PartitionRun } from "../kafka/client.ts";
import { writeHeaders } from "../kafka/headers.ts";
import { ByteWriter } from "../record/bytes.ts";
import type { Headers } from "../record/headers.ts";

/** A record as a consumer would get it. */
export interface RawRow {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

/** A batch of one record, in the form in which a consumer hands batches over. */
export function singleRowBatch(
  row: RawRow,
): ConsumedBatch & { readonly runs: readonly [PartitionRun] } {
  const slab = new ByteWriter((row.key?.length ?? 0) + (row.value?.length ?? 0) + 64);
  const place = (bytes: Uint8Array | null) => {
    const start = slab.length;
    if (bytes !== null) slab.raw(bytes);
    return {
      start: Int32Array.of(start),
      length: Int32Array.of(bytes === null ? -1 : bytes.length),
    };
  };
  const key = place(row.key);
  const value = place(row.value);
  const headerStart = slab.length;
  writeHeaders(slab, row.headers);
  const headerLength = slab.length - headerStart;
  return {
    slab: slab.bytes,
    count: 1,
    runs: [{ topic: row.topic, partition: row.partition, from: 0, to: 1 }],
    offsets: Float64Array.of(row.offset),
    timestamps: Float64Array.of(row.timestamp),
    keyStarts: key.start,
    keyLengths: key.length,
    valueStarts: value.start,
    valueLengths: value.length,
    headerStarts: Int32Array.of(headerStart),
    headerLengths: Int32Array.of(headerLength === 0 ? -1 : headerLength),
    release: () => {},
  };
}
