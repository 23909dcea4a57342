import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { SerializationException } from "../../lib/errors.ts";
import { ByteWriter } from "../../lib/record/bytes.ts";
import { Change } from "../../lib/record/change.ts";
import { long, string } from "../../lib/serde/primitives.ts";
import type { Serde, SerdeSite } from "../../lib/serde/serde.ts";
import { ChangedSerde } from "../../lib/dsl/processors/changed_serde.ts";
import {
  LeftOrRightValue,
  LeftOrRightValueSerde,
  TimestampedKeyAndJoinSide,
  TimestampedKeyAndJoinSideSerde,
} from "../../lib/dsl/processors/join_side.ts";
import { CombinedKeySchema } from "../../lib/dsl/processors/foreign_key/combined_key.ts";
import { murmur3Hash128 } from "../../lib/dsl/processors/foreign_key/murmur3.ts";
import {
  INSTRUCTION,
  SubscriptionWrapper,
  SubscriptionWrapperSerde,
} from "../../lib/dsl/processors/foreign_key/subscription_wrapper.ts";
import {
  SubscriptionResponseWrapper,
  SubscriptionResponseWrapperSerde,
} from "../../lib/dsl/processors/foreign_key/subscription_response_wrapper.ts";
import { FakeContext } from "./support/fake_context.ts";

const SITE: SerdeSite = { topic: "app-a-topic", isKey: false };

function encode<T>(serde: Serde<T>, value: T): Uint8Array {
  const out = new ByteWriter(4);
  serde.encode(value, out, SITE);
  return out.copy();
}
function decode<T>(serde: Serde<T>, bytes: Uint8Array): T {
  // Not at the start of its array: serdes must heed the bounds they are given.
  const shifted = new Uint8Array(bytes.length + 5);
  shifted.set(bytes, 3);
  return serde.decode(shifted, 3, 3 + bytes.length, SITE);
}
function bytesOf(...parts: (string | number)[]): Uint8Array {
  const out = new ByteWriter();
  for (const part of parts) {
    if (typeof part === "string") out.utf8(part);
    else out.uint8(part);
  }
  return out.copy();
}

// Murmur3Test's vectors of Kafka Streams, with its seed.
const HASHES: [string, bigint, bigint][] = [
  ["21", 5857341059704281894n, -5288187638297930763n],
  ["foobar", -351361463397418609n, 8959716011862540668n],
  ["a-little-bit-long-string", 8836256500583638442n, -198172363548498523n],
  ["a-little-bit-longer-string", 1838346159335108511n, 8794688210320490705n],
  [
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
    -4024021876037397259n,
    -1482317706335141238n,
  ],
  ["abc", 1489494923063836066n, -5440978547625122829n],
];
for (const [text, first, second] of HASHES) {
  test(`murmur3Hash128 of "${text}" is Kafka Streams'`, () => {
    const bytes = bytesOf(0, 0, text, 9);
    const view = viewOf(murmur3Hash128(bytes, 2, bytes.length - 1, 123));
    assertEquals([view.getBigInt64(0), view.getBigInt64(8)], [first, second]);
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

test("murmur3Hash128 agrees with 64-bit arithmetic for every length of tail", () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 167 + 41 * length + 200) & 0xff);
    const view = viewOf(murmur3Hash128(bytes));
    const [first, second] = slowMurmur3(bytes, 104729n);
    assertEquals([view.getBigUint64(0), view.getBigUint64(8)], [first, second], `${length} bytes`);
  }
});

function slowMurmur3(bytes: Uint8Array, seed: bigint): [bigint, bigint] {
  const u = (x: bigint) => BigInt.asUintN(64, x);
  const rotl = (x: bigint, r: bigint) => u((x << r) | (u(x) >> (64n - r)));
  const fmix = (h: bigint) => {
    h = u((h ^ (h >> 33n)) * 0xff51afd7ed558ccdn);
    h = u((h ^ (h >> 33n)) * 0xc4ceb9fe1a85ec53n);
    return h ^ (h >> 33n);
  };
  const [c1, c2] = [0x87c37b91114253d5n, 0x4cf5ad432745937fn];
  const word = (at: number) => {
    let w = 0n;
    for (let i = 7; i >= 0; i--) w = (w << 8n) | BigInt(bytes[at + i] ?? 0);
    return w;
  };
  let [h1, h2] = [seed, seed];
  let at = 0;
  for (; at + 16 <= bytes.length; at += 16) {
    h1 ^= u(rotl(u(word(at) * c1), 31n) * c2);
    h1 = u((rotl(h1, 27n) + h2) * 5n + 0x52dce729n);
    h2 ^= u(rotl(u(word(at + 8) * c2), 33n) * c1);
    h2 = u((rotl(h2, 31n) + h1) * 5n + 0x38495ab5n);
  }
  h2 ^= u(rotl(u(word(at + 8) * c2), 33n) * c1);
  h1 ^= u(rotl(u(word(at) * c1), 31n) * c2);
  h1 ^= BigInt(bytes.length);
  h2 ^= BigInt(bytes.length);
  h1 = u(h1 + h2);
  h2 = u(h2 + h1);
  h1 = fmix(h1);
  h2 = fmix(h2);
  h1 = u(h1 + h2);
  h2 = u(h2 + h1);
  return [h1, h2];
}

const changed = new ChangedSerde(string());
const CHANGES: [string, Change<string>, Uint8Array][] = [
  ["the old value only", new Change<string>(null, "world"), bytesOf("world", 0)],
  ["the new value only", new Change<string>("hello", null), bytesOf("hello", 1)],
  ["both", new Change("hello", "world"), bytesOf(10, "hello", "world", 2)],
  [
    "a long new value",
    new Change("x".repeat(100), "o"),
    bytesOf(0xc8, 0x01, "x".repeat(100), "o", 2),
  ],
];
for (const [what, change, bytes] of CHANGES) {
  test(`ChangedSerde writes ${what} as Kafka Streams does`, () => {
    assertEquals(encode(changed, change), bytes);
    assertEquals(decode(changed, bytes), change);
  });
}

test("ChangedSerde reads the forms that carry isLatest", () => {
  assertEquals(decode(changed, bytesOf("o", 0, 3)), new Change<string>(null, "o", false));
  assertEquals(decode(changed, bytesOf("n", 1, 4)), new Change<string>("n", null, true));
  assertEquals(decode(changed, bytesOf(2, "n", "o", 0, 5)), new Change("n", "o", false));
});

test("ChangedSerde refuses what is no change", () => {
  assertThrows(() => encode(changed, new Change<string>(null, null)), SerializationException);
  const malformed = [
    bytesOf(),
    bytesOf("x", 6),
    bytesOf(9, "x", 2),
    bytesOf("x", 7, 4),
    bytesOf(2),
  ];
  for (const bytes of malformed) {
    assertThrows(() => decode(changed, bytes), SerializationException, "Cannot read a change");
  }
});

test("TimestampedKeyAndJoinSideSerde writes time, side and key", () => {
  const serde = new TimestampedKeyAndJoinSideSerde(string());
  const left = new TimestampedKeyAndJoinSide("k", 258, true);
  assertEquals(encode(serde, left), bytesOf(0, 0, 0, 0, 0, 0, 1, 2, 1, "k"));
  assertEquals(decode(serde, encode(serde, left)), left);
  const right = new TimestampedKeyAndJoinSide("", 2 ** 40, false);
  assertEquals(decode(serde, encode(serde, right)), right);
});

test("LeftOrRightValueSerde writes the side before the value", () => {
  const serde = new LeftOrRightValueSerde(string(), long());
  const left = new LeftOrRightValue<string, number>("v", true);
  const right = new LeftOrRightValue<string, number>(7, false);
  assertEquals(encode(serde, left), bytesOf(1, "v"));
  assertEquals(encode(serde, right), bytesOf(0, 0, 0, 0, 0, 0, 0, 0, 7));
  assertEquals(decode(serde, encode(serde, left)), left);
  assertEquals(decode(serde, encode(serde, right)), right);
});

const HASH = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const subscription = new SubscriptionWrapperSerde({
  subscriptionTopic: "a-topic",
  primaryKey: string(),
});

test("SubscriptionWrapperSerde writes version, instruction, hash, key and partition", () => {
  const wrapper = new SubscriptionWrapper(
    HASH,
    INSTRUCTION.propagateOnlyIfFkValAvailable,
    "pk",
    258,
  );
  const bytes = bytesOf(1, 3, ...HASH, "pk", 0, 0, 1, 2);
  assertEquals(encode(subscription, wrapper), bytes);
  assertEquals(decode(subscription, bytes), wrapper);
});

test("SubscriptionWrapperSerde leaves a null hash out and says so in the version byte", () => {
  const wrapper = new SubscriptionWrapper(null, INSTRUCTION.deleteKeyAndPropagate, "pk", 0);
  const bytes = bytesOf(0x81, 1, "pk", 0, 0, 0, 0);
  assertEquals(encode(subscription, wrapper), bytes);
  assertEquals(decode(subscription, bytes), wrapper);
});

test("SubscriptionWrapperSerde reads version 0, which has no partition", () => {
  const wrapper = new SubscriptionWrapper(HASH, INSTRUCTION.deleteKeyNoPropagate, "pk", null);
  assertEquals(decode(subscription, bytesOf(0, 0, ...HASH, "pk")), wrapper);
  assertThrows(() => decode(subscription, bytesOf(2, 0, "pk", 0, 0, 0, 0)), SerializationException);
  assertThrows(() => decode(subscription, bytesOf(1, 4, "pk", 0, 0, 0, 0)), SerializationException);
});

test("SubscriptionWrapperSerde encodes the primary key at the pseudo topic that Kafka Streams names", () => {
  const sites: SerdeSite[] = [];
  const spy: Serde<string> = {
    ...string(),
    encode: (value, out, site) => {
      sites.push(site);
      out.utf8(value);
    },
    prepare: (site) => {
      sites.push(site);
      return Promise.resolve();
    },
  };
  const serde = new SubscriptionWrapperSerde({
    subscriptionTopic: "FK-0001-topic",
    primaryKey: spy,
    foreignKey: spy as Serde<unknown>,
    leftValue: spy as Serde<unknown>,
  });
  serde.encode(new SubscriptionWrapper(null, 1, "pk", 0), new ByteWriter(), {
    topic: "app-FK-0001-topic",
    isKey: false,
  });
  assertEquals(sites.pop(), { topic: "app-FK-0001-topic-pk", isKey: true });
  return serde.prepare({ topic: "app-FK-0001-topic", isKey: false }).then(() => {
    assertEquals(sites.map((site) => `${site.topic} ${site.isKey}`), [
      "app-FK-0001-topic-pk true",
      "app-FK-0001-topic-fk true",
      "app-FK-0001-topic-vh false",
    ]);
  });
});

test("SubscriptionResponseWrapperSerde writes version, hash and value", () => {
  const serde = new SubscriptionResponseWrapperSerde(string());
  const full = new SubscriptionResponseWrapper<string>(HASH, "v", null);
  const empty = new SubscriptionResponseWrapper<string>(null, null, null);
  assertEquals(encode(serde, full), bytesOf(0, ...HASH, "v"));
  assertEquals(encode(serde, empty), bytesOf(0x80));
  assertEquals(decode(serde, encode(serde, full)), full);
  assertEquals(decode(serde, encode(serde, empty)), empty);
  assertThrows(() => decode(serde, bytesOf(1, ...HASH)), SerializationException);
});

test("CombinedKeySchema puts the foreign key's length before it", () => {
  const schema = new CombinedKeySchema({
    subscriptionTopic: "a-topic",
    foreignKey: string(),
    primaryKey: long(),
  }).bind(new FakeContext());
  const bytes = schema.toBytes("fk", 5);
  assertEquals(bytes, bytesOf(0, 0, 0, 2, "fk", 0, 0, 0, 0, 0, 0, 0, 5));
  assertEquals(schema.prefixBytes("fk"), bytesOf(0, 0, 0, 2, "fk"));
  assertEquals(schema.primaryKeyOf(bytes), 5);
  assertEquals({ ...schema.fromBytes(bytes) }, { foreignKey: "fk", primaryKey: 5 });
});
