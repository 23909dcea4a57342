/** What the compiler knows of tables and aggregates, and what it refuses. Checked by `deno check`; never run. */
import {
  double,
  inMemoryKeyValueStore,
  inMemoryWindowStore,
  json,
  long,
  minutes,
  session,
  string,
  tumbling,
  type Windowed,
} from "../../mod.ts";
import {
  builder,
  type Customer,
  customers,
  holds,
  type Order,
  orders,
  type Same,
} from "./fixture.ts";

type KeyOf<T> = T extends { readonly "~record": { readonly key: infer K } } ? K : never;
type ValueOf<T> = T extends { readonly "~record": { readonly value: infer V } } ? V : never;
type StreamValueOf<T> = T extends { readonly "~record": { readonly value: infer V } } ? V : never;

export function aggregates(): void {
  const grouped = builder.stream(orders).groupByKey();
  const sums = grouped.aggregate(() => 0, (sum, order) => sum + order.amount, { value: double() });
  holds<Same<ValueOf<typeof sums>, number>>();
  // The serde's type comes from the initializer.
  const stats = grouped.aggregate(
    () => ({ count: 0, max: 0 }),
    (s, order) => ({ count: s.count + 1, max: Math.max(s.max, order.amount) }),
    { value: json(), store: "stats" },
  );
  holds<Same<ValueOf<typeof stats>, { count: number; max: number }>>();
  // @ts-expect-error an aggregate is written, so it needs a serde
  grouped.aggregate(() => 0, (sum, order) => sum + order.amount);
  // @ts-expect-error the serde writes texts
  grouped.aggregate(() => 0, (sum, order) => sum + order.amount, { value: string() });
  // @ts-expect-error the aggregator gives another type
  grouped.aggregate(() => 0, (_, order) => order.id, { value: double() });
  // @ts-expect-error counts are numbers
  grouped.count({ value: string() });
  grouped.count({ store: inMemoryKeyValueStore("counts") });
  // @ts-expect-error a window store cannot hold rows without windows
  grouped.count({ store: inMemoryWindowStore("counts", { retentionMs: 1, windowSizeMs: 1 }) });
}

export function windows(): void {
  const grouped = builder.stream(orders).groupByKey();
  const counted = grouped.windowedBy(tumbling({ size: minutes(1) })).count();
  holds<Same<KeyOf<typeof counted>, Windowed<string>>>();
  counted.suppress({ until: "windowCloses" });
  const final = counted.final().toStream((count, { key, start }) => `${key} ${start} ${count}`);
  holds<Same<StreamValueOf<typeof final>, number>>();
  // @ts-expect-error a full buffer of final results cannot emit early
  counted.suppress({ until: "windowCloses", whenFull: "emitEarly" });
  // @ts-expect-error a time limit has to be given
  counted.suppress({ until: "timeLimit" });
  // @ts-expect-error a table without windows has no final results
  grouped.count().final();
  const sessions = grouped.windowedBy(session({ gap: minutes(5) }));
  sessions.aggregate(() => 0, (n) => n + 1, (a, b) => a + b, { value: long() });
  // @ts-expect-error sessions need a merger
  sessions.aggregate(() => 0, (n) => n + 1, { value: long() });
  grouped.windowedBy(tumbling({ size: minutes(1) })).count({
    // @ts-expect-error a key-value store cannot hold windows
    store: inMemoryKeyValueStore("windows"),
  });
}

export function rows(): void {
  const table = builder.table(customers);
  const names = table.mapValues((customer) => customer.name);
  holds<Same<ValueOf<typeof names>, string>>();
  const changes = table.toStream();
  holds<Same<StreamValueOf<typeof changes>, Customer | null>>();
  const counts = builder.stream(orders).groupByKey().count().toStream();
  holds<Same<StreamValueOf<typeof counts>, number>>();
  // @ts-expect-error a row may have been deleted
  table.toStream().mapValues((customer) => customer.name);
  // @ts-expect-error a store needs the serde of the new value
  table.mapValues((customer) => customer.name, { store: "names" });
  table.mapValues((customer) => customer.name, { store: "names", value: string() });
  // @ts-expect-error the serde of the new value is not known
  names.suppress({ until: "timeLimit", limitMs: 1 });
  names.suppress({ until: "timeLimit", limitMs: 1, value: string() });
  // @ts-expect-error grouping writes key and value
  table.groupBy((customer, key) => [customer.name, key]);
  table.groupBy((customer, key) => [customer.name, key], { key: string(), value: string() })
    .reduce((a, b) => a + b, (a, b) => a.replace(b, ""));
}

export function joins(): void {
  const table = builder.table(customers);
  const other = builder.table("other", { key: string(), value: json<Order>() });
  const joined = other.join(table, (order, customer) => `${order.id} ${customer.name}`);
  holds<Same<ValueOf<typeof joined>, string>>();
  // @ts-expect-error the other table may have no row
  other.leftJoin(table, (order, customer) => `${order.id} ${customer.name}`);
  // @ts-expect-error either table may have no row
  other.outerJoin(table, (order) => order.id);
  const byKey = other.join(
    table,
    (order) => order.customerId,
    (order, customer) => ({ ...order, ...customer }),
    { value: json<Order & Customer>(), store: "enriched" },
  );
  holds<Same<ValueOf<typeof byKey>["name"], string>>();
  const mapped = table.mapValues((customer) => ({ letter: customer.name[0] }), {
    value: json<{ letter: string }>(),
  });
  holds<Same<ValueOf<typeof mapped>, { letter: string }>>();
  const met = other.join(table, (order, customer) => ({ order, customer }), {
    value: json<{ order: Order; customer: Customer }>(),
  });
  holds<Same<ValueOf<typeof met>, { order: Order; customer: Customer }>>();
  met.suppress({ until: "timeLimit", limitMs: 1 });
  // Where the function gives more than the serde writes, the serde decides.
  const typed = other.join(
    table,
    (order, customer) => ({ name: customer.name, id: order.id }),
    { value: json<Customer>() },
  );
  holds<Same<ValueOf<typeof typed>, Customer>>();
  // @ts-expect-error the function gives less than the serde writes
  other.join(table, (order) => ({ id: order.id }), { value: json<Customer>() });
  const shortened = table.mapValues((customer) => customer.name === "" ? null : customer.name);
  holds<Same<ValueOf<typeof shortened>, string>>();
  // @ts-expect-error the foreign key is no key of the other table
  other.join(table, (order) => order.amount, (order) => order, { value: json() });
}
