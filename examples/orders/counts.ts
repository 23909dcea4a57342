/**
 * Orders seen per customer, written with the Processor API: a store of its own, and a punctuation that forwards all counts each ten seconds
 * of stream time.
 *
 * @module
 */
import {
  type Cancellable,
  defineTopology,
  type KeyValueStore,
  keyValueStoreBuilder,
  long,
  persistentKeyValueStore,
  type Processor,
  type ProcessorContext,
  seconds,
  StreamRecord,
  type StreamsBuilder,
  string,
} from "weir";
import type { Order } from "./schemas.ts";
import { orderCounts, orders } from "./topics.ts";

/** The store of the counts. */
export const COUNTS_STORE = "counts-store";

/** Counts records by key, and forwards every count each ten seconds of stream time. */
export class OrderCounter implements Processor<string, Order, string, number> {
  #context!: ProcessorContext<string, number>;
  #counts!: KeyValueStore<string, number>;
  #schedule!: Cancellable;

  init(context: ProcessorContext<string, number>): void {
    this.#context = context;
    this.#counts = context.getStateStore(COUNTS_STORE);
    this.#schedule = context.schedule(seconds(10), "stream-time", (now) => this.#forwardAll(now));
  }

  process(record: StreamRecord<string, Order>): void {
    this.#counts.put(record.key, (this.#counts.get(record.key) ?? 0) + 1);
  }

  #forwardAll(now: number): void {
    for (const [customer, count] of this.#counts.all()) {
      this.#context.forward(new StreamRecord(customer, count, now));
    }
  }

  close(): void {
    this.#schedule.cancel();
  }
}

/** Adds the counts to a topology. */
export function countOrders(builder: StreamsBuilder): void {
  const counts = keyValueStoreBuilder(persistentKeyValueStore(COUNTS_STORE), {
    key: string(),
    value: long(),
  });
  builder.stream(orders)
    .process({ get: () => new OrderCounter(), stores: () => [counts] }, { name: "order-counter" })
    .to(orderCounts);
}

/** The topology that `weir run` runs. */
export const topology = defineTopology(countOrders);
