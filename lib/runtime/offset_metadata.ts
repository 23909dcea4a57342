/**
 * The text that is committed beside an offset: Base64 of a version byte 2, the partition's time, and the processors' numbers. The bytes are
 * those of Kafka Streams (`TopicPartitionMetadata`, `ProcessorMetadata`), so either engine can take over the other's group.
 *
 * @module
 */
import { ByteWriter, readInt32, readInt64 } from "../record/bytes.ts";

/** What a committed offset says beside the offset. */
export interface OffsetMetadata {
  /** The greatest timestamp seen in the partition (epoch ms), -1 when unknown. */
  readonly partitionTime: number;
  /** Numbers that processors keep, by key; the same in all partitions of a task. */
  readonly processorMetadata: ReadonlyMap<string, number>;
}

/** Nothing is known. */
export const NO_OFFSET_METADATA: OffsetMetadata = Object.freeze({
  partitionTime: -1,
  processorMetadata: new Map<string, number>(),
});

const LATEST_VERSION = 2;
const TIME_ONLY_VERSION = 1;
const DECODER = new TextDecoder();

/** The metadata's text. */
export function encodeOffsetMetadata({ partitionTime, processorMetadata }: OffsetMetadata): string {
  const out = new ByteWriter(64);
  out.uint8(LATEST_VERSION);
  out.int64(partitionTime);
  if (processorMetadata.size > 0) {
    out.int32(processorMetadata.size);
    for (const [key, value] of processorMetadata) {
      const lengthAt = out.reserve(4);
      const start = out.length;
      out.utf8(key);
      out.view.setInt32(lengthAt, out.length - start);
      out.int64(value);
    }
  }
  return toBase64(out.bytes, out.length);
}

/** Reads the text. One that is empty, of an unknown version or damaged says nothing, as in Kafka Streams. */
export function decodeOffsetMetadata(text: string | undefined): OffsetMetadata {
  const bytes = text === undefined || text === "" ? undefined : fromBase64(text);
  if (bytes === undefined || bytes.length < 9) return NO_OFFSET_METADATA;
  const version = bytes[0];
  if (version !== TIME_ONLY_VERSION && version !== LATEST_VERSION) return NO_OFFSET_METADATA;
  const partitionTime = readInt64(bytes, 1);
  const none = NO_OFFSET_METADATA.processorMetadata;
  if (version === TIME_ONLY_VERSION) return { partitionTime, processorMetadata: none };
  return { partitionTime, processorMetadata: readEntries(bytes, 9) ?? none };
}

function readEntries(bytes: Uint8Array, start: number): Map<string, number> | undefined {
  const entries = new Map<string, number>();
  if (start === bytes.length) return entries;
  if (start + 4 > bytes.length) return undefined;
  let at = start + 4;
  for (let left = readInt32(bytes, start); left > 0; left--) {
    if (at + 4 > bytes.length) return undefined;
    const keyEnd = at + 4 + readInt32(bytes, at);
    if (keyEnd < at + 4 || keyEnd + 8 > bytes.length) return undefined;
    entries.set(DECODER.decode(bytes.subarray(at + 4, keyEnd)), readInt64(bytes, keyEnd));
    at = keyEnd + 8;
  }
  return entries;
}

/** What is known after several partitions of one task: for each key the greatest value. Kafka Streams: `ProcessorMetadata.update`. */
export function mergeProcessorMetadata(all: readonly OffsetMetadata[]): Map<string, number> {
  const merged = new Map<string, number>();
  for (const { processorMetadata } of all) {
    for (const [key, value] of processorMetadata) {
      const known = merged.get(key);
      if (known === undefined || known < value) merged.set(key, value);
    }
  }
  return merged;
}

function toBase64(bytes: Uint8Array, length: number): string {
  let binary = "";
  for (let i = 0; i < length; i++) binary += String.fromCharCode(bytes[i]);
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    // Another program's text; Kafka Streams warns and goes on without it.
    return undefined;
  }
}
