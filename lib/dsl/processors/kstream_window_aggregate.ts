import type { Change } from "../../record/change.ts";
import type { StreamRecord } from "../../record/record.ts";
import { Windowed } from "../../record/windowed.ts";
import {
  type StoreBuilder,
  type TimestampedWindowStore,
  ValueAndTimestamp,
} from "../../state/store.ts";
import type { Processor, ProcessorContext } from "../../topology/processor.ts";
import {
  type EmitStrategy,
  type EnumerableWindows,
  firstWindowStart,
  MAX_TIMESTAMP,
  type TimeWindows,
} from "../windows.ts";
import { type Aggregator, type Initializer, synchronous } from "./functions.ts";
import type { KStreamAggProcessorSupplier, KTableValueGetterSupplier } from "./table.ts";
import { TupleForwarder } from "./tuple_forwarder.ts";
import { WindowClosing } from "./window_closing.ts";
import { WindowValueGetterSupplier } from "./window_value_getter.ts";

/** Options of `KStreamWindowAggregate`. */
export interface KStreamWindowAggregateOptions<K, V, A> {
  readonly windows: EnumerableWindows;
  /** A timestamped window store; without a cache when windows are emitted on close. */
  readonly store: StoreBuilder;
  readonly initializer: Initializer<A>;
  readonly aggregator: Aggregator<K, V, A>;
  /** Default: `onWindowUpdate`. */
  readonly emit?: EmitStrategy;
}

/**
 * Aggregates per key and tumbling, hopping or unlimited window. Records without a key are dropped; a null value reaches the
 * aggregator; windows that have closed are left alone, each counted as a dropped record. Kafka Streams: `KStreamWindowAggregate`.
 */
export class KStreamWindowAggregate<K, V, A>
  implements KStreamAggProcessorSupplier<K, V, Windowed<K>, A> {
  readonly #options: KStreamWindowAggregateOptions<K, V, A>;
  #sendOldValues = false;

  /** @throws {RangeError} when unlimited windows are to be emitted on close: they never do */
  constructor(options: KStreamWindowAggregateOptions<K, V, A>) {
    if (options.emit === "onWindowClose" && options.windows.kind !== "time") {
      throw new RangeError(
        `Cannot emit on window close as only tumbling, hopping and sliding windows close: current value is ${options.windows.kind}`,
      );
    }
    this.#options = options;
  }
  get(): Processor<K, V, Windowed<K>, Change<A>> {
    return new WindowAggregateProcessor(this.#options, this.#sendOldValues);
  }
  stores(): readonly StoreBuilder[] {
    return [this.#options.store];
  }
  view(): KTableValueGetterSupplier<Windowed<K>, A> {
    return new WindowValueGetterSupplier(this.#options.store.name);
  }
  enableSendingOldValues(): void {
    this.#sendOldValues = true;
  }
}

class WindowAggregateProcessor<K, V, A> implements Processor<K, V, Windowed<K>, Change<A>> {
  readonly #initializer: Initializer<A>;
  readonly #aggregator: Aggregator<K, V, A>;
  readonly #storeName: string;
  readonly #sendOldValues: boolean;
  readonly #emitOnClose: boolean;
  readonly #windows: EnumerableWindows;
  readonly #sizeMs: number;
  readonly #advanceMs: number;
  readonly #graceMs: number;
  #observedStreamTime = -1;
  #context!: ProcessorContext<Windowed<K>, Change<A>>;
  #store!: TimestampedWindowStore<K, A>;
  #forwarder!: TupleForwarder<Windowed<K>, A>;
  #closing!: WindowClosing;

  constructor(options: KStreamWindowAggregateOptions<K, V, A>, sendOldValues: boolean) {
    this.#initializer = options.initializer;
    this.#aggregator = options.aggregator;
    this.#storeName = options.store.name;
    this.#sendOldValues = sendOldValues;
    this.#emitOnClose = options.emit === "onWindowClose";
    const windows = options.windows;
    this.#windows = windows;
    this.#sizeMs = windows.kind === "time" ? windows.sizeMs : MAX_TIMESTAMP;
    this.#advanceMs = windows.kind === "time" ? windows.advanceMs : Infinity;
    this.#graceMs = windows.kind === "time" ? windows.graceMs : 0;
  }

  init(context: ProcessorContext<Windowed<K>, Change<A>>): void {
    this.#context = context;
    this.#store = context.getStateStore<TimestampedWindowStore<K, A>>(this.#storeName);
    if (this.#emitOnClose) {
      this.#closing = new WindowClosing(context, this.#storeName);
      this.#forwarder = TupleForwarder.direct(context, this.#sendOldValues);
    } else {
      this.#forwarder = TupleForwarder.timestamped(context, this.#store, this.#sendOldValues);
    }
  }

  process(record: StreamRecord<K, V>): void {
    if (record.key === null || record.key === undefined) {
      this.#context.dropped("null-key");
      return;
    }
    const timestamp = record.timestamp;
    if (timestamp > this.#observedStreamTime) this.#observedStreamTime = timestamp;
    const closeTime = this.#observedStreamTime - this.#graceMs;
    const windows = this.#windows;
    let start = windows.kind === "time" ? firstWindowStart(windows, timestamp) : windows.startMs;
    for (; start <= timestamp; start += this.#advanceMs) {
      const end = start + this.#sizeMs;
      if (end > closeTime) this.#update(record, start, end);
      else this.#dropLate(timestamp, start, end, closeTime);
    }
    if (this.#emitOnClose) this.#emitClosed(record, closeTime);
  }

  #update(record: StreamRecord<K, V>, start: number, end: number): void {
    const { key, timestamp } = record;
    const row = this.#store.fetch(key, start);
    const old = row === null ? synchronous(this.#initializer(), "initializer") : row.value;
    const newest = row === null || row.timestamp < timestamp ? timestamp : row.timestamp;
    const aggregate = synchronous(this.#aggregator(old, record.value, key), "aggregator");
    const isDeleted = aggregate === null || aggregate === undefined;
    this.#store.put(key, isDeleted ? null : new ValueAndTimestamp(aggregate, newest), start);
    if (this.#forwarder.cached || this.#emitOnClose) return;
    // An unlimited window's end is bounded: start + size is beyond what a number holds exactly.
    const windowed = new Windowed(key, start, end > MAX_TIMESTAMP ? MAX_TIMESTAMP : end);
    this.#forwarder.forward(windowed, aggregate, old, true, newest, record.headers);
  }

  #dropLate(timestamp: number, start: number, end: number, closeTime: number): void {
    this.#context.dropped(
      "late",
      `timestamp ${timestamp}, window [${start},${end}), expiration ${closeTime}, stream time ${this.#observedStreamTime}`,
    );
  }

  #emitClosed(record: StreamRecord<K, V>, closeTime: number): void {
    const closing = this.#closing;
    if (!closing.isDue(closeTime)) return;
    const upper = closeTime - this.#sizeMs;
    if (upper < 0) return;
    const last = closing.lastCloseTime;
    const lower = last === -1 ? 0 : Math.max(0, last - this.#sizeMs) + 1;
    if (last !== -1 && !this.#hasClosedBetween(lower - 1, upper)) return;
    for (const [key, row] of this.#store.fetchAll(lower, upper)) {
      this.#forwarder.forward(key, row.value, null, true, row.timestamp, record.headers);
    }
    closing.emitted(closeTime);
  }

  /** Whether the close time passed a window's end: else there is nothing new to fetch. */
  #hasClosedBetween(lower: number, upper: number): boolean {
    const windows = this.#windows as TimeWindows;
    return firstWindowStart(windows, lower) !== firstWindowStart(windows, upper) ||
      Math.floor(lower / this.#advanceMs) !== Math.floor(upper / this.#advanceMs);
  }
}
