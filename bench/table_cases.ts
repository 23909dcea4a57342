import { CombinedKeySchema } from "../lib/dsl/processors/foreign_key/combined_key.ts";
import {
  ForeignTableJoinProcessorSupplier,
  ResponseJoinProcessorSupplier,
} from "../lib/dsl/processors/foreign_key/foreign_table_join.ts";
import {
  SubscriptionJoinProcessorSupplier,
  SubscriptionReceiveProcessorSupplier,
} from "../lib/dsl/processors/foreign_key/subscription_receive.ts";
import { SubscriptionSendProcessorSupplier } from "../lib/dsl/processors/foreign_key/subscription_send.ts";
import { SubscriptionWrapperSerde } from "../lib/dsl/processors/foreign_key/subscription_wrapper.ts";
import { KTableAggregate } from "../lib/dsl/processors/ktable_aggregate.ts";
import { KTableFilter } from "../lib/dsl/processors/ktable_filter.ts";
import { KTableRepartitionMap } from "../lib/dsl/processors/ktable_repartition_map.ts";
import { KTableSource } from "../lib/dsl/processors/ktable_source.ts";
import { KTableSuppress } from "../lib/dsl/processors/ktable_suppress.ts";
import type { ParentTable } from "../lib/dsl/processors/table.ts";
import type { ConsumedBatch } from "../lib/kafka/client.ts";
import { bytes } from "../lib/serde/primitives.ts";
import type { Serde } from "../lib/serde/serde.ts";
import { suppressBufferBuilder } from "../lib/state/buffers.ts";
import { timestampedKeyValueStoreBuilder } from "../lib/state/stores.ts";
import { inMemoryKeyValueStore } from "../lib/state/suppliers.ts";
import { Topology } from "../lib/topology/topology.ts";
import { LONGS, longs, type OperatorCase, TEXTS, texts } from "./operator_inputs.ts";

/** Adds a materialized table that reads the topic of its name; gives it as operators see it. */
export function addTable<V>(
  topology: Topology,
  name: string,
  serdes: { readonly key: typeof TEXTS.key; readonly value: Serde<V> },
  caching: boolean,
): ParentTable<string, V> {
  const builder = timestampedKeyValueStoreBuilder(inMemoryKeyValueStore(name), serdes);
  const store = caching ? builder.withCachingEnabled() : builder;
  const supplier = new KTableSource<string, V>({ store, materialized: true });
  topology.addSource(`${name}-source`, name, serdes)
    .addProcessor(`${name}-table`, supplier, `${name}-source`);
  return {
    valueGetterSupplier: () => supplier.view(),
    enableSendingOldValues() {
      supplier.enableSendingOldValues();
      return true;
    },
  };
}

function filtered(): Topology {
  const topology = new Topology();
  const parent = addTable(topology, "in", LONGS, false);
  const filter = new KTableFilter<string, number>({ parent, predicate: (v) => v % 2 === 0 });
  return topology.addProcessor("filter", filter, "in-table");
}

/** Groups rows by a tenth of their number; without the topic in between. */
function grouped(): Topology {
  const topology = new Topology();
  addTable(topology, "in", LONGS, true).enableSendingOldValues(true);
  const group = new KTableRepartitionMap<string, number, string, number>({
    mapper: (v) => [`group-${v % 10}`, v],
  });
  const sum = new KTableAggregate<string, number, number>({
    store: timestampedKeyValueStoreBuilder(inMemoryKeyValueStore("sums"), LONGS)
      .withCachingEnabled(),
    initializer: () => 0,
    adder: (total, v) => total + v,
    subtractor: (total, v) => total - v,
  });
  return topology.addProcessor("group", group, "in-table").addProcessor("sum", sum, "group");
}

function suppressed(): Topology {
  const topology = new Topology();
  const parent = addTable(topology, "in", LONGS, false);
  const suppress = new KTableSuppress<string, number>({
    parent,
    store: suppressBufferBuilder("buffer", LONGS),
    rule: { time: "recordTime", waitMs: 10_000, whenFull: "emitEarly", dropTombstones: false },
  });
  return topology.addProcessor("suppress", suppress, "in-table");
}

/** Ten rows on the right, each with a hundred subscribers. The topics in between are left out: steps are children of each other. */
function foreignKey(): Topology {
  const topology = new Topology();
  const left = addTable(topology, "left", TEXTS, false);
  const right = addTable(topology, "right", TEXTS, false);
  left.enableSendingOldValues(true);
  const subscriptionTopic = "subscriptions";
  const subscription = new SubscriptionWrapperSerde({ subscriptionTopic, primaryKey: TEXTS.key });
  const store = timestampedKeyValueStoreBuilder(inMemoryKeyValueStore("subscriptions"), {
    key: bytes(),
    value: subscription,
  });
  const keySchema = new CombinedKeySchema({
    subscriptionTopic,
    foreignKey: TEXTS.key,
    primaryKey: TEXTS.key,
  });
  const send = new SubscriptionSendProcessorSupplier<string, string, string>({
    foreignKeyExtractor: (value) => `key-${value.length % 10}`,
    subscriptionTopic,
    foreignKey: TEXTS.key,
    leftValue: TEXTS.value,
    leftJoin: false,
  });
  const resolve = new ResponseJoinProcessorSupplier<string, string, string, string>({
    leftTable: left.valueGetterSupplier(),
    leftValue: TEXTS.value,
    subscriptionTopic,
    joiner: (a, b) => `${a}+${b}`,
    leftJoin: false,
  });
  const foreignTable = right.valueGetterSupplier();
  return topology
    .addProcessor("send", send, "left-table")
    .addProcessor("receive", new SubscriptionReceiveProcessorSupplier({ store, keySchema }), "send")
    .addProcessor("answer", new SubscriptionJoinProcessorSupplier({ foreignTable }), "receive")
    .addProcessor(
      "tell",
      new ForeignTableJoinProcessorSupplier({ store, keySchema }),
      "right-table",
    )
    .addProcessor("resolve", resolve, "answer", "tell")
    .connectProcessorAndStateStores("answer", "right")
    .connectProcessorAndStateStores("resolve", "left");
}

const inputs = (records: number) => [longs("in", records)];

/** Right rows once, then left rows: each new left value is a subscription and an answer. */
function subscriptions(records: number): readonly ConsumedBatch[][] {
  return [texts("right", 1000), texts("left", records, (i) => "x".repeat(1 + i % 20))];
}

/** Operators of tables. */
export const TABLES: readonly OperatorCase[] = [
  { name: "table filter", share: 0.3, topology: filtered, inputs },
  { name: "grouped table sum, cached", share: 0.3, topology: grouped, inputs },
  { name: "suppress for 10 s", share: 0.3, topology: suppressed, inputs },
  { name: "foreign-key join", share: 0.1, topology: foreignKey, inputs: subscriptions },
];
