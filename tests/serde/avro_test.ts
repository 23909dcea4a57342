import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SchemaPending, SerializationException } from "../../lib/errors.ts";
import { ByteWriter } from "../../lib/record/bytes.ts";
import { Headers } from "../../lib/record/headers.ts";
import { avro } from "../../lib/serde/avro.ts";
import { encodeAlone } from "../../lib/serde/list.ts";
import { MockSchemaRegistry } from "../../lib/serde/mock_registry.ts";
import {
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
} from "../../lib/serde/registry.ts";
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

function read<T>(serde: Serde<T>, bytes: Uint8Array, headers?: Headers): T {
  return serde.decode(bytes, 0, bytes.length, SITE, headers);
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
    [good.slice(0, -1), "is cut short"],
    [Uint8Array.from([...good, 0]), "has 1 bytes too many"],
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
    "avro(shop.Order)",
  );
  assertEquals(out.length, 1);
});

test("avro holds 64-bit integers as bigint, or as numbers that are refused when they do not fit", () => {
  const big = avro<bigint>({ type: "long" }, { schemaId: 1 });
  for (const value of [0n, -1n, 2n ** 62n, -(2n ** 63n)]) {
    assertEquals(read(big, encodeAlone(big, value, SITE)), value);
  }
  const small = avro<number>({ type: "long" }, { schemaId: 1, long: "number" });
  assertEquals(read(small, encodeAlone(small, -(2 ** 40), SITE)), -(2 ** 40));
  assertThrows(() => read(small, encodeAlone(big, 2n ** 60n, SITE)), SerializationException);
  assertThrows(() => encodeAlone(small, 2 ** 60, SITE), SerializationException);
});

test("avro gives timestamps as dates on request, over bigints and over numbers", () => {
  const schema = { type: "long", logicalType: "timestamp-millis" };
  for (const long of ["bigint", "number"] as const) {
    const serde = avro<Date>(schema, { schemaId: 1, long, timestamps: "date" });
    const at = new Date(1_767_225_600_123);
    assertEquals(read(serde, encodeAlone(serde, at, SITE)), at);
  }
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

test("avro reads and writes the schema's GUID in a header", () => {
  const registry = new MockSchemaRegistry();
  const serde = avro({ type: "string" }, { registry, schemaIdIn: "header" });
  const bytes = encodeAlone(serde, "a", SITE);
  assertEquals([...bytes], [2, 0x61]);
  const headers = serde.headersOf!("a", SITE, Headers.EMPTY);
  assertEquals(headers.last("__value_schema_id")!.length, 17);
  const reader = avro({ type: "string" }, { registry });
  assertEquals(read(reader, bytes, headers), "a");
});

function slowRegistry(
  answers: Map<number, RegisteredSchema | Error>,
): SchemaRegistry & { asked: number } {
  const unused = () => {
    throw new Error("not used");
  };
  return {
    asked: 0,
    async byId(id) {
      this.asked++;
      await Promise.resolve();
      const answer = answers.get(id)!;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    register: unused,
    lookup: unused,
    byGuid: unused,
    latest: unused,
    isCompatible: unused,
  };
}

test("avro waits for a schema that is not in memory, and asks for it once", async () => {
  const schema: RegisteredSchema = {
    schema: JSON.stringify({ type: "string" }),
    schemaType: "AVRO",
    references: [],
  };
  const registry = slowRegistry(new Map([[1, schema]]));
  const serde = avro({ type: "string" }, { registry });
  const bytes = encodeAlone(avro({ type: "string" }, { schemaId: 1 }), "a", SITE);
  const pending = assertThrows(() => read(serde, bytes), SchemaPending);
  await pending.ready;
  assertEquals([read(serde, bytes), read(serde, bytes), registry.asked], ["a", "a", 1]);
});

test("avro refuses for good what the registry does not know, and asks again when it was not reached", async () => {
  const registry = slowRegistry(
    new Map([
      [1, new SchemaRegistryError("Schema not found", 404, 40403)],
      [2, new SchemaRegistryError("connection refused", 0, 0)],
    ]),
  );
  const serde = avro({ type: "string" }, { registry });
  for (const [id, asked] of [[1, 1], [2, 3]] as const) {
    const bytes = encodeAlone(avro({ type: "string" }, { schemaId: id }), "a", SITE);
    for (let round = 0; round < 2; round++) {
      try {
        read(serde, bytes);
      } catch (error) {
        if (error instanceof SchemaPending) {
          await error.ready;
          assertThrows(
            () => read(serde, bytes),
            SerializationException,
            `its schema ${id} cannot be had`,
          );
        } else assert(error instanceof SerializationException && id === 1);
      }
    }
    assertEquals(registry.asked, asked);
  }
});

test("avro refuses a schema that is none", () => {
  assertThrows(() => avro({ type: "nonsense" }), TypeError, "Cannot use the Avro schema");
});
