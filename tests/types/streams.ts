/** What the compiler knows of streams, and what it refuses. Checked by `deno check`; never run. */
import { json, type KStream, long, otherwise, string, topic } from "../../mod.ts";
import {
  builder,
  changes,
  counts,
  type Customer,
  customers,
  holds,
  type Order,
  orders,
  type Same,
} from "./fixture.ts";

type KeyOf<T> = T extends { readonly "~record": { readonly key: infer K } } ? K : never;
type ValueOf<T> = T extends { readonly "~record": { readonly value: infer V } } ? V : never;

export function flow(): void {
  const stream = builder.stream(orders);
  holds<Same<KeyOf<typeof stream>, string>>();
  holds<Same<ValueOf<typeof stream>, Order>>();

  const amounts = stream.filter((order) => order.amount > 0).mapValues((order) => order.amount);
  holds<Same<ValueOf<typeof amounts>, number>>();

  const pairs = stream.map((order, key) => [order.amount, key] as const);
  holds<Same<KeyOf<typeof pairs>, number>>();
  holds<Same<ValueOf<typeof pairs>, string>>();

  const words = stream.flatMapValues((order) => order.id.split(""));
  holds<Same<ValueOf<typeof words>, string>>();

  const nullable = builder.stream(changes);
  holds<Same<ValueOf<typeof nullable>, Order | null>>();
  const present = nullable.filter((order) => order !== null);
  holds<Same<ValueOf<typeof present>, Order>>();

  // @ts-expect-error a value of the topic has no such field
  stream.filter((order) => order.price > 0);
  // @ts-expect-error a value may be null
  nullable.mapValues((order) => order.amount);
  // @ts-expect-error map gives a pair
  stream.map((order) => order.amount);
  // @ts-expect-error a predicate is synchronous
  stream.filter(async (order) => await Promise.resolve(order.amount > 0));
}

export function sinks(): void {
  const stream = builder.stream(orders);
  stream.to(orders);
  stream.to("elsewhere");
  stream.to((order, key) => `orders-${key}-${order.id}`);
  stream.mapValues((order) => order.amount).to(counts);
  builder.stream(changes).to(orders);
  // @ts-expect-error the topic's values are numbers
  stream.to(counts);
  // What is narrower than the topic's type can be written too.
  stream.mapValues((): "x" => "x").to(topic("texts", { key: string(), value: string() }));
  // @ts-expect-error the topic's keys are texts
  stream.selectKey((order) => order.amount).to(orders);
  // @ts-expect-error no serde is known for the new value
  stream.mapValues((order) => order.amount).to("amounts");
  // @ts-expect-error no serde is known for the new key
  stream.selectKey((order) => order.customerId).to("by-customer");
  stream.mapValues((order) => order.amount).to("amounts", { value: long() });
  stream.mapValues((order) => order.amount).withSerdes({ value: long() }).to("amounts");
  // @ts-expect-error the serde writes numbers, the stream has texts
  stream.mapValues((order) => order.id).to("ids", { value: long() });
  // @ts-expect-error the serde writes numbers, the stream has texts
  stream.mapValues((order) => order.id).withSerdes({ value: long() });
}

export function groups(): void {
  const stream = builder.stream(orders);
  stream.groupByKey().count();
  // The key is as it was, so the value is not written on the way.
  stream.mapValues((order) => order.amount).groupByKey().count();
  // @ts-expect-error a new key needs a serde
  stream.groupBy((order) => order.customerId);
  // @ts-expect-error a new key needs a serde
  stream.selectKey((order) => order.customerId).groupByKey();
  stream.selectKey((order) => order.customerId).groupByKey({ key: string() });
  // @ts-expect-error the serde is not one of the key's type
  stream.groupBy((order) => order.customerId, { key: long() });
  // @ts-expect-error the new value is written on the way
  stream.mapValues((order) => order.amount).groupBy((_, key) => key, { key: string() });
  // @ts-expect-error the new value is kept in a store
  stream.mapValues((order) => order.amount).groupByKey().reduce((a, b) => a + b);
  stream.mapValues((order) => order.amount).groupByKey().reduce((a, b) => a + b, { value: long() });
  // @ts-expect-error the reducer gives another type
  stream.groupByKey().reduce((a, b) => a.amount + b.amount);
  // @ts-expect-error repartitioning writes the new key
  stream.selectKey((order) => order.customerId).repartition();
  stream.selectKey((order) => order.customerId).repartition({ key: string() }).groupByKey().count();
}

export function joins(): void {
  const stream = builder.stream(orders);
  const table = builder.table(customers);
  const global = builder.globalTable(customers);

  const inner = stream.join(table, (order, customer) => `${order.id} ${customer.name}`);
  holds<Same<ValueOf<typeof inner>, string>>();
  const left = stream.leftJoin(table, (order, customer) => customer?.name ?? order.id);
  holds<Same<ValueOf<typeof left>, string>>();
  // @ts-expect-error the table may have no row
  stream.leftJoin(table, (_, customer) => customer.name);
  // @ts-expect-error the new key is written to a repartition topic
  stream.selectKey((order) => order.customerId).join(table, (order) => order);
  stream.selectKey((order) => order.customerId)
    .join(table, (order, customer: Customer) => ({ ...order, ...customer }), { key: string() });
  // @ts-expect-error the keys differ
  stream.selectKey((order) => order.amount).join(table, (order) => order, { key: long() });
  stream.join(global, (order) => order.customerId, (order, customer) => [order, customer]);
  // @ts-expect-error the mapper gives no key of the table
  stream.join(global, (order) => order.amount, (order, customer) => [order, customer]);
}

export function branches(): void {
  const stream = builder.stream(changes);
  const { big, rest } = stream.split({
    big: (order): order is Order => order !== null && order.amount > 100,
    rest: otherwise,
  });
  holds<Same<ValueOf<typeof big>, Order>>();
  holds<Same<ValueOf<typeof rest>, Order | null>>();
  // @ts-expect-error there is no such branch
  stream.split({ all: otherwise }).none;
}

export function generic(stream: KStream<string, Order>): void {
  stream.groupByKey().count();
}
generic(builder.stream(orders));
// @ts-expect-error the function counts on a known key serde
generic(builder.stream(orders).selectKey((order) => order.customerId));

export const inferred = topic("inferred", { key: string(), value: json<{ n: number }>() });
// @ts-expect-error a topic needs a value serde
topic("half", { key: string() });
