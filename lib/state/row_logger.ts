import type { RecordContext } from "../record/context.ts";
import type { ValueCodec } from "./codecs.ts";
import { rowBytes } from "./row_bytes.ts";
import type { ChangelogWriter, RestoreRows, StoreContext } from "./store.ts";

/** Sends a store's writes to its changelog, if it has one. Kafka Streams: the `ChangeLogging…BytesStore` classes. */
export class RowLogger {
  readonly #changelog: ChangelogWriter | undefined;
  readonly #record: RecordContext;
  readonly #codec: ValueCodec<any>;

  constructor(
    storeName: string,
    context: StoreContext,
    options: { readonly logging: boolean; readonly codec: ValueCodec<any> },
  ) {
    this.#changelog = options.logging ? context.changelog(storeName) : undefined;
    this.#record = context.record;
    this.#codec = options.codec;
  }

  get isOn(): boolean {
    return this.#changelog !== undefined;
  }

  /** Logs a row by its changelog key and its stored value; null deletes. */
  log(key: Uint8Array, stored: Uint8Array | null): void {
    const changelog = this.#changelog;
    if (changelog === undefined) return;
    const current = this.#record.timestamp;
    if (stored === null) changelog.log(key, null, current);
    else {
      const codec = this.#codec;
      const timestamp = codec.logTimestamp(stored, current);
      changelog.log(key, stored, timestamp, undefined, codec.logStart);
    }
  }
}

/** The rows of a changelog that have keys: key, stored value, row number. */
export function* changelogRows(
  rows: RestoreRows,
  from: number,
  to: number,
  codec: ValueCodec<any>,
  prefixBytes = 0,
): IterableIterator<readonly [Uint8Array, Uint8Array | null]> {
  for (let i = from; i < to; i++) {
    const length = rows.keyLengths[i];
    if (length < 0) continue;
    const start = rows.keyStarts[i];
    const key = rowBytes(prefixBytes + length);
    key.set(rows.slab.subarray(start, start + length), prefixBytes);
    yield [key, rows.valueLengths[i] < 0 ? null : codec.restored(rows, i)];
  }
}
