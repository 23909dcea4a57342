import { StreamsException } from "../../errors.ts";
import type { Change } from "../../record/change.ts";
import type { StreamRecord } from "../../record/record.ts";
import type { Windowed } from "../../record/windowed.ts";
import type { StoreBuilder, TimeOrderedBuffer, ValueAndTimestamp } from "../../state/store.ts";
import type { ProcessingContext, Processor, ProcessorContext } from "../../topology/processor.ts";
import type {
  KTableProcessorSupplier,
  KTableValueGetter,
  KTableValueGetterSupplier,
  ParentTable,
} from "./table.ts";
import { noHistory } from "./window_value_getter.ts";

/** What is suppressed, and for how long. Kafka Streams: `SuppressedInternal`. */
export interface SuppressRule {
  /** `recordTime`: wait since the row's first update; `windowEnd`: wait since the end of the row's window. */
  readonly time: "recordTime" | "windowEnd";
  /** How long (ms of stream time): the limit, or the windows' grace. */
  readonly waitMs: number;
  /** Default: unbounded. */
  readonly maxRecords?: number;
  /** Default: unbounded. */
  readonly maxBytes?: number;
  /** With a full buffer emit the oldest rows early, or fail. */
  readonly whenFull: "emitEarly" | "shutDown";
  /** Deleted rows are not emitted: right only for final results. */
  readonly dropTombstones: boolean;
}

/** Options of `KTableSuppress`. */
export interface KTableSuppressOptions<K, V> {
  readonly parent: ParentTable<K, V>;
  /** A time-ordered buffer of changes. */
  readonly store: StoreBuilder;
  readonly rule: SuppressRule;
}

/**
 * Holds a table's changes back until their time has come, which only records that reach this step can tell. A key keeps its
 * first time and its newest value. Kafka Streams: `KTableSuppressProcessorSupplier` (KIP-328).
 */
export class KTableSuppress<K, V> implements KTableProcessorSupplier<K, V, K, V> {
  readonly #options: KTableSuppressOptions<K, V>;
  constructor(options: KTableSuppressOptions<K, V>) {
    this.#options = options;
    // The buffer answers what downstream knows of a row: it needs the value before the first held-back change.
    options.parent.enableSendingOldValues(true);
  }
  get(): Processor<K, Change<V>, K, Change<V>> {
    return new SuppressProcessor(this.#options.rule, this.#options.store.name);
  }
  stores(): readonly StoreBuilder[] {
    return [this.#options.store];
  }
  view(): KTableValueGetterSupplier<K, V> {
    const storeName = this.#options.store.name;
    const parent = this.#options.parent.valueGetterSupplier();
    return {
      get: () => new SuppressedGetter(storeName, parent.get()),
      storeNames: () => [storeName, ...parent.storeNames()],
    };
  }
  enableSendingOldValues(forceMaterialization: boolean): boolean {
    return this.#options.parent.enableSendingOldValues(forceMaterialization);
  }
}

class SuppressProcessor<K, V> implements Processor<K, Change<V>, K, Change<V>> {
  readonly #rule: SuppressRule;
  readonly #storeName: string;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  #observedStreamTime = -1;
  #context!: ProcessorContext<K, Change<V>>;
  #buffer!: TimeOrderedBuffer<K, Change<V>, V>;
  // Bound once, not per record.
  readonly #isDue = (): boolean =>
    this.#buffer.minTimestamp <= this.#observedStreamTime - this.#rule.waitMs;
  readonly #isOverfull = (): boolean =>
    this.#buffer.recordCount > this.#maxRecords || this.#buffer.byteSize > this.#maxBytes;
  readonly #emit = (record: StreamRecord<K, Change<V>>): void => {
    if (record.value.newValue === null && this.#rule.dropTombstones) return;
    this.#context.forward(record);
  };

  constructor(rule: SuppressRule, storeName: string) {
    this.#rule = rule;
    this.#storeName = storeName;
    this.#maxRecords = rule.maxRecords ?? Infinity;
    this.#maxBytes = rule.maxBytes ?? Infinity;
  }

  init(context: ProcessorContext<K, Change<V>>): void {
    this.#context = context;
    this.#buffer = context.getStateStore<TimeOrderedBuffer<K, Change<V>, V>>(this.#storeName);
  }

  process(record: StreamRecord<K, Change<V>>): void {
    if (record.timestamp > this.#observedStreamTime) this.#observedStreamTime = record.timestamp;
    const time = this.#rule.time === "windowEnd"
      ? (record.key as unknown as Windowed).end
      : record.timestamp;
    const buffer = this.#buffer;
    buffer.put(time, record);
    if (this.#isDue()) buffer.evictWhile(this.#isDue, this.#emit);
    if (!this.#isOverfull()) return;
    if (this.#rule.whenFull === "shutDown") throw this.#overfull();
    buffer.evictWhile(this.#isOverfull, this.#emit);
  }

  #overfull(): StreamsException {
    const buffer = this.#buffer;
    return new StreamsException(
      `${this.#context.processorName} buffer exceeded its max capacity. ` +
        `Currently [${buffer.recordCount}/${this.#maxRecords}] records and [${buffer.byteSize}/${this.#maxBytes}] bytes.`,
    );
  }
}

/** A row as downstream knows it: for a held-back key the value before, else the parent's row. */
class SuppressedGetter<K, V> implements KTableValueGetter<K, V> {
  readonly #storeName: string;
  readonly #parent: KTableValueGetter<K, V>;
  #buffer!: TimeOrderedBuffer<K, Change<V>, V>;
  constructor(storeName: string, parent: KTableValueGetter<K, V>) {
    this.#storeName = storeName;
    this.#parent = parent;
  }
  init(context: ProcessingContext): void {
    this.#parent.init(context);
    this.#buffer = context.getStateStore<TimeOrderedBuffer<K, Change<V>, V>>(this.#storeName);
  }
  get(key: K): ValueAndTimestamp<V> | null {
    const prior = this.#buffer.priorValue(key);
    return prior === undefined ? this.#parent.get(key) : prior;
  }
  getAsOf(_key: K, timestamp: number): ValueAndTimestamp<V> | null {
    throw noHistory(this.#storeName, timestamp);
  }
  isVersioned(): boolean {
    return false;
  }
  close(): void {
    this.#parent.close?.();
  }
}
