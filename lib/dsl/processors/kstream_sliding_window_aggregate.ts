import type { Change } from "../../record/change.ts";
import type { StreamRecord } from "../../record/record.ts";
import { Windowed } from "../../record/windowed.ts";
import {
  type StoreBuilder,
  type TimestampedWindowStore,
  ValueAndTimestamp,
} from "../../state/store.ts";
import type { Processor, ProcessorContext } from "../../topology/processor.ts";
import type { EmitStrategy, SlidingWindows } from "../windows.ts";
import { type Aggregator, type Initializer, synchronous } from "./functions.ts";
import type { KStreamAggProcessorSupplier, KTableValueGetterSupplier } from "./table.ts";
import { TupleForwarder } from "./tuple_forwarder.ts";
import { WindowClosing } from "./window_closing.ts";
import { WindowValueGetterSupplier } from "./window_value_getter.ts";

/** Options of `KStreamSlidingWindowAggregate`. */
export interface KStreamSlidingWindowAggregateOptions<K, V, A> {
  readonly windows: SlidingWindows;
  /** A timestamped window store of the windows' time difference; without a cache when windows are emitted on close. */
  readonly store: StoreBuilder;
  readonly initializer: Initializer<A>;
  readonly aggregator: Aggregator<K, V, A>;
  /** Default: `onWindowUpdate`. */
  readonly emit?: EmitStrategy;
}

/**
 * Aggregates per key and sliding window (KIP-450): a record at t updates each window that holds t, and makes up to three
 * new ones: its own left window [t-d, t], the right window of the record before it, and its own right window [t+1, t+1+d]
 * when later records exist. Windows are visited newest first. Records without key or value are dropped.
 * Kafka Streams: `KStreamSlidingWindowAggregate`.
 */
export class KStreamSlidingWindowAggregate<K, V, A>
  implements KStreamAggProcessorSupplier<K, V, Windowed<K>, A> {
  readonly #options: KStreamSlidingWindowAggregateOptions<K, V, A>;
  #sendOldValues = false;
  constructor(options: KStreamSlidingWindowAggregateOptions<K, V, A>) {
    this.#options = options;
  }
  get(): Processor<K, V, Windowed<K>, Change<A>> {
    return new SlidingAggregateProcessor(this.#options, this.#sendOldValues);
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

type Row<A> = ValueAndTimestamp<A>;

class SlidingAggregateProcessor<K, V, A> implements Processor<K, V, Windowed<K>, Change<A>> {
  readonly #options: KStreamSlidingWindowAggregateOptions<K, V, A>;
  readonly #sendOldValues: boolean;
  readonly #emitOnClose: boolean;
  readonly #differenceMs: number;
  #observedStreamTime = -1;
  #closeTime = -1;
  #context!: ProcessorContext<Windowed<K>, Change<A>>;
  #store!: TimestampedWindowStore<K, A>;
  #forwarder!: TupleForwarder<Windowed<K>, A>;
  #closing!: WindowClosing;
  /** The windows near the record in hand, as they were before it: starts, and rows at the same index. */
  readonly #starts: number[] = [];
  readonly #rows: Row<A>[] = [];

  constructor(options: KStreamSlidingWindowAggregateOptions<K, V, A>, sendOldValues: boolean) {
    this.#options = options;
    this.#sendOldValues = sendOldValues;
    this.#emitOnClose = options.emit === "onWindowClose";
    this.#differenceMs = options.windows.timeDifferenceMs;
  }

  init(context: ProcessorContext<Windowed<K>, Change<A>>): void {
    const storeName = this.#options.store.name;
    this.#context = context;
    this.#store = context.getStateStore<TimestampedWindowStore<K, A>>(storeName);
    if (this.#emitOnClose) {
      this.#closing = new WindowClosing(context, storeName);
      this.#forwarder = TupleForwarder.direct(context, this.#sendOldValues);
    } else {
      this.#forwarder = TupleForwarder.timestamped(context, this.#store, this.#sendOldValues);
    }
  }

  process(record: StreamRecord<K, V>): void {
    const { key, value, timestamp } = record;
    if (key === null || key === undefined || value === null || value === undefined) {
      this.#context.dropped(key === null || key === undefined ? "null-key" : "null-value");
      return;
    }
    if (timestamp > this.#observedStreamTime) this.#observedStreamTime = timestamp;
    this.#closeTime = this.#observedStreamTime - this.#options.windows.graceMs;
    const lastEnd = timestamp + this.#differenceMs;
    if (lastEnd < this.#closeTime) {
      this.#dropLate(timestamp, timestamp, lastEnd);
    } else if (this.#differenceMs === 0) {
      // As in Kafka Streams, which takes such windows and fails with the first record.
      throw new RangeError(
        `Cannot aggregate as the end of a sliding window must lie after its start: current value is a time difference of 0`,
      );
    } else if (timestamp < this.#differenceMs) {
      // As in Kafka Streams, records this early do not trigger the emission of closed windows.
      this.#processEarly(record);
    } else {
      this.#processNewestFirst(record);
      if (this.#emitOnClose) this.#emitClosed(record);
    }
    this.#starts.length = 0;
    this.#rows.length = 0;
  }

  /** Collects before anything is written: the store is not iterated while it changes. */
  #processNewestFirst(record: StreamRecord<K, V>): void {
    const timestamp = record.timestamp;
    const difference = this.#differenceMs;
    const from = Math.max(0, timestamp - 2 * difference);
    for (const window of this.#store.backwardFetchRange(record.key, from, timestamp + 1)) {
      this.#starts.push(window[0]);
      this.#rows.push(window[1]);
      if (window[0] + difference < timestamp) break;
    }

    let leftRow: Row<A> | null = null;
    let rightRow: Row<A> | null = null;
    let leftExists = false;
    let rightExists = false;
    let previous = -1;
    for (let i = 0; i < this.#starts.length; i++) {
      const start = this.#starts[i];
      const end = start + difference;
      const row = this.#rows[i];
      if (start === timestamp + 1) {
        rightExists = true;
      } else if (end > timestamp) {
        if (rightRow === null) rightRow = row;
        this.#update(record, start, row.value, row.timestamp);
      } else if (end === timestamp) {
        leftExists = true;
        this.#update(record, start, row.value, row.timestamp);
        // A record with this very timestamp was here before: all its windows exist.
        if (row.timestamp >= timestamp) return;
        previous = row.timestamp;
      } else {
        leftRow = row;
        previous = row.timestamp;
      }
    }

    if (
      previous !== -1 && previous + 1 + difference >= timestamp &&
      !this.#starts.includes(previous + 1)
    ) {
      this.#create(record, previous + 1);
    }
    if (!leftExists) {
      const start = timestamp - difference;
      if (previous !== -1 && start <= previous && leftRow !== null) {
        this.#update(record, start, leftRow.value, timestamp);
      } else {
        this.#create(record, start);
      }
    }
    if (!rightExists) this.#createRightWindow(record, rightRow);
  }

  /** Records before the time difference share the window [0, d]: their left windows would start below zero. */
  #processEarly(record: StreamRecord<K, V>): void {
    const timestamp = record.timestamp;
    for (const window of this.#store.fetchRange(record.key, 0, timestamp + 1)) {
      this.#starts.push(window[0]);
      this.#rows.push(window[1]);
    }
    let combined: Row<A> | null = null;
    let rightRow: Row<A> | null = null;
    let rightExists = false;
    let previous = -1;
    for (let i = 0; i < this.#starts.length; i++) {
      const start = this.#starts[i];
      const row = this.#rows[i];
      if (start === 0) {
        combined = row;
        if (row.timestamp < timestamp) previous = row.timestamp;
      } else if (start <= timestamp) {
        rightRow = row;
        this.#update(record, start, row.value, row.timestamp);
      } else {
        rightExists = true;
      }
    }
    // No window lies between, so what the combined window holds beyond this record is what its right window holds.
    if (rightRow === null && combined !== null && combined.timestamp > timestamp) {
      rightRow = combined;
    }
    if (!rightExists) this.#createRightWindow(record, rightRow);
    if (previous !== -1 && !this.#starts.includes(previous + 1)) this.#create(record, previous + 1);
    if (combined === null) this.#create(record, 0);
    else this.#update(record, 0, combined.value, combined.timestamp);
  }

  /** A window that holds the record in hand and no earlier one. */
  #create(record: StreamRecord<K, V>, start: number): void {
    const initial = synchronous(this.#options.initializer(), "initializer");
    this.#update(record, start, initial, record.timestamp);
  }

  /** The window after the record in hand, with what `row` holds, when that reaches beyond the record. */
  #createRightWindow(record: StreamRecord<K, V>, row: Row<A> | null): void {
    if (row === null || row.timestamp <= record.timestamp) return;
    const start = record.timestamp + 1;
    this.#store.put(record.key, row, start);
    this.#forwardUpdate(record, start, row.value, null, row.timestamp);
  }

  #update(record: StreamRecord<K, V>, start: number, old: A, oldTimestamp: number): void {
    const { key, timestamp } = record;
    const end = start + this.#differenceMs;
    if (end < this.#closeTime) {
      this.#dropLate(timestamp, start, end);
      return;
    }
    const aggregate = synchronous(this.#options.aggregator(old, record.value, key), "aggregator");
    const isFirst = old === null || old === undefined || oldTimestamp < timestamp;
    const newest = isFirst ? timestamp : oldTimestamp;
    const isDeleted = aggregate === null || aggregate === undefined;
    this.#store.put(key, isDeleted ? null : new ValueAndTimestamp(aggregate, newest), start);
    this.#forwardUpdate(record, start, aggregate, old, newest);
  }

  #forwardUpdate(
    record: StreamRecord<K, V>,
    start: number,
    aggregate: A | null,
    old: A | null,
    timestamp: number,
  ): void {
    if (this.#forwarder.cached || this.#emitOnClose) return;
    const windowed = new Windowed(record.key, start, start + this.#differenceMs);
    this.#forwarder.forward(windowed, aggregate, old, true, timestamp, record.headers);
  }

  #dropLate(timestamp: number, start: number, end: number): void {
    this.#context.dropped(
      "late",
      `timestamp ${timestamp}, window [${start},${end}], expiration ${this.#closeTime}, stream time ${this.#observedStreamTime}`,
    );
  }

  #emitClosed(record: StreamRecord<K, V>): void {
    const closing = this.#closing;
    const closeTime = this.#closeTime;
    if (!closing.isDue(closeTime)) return;
    // The end belongs to the window: it has closed when it lies before the close time.
    const upper = closeTime - this.#differenceMs - 1;
    if (upper < 0) return;
    const last = closing.lastCloseTime;
    const lower = last === -1 ? 0 : Math.max(0, last - this.#differenceMs);
    for (const [key, row] of this.#store.fetchAll(lower, upper)) {
      this.#forwarder.forward(key, row.value, null, true, row.timestamp, record.headers);
    }
    closing.emitted(closeTime);
  }
}
