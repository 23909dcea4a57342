import { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import { type BufferedContext, restoreContext } from "./buffer_value.ts";
import { KeyCodec, PlainCodec } from "./codecs.ts";
import type { ByteStore, ChangelogWriter, StoreContext } from "./store.ts";
import { type TimedEntry, TimeOrder } from "./time_order.ts";

/** What a buffer is made of. */
export interface BufferOptions<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly persistent: boolean;
  readonly logging: boolean;
}

/** A row that waits for its time. */
export interface BufferedRow<K> extends TimedEntry {
  readonly key: K;
  /** What the record had about it; given back when it goes on. */
  readonly context: BufferedContext;
  /** What it takes, as last counted. */
  size: number;
}

/**
 * What the buffers have in common: rows in order of time, read from the store with the first use, counted in bytes when somebody asks.
 * `T` is the value of the records that come and go, `V` that of the serde, `R` a row.
 */
export abstract class BufferRows<K, V, T, R extends BufferedRow<K>> {
  readonly name: string;
  readonly kind = "buffer";
  readonly persistent: boolean;
  protected readonly order: TimeOrder<R> = new TimeOrder<R>();
  /** Rows whose size is not counted yet. */
  protected readonly uncounted: Set<R> = new Set();
  protected countedBytes = 0;
  protected keys!: KeyCodec<K>;
  protected values!: PlainCodec<V>;
  protected rows!: ByteStore;
  protected changelog: ChangelogWriter | undefined = undefined;
  protected context!: StoreContext;
  protected isLoaded = false;
  readonly #options: BufferOptions<K, V>;
  #isOpen = false;

  constructor(options: BufferOptions<K, V>) {
    this.#options = options;
    this.name = options.name;
    this.persistent = options.persistent;
  }

  /** Takes a row that the store or the changelog has. */
  protected abstract take(keyBytes: Uint8Array, stored: Uint8Array): void;
  /** Removes the row that has gone on. */
  protected abstract remove(row: R): void;
  /** The value to go on with. */
  protected abstract emitted(row: R): T;
  /** What the row takes, in bytes. */
  protected abstract sizeOf(row: R): number;

  init(context: StoreContext): void {
    const { keySerde, valueSerde, logging } = this.#options;
    const topic = context.changelogTopic(this.name);
    this.context = context;
    this.keys = new KeyCodec(keySerde, topic, this.name);
    this.values = new PlainCodec(valueSerde, topic);
    this.rows = context.environment.open(this.name, { volatile: !this.persistent });
    this.changelog = logging ? context.changelog(this.name) : undefined;
    this.#isOpen = true;
  }

  /**
   * Reads the rows that are there with the first use, not when the store is opened: until then the state may be emptied or restored, and the
   * serdes may lack their schemas.
   */
  protected load(): void {
    if (this.isLoaded) return;
    this.isLoaded = true;
    for (const [key, value] of this.rows.range(undefined, undefined)) this.take(key, value);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
    this.forget();
  }

  /** Forgets what is in memory; the next use reads the store. */
  protected forget(): void {
    this.isLoaded = false;
    this.order.clear();
    this.uncounted.clear();
    this.countedBytes = 0;
  }

  /** Lets the first rows go, no later one than `limit` (epoch ms), each with its own context, while `more()` says so. */
  protected emitUntil(
    limit: number,
    more: () => boolean,
    emit: (record: StreamRecord<K, T>) => void,
  ): void {
    if (this.order.firstTime > limit || !more()) return;
    const { record } = this.context;
    const saved = { ...record };
    try {
      for (let row = this.order.first(); row !== undefined;) {
        if (row.time > limit || !more()) break;
        restoreContext(record, row.context);
        const { timestamp, headers } = row.context;
        emit(new StreamRecord(row.key, this.emitted(row), timestamp, headers));
        this.remove(row);
        row = this.order.first();
      }
    } finally {
      Object.assign(record, saved);
    }
  }

  /** Takes the row out of the order and the count. */
  protected drop(row: R): void {
    this.order.remove(row);
    this.uncounted.delete(row);
    this.countedBytes -= row.size;
  }

  get byteSize(): number {
    this.load();
    for (const row of this.uncounted) {
      const size = this.sizeOf(row);
      this.countedBytes += size - row.size;
      row.size = size;
    }
    this.uncounted.clear();
    return this.countedBytes;
  }

  get minTimestamp(): number {
    this.load();
    return this.order.firstTime;
  }
}
