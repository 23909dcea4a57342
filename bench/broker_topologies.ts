/** The topologies of the Java peer (bench/peer), on the topics that it loads. Schema ids are fixed, so no registry is asked. */
import { defineTopology } from "../lib/dsl/define_topology.ts";
import type { KStream } from "../lib/dsl/kstream.ts";
import type { StreamsBuilder } from "../lib/dsl/streams_builder.ts";
import { topic } from "../lib/dsl/topic.ts";
import { tumbling, within } from "../lib/dsl/windows.ts";
import { minutes, seconds } from "../lib/record/time.ts";
import { avro } from "../lib/serde/avro.ts";
import { json } from "../lib/serde/json.ts";
import { bytes, long, string } from "../lib/serde/primitives.ts";
import type { Serde } from "../lib/serde/serde.ts";
import { timeWindowed } from "../lib/serde/windowed.ts";
import { ProbeProcessor } from "./probe.ts";

/** An order as the peer's loader writes it. */
export interface Order {
  readonly OrderId: string;
  readonly CustomerId: string;
  readonly Amount: number;
  readonly Timestamp: number;
}
/** A payment as the peer's loader writes it. */
export interface Payment {
  readonly OrderId: string;
  readonly Status: string;
  readonly PaidAt: number;
}
interface Totals {
  readonly count: number;
  readonly total: number;
}
interface OrderPaid {
  readonly OrderId: string;
  readonly CustomerId: string;
  readonly Amount: number;
  readonly Status: string;
  readonly PaidAt: number;
}

/** Orders in Confluent's wire format; the schema's id is fixed. */
export const ORDER = avro<Order>(
  record("OrderRecord", ["OrderId", "string"], ["CustomerId", "string"], [
    "Amount",
    "double",
  ], ["Timestamp", "long"]),
  { schemaId: 1, long: "number" },
);
/** Payments, likewise. */
export const PAYMENT = avro<Payment>(
  record("PaymentRecord", ["OrderId", "string"], ["Status", "string"], ["PaidAt", "long"]),
  { schemaId: 2, long: "number" },
);
const ORDER_PAID = avro<OrderPaid>(
  record(
    "OrderPaidRecord",
    ["OrderId", "string"],
    ["CustomerId", "string"],
    [
      "Amount",
      "double",
    ],
    ["Status", "string"],
    ["PaidAt", "long"],
  ),
  { schemaId: 3, long: "number" },
);

function record(name: string, ...fields: readonly (readonly [name: string, type: string])[]) {
  return { type: "record", name, fields: fields.map(([name, type]) => ({ name, type })) };
}

/** A count and a sum in 16 bytes, as the peer writes them. */
const TOTALS: Serde<Totals> = {
  name: "totals",
  encode({ count, total }, out) {
    out.int64(count);
    out.float64(total);
  },
  decode(slab, start) {
    const view = new DataView(slab.buffer, slab.byteOffset + start, 16);
    return { count: Number(view.getBigInt64(0)), total: view.getFloat64(8) };
  },
};

/** What a topology of this file is told. */
interface Places {
  readonly input: string;
  readonly payments: string;
  readonly output: string;
  readonly records: number;
}

const TOPOLOGIES: Readonly<Record<string, (builder: StreamsBuilder, places: Places) => void>> = {
  passthrough(builder, { input, output, records }) {
    const raw = { key: bytes(), value: bytes() };
    tap(builder.stream(topic(input, raw)), records).mapValues((value) => value)
      .to(topic(output, raw));
  },
  stateless(builder, { input, output, records }) {
    tap(builder.stream(topic(input, { key: string(), value: json<Order>() })), records)
      .filter((order) => order.Amount > 100)
      .mapValues(({ OrderId, CustomerId, Amount, Timestamp }) => ({
        OrderId,
        CustomerId,
        AmountWithTax: Amount * 1.2,
        Timestamp,
      }))
      .to(topic(output, { key: string(), value: json() }));
  },
  count(builder, { input, output, records }) {
    tap(builder.stream(topic(input, { key: string(), value: bytes() })), records)
      .groupByKey().count({ store: "counts" })
      .toStream().to(topic(output, { key: string(), value: long() }));
  },
  agg: (builder, places) => aggregate(builder, places, false),
  "agg-suppress": (builder, places) => aggregate(builder, places, true),
  join(builder, { input, payments, output, records }) {
    const orders = builder.stream(topic(`${input}-avro-by-order`, { key: string(), value: ORDER }));
    const paid = builder.stream(topic(`${payments}-avro`, { key: string(), value: PAYMENT }));
    tap(orders, records).join(
      tap(paid, records),
      (order: Order, payment: Payment): OrderPaid => ({
        OrderId: order.OrderId,
        CustomerId: order.CustomerId,
        Amount: order.Amount,
        Status: payment.Status,
        PaidAt: payment.PaidAt,
      }),
      within({ timeDifference: seconds(30), grace: seconds(10) }),
      { key: string(), value: ORDER, otherValue: PAYMENT },
    ).to(topic(output, { key: string(), value: ORDER_PAID }));
  },
};

function aggregate(
  builder: StreamsBuilder,
  { input, output, records }: Places,
  suppressed: boolean,
): void {
  const table = tap(
    builder.stream(topic(`${input}-avro`, { key: string(), value: ORDER })),
    records,
  ).groupByKey()
    .windowedBy(tumbling({ size: minutes(1), grace: seconds(10) }))
    .aggregate(
      (): Totals => ({ count: 0, total: 0 }),
      (totals: Totals, order) => ({
        count: totals.count + 1,
        total: totals.total + order.Amount,
      }),
      { store: "agg", key: string(), value: TOTALS },
    );
  (suppressed ? table.suppress({ until: "windowCloses" }) : table).toStream()
    .to(topic(output, { key: timeWindowed(string(), minutes(1)), value: TOTALS }));
}

function tap<K, V>(stream: KStream<K, V, any>, records: number): KStream<K, V, any> {
  return stream.processValues(() => new ProbeProcessor(records) as never) as never;
}

/** The topology that the settings `app.bench.*` name. */
export const topology = defineTopology((builder, config) => {
  const settings = config as Readonly<Record<string, unknown>>;
  const name = String(settings["app.bench.topology"]);
  const build = TOPOLOGIES[name];
  if (build === undefined) {
    throw new TypeError(
      `Cannot run the benchmark as the topology must be one of ${
        Object.keys(TOPOLOGIES).join(", ")
      }: current value is ${name}`,
    );
  }
  build(builder, {
    input: String(settings["app.bench.input"]),
    payments: String(settings["app.bench.payments"]),
    output: String(settings["app.bench.output"]),
    records: Number(settings["app.bench.records"]),
  });
});

/** The topics that a topology reads. */
export function inputTopics(name: string, input: string, payments: string): string[] {
  if (name === "join") return [`${input}-avro-by-order`, `${payments}-avro`];
  return [name.startsWith("agg") ? `${input}-avro` : input];
}
