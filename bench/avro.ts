/** Avro and key serdes: records per second through one serde, from and into one slab, as the record path uses them. */
import { ByteWriter } from "../lib/record/bytes.ts";
import { systemClock } from "../lib/record/time.ts";
import { avro } from "../lib/serde/avro.ts";
import { MockSchemaRegistry } from "../lib/serde/mock_registry.ts";
import { string } from "../lib/serde/primitives.ts";
import type { Serde } from "../lib/serde/serde.ts";

const SITE = { topic: "orders-avro", isKey: false };
const RECORDS = 1_000_000;
const BATCH = 2_000;

const ORDER = {
  type: "record",
  name: "Order",
  fields: [
    { name: "OrderId", type: "string" },
    { name: "CustomerId", type: "string" },
    { name: "Amount", type: "double" },
    { name: "Timestamp", type: "long" },
  ],
};

function measure<T>(name: string, serde: Serde<T>, value: (i: number) => T): void {
  const out = new ByteWriter(1 << 20);
  const ends = new Int32Array(BATCH);
  const values = Array.from({ length: BATCH }, (_, i) => value(i));
  let kept = 0;
  const encode = () => {
    out.reset();
    for (let i = 0; i < BATCH; i++) {
      serde.encode(values[i], out, SITE);
      ends[i] = out.length;
    }
  };
  const decode = () => {
    let start = 0;
    for (let i = 0; i < BATCH; i++) {
      if (serde.decode(out.bytes, start, ends[i], SITE) !== undefined) kept++;
      start = ends[i];
    }
  };
  for (const [what, run] of [["encode", encode], ["decode", decode]] as const) {
    for (let n = 0; n < 100; n++) run();
    const start = systemClock.monotonic();
    for (let n = 0; n < RECORDS / BATCH; n++) run();
    const seconds = (systemClock.monotonic() - start) / 1_000;
    console.log(JSON.stringify({
      bench: `${name} ${what}`,
      runtime: "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node",
      records: RECORDS,
      seconds,
      records_per_s: Math.round(RECORDS / seconds),
    }));
  }
  if (kept === 0) throw new Error("nothing was decoded");
}

measure("key", string(), (i) => `customer-${i % 1_000}`);
measure(
  "avro order",
  avro<Record<string, unknown>>(ORDER, { schemaId: 1, long: "number" }),
  (i) => ({
    OrderId: `order-${1_000_000 + i}`,
    CustomerId: `customer-${i % 1_000}`,
    Amount: i / 7,
    Timestamp: 1_767_225_600_000 + i,
  }),
);
const bigints = (i: number): Record<string, unknown> => ({
  OrderId: `order-${1_000_000 + i}`,
  CustomerId: `customer-${i % 1_000}`,
  Amount: i / 7,
  Timestamp: BigInt(1_767_225_600_000 + i),
});
measure(
  "avro order bigint",
  avro<Record<string, unknown>>(ORDER, { schemaId: 1 }),
  bigints,
);

// Written with this version, read with the next one: a field more and a field less.
const NEXT = {
  ...ORDER,
  fields: [...ORDER.fields.slice(1), { name: "Currency", type: "string", default: "EUR" }],
};
const registry = new MockSchemaRegistry();
const writer = avro<Record<string, unknown>>(ORDER, { registry });
const reader = avro<Record<string, unknown>>(NEXT, { registry });
measure("avro order, another version", {
  name: "evolved",
  encode: (value, out, site) => writer.encode(value, out, site),
  decode: (bytes, start, end, site) => reader.decode(bytes, start, end, site),
}, bigints);
