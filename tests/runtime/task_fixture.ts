import type { DeadLetter, Destination } from "../../lib/runtime/record_collector.ts";
import type { Serde } from "../../lib/serde/serde.ts";
import { SerializationException } from "../../lib/errors.ts";
import { Headers } from "../../lib/record/headers.ts";
import { BatchLease } from "../../lib/runtime/batch_lease.ts";
import type { StreamTask } from "../../lib/runtime/task.ts";
import type { RecordQueue } from "../../lib/runtime/record_queue.ts";
import { type RawRow, singleRowBatch } from "../../lib/testing/row_batch.ts";

/** UTF-8 text, written for the tests of the task alone; "bad" cannot be read and "unwritable" cannot be written. */
export const text: Serde<string> = {
  name: "text",
  encode(value, out) {
    if (value === "unwritable") throw new SerializationException("Cannot write it");
    out.utf8(value);
  },
  decode(bytes, start, end) {
    const value = new TextDecoder().decode(bytes.subarray(start, end));
    if (value === "bad") throw new SerializationException("Cannot read it");
    return value;
  },
};

const ENCODER = new TextEncoder();

/** A row with text for key and value. */
export function row(
  facts: Partial<Omit<RawRow, "key" | "value">> & { key?: string | null; value?: string | null },
): RawRow {
  const bytes = (value: string | null | undefined) =>
    value === null || value === undefined ? null : ENCODER.encode(value);
  return {
    topic: "in",
    partition: 0,
    offset: 0,
    timestamp: 0,
    headers: Headers.EMPTY,
    ...facts,
    key: bytes(facts.key),
    value: bytes(facts.value),
  };
}

/** Gives a row to a queue. */
export function addRow(queue: RecordQueue, made: RawRow): void {
  const batch = singleRowBatch(made);
  queue.add(new BatchLease(batch), 0, 1);
}

/** Gives a row to a task. */
export function addToTask(task: StreamTask, made: RawRow): number {
  const batch = singleRowBatch(made);
  return task.addBatch(new BatchLease(batch), batch.runs[0]);
}

export type { DeadLetter, Destination };
