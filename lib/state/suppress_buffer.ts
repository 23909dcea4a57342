import { Change } from "../record/change.ts";
import { Headers } from "../record/headers.ts";
import type { StreamRecord } from "../record/record.ts";
import { type BufferedRow, BufferRows } from "./buffer_rows.ts";
import {
  type BufferedContext,
  bufferedContext,
  type BufferValue,
  bufferValueBytes,
  decodeBufferValue,
  encodeBufferValue,
} from "./buffer_value.ts";
import { byteText } from "./lru.ts";
import { changelogRows } from "./row_logger.ts";
import type { RestoreRows, TimeOrderedBuffer } from "./store.ts";
import { ValueAndTimestamp } from "./store.ts";

/** A held-back change. Values are serialized when something needs the bytes: a commit, or the size of the buffer. */
class Held<K, V> implements BufferedRow<K> {
  readonly key: K;
  readonly keyBytes: Uint8Array;
  readonly time: number;
  readonly prior: Uint8Array | null;
  change: Change<V>;
  context: BufferedContext;
  /** The serialized change; undefined: not serialized since the last update. */
  bytes: BufferValue | undefined = undefined;
  size = 0;
  /** Whether the store below has a row of the key. */
  isStored = false;
  isGone = false;

  constructor(
    key: K,
    keyBytes: Uint8Array,
    time: number,
    prior: Uint8Array | null,
    change: Change<V>,
    context: BufferedContext,
  ) {
    this.key = key;
    this.keyBytes = keyBytes;
    this.time = time;
    this.prior = prior;
    this.change = change;
    this.context = context;
  }
}

const VERSION_3: Headers = Headers.of([{ name: "v", value: Uint8Array.of(3) }]);

/**
 * The changes that `suppress` holds back: one per key, under the time at which the key came first, with its newest value. The rows live in
 * memory; what changed since the last commit is written to the store and its changelog at the commit, once per key. Kafka Streams: `InMemoryTimeOrderedKeyValueChangeBuffer`.
 */
export class SuppressBuffer<K, V> extends BufferRows<K, V, Change<V>, Held<K, V>>
  implements TimeOrderedBuffer<K, Change<V>, V> {
  readonly #byKey = new Map<string, Held<K, V>>();
  /** What changed since the last flush, by key: rows to write, and those that are gone. */
  readonly #dirty = new Map<string, Held<K, V>>();

  override close(): void {
    super.close();
    this.#byKey.clear();
    this.#dirty.clear();
  }

  put(time: number, record: StreamRecord<K, Change<V>>): boolean {
    this.load();
    const keyBytes = this.keys.encode(record.key);
    const id = byteText(keyBytes);
    const context = bufferedContext(this.context.record);
    let held = this.#byKey.get(id);
    if (held === undefined) {
      const { oldValue } = record.value;
      const prior = oldValue === null ? null : this.values.encode(oldValue);
      held = new Held(record.key, keyBytes, time, prior, record.value, context);
      this.#byKey.set(id, held);
      this.order.add(held);
      // The row that the key had before may still be in the store.
      held.isStored = this.#dirty.get(id)?.isStored ?? false;
    } else {
      held.change = record.value;
      held.context = context;
      held.bytes = undefined;
    }
    this.uncounted.add(held);
    this.#dirty.set(id, held);
    return true;
  }

  evictWhile(more: () => boolean, emit: (record: StreamRecord<K, Change<V>>) => void): void {
    this.load();
    this.emitUntil(Infinity, more, emit);
  }

  protected emitted(held: Held<K, V>): Change<V> {
    const { newValue, oldValue, isLatest } = held.change;
    // Java's buffer does not keep whether the change was the latest.
    return isLatest ? held.change : new Change(newValue, oldValue);
  }

  protected remove(held: Held<K, V>): void {
    const id = byteText(held.keyBytes);
    this.drop(held);
    this.#byKey.delete(id);
    held.isGone = true;
    this.#dirty.set(id, held);
  }

  priorValue(key: K): ValueAndTimestamp<V> | null | undefined {
    this.load();
    const held = this.#byKey.get(byteText(this.keys.encode(key)));
    if (held === undefined) return undefined;
    // When downstream got the row is not known; -1 stands for that, as in Kafka Streams.
    return held.prior === null ? null : new ValueAndTimestamp(this.values.decode(held.prior), -1);
  }

  get recordCount(): number {
    this.load();
    return this.#byKey.size;
  }

  protected sizeOf(held: Held<K, V>): number {
    return 8 + held.keyBytes.length + bufferValueBytes(this.#serialized(held));
  }

  flush(): void {
    const { timestamp } = this.context.record;
    for (const held of this.#dirty.values()) {
      if (held.isGone) {
        if (held.isStored) this.rows.delete(held.keyBytes);
        // Also when the changelog never had the row: Kafka Streams writes that deletion too.
        this.changelog?.log(held.keyBytes, null, timestamp);
        continue;
      }
      const value = encodeBufferValue(this.#serialized(held), held.time);
      this.rows.put(held.keyBytes, value);
      this.changelog?.log(held.keyBytes, value, timestamp, VERSION_3);
      held.isStored = true;
    }
    this.#dirty.clear();
  }

  #serialized(held: Held<K, V>): BufferValue {
    if (held.bytes !== undefined) return held.bytes;
    const { oldValue, newValue } = held.change;
    held.bytes = {
      context: held.context,
      prior: held.prior,
      old: oldValue === null ? null : this.values.encode(oldValue),
      new: newValue === null ? null : this.values.encode(newValue),
    };
    return held.bytes;
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    const restored = [...changelogRows(rows, from, to, this.values)];
    this.rows.bulk(restored);
    if (!this.isLoaded) return;
    for (const [key, value] of restored) {
      if (value !== null) this.take(key, value);
      else {
        const held = this.#byKey.get(byteText(key));
        if (held !== undefined) this.remove(held);
        this.#dirty.delete(byteText(key));
      }
    }
  }

  protected take(keyBytes: Uint8Array, stored: Uint8Array): void {
    const { value, time } = decodeBufferValue(stored);
    const id = byteText(keyBytes);
    const before = this.#byKey.get(id);
    if (before !== undefined) {
      this.remove(before);
      this.#dirty.delete(id);
    }
    const change = new Change<V>(
      value.new === null ? null : this.values.decode(value.new),
      value.old === null ? null : this.values.decode(value.old),
    );
    const key = this.keys.decode(keyBytes);
    // A key keeps the time under which it came first.
    const held = new Held(key, keyBytes, before?.time ?? time, value.prior, change, value.context);
    held.bytes = value;
    held.isStored = true;
    this.#byKey.set(id, held);
    this.order.add(held);
    this.uncounted.add(held);
  }
}
