import { StreamRecord } from "../../record/record.ts";
import type { StoreBuilder, WindowStore } from "../../state/store.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import type { JoinWindows } from "../windows.ts";
import { synchronous, type ValueJoiner } from "./functions.ts";

/** Options of `KStreamKStreamSelfJoin`. */
export interface KStreamKStreamSelfJoinOptions<K, V, Out> {
  readonly windows: JoinWindows;
  readonly joiner: ValueJoiner<K, V, V, Out>;
  /** The stream's window store, which keeps duplicates; filled by `KStreamJoinWindow`. */
  readonly store: StoreBuilder;
}

/**
 * Joins a stream with itself over one store, in the order in which an inner join over two would: the record as left value with all
 * others, then the others with it, and with itself in its place in time. Kafka Streams: `KStreamKStreamSelfJoin` (KIP-862).
 */
export class KStreamKStreamSelfJoin<K, V, Out> implements ProcessorSupplier<K, V, K, Out> {
  readonly #options: KStreamKStreamSelfJoinOptions<K, V, Out>;
  constructor(options: KStreamKStreamSelfJoinOptions<K, V, Out>) {
    this.#options = options;
  }
  get(): Processor<K, V, K, Out> {
    return new SelfJoinProcessor(this.#options);
  }
  stores(): readonly StoreBuilder[] {
    return [this.#options.store];
  }
}

class SelfJoinProcessor<K, V, Out> implements Processor<K, V, K, Out> {
  readonly #options: KStreamKStreamSelfJoinOptions<K, V, Out>;
  readonly #retentionMs: number;
  #observedStreamTime = -1;
  #context!: ProcessorContext<K, Out>;
  #store!: WindowStore<K, V>;

  constructor(options: KStreamKStreamSelfJoinOptions<K, V, Out>) {
    this.#options = options;
    const { beforeMs, afterMs, graceMs } = options.windows;
    this.#retentionMs = beforeMs + afterMs + graceMs;
  }

  init(context: ProcessorContext<K, Out>): void {
    this.#context = context;
    this.#store = context.getStateStore<WindowStore<K, V>>(this.#options.store.name);
  }

  process(record: StreamRecord<K, V>): void {
    const { key, value, timestamp } = record;
    const hasKey = key !== null && key !== undefined;
    if (!hasKey || value === null || value === undefined) {
      this.#context.dropped(hasKey ? "null-value" : "null-key");
      return;
    }
    if (timestamp > this.#observedStreamTime) this.#observedStreamTime = timestamp;
    const { beforeMs, afterMs } = this.#options.windows;
    const self = this.#joined(record, value, value, timestamp);
    // An expired record would not be in the store either.
    let isSelfDue = timestamp > this.#observedStreamTime - this.#retentionMs + 1;

    let from = Math.max(0, timestamp - beforeMs);
    let to = Math.max(0, timestamp + afterMs);
    for (const [otherTimestamp, other] of this.#store.fetchRange(key, from, to)) {
      const later = otherTimestamp > timestamp ? otherTimestamp : timestamp;
      this.#context.forward(this.#joined(record, value, other, later));
    }

    from = Math.max(0, timestamp - afterMs);
    to = Math.max(0, timestamp + beforeMs);
    for (const [otherTimestamp, other] of this.#store.fetchRange(key, from, to)) {
      if (otherTimestamp > timestamp && isSelfDue) {
        isSelfDue = false;
        this.#context.forward(self);
      }
      const later = otherTimestamp > timestamp ? otherTimestamp : timestamp;
      this.#context.forward(this.#joined(record, other, value, later));
    }
    if (isSelfDue) this.#context.forward(self);
  }

  #joined(
    record: StreamRecord<K, V>,
    left: V,
    right: V,
    timestamp: number,
  ): StreamRecord<K, Out> {
    const result = synchronous(this.#options.joiner(left, right, record.key), "joiner");
    return new StreamRecord(record.key, result, timestamp, record.headers);
  }
}
