import type { StreamRecord } from "../../record/record.ts";
import type { StoreBuilder, WindowStore } from "../../state/store.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";

/** Options of `KStreamJoinWindow`. */
export interface KStreamJoinWindowOptions {
  /** The window store of this side, which keeps duplicates. */
  readonly store: StoreBuilder;
}

/**
 * Keeps one side's records for the other side of a stream-stream join. A record is joined first and kept after, so that it does not
 * find itself. Kafka Streams: `KStreamJoinWindow`.
 */
export class KStreamJoinWindow<K, V> implements ProcessorSupplier<K, V, K, V> {
  readonly #store: StoreBuilder;
  constructor(options: KStreamJoinWindowOptions) {
    this.#store = options.store;
  }
  get(): Processor<K, V, K, V> {
    return new JoinWindowProcessor(this.#store.name);
  }
  stores(): readonly StoreBuilder[] {
    return [this.#store];
  }
}

class JoinWindowProcessor<K, V> implements Processor<K, V, K, V> {
  readonly #storeName: string;
  #context!: ProcessorContext<K, V>;
  #store!: WindowStore<K, V>;
  constructor(storeName: string) {
    this.#storeName = storeName;
  }
  init(context: ProcessorContext<K, V>): void {
    this.#context = context;
    this.#store = context.getStateStore<WindowStore<K, V>>(this.#storeName);
  }
  process(record: StreamRecord<K, V>): void {
    this.#context.forward(record);
    if (record.key !== null && record.key !== undefined) {
      this.#store.put(record.key, record.value, record.timestamp);
    }
  }
}
