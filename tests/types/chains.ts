/** Types through long chains, without an annotation at any call site. Checked by `deno check`; never run. */
import { z } from "zod";
import {
  avro,
  double,
  type Infer,
  json,
  type KStream,
  type KTable,
  list,
  long,
  minutes,
  otherwise,
  session,
  sessionWindowed,
  sliding,
  string,
  timeWindowed,
  topic,
  tumbling,
  type Windowed,
  within,
} from "../../mod.ts";
import {
  builder,
  type Customer,
  customers,
  holds,
  type KeyOf,
  type Order,
  orders,
  type Same,
  type ValueOf,
} from "./fixture.ts";

/** Stream, branch, table, join, group, window, suppress, stream, sink: one chain. */
export function everything(): void {
  const names = builder.table(customers).mapValues((customer) => customer.name.toUpperCase());
  const { large, rest } = builder.stream(orders)
    .filter((order) => order.amount > 0)
    .peek((order, id) => `${id}${order.id}`)
    .selectKey((order) => order.customerId)
    .repartition({ key: string(), partitions: 6 })
    .split({ large: (order) => order.amount > 1_000, rest: otherwise });
  const joined = large.merge(rest).leftJoin(names, (order, name, id) => ({
    ...order,
    name: name ?? id,
  }));
  holds<Same<ValueOf<typeof joined>["name"], string>>();
  const perMinute = joined
    .groupByKey()
    .windowedBy(tumbling({ size: minutes(1), grace: 10 }))
    .aggregate(
      () => ({ count: 0, total: 0, last: "" }),
      (stats, order) => ({
        count: stats.count + 1,
        total: stats.total + order.amount,
        last: order.name,
      }),
      { value: json(), store: "stats" },
    );
  holds<Same<KeyOf<typeof perMinute>, Windowed<string>>>();
  holds<Same<ValueOf<typeof perMinute>, { count: number; total: number; last: string }>>();
  const lines = perMinute.final()
    .toStream((_, window) => window.key)
    .mapValues((stats, id) => `${id} ${stats.count} ${stats.total.toFixed(2)} ${stats.last.length}`)
    .flatMapValues((line) => line.split(" "))
    .map((word, id) => [word.length, [id, word]] as const);
  holds<Same<KeyOf<typeof lines>, number>>();
  holds<Same<ValueOf<typeof lines>, readonly [string, string]>>();
  lines.mapValues(([id]) => id).to("lengths", { key: long(), value: string() });
  // @ts-expect-error ten steps later the key is still known
  lines.filter((_, length) => length.startsWith("x"));
  // @ts-expect-error and so is the value
  lines.mapValues(([, word]) => word.amount);
}

/** What a schema says is what the stream knows. */
export function schemas(): void {
  const Payment = z.object({
    id: z.string(),
    cents: z.number().int(),
    status: z.enum(["open", "paid"]),
    note: z.string().optional(),
    at: z.string().transform((text) => new Date(text)),
  });
  const serde = json(Payment);
  holds<Same<Infer<typeof serde>, z.output<typeof Payment>>>();
  const payments = builder.stream(topic("payments", { key: string(), value: json(Payment) }));
  const paid = payments.filter((payment) => payment.status === "paid");
  const days = paid.mapValues((payment) => payment.at.getUTCDate() + payment.cents);
  holds<Same<ValueOf<typeof days>, number>>();
  // @ts-expect-error the schema has no such status
  payments.filter((payment) => payment.status === "late");
  // @ts-expect-error the note may be missing
  payments.mapValues((payment) => payment.note.length);
  // @ts-expect-error the schema has no such field
  payments.mapValues((payment) => payment.amount);

  const narrowed = payments.filter((payment): payment is typeof payment & { note: string } =>
    payment.note !== undefined
  ).mapValues((payment) => payment.note.length);
  holds<Same<ValueOf<typeof narrowed>, number>>();

  const record = avro<{ id: string }>({
    type: "record",
    name: "R",
    fields: [{ name: "id", type: "string" }],
  });
  holds<Same<Infer<typeof record>, { id: string }>>();
  const texts = list(string());
  holds<Same<Infer<typeof texts>, (string | null)[]>>();
}

/** A serde with a type decides, and what the function gives has to fit. */
export function serdes(): void {
  const byPart = builder.stream(orders).groupBy((order) => ({ part: order.amount % 2 }), {
    key: json<{ part: number }>(),
  });
  const counted = byPart.count();
  holds<Same<KeyOf<typeof counted>, { part: number }>>();
  const rows = builder.table(orders).groupBy(
    (order, id) => [order.customerId, order.amount > 0 ? "some" : id === "" ? null : "none"],
    { key: string(), value: json<string>() },
  ).reduce((a, b) => a + b, (a) => a);
  holds<Same<ValueOf<typeof rows>, string>>();
  // @ts-expect-error the serde writes another key
  builder.stream(orders).groupBy((order) => order.amount, { key: json<{ part: number }>() });
}

/** Every kind of window has its keys, and its keys their serde. */
export function windows(): void {
  const grouped = builder.stream(orders).groupByKey();
  const sums = grouped.windowedBy(sliding({ timeDifference: 10 }))
    .aggregate(() => 0, (sum, order) => sum + order.amount, { value: double() });
  holds<Same<KeyOf<typeof sums>, Windowed<string>>>();
  const sessions = grouped.windowedBy(session({ gap: 10 })).reduce((a, b) =>
    a.amount > b.amount ? a : b
  );
  holds<Same<KeyOf<typeof sessions>, Windowed<string>>>();
  holds<Same<ValueOf<typeof sessions>, Order>>();
  sums.toStream().to("sums", { key: timeWindowed(string(), 10), value: double() });
  sums.toStream().to(topic("sums", { key: timeWindowed(string(), 10), value: double() }));
  sessions.toStream().to("sessions", { key: sessionWindowed(string()) });
  // @ts-expect-error windowed keys are no texts
  sums.toStream().to(topic("sums", { key: string(), value: double() }));
  // @ts-expect-error the inner keys are texts
  sums.toStream().to("sums", { key: timeWindowed(long(), 10), value: double() });
  const starts = sums.toStream((_, window) => window.start);
  holds<Same<KeyOf<typeof starts>, number>>();
  const joined = sums.join(sums, (a, b) => a + b);
  holds<Same<KeyOf<typeof joined>, Windowed<string>>>();
  // @ts-expect-error windowed keys and plain ones do not meet
  sums.join(grouped.count(), (a, b) => a + b);
}

/** Joins of streams, in all three forms. */
export function streams(): void {
  const left = builder.stream(orders);
  const right = builder.stream(customers);
  const span = within({ timeDifference: minutes(1) });
  const inner = left.join(right, (order, customer, id) => `${id}${order.id}${customer.name}`, span);
  holds<Same<ValueOf<typeof inner>, string>>();
  left.leftJoin(right, (order, customer) => order.id + (customer?.name ?? ""), span);
  left.outerJoin(right, (order, customer) => `${order?.id}${customer?.name}`, span);
  // @ts-expect-error the right side may be missing
  left.leftJoin(right, (order, customer) => order.id + customer.name, span);
  // @ts-expect-error the left side may be missing
  left.outerJoin(right, (order, customer) => order.id + customer?.name, span);
  // @ts-expect-error streams are joined in windows
  left.join(right, (order) => order.id);
  // @ts-expect-error tumbling windows are no join windows
  left.join(right, (order) => order.id, tumbling({ size: 1 }));
  const counted = right.mapValues((customer) => customer.name.length);
  // @ts-expect-error the new value is kept in a window store
  left.join(counted, (order, length) => order.amount + length, span);
  left.join(counted, (order, length) => order.amount + length, span, { otherValue: long() });
  // @ts-expect-error the serde is not the new value's
  left.join(counted, (order, length) => order.amount + length, span, { otherValue: string() });
}

/** Functions that take and give streams and tables keep the types. */
export function composed(): void {
  const rich = (table: KTable<string, Customer>) =>
    table.filter((customer) => customer.name !== "");
  const large = <K>(stream: KStream<K, Order>) => stream.filter((order) => order.amount > 9);
  const both = large(builder.stream(orders)).join(
    rich(builder.table(customers)),
    (order, customer) => [order.amount, customer.name] as const,
  );
  holds<Same<ValueOf<typeof both>, readonly [number, string]>>();
  // @ts-expect-error the function takes orders
  large(builder.stream(customers));
  // @ts-expect-error the function takes a table
  rich(builder.stream(customers));
}
