import type { Change } from "../../record/change.ts";
import { Headers } from "../../record/headers.ts";
import type { StreamRecord } from "../../record/record.ts";
import { Windowed } from "../../record/windowed.ts";
import type { SessionStore, StoreBuilder } from "../../state/store.ts";
import type { Processor, ProcessorContext } from "../../topology/processor.ts";
import type { EmitStrategy, SessionWindows } from "../windows.ts";
import { type Aggregator, type Initializer, type Merger, synchronous } from "./functions.ts";
import type { KStreamAggProcessorSupplier, KTableValueGetterSupplier } from "./table.ts";
import { TupleForwarder } from "./tuple_forwarder.ts";
import { WindowClosing } from "./window_closing.ts";
import { SessionValueGetterSupplier } from "./window_value_getter.ts";

/** Options of `KStreamSessionWindowAggregate`. */
export interface KStreamSessionWindowAggregateOptions<K, V, A> {
  readonly windows: SessionWindows;
  /** A session store; without a cache when sessions are emitted on close. */
  readonly store: StoreBuilder;
  readonly initializer: Initializer<A>;
  readonly aggregator: Aggregator<K, V, A>;
  readonly merger: Merger<K, A>;
  /** Default: `onWindowUpdate`. */
  readonly emit?: EmitStrategy;
}

/**
 * Aggregates per key and session. Sessions that a record joins are merged first, in the store's order, and the record is
 * added last; each merged session is removed and forwarded as deleted. Records without a key are dropped; a null value
 * reaches the aggregator. Kafka Streams: `KStreamSessionWindowAggregate`.
 */
export class KStreamSessionWindowAggregate<K, V, A>
  implements KStreamAggProcessorSupplier<K, V, Windowed<K>, A> {
  readonly #options: KStreamSessionWindowAggregateOptions<K, V, A>;
  #sendOldValues = false;
  constructor(options: KStreamSessionWindowAggregateOptions<K, V, A>) {
    this.#options = options;
  }
  get(): Processor<K, V, Windowed<K>, Change<A>> {
    return new SessionAggregateProcessor(this.#options, this.#sendOldValues);
  }
  stores(): readonly StoreBuilder[] {
    return [this.#options.store];
  }
  view(): KTableValueGetterSupplier<Windowed<K>, A> {
    return new SessionValueGetterSupplier(this.#options.store.name);
  }
  enableSendingOldValues(): void {
    this.#sendOldValues = true;
  }
}

class SessionAggregateProcessor<K, V, A> implements Processor<K, V, Windowed<K>, Change<A>> {
  readonly #options: KStreamSessionWindowAggregateOptions<K, V, A>;
  readonly #sendOldValues: boolean;
  readonly #emitOnClose: boolean;
  #observedStreamTime = -1;
  #context!: ProcessorContext<Windowed<K>, Change<A>>;
  #store!: SessionStore<K, A>;
  #forwarder!: TupleForwarder<Windowed<K>, A>;
  #closing!: WindowClosing;
  /** The sessions that the record in hand joins; kept to spare the allocation. */
  readonly #merged: [Windowed<K>, A][] = [];

  constructor(options: KStreamSessionWindowAggregateOptions<K, V, A>, sendOldValues: boolean) {
    this.#options = options;
    this.#sendOldValues = sendOldValues;
    this.#emitOnClose = options.emit === "onWindowClose";
  }

  init(context: ProcessorContext<Windowed<K>, Change<A>>): void {
    const storeName = this.#options.store.name;
    this.#context = context;
    this.#store = context.getStateStore<SessionStore<K, A>>(storeName);
    if (this.#emitOnClose) {
      this.#closing = new WindowClosing(context, storeName);
      this.#forwarder = TupleForwarder.direct(context, this.#sendOldValues);
    } else {
      this.#forwarder = TupleForwarder.session(context, this.#store, this.#sendOldValues);
    }
  }

  process(record: StreamRecord<K, V>): void {
    const { key, timestamp } = record;
    if (key === null || key === undefined) {
      this.#context.dropped("null-key");
      return;
    }
    const { gapMs, graceMs } = this.#options.windows;
    if (timestamp > this.#observedStreamTime) this.#observedStreamTime = timestamp;
    const closeTime = this.#observedStreamTime - graceMs - gapMs;

    const merged = this.#merged;
    merged.length = 0;
    let start = timestamp;
    let end = timestamp;
    let aggregate = synchronous(this.#options.initializer(), "initializer");
    for (const session of this.#store.findSessions(key, timestamp - gapMs, timestamp + gapMs)) {
      merged.push(session);
      aggregate = synchronous(this.#options.merger(aggregate, session[1], key), "merger");
      if (session[0].start < start) start = session[0].start;
      if (session[0].end > end) end = session[0].end;
    }

    if (end < closeTime) this.#dropLate(timestamp, start, end, closeTime);
    else this.#replace(record, start, end, aggregate);
    merged.length = 0;
    if (this.#emitOnClose) this.#emitClosed(record, closeTime);
  }

  /** Puts one session in the place of the merged ones. One that stays exactly as long as it was is updated in place. */
  #replace(record: StreamRecord<K, V>, start: number, end: number, merged: A): void {
    if (start !== record.timestamp || end !== record.timestamp) {
      for (const [session, old] of this.#merged) {
        this.#store.remove(session);
        this.#forwardUpdate(session, null, old);
      }
    }
    const { aggregator } = this.#options;
    const aggregate = synchronous(aggregator(merged, record.value, record.key), "aggregator");
    const session = new Windowed(record.key, start, end);
    this.#store.put(session, aggregate ?? null);
    this.#forwardUpdate(session, aggregate, null);
  }

  #forwardUpdate(session: Windowed<K>, aggregate: A | null, old: A | null): void {
    if (this.#forwarder.cached || this.#emitOnClose) return;
    // Without the record's headers, as in Kafka Streams.
    this.#forwarder.forward(session, aggregate, old, true, session.end, Headers.EMPTY);
  }

  #dropLate(timestamp: number, start: number, end: number, closeTime: number): void {
    this.#context.dropped(
      "late",
      `timestamp ${timestamp}, window [${start},${end}], expiration ${closeTime}, stream time ${this.#observedStreamTime}`,
    );
  }

  #emitClosed(record: StreamRecord<K, V>, closeTime: number): void {
    const closing = this.#closing;
    if (!closing.isDue(closeTime)) return;
    // A session's end belongs to it, and it may be a single instant: [last close time, close time - 1].
    const upper = closeTime - 1;
    const lower = Math.max(0, closing.lastCloseTime);
    if (upper < 0 || upper < lower) return;
    for (const [session, aggregate] of this.#store.findSessionsByEnd(lower, upper)) {
      this.#forwarder.forward(session, aggregate, null, true, session.end, record.headers);
    }
    closing.emitted(closeTime);
  }
}
