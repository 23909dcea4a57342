import { Buffer } from "node:buffer";
import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { SerializationException } from "../../lib/errors.ts";
import { Windowed } from "../../lib/record/windowed.ts";
import { json } from "../../lib/serde/json.ts";
import { encodeAlone, list } from "../../lib/serde/list.ts";
import {
  boolean,
  bytes,
  date,
  double,
  float,
  int16,
  int32,
  int64,
  long,
  nothing,
  string,
  uuid,
} from "../../lib/serde/primitives.ts";
import type { Serde, SerdeSite } from "../../lib/serde/serde.ts";
import { sessionWindowed, timeWindowed } from "../../lib/serde/windowed.ts";

const SITE = { topic: "t", isKey: false };
const hex = (b: Uint8Array) => [...b].map((x) => x.toString(16).padStart(2, "0")).join("");

// The bytes are what Kafka's own serializers (kafka-clients and kafka-streams 4.1.0) gave for these values.
const VECTORS: [Serde<any>, unknown, string][] = [
  [string(), "", ""],
  [string(), "häß😀", "68c3a4c39ff09f9880"],
  [
    string(),
    "customer-1234567890-abcdefghijk",
    "637573746f6d65722d313233343536373839302d6162636465666768696a6b",
  ],
  [bytes(), Uint8Array.of(1, 2), "0102"],
  [int16(), -2, "fffe"],
  [int16(), 32767, "7fff"],
  [int32(), -2, "fffffffe"],
  [int64(), -2n, "fffffffffffffffe"],
  [int64(), 2n ** 63n - 1n, "7fffffffffffffff"],
  [long(), -2, "fffffffffffffffe"],
  [long(), 2 ** 53 - 1, "001fffffffffffff"],
  [float(), 1.5, "3fc00000"],
  [double(), -1.5, "bff8000000000000"],
  [boolean(), true, "01"],
  [
    uuid(),
    "123e4567-e89b-12d3-a456-426614174000",
    "31323365343536372d653839622d313264332d613435362d343236363134313734303030",
  ],
  [date(), new Date(1000), "00000000000003e8"],
  [json(), { a: [1, null] }, "7b2261223a5b312c6e756c6c5d7d"],
  [timeWindowed(string(), 10), new Windowed("k", 20, 30), "6b0000000000000014"],
  [sessionWindowed(string()), new Windowed("k", 20, 30), "6b000000000000001e0000000000000014"],
  [list(string()), ["a", null, ""], "01000000030000000161ffffffff00000000"],
  [list(int32()), [1, null], "0000000001000000010000000200000001"],
  [list(long()), [], "000000000000000000"],
  [list(uuid()), [null], "00000000010000000000000001"],
  [list(boolean()), [true], "01000000010000000101"],
  [float(), NaN, "7fc00000"],
  [double(), NaN, "7ff8000000000000"],
  [string(), "\ufeffa", "efbbbf61"],
  [long(), -(2 ** 53) + 1, "ffe0000000000001"],
];
for (const [serde, value, expected] of VECTORS) {
  test(`${serde.name} writes ${String(value)} as Kafka does and reads it back`, () => {
    const encoded = encodeAlone(serde, value, SITE);
    assertEquals(hex(encoded), expected);
    assertEquals(serde.decode(encoded, 0, encoded.length, SITE), value);
    const shifted = Uint8Array.from([9, ...encoded, 9]);
    assertEquals(serde.decode(shifted, 1, encoded.length + 1, SITE), value);
  });
}

const UNWRITABLE: [Serde<any>, unknown][] = [
  [string(), 5],
  [bytes(), "x"],
  [int16(), 40_000],
  [int32(), 1.5],
  [int32(), 2 ** 31],
  [int64(), 5],
  [int64(), 2n ** 63n],
  [long(), 2 ** 53],
  [double(), "1"],
  [boolean(), 1],
  [uuid(), "nope"],
  [date(), new Date(NaN)],
  [json(), undefined],
  [timeWindowed(string(), 1), "k"],
  [list(string()), "k"],
];
for (const [serde, value] of UNWRITABLE) {
  test(`${serde.name} refuses to write ${String(value)}`, () => {
    assertThrows(() => encodeAlone(serde, value, SITE), SerializationException, "the value of t");
  });
}

const UNREADABLE: [Serde<any>, string][] = [
  [int16(), "00"],
  [int32(), "0000000000"],
  [int64(), ""],
  [long(), "7fffffffffffffff"],
  [double(), "00"],
  [boolean(), "02"],
  [uuid(), "6e6f"],
  [json(), "7b"],
  [timeWindowed(string(), 1), "00"],
  [list(string()), "0100000005"],
  [list(string()), "017fffffff"],
  [list(int32()), "00000000000000000100000001ff"],
  [list(string()), "02"],
  [list(string()), "0100000001fffffffe"],
  [list(string()), "0000000000"],
  [list(int32()), "00000000010000000000000fff"],
  [timeWindowed(string(), 1), "6bffffffffffffffff"],
  [sessionWindowed(string()), "6b0000000000000010000000000000001e"],
  [nothing(), ""],
];
for (const [serde, encoded] of UNREADABLE) {
  test(`${serde.name} refuses to read ${encoded || "nothing"}`, () => {
    const b = Uint8Array.from(encoded.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    assertThrows(
      () => serde.decode(b, 0, b.length, SITE),
      SerializationException,
      "the value of t",
    );
  });
}

test("string reads malformed UTF-8 as replacement characters, as Java does", () => {
  assertEquals(string().decode(Uint8Array.of(0x61, 0xff), 0, 2, SITE), "a\ufffd");
});

test("string reads text of every length, ASCII or not, from the middle of a slab", () => {
  const slab = new Uint8Array(400).fill(0x7e);
  for (const letter of ["a", "é", "😀"]) {
    for (let length = 0; length < 40; length++) {
      const text = "k".repeat(length) + letter + "z";
      const encoded = encodeAlone(string(), text, SITE);
      slab.set(encoded, 7);
      assertEquals(string().decode(slab, 7, 7 + encoded.length, SITE), text);
    }
  }
});

test("bytes gives a copy, from a Buffer too", () => {
  const lent = Buffer.from([1, 2, 3]);
  const copy = bytes().decode(lent, 1, 3, SITE);
  lent.fill(0);
  assertEquals([...copy], [2, 3]);
});

test("int64 is a bigint, or a number on request", () => {
  const encoded = encodeAlone(int64(), 5n, SITE);
  assertEquals(int64({ as: "number" }).decode(encoded, 0, 8, SITE), 5);
  assertEquals(int64({ as: "bigint" }).decode(encoded, 0, 8, SITE), 5n);
});

test("list asks its elements for a form without headers", () => {
  const sites: SerdeSite[] = [];
  const spy: Serde<string> = {
    ...string(),
    encode: (value, out, site) => {
      sites.push(site);
      out.utf8(value);
    },
  };
  encodeAlone(list(spy), ["a", "b"], SITE);
  assertEquals(sites, [{ ...SITE, headerless: true }, { ...SITE, headerless: true }]);
});

test("timeWindowed without a size gives windows an end that never comes", () => {
  const serde = timeWindowed(string());
  const encoded = encodeAlone(serde, new Windowed("k", 5, 6), SITE);
  assertEquals(serde.decode(encoded, 0, encoded.length, SITE).end, Number.MAX_SAFE_INTEGER);
});

test("windowed keys are partitioned by their inner key", () => {
  assertEquals([
    timeWindowed(string(), 1).partitionPrefix!(9),
    sessionWindowed(string()).partitionPrefix!(17),
  ], [1, 1]);
});

test("json checks values against a Standard Schema in both directions", () => {
  const schema = {
    "~standard": {
      validate: (value: any) =>
        typeof value?.n === "number"
          ? { value: { n: value.n } }
          : { issues: [{ message: "must be a number", path: ["n"] }] },
    },
  };
  const serde = json<{ n: number }>(schema);
  assertEquals(serde.decode(new TextEncoder().encode('{"n":1,"x":2}'), 0, 13, SITE), { n: 1 });
  assertThrows(
    () => encodeAlone(serde, { n: "1" } as never, SITE),
    SerializationException,
    "n: must be a number",
  );
});
