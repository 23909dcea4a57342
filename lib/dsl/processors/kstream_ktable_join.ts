import { StreamRecord } from "../../record/record.ts";
import type { StoreBuilder, TimeOrderedBuffer } from "../../state/store.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import { type KeyMapper, synchronous, type ValueJoiner } from "./functions.ts";
import type { KTableValueGetter, KTableValueGetterSupplier } from "./table.ts";

/** Options of `KStreamKTableJoin`. */
export interface KStreamKTableJoinOptions<K, V, Row, Out> {
  readonly table: KTableValueGetterSupplier<K, Row>;
  readonly joiner: ValueJoiner<K, V, Row | null, Out>;
  /** Records without a matching row are joined with null. */
  readonly left: boolean;
  /** Holds records back for the table to catch up (KIP-923): a time-ordered buffer of records that knows the grace. The table must be versioned. */
  readonly buffer?: StoreBuilder;
}

/**
 * Joins each record of a stream with its key's row as it is now, or, where the table is versioned, as it was at the record's
 * timestamp. Only stream records give results. Kafka Streams: `KStreamKTableJoin`.
 */
export class KStreamKTableJoin<K, V, Row, Out> implements ProcessorSupplier<K, V, K, Out> {
  readonly #options: KStreamKTableJoinOptions<K, V, Row, Out>;
  constructor(options: KStreamKTableJoinOptions<K, V, Row, Out>) {
    this.#options = options;
  }
  get(): Processor<K, V, K, Out> {
    const { table, joiner, left, buffer } = this.#options;
    return new StreamTableJoinProcessor({ rows: table.get(), joiner, left, buffer });
  }
  stores(): readonly StoreBuilder[] {
    return this.#options.buffer === undefined ? [] : [this.#options.buffer];
  }
}

/** Options of `KStreamGlobalKTableJoin`. */
export interface KStreamGlobalKTableJoinOptions<K, V, RowKey, Row, Out> {
  readonly table: KTableValueGetterSupplier<RowKey, Row>;
  /** The row's key for a record; null means no row. */
  readonly keyMapper: KeyMapper<K, V, RowKey | null>;
  /** Gets the stream's key. */
  readonly joiner: ValueJoiner<K, V, Row | null, Out>;
  /** Records without a matching row are joined with null. */
  readonly left: boolean;
}

/** Joins each record of a stream with a row of a global table, as it is now. Kafka Streams: `KStreamGlobalKTableJoin`. */
export class KStreamGlobalKTableJoin<K, V, RowKey, Row, Out>
  implements ProcessorSupplier<K, V, K, Out> {
  readonly #options: KStreamGlobalKTableJoinOptions<K, V, RowKey, Row, Out>;
  constructor(options: KStreamGlobalKTableJoinOptions<K, V, RowKey, Row, Out>) {
    this.#options = options;
  }
  get(): Processor<K, V, K, Out> {
    const { table, joiner, left, keyMapper } = this.#options;
    return new StreamTableJoinProcessor({ rows: table.get(), joiner, left, keyMapper });
  }
}

interface StreamTableJoin<K, V, RowKey, Row, Out> {
  readonly rows: KTableValueGetter<RowKey, Row>;
  readonly joiner: ValueJoiner<K, V, Row | null, Out>;
  readonly left: boolean;
  /** Absent: the record's own key. */
  readonly keyMapper?: KeyMapper<K, V, RowKey | null>;
  readonly buffer?: StoreBuilder;
}

/** Kafka Streams: `KStreamKTableJoinProcessor`. */
class StreamTableJoinProcessor<K, V, RowKey, Row, Out> implements Processor<K, V, K, Out> {
  readonly #join: StreamTableJoin<K, V, RowKey, Row, Out>;
  #isVersioned = false;
  #context!: ProcessorContext<K, Out>;
  #buffer: TimeOrderedBuffer<K, V> | null = null;
  #observedStreamTime = -1;
  readonly #emit = (record: StreamRecord<K, V>): void =>
    this.#joinNow(record, this.#rowKey(record));

  constructor(join: StreamTableJoin<K, V, RowKey, Row, Out>) {
    this.#join = join;
  }

  /** @throws {TypeError} when there is a grace and the table keeps no history to use it on */
  init(context: ProcessorContext<K, Out>): void {
    this.#context = context;
    const { rows, buffer } = this.#join;
    rows.init(context);
    this.#isVersioned = rows.isVersioned();
    if (buffer === undefined) return;
    if (!this.#isVersioned) {
      throw new TypeError(
        `Cannot join with a grace period in ${context.processorName} as the table must be versioned: current value is a table without history`,
      );
    }
    this.#buffer = context.getStateStore<TimeOrderedBuffer<K, V>>(buffer.name);
  }

  process(record: StreamRecord<K, V>): void {
    if (record.timestamp > this.#observedStreamTime) this.#observedStreamTime = record.timestamp;
    const isNullValue = record.value === null || record.value === undefined;
    // A null value is not given to the key mapper here: the record is dropped whatever it would say.
    const rowKey = isNullValue ? null : this.#rowKey(record);
    if (isNullValue || (rowKey === null && !this.#join.left)) {
      this.#context.dropped(isNullValue ? "null-value" : "null-key");
      return;
    }
    const buffer = this.#buffer;
    // Without a key there is no row to wait for (Kafka Streams dies here with a NullPointerException).
    if (buffer === null || rowKey === null || !buffer.put(this.#observedStreamTime, record)) {
      this.#joinNow(record, rowKey);
    } else {
      buffer.evictWhile(always, this.#emit);
    }
  }

  #rowKey(record: StreamRecord<K, V>): RowKey | null {
    const { keyMapper } = this.#join;
    if (keyMapper === undefined) return (record.key ?? null) as unknown as RowKey | null;
    return synchronous(keyMapper(record.value, record.key), "key mapper") ?? null;
  }

  #joinNow(record: StreamRecord<K, V>, rowKey: RowKey | null): void {
    const { rows, joiner, left } = this.#join;
    const row = rowKey === null
      ? null
      : this.#isVersioned
      ? rows.getAsOf(rowKey, record.timestamp)
      : rows.get(rowKey);
    if (row === null && !left) return;
    const result = joiner(record.value, row === null ? null : row.value, record.key);
    this.#context.forward(
      new StreamRecord(
        record.key,
        synchronous(result, "joiner"),
        record.timestamp,
        record.headers,
      ),
    );
  }

  close(): void {
    this.#join.rows.close?.();
  }
}

function always(): boolean {
  return true;
}
