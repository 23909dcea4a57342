import { Change } from "../../record/change.ts";
import { StreamRecord } from "../../record/record.ts";
import type { StoreBuilder } from "../../state/store.ts";
import type { ProcessorContext } from "../../topology/processor.ts";
import { IS_LATEST, NOT_PUT, type TableStore, tableStore } from "./table_store.ts";
import { TupleForwarder } from "./tuple_forwarder.ts";

/**
 * Where a table operator's rows go: straight on, or through the operator's own store first. What filter, mapValues,
 * transformValues and the join merger of Kafka Streams each do for themselves.
 */
export class TableOutput<K, V> {
  /** The operator's own store, if it has one. */
  readonly store: TableStore<K, V> | null;
  readonly #context: ProcessorContext<K, Change<V>>;
  readonly #forwarder: TupleForwarder<K, V> | null;

  constructor(
    context: ProcessorContext<K, Change<V>>,
    builder: StoreBuilder | undefined,
    sendOldValues: boolean,
  ) {
    this.#context = context;
    this.store = builder === undefined ? null : tableStore<K, V>(context, builder.name);
    this.#forwarder = this.store === null
      ? null
      : TupleForwarder.timestamped(context, this.store.store, sendOldValues);
  }

  /** Whether the store forwards, at flush, and finds the old values itself. */
  get cached(): boolean {
    return this.#forwarder !== null && this.#forwarder.cached;
  }

  /** The value that the operator's own store holds now. */
  stored(key: K): V | null {
    const row = this.store!.get(key);
    return row === null ? null : row.value;
  }

  /** Stores the row, if there is a store, and forwards the change with the record's timestamp and headers, unless the cache will. */
  emit(
    record: StreamRecord<K, Change<unknown>>,
    newValue: V | null,
    oldValue: V | null,
    timestamp: number = record.timestamp,
  ): void {
    if (this.store === null || this.#forwarder === null) {
      const change = new Change(newValue ?? null, oldValue ?? null, record.value.isLatest);
      this.#context.forward(new StreamRecord(record.key, change, timestamp, record.headers));
      return;
    }
    const validTo = this.store.put(record.key, newValue, timestamp);
    if (this.#forwarder.cached || validTo === NOT_PUT) return;
    const isLatest = validTo === IS_LATEST;
    this.#forwarder.forward(record.key, newValue, oldValue, isLatest, timestamp, record.headers);
  }
}
