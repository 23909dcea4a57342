import { ProcessorStateException } from "../errors.ts";
import { ByteWriter, equalBytes, readInt32, readInt64 } from "../record/bytes.ts";
import type { RecordContext } from "../record/context.ts";
import { type Header, Headers } from "../record/headers.ts";
import { rowCopy } from "./row_bytes.ts";

/** The part of a record's context that a buffer keeps. Kafka Streams: `ProcessorRecordContext`. */
export interface BufferedContext {
  readonly timestamp: number;
  readonly offset: number;
  readonly topic: string;
  readonly partition: number;
  readonly headers: Headers;
}

/** A held-back row: the context it came with, the value downstream knows, the old and the new value. Kafka Streams: `BufferValue`. */
export interface BufferValue {
  readonly context: BufferedContext;
  readonly prior: Uint8Array | null;
  readonly old: Uint8Array | null;
  readonly new: Uint8Array | null;
}

const NULL_LENGTH = -1;
const SAME_AS_PRIOR = -2;
const DECODER = new TextDecoder();

/** The context of the record in hand. */
export function bufferedContext(record: RecordContext): BufferedContext {
  const { timestamp, offset, partition, headers } = record;
  return { timestamp, offset, partition, headers, topic: record.topic ?? "" };
}

/** Puts a kept context in the place of the record in hand. */
export function restoreContext(record: RecordContext, context: BufferedContext): void {
  record.timestamp = context.timestamp;
  record.offset = context.offset;
  record.topic = context.topic === "" ? null : context.topic;
  record.partition = context.partition;
  record.headers = context.headers;
  record.rawKey = null;
  record.rawValue = null;
}

/** The changelog's form of a row: context, prior, old and new value, and the time it waits under. Version 3 of Kafka Streams' format. */
export function encodeBufferValue(value: BufferValue, time: number): Uint8Array {
  const out = SCRATCH;
  out.length = 0;
  const { context } = value;
  out.int64(context.timestamp);
  out.int64(context.offset);
  appendText(out, context.topic);
  out.int32(context.partition);
  out.int32(context.headers.size);
  for (const header of context.headers) {
    appendText(out, header.name);
    appendNullable(out, header.value);
  }
  appendNullable(out, value.prior);
  if (value.old === null) out.int32(NULL_LENGTH);
  else if (equalBytes(value.prior, value.old)) out.int32(SAME_AS_PRIOR);
  else appendNullable(out, value.old);
  appendNullable(out, value.new);
  out.int64(time);
  return rowCopy(out.bytes, 0, out.length);
}
const SCRATCH = new ByteWriter(1024);

function appendText(out: ByteWriter, text: string): void {
  const lengthAt = out.reserve(4);
  out.utf8(text);
  out.view.setInt32(lengthAt, out.length - lengthAt - 4);
}

function appendNullable(out: ByteWriter, bytes: Uint8Array | null): void {
  if (bytes === null) return out.int32(NULL_LENGTH);
  out.int32(bytes.length);
  out.raw(bytes);
}

/** Reads what `encodeBufferValue` wrote. @throws {ProcessorStateException} when the bytes have another form, such as that of Kafka Streams before 2.4 */
export function decodeBufferValue(
  bytes: Uint8Array,
): { readonly value: BufferValue; readonly time: number } {
  const reader = new Reader(bytes);
  const timestamp = reader.int64();
  const offset = reader.int64();
  const topic = DECODER.decode(reader.nullable() ?? undefined);
  const partition = reader.int32();
  const headers: Header[] = [];
  for (let left = reader.int32(); left > 0; left--) {
    const name = DECODER.decode(reader.nullable() ?? undefined);
    headers.push({ name, value: reader.nullable() });
  }
  const prior = reader.nullable();
  const oldLength = reader.int32();
  const old = oldLength === SAME_AS_PRIOR ? prior : reader.bytes(oldLength);
  const newValue = reader.nullable();
  const time = reader.int64();
  if (reader.at !== bytes.length) throw malformed(bytes);
  const context = { timestamp, offset, topic, partition, headers: Headers.of(headers) };
  return { value: { context, prior, old, new: newValue }, time };
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  int32(): number {
    const value = readInt32(this.#bytes, this.#take(4));
    return value;
  }
  int64(): number {
    return readInt64(this.#bytes, this.#take(8));
  }
  nullable(): Uint8Array | null {
    return this.bytes(this.int32());
  }
  bytes(length: number): Uint8Array | null {
    if (length === NULL_LENGTH) return null;
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }
  #take(count: number): number {
    const start = this.at;
    if (count < 0 || start + count > this.#bytes.length) throw malformed(this.#bytes);
    this.at += count;
    return start;
  }
}

function malformed(bytes: Uint8Array): ProcessorStateException {
  return new ProcessorStateException(
    `Cannot read a row of a buffer as it must have version 3 of the format: current value is ${bytes.length} bytes of another form. ` +
      "Reset the application if the changelog is that of Kafka Streams before 2.6",
  );
}

/** What a row takes in memory, as Kafka Streams counts it (`residentMemorySizeEstimate`). */
export function bufferValueBytes(value: BufferValue): number {
  const old = value.old === null || equalBytes(value.prior, value.old) ? 0 : value.old.length;
  let size = (value.prior?.length ?? 0) + old + (value.new?.length ?? 0);
  const { context } = value;
  size += 8 + 8 + context.topic.length + 4;
  for (const header of context.headers) size += header.name.length + (header.value?.length ?? 0);
  return size;
}
