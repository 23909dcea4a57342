import { KStreamAggregate, KStreamReduce } from "../lib/dsl/processors/kstream_aggregate.ts";
import { KStreamSessionWindowAggregate } from "../lib/dsl/processors/kstream_session_window_aggregate.ts";
import { KStreamSlidingWindowAggregate } from "../lib/dsl/processors/kstream_sliding_window_aggregate.ts";
import { KStreamWindowAggregate } from "../lib/dsl/processors/kstream_window_aggregate.ts";
import { KTableToStream } from "../lib/dsl/processors/ktable_map_values.ts";
import { KTableSource } from "../lib/dsl/processors/ktable_source.ts";
import {
  hopping,
  session,
  sliding,
  type TimeWindows,
  tumbling,
  windowSizeMs,
} from "../lib/dsl/windows.ts";
import { avro } from "../lib/serde/avro.ts";
import { string } from "../lib/serde/primitives.ts";
import { timeWindowed } from "../lib/serde/windowed.ts";
import type { StoreBuilder } from "../lib/state/store.ts";
import {
  sessionStoreBuilder,
  timestampedKeyValueStoreBuilder,
  timestampedWindowStoreBuilder,
} from "../lib/state/stores.ts";
import {
  inMemoryKeyValueStore,
  inMemorySessionStore,
  inMemoryWindowStore,
} from "../lib/state/suppliers.ts";
import { Topology } from "../lib/topology/topology.ts";
import {
  type Order,
  ORDER_SCHEMA,
  ORDER_STATS_SCHEMA,
  type OrderStats,
} from "../examples/orders/schemas.ts";
import type { ConsumedBatch } from "../lib/kafka/client.ts";
import { batchesOf, type InputRow } from "./single_task.ts";
import { LONGS, longs, type OperatorCase, source } from "./operator_inputs.ts";

function table(caching: boolean): StoreBuilder {
  const builder = timestampedKeyValueStoreBuilder(inMemoryKeyValueStore("store"), LONGS);
  return caching ? builder.withCachingEnabled() : builder;
}

function windowStore(windowSize: number, retentionMs: number, caching: boolean): StoreBuilder {
  const supplier = inMemoryWindowStore("store", { windowSizeMs: windowSize, retentionMs });
  const builder = timestampedWindowStoreBuilder(supplier, LONGS);
  return caching ? builder.withCachingEnabled() : builder;
}

const initializer = () => 0;
const aggregator = (n: number) => n + 1;

function count(caching: boolean): Topology {
  const aggregate = new KStreamAggregate<string, number, number>({
    store: table(caching),
    initializer,
    aggregator,
  });
  return source()
    .addProcessor("count", aggregate, "in")
    .addProcessor("stream", new KTableToStream(), "count")
    .addSink("out", "out", LONGS, "stream");
}

function windowed(windows: TimeWindows, caching: boolean): Topology {
  const store = windowStore(windows.sizeMs, windows.sizeMs + windows.graceMs, caching);
  const aggregate = new KStreamWindowAggregate<string, number, number>({
    windows,
    store,
    initializer,
    aggregator,
  });
  const serdes = { key: timeWindowed(LONGS.key, windows.sizeMs), value: LONGS.value };
  return source()
    .addProcessor("count", aggregate, "in")
    .addProcessor("stream", new KTableToStream(), "count")
    .addSink("out", "out", serdes, "stream");
}

function slidingCount(caching: boolean): Topology {
  const windows = sliding({ timeDifference: 2_000, grace: 1_000 });
  const size = windowSizeMs(windows);
  const store = windowStore(size, 2 * size + windows.graceMs, caching);
  const aggregate = new KStreamSlidingWindowAggregate<string, number, number>({
    windows,
    store,
    initializer,
    aggregator,
  });
  return source().addProcessor("count", aggregate, "in");
}

function sessionCount(caching: boolean): Topology {
  const windows = session({ gap: 1_500, grace: 1_000 });
  const builder = sessionStoreBuilder(
    inMemorySessionStore("store", { retentionMs: 20_000 }),
    LONGS,
  );
  const aggregate = new KStreamSessionWindowAggregate<string, number, number>({
    windows,
    store: caching ? builder.withCachingEnabled() : builder,
    initializer,
    aggregator,
    merger: (a, b) => a + b,
  });
  return source().addProcessor("count", aggregate, "in");
}

const AVRO = { long: "number", format: "confluent" } as const;
const ORDERS = {
  key: string(),
  value: avro<Order>(ORDER_SCHEMA, { ...AVRO, schemaId: 1 }),
};
const STATS = {
  key: string(),
  value: avro<OrderStats>(ORDER_STATS_SCHEMA, { ...AVRO, schemaId: 2 }),
};

/** Orders of a thousand customers, 1 ms apart. */
function orders(records: number): ConsumedBatch[] {
  const rows: InputRow<string, Order>[] = [];
  for (let i = 0; i < records; i++) {
    const customerId = `customer-${(i * 7919) % 1000}`;
    const value = { orderId: `o-${i}`, customerId, amount: i % 97, currency: "EUR", placedAt: i };
    rows.push({ key: customerId, value, timestamp: i });
  }
  return batchesOf("in", ORDERS, rows);
}

function orderStats(): Topology {
  const windows = MINUTE;
  const supplier = inMemoryWindowStore("store", {
    windowSizeMs: windows.sizeMs,
    retentionMs: windows.sizeMs + windows.graceMs,
  });
  const aggregate = new KStreamWindowAggregate<string, Order, OrderStats>({
    windows,
    store: timestampedWindowStoreBuilder(supplier, STATS).withCachingEnabled(),
    initializer: () => ({ count: 0, total: 0, max: 0, lastOrderId: "" }),
    aggregator: (stats, order) => ({
      count: stats.count + 1,
      total: stats.total + order.amount,
      max: order.amount > stats.max ? order.amount : stats.max,
      lastOrderId: order.orderId,
    }),
  });
  const serdes = { key: timeWindowed(STATS.key, windows.sizeMs), value: STATS.value };
  return new Topology()
    .addSource("in", "in", ORDERS)
    .addProcessor("stats", aggregate, "in")
    .addProcessor("stream", new KTableToStream(), "stats")
    .addSink("out", "out", serdes, "stream");
}

function reduce(): Topology {
  const sum = new KStreamReduce<string, number>({ store: table(true), reducer: (a, v) => a + v });
  return source().addProcessor("reduce", sum, "in");
}

function tableSource(): Topology {
  const rows = new KTableSource<string, number>({ store: table(true), materialized: true });
  return source().addProcessor("table", rows, "in");
}

const inputs = (records: number) => [longs("in", records)];
const MINUTE = tumbling({ size: 60_000, grace: 10_000 });
const HOPS = hopping({ size: 60_000, advance: 20_000, grace: 10_000 });

/** Aggregates, with the record cache and without. */
export const AGGREGATES: readonly OperatorCase[] = [
  { name: "count, cached", topology: () => count(true), inputs },
  { name: "count, not cached", share: 0.5, topology: () => count(false), inputs },
  { name: "reduce, cached", topology: reduce, inputs },
  { name: "table source, cached", topology: tableSource, inputs },
  { name: "tumbling count, cached", topology: () => windowed(MINUTE, true), inputs },
  {
    name: "tumbling order stats in Avro, cached",
    topology: orderStats,
    inputs: (records) => [orders(records)],
  },
  {
    name: "tumbling count, not cached",
    share: 0.3,
    topology: () => windowed(MINUTE, false),
    inputs,
  },
  { name: "hopping count of 3, cached", share: 0.5, topology: () => windowed(HOPS, true), inputs },
  { name: "sliding count, cached", share: 0.1, topology: () => slidingCount(true), inputs },
  { name: "sliding count, not cached", share: 0.1, topology: () => slidingCount(false), inputs },
  { name: "session count, cached", share: 0.2, topology: () => sessionCount(true), inputs },
  { name: "session count, not cached", share: 0.2, topology: () => sessionCount(false), inputs },
];
