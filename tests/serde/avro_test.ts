import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { SerializationException } from "../../lib/errors.ts";
import { ByteWriter } from "../../lib/record/bytes.ts";
import { avro, type AvroOptions } from "../../lib/serde/avro.ts";
import { encodeAlone } from "../../lib/serde/list.ts";
import { MockSchemaRegistry } from "../../lib/serde/mock_registry.ts";
import type { Serde } from "../../lib/serde/serde.ts";

const SITE = { topic: "orders", isKey: false };
const V1 = {
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [{ name: "id", type: "string" }, { name: "amount", type: "double" }, {
    name: "old",
    type: "int",
  }],
};
const V2 = {
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "id", type: "string" },
    { name: "amount", type: "double" },
    { name: "currency", type: "string", default: "EUR" },
  ],
};

function read<T>(serde: Serde<T>, bytes: Uint8Array): T {
  return serde.decode(bytes, 0, bytes.length, SITE);
}
const plain = (value: unknown) => ({ ...value as object });

test("avro writes Confluent's wire format: a zero, the schema's id in four bytes, Avro's binary form", () => {
  const serde = avro({ type: "string" }, { schemaId: 258 });
  assertEquals([...encodeAlone(serde, "hé", SITE)], [0, 0, 0, 1, 2, 6, 0x68, 0xc3, 0xa9]);
});

test("avro in the plain format has no head", () => {
  const serde = avro<string>({ type: "string" }, { format: "plain" });
  assertEquals([...encodeAlone(serde, "a", SITE)], [2, 0x61]);
  assertEquals(read(serde, Uint8Array.of(2, 0x61)), "a");
});

test("avro reads what two versions of the schema wrote, with either version as reader", () => {
  const registry = new MockSchemaRegistry();
  const [v1, v2] = [avro(V1, { registry }), avro(V2, { registry })];
  const old = encodeAlone(v1, { id: "a", amount: 1.5, old: 7 }, SITE);
  const recent = encodeAlone(v2, { id: "b", amount: 2.5, currency: "USD" }, SITE);
  assertEquals(plain(read(v2, old)), { id: "a", amount: 1.5, currency: "EUR" });
  assertEquals(plain(read(v2, recent)), { id: "b", amount: 2.5, currency: "USD" });
  assertThrows(() => read(v1, recent), SerializationException, "does not resolve");
  const lenient = avro({
    ...V1,
    fields: [...V1.fields.slice(0, 2), { name: "old", type: "int", default: 0 }],
  }, { registry });
  assertEquals(plain(read(lenient, recent)), { id: "b", amount: 2.5, old: 0 });
});

test("avro reads from the middle of a slab and leaves its neighbours alone", () => {
  const serde = avro<{ id: string }>({ ...V2, fields: V2.fields.slice(0, 1) }, { schemaId: 1 });
  const out = new ByteWriter(8);
  const ends: number[] = [];
  for (const id of ["one", "two", "x".repeat(500)]) {
    serde.encode({ id }, out, SITE);
    ends.push(out.length);
  }
  assertEquals(serde.decode(out.bytes, ends[0], ends[1], SITE).id, "two");
  assertEquals(serde.decode(out.bytes, ends[1], ends[2], SITE).id.length, 500);
});

test("avro refuses corrupt bytes, saying where and why", () => {
  const serde = avro(V2, { schemaId: 1 });
  const good = encodeAlone(serde, { id: "a", amount: 1, currency: "EUR" }, SITE);
  const cases: [Uint8Array, string][] = [
    [Uint8Array.of(1, 0, 0, 0, 1, 0), "magic byte 0"],
    [Uint8Array.of(), "magic byte 0"],
    [
      good.slice(0, -1),
      "it is cut short: 3 bytes are due and 2 are left: current value is 18 bytes with schema 1",
    ],
    [Uint8Array.from([...good, 0]), "it has 1 bytes too many"],
    [
      Uint8Array.from([0, 0, 0, 0, 9, ...good.slice(5)]),
      "only the schema id 1 is known: current value is 9",
    ],
    [Uint8Array.of(0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff), "the value of orders"],
  ];
  for (const [bytes, message] of cases) {
    assertThrows(() => read(serde, bytes), SerializationException, message);
  }
});

test("avro refuses a value that is not of the schema and writes nothing of it", () => {
  const serde = avro(V2, { schemaId: 1 });
  const out = new ByteWriter();
  out.uint8(9);
  assertThrows(
    () => serde.encode({ id: 5, amount: 1, currency: "EUR" }, out, SITE),
    SerializationException,
    "Cannot write the value of orders as avro(shop.Order): id must be string: current value is 5",
  );
  assertEquals(out.length, 1);
});

test("avro takes the application's registry where it was given none", async () => {
  const registry = new MockSchemaRegistry();
  const serde = avro({ type: "string" });
  assertThrows(
    () => encodeAlone(serde, "a", SITE),
    SerializationException,
    "set schema.registry.url",
  );
  serde.bind!({ registry });
  await serde.prepare!(SITE);
  assertEquals(read(serde, encodeAlone(serde, "a", SITE)), "a");
  assertEquals(registry.latest("orders-value").version, 1);
});

test("avro names subjects by topic, by record, or by both", async () => {
  const registry = new MockSchemaRegistry();
  for (const subjectNameStrategy of ["topicName", "recordName", "topicRecordName"] as const) {
    await avro(V2, { registry, subjectNameStrategy }).prepare!({ topic: "t", isKey: true });
  }
  for (const subject of ["t-key", "shop.Order", "t-shop.Order"]) {
    assertEquals(registry.latest(subject).subject, subject);
  }
});

test("avro refuses a schema that is none", () => {
  assertThrows(() => avro({ type: "nonsense" }), TypeError, "Cannot use the Avro schema");
  assertThrows(() => avro("{"), TypeError, "its text must be JSON");
});

test("avro takes a schema as JSON, as its text, or as a primitive's name", () => {
  for (const schema of [{ type: "string" }, '{"type":"string"}', '"string"', "string"]) {
    assertEquals([...encodeAlone(avro(schema, { schemaId: 1 }), "a", SITE)], [
      0,
      0,
      0,
      0,
      1,
      2,
      97,
    ]);
  }
});

test("avro refuses options that contradict each other", () => {
  const cases: [AvroOptions, string][] = [
    [{ schemaId: 1, useLatestVersion: true }, "schemaId and useLatestVersion"],
    [{ useSchemaId: 1, useLatestVersion: true }, "useSchemaId and useLatestVersion"],
    [{ schemaId: 1, schemaIdIn: "header" }, 'schemaIdIn "header" with schemaId'],
    [{ format: "plain", schemaIdIn: "header" }, 'schemaIdIn "header" with format "plain"'],
    [{ schemaId: -1 }, "schemaId -1"],
    [{ useSchemaId: 1.5 }, "useSchemaId 1.5"],
  ];
  for (const [options, message] of cases) {
    assertThrows(() => avro("string", options), TypeError, message);
  }
});

test("avro resolves records whose namespaces differ, as Avro says", () => {
  const registry = new MockSchemaRegistry();
  const bytes = encodeAlone(avro(V2, { registry }), { id: "a", amount: 1, currency: "EUR" }, SITE);
  const reader = avro({ ...V2, namespace: "other" }, { registry });
  assertEquals(plain(read(reader, bytes)), { id: "a", amount: 1, currency: "EUR" });
});

test("avro promotes numbers, follows aliases and takes an enum's default while it resolves", () => {
  const registry = new MockSchemaRegistry();
  const record = (...fields: object[]) => ({ type: "record", name: "P", fields });
  const suit = (...symbols: string[]) => ({ type: "enum", name: "Suit", symbols, default: "NONE" });
  const writer = avro(
    record({ name: "n", type: "int" }, { name: "was", type: "float" }, {
      name: "suit",
      type: suit("NONE", "HEARTS", "STARS"),
    }),
    { registry },
  );
  const reader = avro(
    record({ name: "n", type: "long" }, { name: "is", type: "double", aliases: ["was"] }, {
      name: "suit",
      type: suit("NONE", "HEARTS"),
    }),
    { registry },
  );
  const bytes = encodeAlone(writer, { n: 7, was: 0.5, suit: "STARS" }, SITE);
  assertEquals(plain(read(reader, bytes)), { n: 7n, is: 0.5, suit: "NONE" });
});
