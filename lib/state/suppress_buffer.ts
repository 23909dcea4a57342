import { Change } from "../record/change.ts";
import { Headers } from "../record/headers.ts";
import { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import {
  type BufferedContext,
  bufferedContext,
  type BufferValue,
  bufferValueBytes,
  decodeBufferValue,
  encodeBufferValue,
  restoreContext,
} from "./buffer_value.ts";
import { KeyCodec, PlainCodec } from "./codecs.ts";
import { byteText } from "./lru.ts";
import { changelogRows } from "./row_logger.ts";
import type {
  ByteStore,
  ChangelogWriter,
  RestoreRows,
  StoreContext,
  TimeOrderedBuffer,
} from "./store.ts";
import { ValueAndTimestamp } from "./store.ts";
import { TimeOrder } from "./time_order.ts";

/** What a suppress buffer is made of. */
export interface SuppressBufferOptions<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly persistent: boolean;
  readonly logging: boolean;
}

/** A held-back change. Values are serialized when something needs the bytes: a commit, or the size of the buffer. */
class Held<K, V> {
  readonly key: K;
  readonly keyBytes: Uint8Array;
  readonly time: number;
  readonly prior: Uint8Array | null;
  change: Change<V>;
  context: BufferedContext;
  /** The serialized change; undefined: not serialized since the last update. */
  bytes: BufferValue | undefined = undefined;
  /** What it takes, as last counted. */
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
export class SuppressBuffer<K, V> implements TimeOrderedBuffer<K, Change<V>, V> {
  readonly name: string;
  readonly kind = "buffer";
  readonly persistent: boolean;
  readonly #options: SuppressBufferOptions<K, V>;
  readonly #byKey = new Map<string, Held<K, V>>();
  readonly #order = new TimeOrder<Held<K, V>>();
  /** What changed since the last flush, by key: rows to write, and those that are gone. */
  readonly #dirty = new Map<string, Held<K, V>>();
  /** Rows whose size is not counted yet. */
  readonly #uncounted = new Set<Held<K, V>>();
  #countedBytes = 0;
  #keys!: KeyCodec<K>;
  #values!: PlainCodec<V>;
  #rows!: ByteStore;
  #changelog: ChangelogWriter | undefined = undefined;
  #context!: StoreContext;
  #isOpen = false;
  #isLoaded = false;

  constructor(options: SuppressBufferOptions<K, V>) {
    this.#options = options;
    this.name = options.name;
    this.persistent = options.persistent;
  }

  init(context: StoreContext): void {
    const { keySerde, valueSerde, logging } = this.#options;
    const topic = context.changelogTopic(this.name);
    this.#context = context;
    this.#keys = new KeyCodec(keySerde, topic, this.name);
    this.#values = new PlainCodec(valueSerde, topic);
    this.#rows = context.environment.open(this.name, { volatile: !this.persistent });
    this.#changelog = logging ? context.changelog(this.name) : undefined;
    this.#isOpen = true;
  }

  /**
   * Reads the rows that are there with the first use, not when the store is opened: until then the state may be emptied or restored, and the
   * serdes may lack their schemas.
   */
  #load(): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    for (const [key, value] of this.#rows.range(undefined, undefined)) this.#take(key, value);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
    this.#isLoaded = false;
    this.#byKey.clear();
    this.#order.clear();
    this.#dirty.clear();
    this.#uncounted.clear();
    this.#countedBytes = 0;
  }

  put(time: number, record: StreamRecord<K, Change<V>>): boolean {
    this.#load();
    const keyBytes = this.#keys.encode(record.key);
    const id = byteText(keyBytes);
    const context = bufferedContext(this.#context.record);
    let held = this.#byKey.get(id);
    if (held === undefined) {
      const { oldValue } = record.value;
      const prior = oldValue === null ? null : this.#values.encode(oldValue);
      held = new Held(record.key, keyBytes, time, prior, record.value, context);
      this.#byKey.set(id, held);
      this.#order.add(held);
      // The row that the key had before may still be in the store.
      held.isStored = this.#dirty.get(id)?.isStored ?? false;
    } else {
      held.change = record.value;
      held.context = context;
      held.bytes = undefined;
    }
    this.#uncounted.add(held);
    this.#dirty.set(id, held);
    return true;
  }

  evictWhile(more: () => boolean, emit: (record: StreamRecord<K, Change<V>>) => void): void {
    this.#load();
    if (!more()) return;
    const { record } = this.#context;
    const saved = { ...record };
    try {
      for (let held = this.#order.first(); held !== undefined && more();) {
        restoreContext(record, held.context);
        const { timestamp, headers } = held.context;
        emit(new StreamRecord(held.key, this.#changeOf(held), timestamp, headers));
        this.#remove(held);
        held = this.#order.first();
      }
    } finally {
      Object.assign(record, saved);
    }
  }

  #changeOf(held: Held<K, V>): Change<V> {
    const { newValue, oldValue, isLatest } = held.change;
    // Java's buffer does not keep whether the change was the latest.
    return isLatest ? held.change : new Change(newValue, oldValue);
  }

  #remove(held: Held<K, V>): void {
    const id = byteText(held.keyBytes);
    this.#order.remove(held);
    this.#byKey.delete(id);
    this.#uncounted.delete(held);
    this.#countedBytes -= held.size;
    held.isGone = true;
    this.#dirty.set(id, held);
  }

  priorValue(key: K): ValueAndTimestamp<V> | null | undefined {
    this.#load();
    const held = this.#byKey.get(byteText(this.#keys.encode(key)));
    if (held === undefined) return undefined;
    // When downstream got the row is not known; -1 stands for that, as in Kafka Streams.
    return held.prior === null ? null : new ValueAndTimestamp(this.#values.decode(held.prior), -1);
  }

  get recordCount(): number {
    this.#load();
    return this.#byKey.size;
  }

  get byteSize(): number {
    this.#load();
    for (const held of this.#uncounted) {
      const size = 8 + held.keyBytes.length + bufferValueBytes(this.#serialized(held));
      this.#countedBytes += size - held.size;
      held.size = size;
    }
    this.#uncounted.clear();
    return this.#countedBytes;
  }

  get minTimestamp(): number {
    this.#load();
    return this.#order.firstTime;
  }

  flush(): void {
    const { timestamp } = this.#context.record;
    for (const held of this.#dirty.values()) {
      if (held.isGone) {
        if (held.isStored) this.#rows.delete(held.keyBytes);
        // Also when the changelog never had the row: Kafka Streams writes that deletion too.
        this.#changelog?.log(held.keyBytes, null, timestamp);
        continue;
      }
      const value = encodeBufferValue(this.#serialized(held), held.time);
      this.#rows.put(held.keyBytes, value);
      this.#changelog?.log(held.keyBytes, value, timestamp, VERSION_3);
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
      old: oldValue === null ? null : this.#values.encode(oldValue),
      new: newValue === null ? null : this.#values.encode(newValue),
    };
    return held.bytes;
  }

  restore(rows: RestoreRows, from: number, to: number): void {
    const restored = [...changelogRows(rows, from, to, this.#values)];
    this.#rows.bulk(restored);
    if (!this.#isLoaded) return;
    for (const [key, value] of restored) {
      if (value !== null) this.#take(key, value);
      else {
        const held = this.#byKey.get(byteText(key));
        if (held !== undefined) this.#remove(held);
        this.#dirty.delete(byteText(key));
      }
    }
  }

  #take(keyBytes: Uint8Array, stored: Uint8Array): void {
    const { value, time } = decodeBufferValue(stored);
    const id = byteText(keyBytes);
    const before = this.#byKey.get(id);
    if (before !== undefined) {
      this.#remove(before);
      this.#dirty.delete(id);
    }
    const change = new Change<V>(
      value.new === null ? null : this.#values.decode(value.new),
      value.old === null ? null : this.#values.decode(value.old),
    );
    const key = this.#keys.decode(keyBytes);
    // A key keeps the time under which it came first.
    const held = new Held(key, keyBytes, before?.time ?? time, value.prior, change, value.context);
    held.bytes = value;
    held.isStored = true;
    this.#byKey.set(id, held);
    this.#order.add(held);
    this.#uncounted.add(held);
  }
}
