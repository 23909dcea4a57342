import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SerializationException } from "../../lib/errors.ts";
import { avro } from "../../lib/serde/avro.ts";
import { encodeAlone } from "../../lib/serde/list.ts";
import { MockSchemaRegistry } from "../../lib/serde/mock_registry.ts";
import { seededRandom } from "../support/random.ts";

const SITE = { topic: "orders", isKey: false };
const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (p) => parseInt(p, 16));

// What a decoder that trusts its input follows into a wrong value, a neighbour's bytes or a loop without an end.
const CORRUPT: [unknown, string, string][] = [
  ["int", "808080808080808001", "an int holds"],
  ["long", "ffffffffffffffffffff01", "more than ten bytes"],
  ["long", "ffffffffffffffffff7f", "more than 64 bits"],
  ["long", "80", "cut short within a number"],
  ["boolean", "02", "a boolean is the byte 2"],
  ["double", "00", "8 bytes are due and 1 are left"],
  ["string", "08616263", "4 bytes are due and 3 are left"],
  ["string", "01", "-1 bytes are due"],
  ["bytes", "fcffffffff7f", "bytes are due and 0 are left"],
  [["null", "int"], "04", "invalid union index: 2"],
  [{ type: "enum", name: "E", symbols: ["A"] }, "02", "enum index: 1"],
  [{ type: "array", items: "int" }, "80dac409", "claims 10000000 items and 0 bytes are left"],
  [{ type: "array", items: "int" }, "01ffffffff0f00", "claims"],
  [{ type: "array", items: "null" }, "feffffffffffff1f", "claims"],
  [{ type: "map", values: "int" }, "80dac40900", "claims 10000000 items"],
  [{ type: "fixed", name: "F", size: 4 }, "00", "4 bytes are due"],
];
for (const [schema, bytes, message] of CORRUPT) {
  test(`avro refuses ${bytes} as ${JSON.stringify(schema)}: ${message}`, () => {
    const serde = avro(schema as object, { format: "plain" });
    const slab = new Uint8Array(200);
    slab.set(hex(bytes), 50);
    const end = 50 + bytes.length / 2;
    assertThrows(() => serde.decode(slab, 50, end, SITE), SerializationException, message);
  });
}

test("avro reads arrays in several blocks, with and without sizes, and passes over them", () => {
  // Two items; then, with its size of two bytes, a block of two more.
  const blocks = "0402040304060800";
  const serde = avro<number[]>({ type: "array", items: "int" }, { format: "plain" });
  assertEquals(serde.decode(hex(blocks), 0, 8, SITE), [1, 2, 3, 4]);
  const registry = new MockSchemaRegistry();
  const record = (...fields: object[]) => ({ type: "record", name: "A", fields });
  const last = { name: "last", type: "int" };
  const list = { name: "list", type: { type: "array", items: "int" } };
  const id = registry.register("s", {
    schema: JSON.stringify(record(list, last)),
    schemaType: "AVRO",
    references: [],
  });
  const bytes = hex(`00${id.toString(16).padStart(8, "0")}${blocks}12`);
  const reader = avro<{ last: number }>(record(last), { registry });
  assertEquals(reader.decode(bytes, 0, bytes.length, SITE).last, 9);
});

const TREE = {
  type: "record",
  name: "Tree",
  fields: [
    { name: "name", type: "string" },
    { name: "weights", type: { type: "array", items: "double" } },
    { name: "labels", type: { type: "map", values: ["null", "long", "string"] } },
    { name: "kind", type: { type: "enum", name: "Kind", symbols: ["leaf", "branch"] } },
    { name: "seal", type: { type: "fixed", name: "Seal", size: 3 } },
    { name: "next", type: ["null", "Tree"], default: null },
  ],
};

test("avro gives a value or a SerializationException for any bytes, and soon", () => {
  const random = seededRandom("avro bytes");
  const whole = avro<any>(TREE, { format: "plain" });
  const value = {
    name: "root",
    weights: [1, 2.5],
    labels: { a: null, b: 7n, c: "x" },
    kind: "leaf",
    seal: Uint8Array.of(1, 2, 3),
    next: null as unknown,
  };
  const good = encodeAlone(whole, { ...value, next: { ...value, kind: "branch" } }, SITE);
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = good.slice(0, random.int(1, good.length + 1));
    for (let flips = random.int(0, 4); flips >= 0; flips--) {
      bytes[random.int(0, bytes.length)] = random.int(0, 256);
    }
    try {
      whole.decode(bytes, 0, bytes.length, SITE);
    } catch (error) {
      refused++;
      assert(error instanceof SerializationException, String((error as Error).stack));
    }
  }
  assert(refused > 10_000, `${refused} refused`);
});
