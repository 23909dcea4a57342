import type { RecordContext } from "../record/context.ts";
import type { ValueCodec } from "./codecs.ts";
import type { ByteStore, ChangelogWriter, RestoreRows, StoreContext } from "./store.ts";

/** How a kind of store lays out its rows: the part of the stored key that goes to the changelog comes after `keyStart` bytes. */
export interface RowLayout {
  readonly keyStart: number;
  /** The stored key of a changelog row; undefined when the row has expired or has no key. */
  restoredKey(rows: RestoreRows, row: number): Uint8Array | undefined;
}

/** Keys are stored as they are logged. */
export const PLAIN_LAYOUT: RowLayout = {
  keyStart: 0,
  restoredKey(rows, row) {
    const length = rows.keyLengths[row];
    if (length < 0) return undefined;
    const start = rows.keyStarts[row];
    return rows.slab.slice(start, start + length);
  },
};

/** A byte store whose writes are sent to its changelog as well. Kafka Streams: the `ChangeLogging…BytesStore` classes. */
export class LoggedBytes {
  readonly rows: ByteStore;
  readonly #changelog: ChangelogWriter | undefined;
  readonly #record: RecordContext;
  readonly #layout: RowLayout;
  readonly #codec: ValueCodec<any>;

  constructor(
    rows: ByteStore,
    context: StoreContext,
    options: {
      readonly logging: boolean;
      readonly layout: RowLayout;
      readonly codec: ValueCodec<any>;
    },
  ) {
    this.rows = rows;
    this.#changelog = options.logging ? context.changelog(rows.name) : undefined;
    this.#record = context.record;
    this.#layout = options.layout;
    this.#codec = options.codec;
  }

  /** Writes and logs a row; null deletes. The arrays belong to the store from now on. */
  write(key: Uint8Array, stored: Uint8Array | null): void {
    if (stored === null) this.rows.delete(key);
    else this.rows.put(key, stored);
    this.log(key, stored);
  }

  /** Logs a row without writing it. */
  log(key: Uint8Array, stored: Uint8Array | null): void {
    const changelog = this.#changelog;
    if (changelog === undefined) return;
    const { keyStart } = this.#layout;
    const logged = keyStart === 0 ? key : key.subarray(keyStart);
    const current = this.#record.timestamp;
    if (stored === null) changelog.log(logged, null, current);
    else {
      const codec = this.#codec;
      const timestamp = codec.logTimestamp(stored, current);
      changelog.log(logged, stored, timestamp, undefined, codec.logStart);
    }
  }

  /** Applies changelog rows `[from, to)`, the last of a key winning. */
  restore(rows: RestoreRows, from: number, to: number): void {
    this.rows.bulk(this.#restored(rows, from, to));
  }

  *#restored(
    rows: RestoreRows,
    from: number,
    to: number,
  ): Iterable<readonly [Uint8Array, Uint8Array | null]> {
    for (let i = from; i < to; i++) {
      const key = this.#layout.restoredKey(rows, i);
      if (key === undefined) continue;
      yield [key, rows.valueLengths[i] < 0 ? null : this.#codec.restored(rows, i)];
    }
  }
}
