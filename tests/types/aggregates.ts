/** Cogroups, grouped tables and foreign keys: what the compiler knows and refuses. Checked by `deno check`; never run. */
import {
  double,
  json,
  lmdbStores,
  long,
  persistentVersionedKeyValueStore,
  session,
  string,
  tumbling,
  type Windowed,
} from "../../mod.ts";
import {
  builder,
  counts,
  type Customer,
  customers,
  holds,
  type KeyOf,
  type Order,
  orders,
  type Same,
  type ValueOf,
} from "./fixture.ts";

interface Profile {
  readonly orders: number;
  readonly name: string;
}

export function cogroups(): void {
  const byOrder = builder.stream(orders).groupBy((order) => order.customerId, { key: string() });
  const byCustomer = builder.stream(customers).groupByKey();
  const cogrouped = byOrder
    .cogroup((profile: Profile, order) => ({ ...profile, orders: profile.orders + order.amount }))
    .cogroup(byCustomer, (profile, customer) => ({ ...profile, name: customer.name }));
  const empty = (): Profile => ({ orders: 0, name: "" });
  const profiles = cogrouped.aggregate(empty, { value: json<Profile>() });
  holds<Same<KeyOf<typeof profiles>, string>>();
  holds<Same<ValueOf<typeof profiles>, Profile>>();
  const windowed = cogrouped.windowedBy(tumbling({ size: 1 })).aggregate(empty, { value: json() });
  holds<Same<KeyOf<typeof windowed>, Windowed<string>>>();
  const sessions = cogrouped.windowedBy(session({ gap: 1 }))
    .aggregate(empty, (a, b) => ({ orders: a.orders + b.orders, name: b.name }), { value: json() });
  holds<Same<ValueOf<typeof sessions>, Profile>>();
  // @ts-expect-error the aggregate is another type
  cogrouped.cogroup(byCustomer, (_, customer) => customer.name);
  // @ts-expect-error the values are customers
  cogrouped.cogroup(byCustomer, (profile, customer) => ({ ...profile, orders: customer.amount }));
  const otherKeys = builder.stream(orders).groupBy((order) => order.amount, { key: double() });
  // @ts-expect-error the keys are numbers
  cogrouped.cogroup(otherKeys, (profile) => profile);
  // @ts-expect-error an aggregate is written, so it needs a serde
  cogrouped.aggregate(empty);
  // @ts-expect-error the serde is another type's
  cogrouped.aggregate(empty, { value: long() });
  // @ts-expect-error the initializer gives another type
  cogrouped.aggregate(() => 0, { value: json<Profile>() });
  // @ts-expect-error sessions need a merger
  cogrouped.windowedBy(session({ gap: 1 })).aggregate(empty, { value: json() });
}

export function groupedTables(): void {
  const table = builder.table(orders);
  const grouped = table.groupBy((order, id) => [order.customerId, { id, amount: order.amount }], {
    key: string(),
    value: json<{ id: string; amount: number }>(),
  });
  const totals = grouped.aggregate(
    () => 0,
    (total, part) => total + part.amount,
    (total, part) => total - part.amount,
    { value: double() },
  );
  holds<Same<ValueOf<typeof totals>, number>>();
  const newest = grouped.reduce((a, b) => a.id > b.id ? a : b, (a) => a);
  holds<Same<ValueOf<typeof newest>, { id: string; amount: number }>>();
  // @ts-expect-error the parts have no such field
  grouped.aggregate(() => 0, (n, part) => n + part.price, (n) => n, { value: long() });
  // @ts-expect-error rows are taken out, too
  grouped.aggregate(() => 0, (n) => n + 1, { value: long() });
  // @ts-expect-error a serde of the new key is needed
  table.groupBy((order) => [order.amount, order], { key: string(), value: json<Order>() });
}

export function foreignKeys(): void {
  const table = builder.table("orders-table", { key: long(), value: json<Order>() });
  const people = builder.table(customers);
  const value = json<{ id: number; name: string | undefined }>();
  const inner = table.join(
    people,
    (order, id) => id > 0 ? order.customerId : null,
    (order, customer, id) => ({ id, name: `${customer.name}${order.amount}` }),
    { value, store: "by-customer" },
  );
  holds<Same<KeyOf<typeof inner>, number>>();
  holds<Same<ValueOf<typeof inner>, { id: number; name: string | undefined }>>();
  const left = table.leftJoin(
    people,
    (order) => order.customerId,
    (_, customer, id) => ({ id, name: customer?.name }),
    { value, partitioner: (id) => id % 3, otherPartitioner: (name) => name.length % 3 },
  );
  holds<Same<KeyOf<typeof left>, number>>();
  left.groupBy((row) => [row.name ?? "", row.id], { key: string(), value: long() }).count();
  // @ts-expect-error the other table's keys are texts
  table.join(people, (order) => order.amount, (order) => order, { value: json() });
  // @ts-expect-error the result is written, so it needs a serde
  table.join(people, (order) => order.customerId, (order) => order);
  // @ts-expect-error the right row may be missing
  table.leftJoin(people, (o) => o.customerId, (_, c, id) => ({ id, name: c.name }), { value });
  table.join(people, (o) => o.customerId, (o) => o, {
    value: json<Order>(),
    // @ts-expect-error a partitioner sees this table's keys, numbers
    partitioner: (id) => id.length,
  });
  // @ts-expect-error Kafka Streams has no outer join by foreign key
  table.outerJoin(people, (o) => o.customerId, (o) => o, { value: json<Order>() });
}

export function transformed(): void {
  const lengths = builder.table(customers).transformValues({
    stores: ["lengths"],
    get: () => ({ transform: (customer, id) => (customer?.name ?? id).length }),
  }, { value: long(), store: "name-lengths", stores: lmdbStores });
  holds<Same<ValueOf<typeof lengths>, number>>();
  // @ts-expect-error rows may have been deleted
  builder.table(customers).transformValues(() => ({ transform: (customer) => customer.name }));
  const history = builder.table(customers, {
    store: persistentVersionedKeyValueStore("history", { historyRetentionMs: 10 }),
  });
  const joined = builder.stream(orders).join(
    history,
    (order, customer) => order.id + customer.name,
    {
      grace: 5,
    },
  );
  holds<Same<ValueOf<typeof joined>, string>>();
  // @ts-expect-error a grace is a number of milliseconds
  builder.stream(orders).join(history, (order) => order.id, { grace: "5 s" });
}

export function typed(customer: Customer): void {
  const table = builder.table(counts);
  const global = builder.globalTable(customers);
  const named = builder.stream(counts).join(global, (_, id) => id, (n, c) => `${n}${c.name}`);
  holds<Same<ValueOf<typeof named>, string>>();
  builder.stream(counts).leftJoin(
    global,
    (n) => n > 0 ? "x" : null,
    (n, c) => n + (c?.name.length ?? 0),
  );
  // @ts-expect-error the global table may have no row
  builder.stream(counts).leftJoin(global, (_, id) => id, (n, c) => n + c.name.length);
  // @ts-expect-error the table's values are numbers
  table.filter((n) => n.name === customer.name);
}

/** A serde that is given where the records are grouped is known from there on. */
export function groupedWithSerdes(): void {
  const rekeyed = builder.stream(orders).mapValues((order) => ({ total: order.amount }));
  const reduced = rekeyed.groupByKey({ value: json<{ total: number }>() })
    .reduce((a, b) => ({ total: a.total + b.total }));
  holds<Same<ValueOf<typeof reduced>, { total: number }>>();
  // @ts-expect-error nothing has told how totals are written
  rekeyed.groupByKey().reduce((a, b) => ({ total: a.total + b.total }));
  // @ts-expect-error the serde is not that of the values
  rekeyed.groupByKey({ value: string() });
}
