import { Change } from "../../record/change.ts";
import type { Headers } from "../../record/headers.ts";
import { StreamRecord } from "../../record/record.ts";
import type { Windowed } from "../../record/windowed.ts";
import type { CachedStateStore, StateStore, ValueAndTimestamp } from "../../state/store.ts";
import type { ProcessorContext } from "../../topology/processor.ts";

/**
 * Forwards a table's updates: at once, or, when the store caches, from the cache as it is flushed. Which of the two is
 * settled once, at `init`. Kafka Streams: `TimestampedTupleForwarder`.
 */
export class TupleForwarder<K, V> {
  /** The store forwards at flush, and `forward` does nothing: callers may skip making its arguments. */
  readonly cached: boolean;
  readonly #context: ProcessorContext<K, Change<V>>;
  readonly #sendOldValues: boolean;

  private constructor(
    context: ProcessorContext<K, Change<V>>,
    sendOldValues: boolean,
    cached: boolean,
  ) {
    this.#context = context;
    this.#sendOldValues = sendOldValues;
    this.cached = cached;
  }

  /** For a store whose values carry timestamps; flushed records take theirs. */
  static timestamped<K, V>(
    context: ProcessorContext<K, Change<V>>,
    store: StateStore,
    sendOldValues: boolean,
  ): TupleForwarder<K, V> {
    const cached = listen<K, ValueAndTimestamp<V>>(store, sendOldValues, (record) => {
      const { newValue, oldValue, isLatest } = record.value;
      const change = new Change<V>(
        newValue === null ? null : newValue.value,
        oldValue === null ? null : oldValue.value,
        isLatest,
      );
      const timestamp = newValue === null ? record.timestamp : newValue.timestamp;
      context.forward(new StreamRecord(record.key, change, timestamp, record.headers));
    });
    return new TupleForwarder(context, sendOldValues, cached);
  }

  /** For a session store; a session's records have its end as timestamp. Kafka Streams: `SessionCacheFlushListener`. */
  static session<K, V>(
    context: ProcessorContext<Windowed<K>, Change<V>>,
    store: StateStore,
    sendOldValues: boolean,
  ): TupleForwarder<Windowed<K>, V> {
    const cached = listen<Windowed<K>, V>(store, sendOldValues, (record) => {
      context.forward(new StreamRecord(record.key, record.value, record.key.end, record.headers));
    });
    return new TupleForwarder(context, sendOldValues, cached);
  }

  /** Without regard to any cache: for results that are emitted once, when their window has closed. */
  static direct<K, V>(
    context: ProcessorContext<K, Change<V>>,
    sendOldValues: boolean,
  ): TupleForwarder<K, V> {
    return new TupleForwarder(context, sendOldValues, false);
  }

  /** Forwards an update unless the cache will. */
  forward(
    key: K,
    newValue: V | null,
    oldValue: V | null,
    isLatest: boolean,
    timestamp: number,
    headers: Headers,
  ): void {
    if (this.cached) return;
    const change = new Change(newValue ?? null, this.#sendOldValues ? oldValue : null, isLatest);
    this.#context.forward(new StreamRecord(key, change, timestamp, headers));
  }
}

function listen<K, V>(
  store: StateStore,
  sendOldValues: boolean,
  listener: (record: StreamRecord<K, Change<V>>) => void,
): boolean {
  return "setFlushListener" in store &&
    (store as StateStore & CachedStateStore<K, V>).setFlushListener(listener, sendOldValues);
}
