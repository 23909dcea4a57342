/** What strict types refuse so that it needs no check when it runs: above all options that are null. Checked by `deno check`; never run. */
import {
  json,
  long,
  persistentKeyValueStore,
  session,
  sliding,
  string,
  topic,
  tumbling,
  within,
} from "../../mod.ts";
import { builder, customers, type Order, orders } from "./fixture.ts";

export function options(): void {
  const stream = builder.stream(orders);
  const table = builder.table(customers);
  const grouped = stream.groupByKey();
  const add = (a: number) => a + 1;
  // @ts-expect-error consumed
  builder.stream("orders", null);
  // @ts-expect-error consumed
  builder.table("orders", null);
  // @ts-expect-error materialized
  builder.globalTable(orders, null);
  // @ts-expect-error named
  stream.filter(() => true, null);
  // @ts-expect-error named
  stream.mapValues((order) => order, null);
  // @ts-expect-error named
  stream.merge(stream, null);
  // @ts-expect-error named
  stream.split(null);
  // @ts-expect-error printed
  stream.print(null);
  // @ts-expect-error produced
  stream.to(orders, null);
  // @ts-expect-error repartitioned
  stream.repartition(null);
  // @ts-expect-error materialized
  stream.toTable(null);
  // @ts-expect-error grouped
  stream.groupByKey(null);
  // @ts-expect-error grouped
  stream.groupBy((order) => order.id, null);
  // @ts-expect-error stream joined
  stream.join(stream, (order) => order, within({ timeDifference: 1 }), null);
  // @ts-expect-error joined
  stream.join(table, (order) => order, null);
  // @ts-expect-error the names of stores
  stream.process(() => ({ process() {} }), { stores: null });
  // @ts-expect-error materialized
  grouped.count(null);
  // @ts-expect-error materialized
  grouped.reduce((a) => a, null);
  // @ts-expect-error materialized
  grouped.aggregate(() => 0, add, null);
  // @ts-expect-error materialized
  grouped.windowedBy(tumbling({ size: 1 })).count(null);
  // @ts-expect-error materialized
  grouped.windowedBy(sliding({ timeDifference: 1 })).aggregate(() => 0, add, null);
  // @ts-expect-error materialized
  grouped.windowedBy(session({ gap: 1 })).reduce((a) => a, null);
  // @ts-expect-error materialized
  grouped.cogroup(add).aggregate(() => 0, null);
  // @ts-expect-error named
  table.filter(() => true, null);
  // @ts-expect-error materialized
  table.mapValues((customer) => customer.name, null);
  // @ts-expect-error grouped
  table.groupBy((customer, id) => [id, customer], null);
  // @ts-expect-error materialized
  table.join(table, (a) => a, null);
  // @ts-expect-error table joined
  table.join(table, (customer) => customer.name, (a) => a, null);
  // @ts-expect-error suppressed
  table.suppress(null);
}

export function names(): void {
  const stream = builder.stream(orders);
  // @ts-expect-error a name is a text
  stream.filter(() => true, { name: 1 });
  // @ts-expect-error a misspelt option
  stream.groupByKey().count({ stores: "counts" });
  // @ts-expect-error a misspelt option
  stream.groupByKey().count({ materialized: "counts" });
  // @ts-expect-error a store is a name or a supplier
  stream.groupByKey().count({ store: 1 });
  stream.groupByKey().count({ store: persistentKeyValueStore("counts"), caching: false });
  // @ts-expect-error a serde is an object: string()
  topic("t", { key: string, value: long() });
  // @ts-expect-error there is no such place to start
  topic("t", { key: string(), value: long(), offsetReset: "first" });
  // @ts-expect-error partitions are a number
  topic("t", { key: string(), value: long(), partitions: "12" });
  // @ts-expect-error windows have a size
  tumbling({ length: 1 });
  // @ts-expect-error an advance belongs to hopping windows
  tumbling({ size: 10, advance: 5 });
  // @ts-expect-error there is no such strategy
  stream.groupByKey().windowedBy(tumbling({ size: 1 })).emitStrategy("sometimes");
  // @ts-expect-error a deduplication keeps ids, which need a serde
  stream.deduplicate(1_000, (order) => order.id);
  // @ts-expect-error the ids are texts
  stream.deduplicate(1_000, (order) => order.id, { id: long() });
  // @ts-expect-error there is no such option
  stream.rateLimit({ perSecond: 10 });
  // @ts-expect-error the json serde reads orders
  builder.stream(topic("t", { key: string(), value: json<Order>() })).to(customers);
}
