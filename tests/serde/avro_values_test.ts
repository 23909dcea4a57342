import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SerializationException } from "../../lib/errors.ts";
import { avro, type AvroOptions, type AvroSchema } from "../../lib/serde/avro.ts";
import { encodeAlone } from "../../lib/serde/list.ts";
import { MockSchemaRegistry } from "../../lib/serde/mock_registry.ts";
import type { Serde } from "../../lib/serde/serde.ts";

const SITE = { topic: "orders", isKey: false };
const TIMES = ["timestamp-millis", "timestamp-micros"] as const;

function plainAvro<T>(schema: AvroSchema, options: AvroOptions = {}): Serde<T> {
  return avro<T>(schema, { format: "plain", ...options });
}
function back<T>(serde: Serde<T>, value: T): T {
  return read(serde, encodeAlone(serde, value, SITE));
}
function read<T>(serde: Serde<T>, bytes: Uint8Array): T {
  return serde.decode(bytes, 0, bytes.length, SITE);
}
const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (p) => parseInt(p, 16));
const hexOf = (b: Uint8Array) => [...b].map((x) => x.toString(16).padStart(2, "0")).join("");

// Zigzag varints at the edges of what is written by integer, by floating and by big arithmetic.
const LONGS: [bigint, string][] = [
  [0n, "00"],
  [-1n, "01"],
  [63n, "7e"],
  [64n, "8001"],
  [2n ** 30n - 1n, "feffffff07"],
  [2n ** 30n, "8080808008"],
  [-(2n ** 30n), "ffffffff07"],
  [-(2n ** 30n) - 1n, "8180808008"],
  [2n ** 31n, "8080808010"],
  [2n ** 53n - 1n, "feffffffffffff1f"],
  [-(2n ** 52n) - 1n, "8180808080808010"],
  [-(2n ** 53n) + 1n, "fdffffffffffff1f"],
  [2n ** 63n - 1n, "feffffffffffffffff01"],
  [-(2n ** 63n), "ffffffffffffffffff01"],
];
for (const [value, expected] of LONGS) {
  test(`avro writes the long ${value} as a zigzag varint, from a bigint and from a number`, () => {
    const big = plainAvro<bigint>("long");
    const small = plainAvro<number>("long", { long: "number" });
    assertEquals(hexOf(encodeAlone(big, value, SITE)), expected);
    assertEquals(read(big, bytesOf(expected)), value);
    if (Number.isSafeInteger(Number(value))) {
      assertEquals(hexOf(encodeAlone(small, Number(value), SITE)), expected);
      assertEquals(read(small, bytesOf(expected)), Number(value));
    } else {
      assertThrows(() => encodeAlone(small, Number(value), SITE), SerializationException);
      assertThrows(() => read(small, bytesOf(expected)), SerializationException);
    }
  });
}

test("avro refuses a bigint of more than 64 bits", () => {
  assertThrows(
    () => encodeAlone(plainAvro<bigint>("long"), 2n ** 63n, SITE),
    SerializationException,
    "the value must be long: current value is 9223372036854775808n",
  );
});

test("avro holds longs as bigint in defaults, unions, arrays, and where an int was written", () => {
  const registry = new MockSchemaRegistry();
  const record = (...fields: object[]) => ({ type: "record", name: "L", fields });
  const longs = record(
    { name: "a", type: "long", default: 5 },
    { name: "b", type: ["null", "long"], default: null },
    { name: "c", type: { type: "array", items: "long" } },
  );
  const serde = avro<any>(longs, { registry });
  assertEquals({ ...back(serde, { c: [1n, 2n] }) }, { a: 5n, b: null, c: [1n, 2n] });
  assertEquals(back(serde, { a: 1n, b: -9n, c: [] }).b, -9n);
  const ints = avro<any>(
    record({ name: "a", type: "int" }, { name: "c", type: { type: "array", items: "int" } }),
    { registry },
  );
  const written = encodeAlone(ints, { a: 1, c: [2] }, SITE);
  assertEquals({ ...read(serde, written) }, { a: 1n, b: null, c: [2n] });
});

test("avro gives bytes and fixed as copies, and takes any Uint8Array", () => {
  const schema = {
    type: "record",
    name: "B",
    fields: [{ name: "b", type: "bytes", default: "\u00ff" }, {
      name: "f",
      type: { type: "fixed", name: "F", size: 2 },
    }],
  };
  const serde = plainAvro<any>(schema);
  const encoded = encodeAlone(serde, { b: Uint8Array.of(1), f: Uint8Array.of(2, 3) }, SITE);
  const value = read(serde, encoded);
  encoded.fill(0);
  assertEquals({ ...value }, { b: Uint8Array.of(1), f: Uint8Array.of(2, 3) });
  assertEquals(back(serde, { f: Uint8Array.of(2, 3) }).b, Uint8Array.of(255));
  for (const wrong of [{ f: Uint8Array.of(2) }, { b: "x", f: Uint8Array.of(2, 3) }]) {
    assertThrows(() => encodeAlone(serde, wrong, SITE), SerializationException, "must be");
  }
});

test("avro keeps __proto__ as a key of a map like any other", () => {
  const serde = plainAvro<Record<string, unknown>>({
    type: "map",
    values: { type: "map", values: "int" },
  });
  const given = JSON.parse('{"__proto__":{"polluted":1},"a":{}}');
  const value = back(serde, given);
  assertEquals(Object.keys(value), ["__proto__", "a"]);
  assert(!("polluted" in value) && Object.getPrototypeOf(value) === Object.prototype);
});

test("avro writes text of every kind with its length in bytes", () => {
  const serde = plainAvro<string>("string");
  for (const text of ["", "a", "é", "漢字", "😀", "a".repeat(300), `${"a".repeat(70)}é`]) {
    const encoded = encodeAlone(serde, text, SITE);
    assertEquals(read(serde, encoded), text);
    assertEquals(encoded.length - new TextEncoder().encode(text).length, text.length > 60 ? 2 : 1);
  }
  assertEquals(back(serde, "a\ud800b"), "a\ufffdb");
});

test("avro gives timestamps and days as dates on request, in a union too", () => {
  const at = new Date(1_767_225_600_123);
  for (const long of ["bigint", "number"] as const) {
    for (const logicalType of TIMES) {
      const type = { type: "long", logicalType };
      assertEquals(back(plainAvro<Date>(type, { long, timestamps: "date" }), at), at);
      const union = plainAvro<Date | null>(["null", type], { long, timestamps: "date" });
      assertEquals([back(union, at), back(union, null)], [at, null]);
    }
  }
  const days = plainAvro<Date>({ type: "int", logicalType: "date" }, { timestamps: "date" });
  assertEquals(hexOf(encodeAlone(days, new Date("1970-01-03T05:00Z"), SITE)), "04");
  assertEquals(back(days, new Date("1969-12-31T05:00Z")), new Date("1969-12-31"));
  assertThrows(() => encodeAlone(days, new Date(NaN), SITE), SerializationException);
});

test("avro gives timestamps as the plain integers without request", () => {
  const type = { type: "long", logicalType: "timestamp-millis" };
  assertEquals(back(plainAvro<bigint>(type), 5n), 5n);
  assertEquals(back(plainAvro<number>(type, { long: "number" }), 5), 5);
});

for (const long of ["bigint", "number"] as const) {
  test(`avro keeps an instant through another version, another unit and a plain long (${long})`, () => {
    const registry = new MockSchemaRegistry();
    const schema = (at: unknown, ...more: object[]) => ({
      type: "record",
      name: "A",
      fields: [{ name: "at", type: at }, ...more],
    });
    const options: AvroOptions = { registry, long, timestamps: "date" };
    const at = new Date(1_767_225_600_123);
    for (const from of TIMES) {
      const extra = { name: "x", type: "int" };
      const writer = avro<any>(schema({ type: "long", logicalType: from }, extra), options);
      const written = encodeAlone(writer, { at, x: 1 }, SITE);
      for (const to of TIMES) {
        const reader = avro<any>(schema({ type: "long", logicalType: to }), options);
        assertEquals(read(reader, written).at, at, `${from} read as ${to}`);
      }
    }
    const units = long === "bigint" ? 1_767_225_600_123n : 1_767_225_600_123;
    const old = encodeAlone(avro<any>(schema("long"), options), { at: units }, SITE);
    const millis = schema({ type: "long", logicalType: "timestamp-millis" });
    assertEquals(read(avro<any>(millis, options), old).at, at);
    const recent = encodeAlone(avro<any>(millis, options), { at }, SITE);
    assertEquals(read(avro<any>(schema("long"), options), recent).at, units);
  });
}

// The bytes are those of Java's BigDecimal.unscaledValue().toByteArray(), behind their length.
const DECIMALS: [string, string, string][] = [
  ["0", "0200", "0.00"],
  ["12.3", "0404ce", "12.30"],
  ["-12.30", "04fb32", "-12.30"],
  ["1.27", "027f", "1.27"],
  ["1.28", "040080", "1.28"],
  ["-1.28", "0280", "-1.28"],
  ["-0.01", "02ff", "-0.01"],
  ["00099.99000", "04270f", "99.99"],
];
for (const [text, expected, canonical] of DECIMALS) {
  test(`avro writes the decimal ${text} as Java does and gives it back as ${canonical}`, () => {
    const type = { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 };
    const serde = plainAvro<string>(type, { decimals: "text" });
    assertEquals(hexOf(encodeAlone(serde, text, SITE)), expected);
    assertEquals(read(serde, bytesOf(expected)), canonical);
  });
}

test("avro refuses a decimal that would have to be rounded or does not fit", () => {
  const type = { type: "bytes", logicalType: "decimal", precision: 4, scale: 2 };
  const serde = plainAvro<unknown>(type, { decimals: "text" });
  for (const wrong of ["1.234", "100.00", "1e3", "", ".", "abc", 1.5]) {
    assertThrows(() => encodeAlone(serde, wrong, SITE), SerializationException);
  }
});

test("avro keeps decimals in fixed bytes, and as bytes without request", () => {
  const fixed = { type: "fixed", name: "D", size: 3, logicalType: "decimal", precision: 6 };
  const serde = plainAvro<string>(fixed, { decimals: "text" });
  assertEquals(hexOf(encodeAlone(serde, "-2", SITE)), "fffffe");
  assertEquals(back(serde, "-2"), "-2");
  const bytes = { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 };
  assertEquals(back(plainAvro<Uint8Array>(bytes), Uint8Array.of(1, 2)), Uint8Array.of(1, 2));
});

test("avro resolves a decimal of the same scale and no other", () => {
  const registry = new MockSchemaRegistry();
  const decimal = (precision: number, scale: number) =>
    avro<string>({ type: "bytes", logicalType: "decimal", precision, scale }, {
      registry,
      decimals: "text",
    });
  const written = encodeAlone(decimal(4, 2), "1.50", SITE);
  assertEquals(read(decimal(8, 2), written), "1.50");
  assertThrows(() => read(decimal(4, 1), written), SerializationException, "does not resolve");
});

test("avro gives a uuid as its text", () => {
  const serde = plainAvro<string>({ type: "string", logicalType: "uuid" });
  const id = "123e4567-e89b-12d3-a456-426614174000";
  assertEquals(back(serde, id), id);
});
