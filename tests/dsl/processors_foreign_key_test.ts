import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { ByteWriter } from "../../lib/record/bytes.ts";
import { Change } from "../../lib/record/change.ts";
import { string } from "../../lib/serde/primitives.ts";
import { ValueAndTimestamp } from "../../lib/state/store.ts";
import { CombinedKeySchema } from "../../lib/dsl/processors/foreign_key/combined_key.ts";
import {
  ForeignTableJoinProcessorSupplier,
  ResponseJoinProcessorSupplier,
} from "../../lib/dsl/processors/foreign_key/foreign_table_join.ts";
import { murmur3Hash128 } from "../../lib/dsl/processors/foreign_key/murmur3.ts";
import {
  SubscriptionJoinProcessorSupplier,
  SubscriptionReceiveProcessorSupplier,
} from "../../lib/dsl/processors/foreign_key/subscription_receive.ts";
import { SubscriptionSendProcessorSupplier } from "../../lib/dsl/processors/foreign_key/subscription_send.ts";
import { SubscriptionResponseWrapper } from "../../lib/dsl/processors/foreign_key/subscription_response_wrapper.ts";
import {
  INSTRUCTION,
  SubscriptionWrapper,
} from "../../lib/dsl/processors/foreign_key/subscription_wrapper.ts";
import { KTableMaterializedValueGetterSupplier } from "../../lib/dsl/processors/table_store.ts";
import { Driven } from "./support/driven.ts";
import { fakeBuilder, FakeKeyValueStore } from "./support/fake_stores.ts";

const NAMES = ["delete", "delete and answer", "answer, also null", "answer if there is a row"];
const subscriptionTopic = "FK-topic";

function hashOf(value: string): Uint8Array {
  const writer = new ByteWriter();
  writer.utf8(value);
  return murmur3Hash128(writer.copy());
}

/** The left value is `foreignKey:rest`; `-:rest` has no foreign key. */
function sends(leftJoin: boolean, newValue: string | null, oldValue: string | null) {
  const supplier = new SubscriptionSendProcessorSupplier<string, string, string>({
    foreignKeyExtractor: (value) => value.startsWith("-") ? null : value.split(":")[0],
    subscriptionTopic,
    foreignKey: string(),
    leftValue: string(),
    leftJoin,
  });
  const driven = new Driven(supplier);
  driven.pipe("pk", new Change(newValue, oldValue), 5);
  // `pipe` took the lines: processing once more keeps the records.
  driven.processor.process(
    { key: "pk", value: new Change(newValue, oldValue), timestamp: 5 } as never,
  );
  return {
    drops: driven.context.drops.length / 2,
    sent: driven.context.forwarded.map(({ key, value }) => {
      assertEquals(value.primaryKey, "pk");
      assertEquals(value.primaryPartition, 4);
      assertEquals(value.hash, newValue === null ? null : hashOf(newValue));
      return `${key}: ${NAMES[value.instruction]}`;
    }),
  };
}

// new value, old value, what an inner join sends, what a left join sends
const SENDS: [string, string | null, string | null, string[] | "dropped", string[]][] = [
  ["a new row", "a:1", null, ["a: answer if there is a row"], ["a: answer, also null"]],
  ["a row that keeps its foreign key", "a:2", "a:1", ["a: answer if there is a row"], [
    "a: answer, also null",
  ]],
  ["a row with another foreign key", "b:1", "a:1", ["a: delete", "b: answer, also null"], [
    "a: delete",
    "b: answer, also null",
  ]],
  ["a deleted row", null, "a:1", ["a: delete and answer"], [
    "a: delete",
    "null: answer, also null",
  ]],
  ["a row that loses its foreign key", "-:2", "a:1", ["a: delete and answer"], [
    "a: delete",
    "null: answer, also null",
  ]],
  ["a row that gets a foreign key", "a:1", "-:1", ["a: answer if there is a row"], [
    "a: answer, also null",
  ]],
  ["a new row without a foreign key", "-:1", null, "dropped", ["null: answer, also null"]],
  ["a deleted row without a foreign key", null, "-:1", "dropped", ["null: answer, also null"]],
  ["nothing at all", null, null, [], []],
];
for (const [what, newValue, oldValue, inner, left] of SENDS) {
  test(`a foreign-key join subscribes for ${what}`, () => {
    const expected = inner === "dropped" ? { drops: 1, sent: [] } : { drops: 0, sent: inner };
    assertEquals(sends(false, newValue, oldValue), expected);
    assertEquals(sends(true, newValue, oldValue), { drops: 0, sent: left });
  });
}

const keySchema = new CombinedKeySchema({
  subscriptionTopic,
  foreignKey: string(),
  primaryKey: string(),
});
const subscriptions = { store: fakeBuilder("subscriptions"), keySchema };
const rows = new KTableMaterializedValueGetterSupplier<string, string>("rows");

test("the right side keeps subscriptions, deletes them, and passes both on", () => {
  const store = new FakeKeyValueStore();
  const supplier = new SubscriptionReceiveProcessorSupplier<string, string>(subscriptions);
  const driven = new Driven(supplier, { subscriptions: store });
  const send = (key: string | null, instruction: 0 | 1 | 2 | 3) =>
    driven.pipe(key, new SubscriptionWrapper(null, instruction, "pk", 0), 5).length;
  assertEquals(send("fk", INSTRUCTION.propagateOnlyIfFkValAvailable), 1);
  assertEquals(store.rows.size, 1);
  assertEquals(send("fk", INSTRUCTION.deleteKeyNoPropagate), 1);
  assertEquals(store.rows.size, 0);
  assertEquals(send(null, INSTRUCTION.propagateNullIfNoFkValAvailable), 1);
  assertEquals(send(null, INSTRUCTION.propagateOnlyIfFkValAvailable), 0);
  assertEquals(store.rows.size, 0);
  assertEquals(driven.context.drops, ["null-key"]);
});

test("a subscription is answered as its instruction says", () => {
  const store = new FakeKeyValueStore();
  store.put("there", new ValueAndTimestamp("r", 9));
  const driven = new Driven(
    new SubscriptionJoinProcessorSupplier<string, string, string>({ foreignTable: rows }),
    { rows: store },
  );
  const answer = (foreignKey: string | null, instruction: 0 | 1 | 2 | 3) => {
    const wrapper = new SubscriptionWrapper(null, instruction, "pk", 3);
    const change = new Change(new ValueAndTimestamp(wrapper, 5), null);
    driven.processor.process(
      { key: { foreignKey, primaryKey: "pk" }, value: change, timestamp: 5 } as never,
    );
    return driven.context.take().map(([key, value, timestamp]) =>
      `${key} ${(value as any).foreignValue}@${timestamp} to ${(value as any).primaryPartition}`
    );
  };
  assertEquals(answer("there", 0), []);
  assertEquals(answer("there", 1), ["pk null@9 to 3"]);
  assertEquals(answer("there", 2), ["pk r@9 to 3"]);
  assertEquals(answer("there", 3), ["pk r@9 to 3"]);
  assertEquals(answer("missing", 1), ["pk null@5 to 3"]);
  assertEquals(answer("missing", 2), ["pk null@5 to 3"]);
  assertEquals(answer("missing", 3), []);
  assertEquals(answer(null, 2), ["pk null@5 to 3"]);
});

test("a changed right row answers all its subscriptions, and no others", () => {
  const store = new FakeKeyValueStore();
  const driven = new Driven(
    new ForeignTableJoinProcessorSupplier<string, string, string>(subscriptions),
    { subscriptions: store },
  );
  const schema = keySchema.bind(driven.context);
  for (const [foreignKey, primaryKey] of [["fk", "1"], ["fk", "2"], ["fk2", "3"]]) {
    const wrapper = new SubscriptionWrapper(hashOf(primaryKey), 3, primaryKey, 2);
    store.put(schema.toBytes(foreignKey, primaryKey), new ValueAndTimestamp(wrapper, 1));
  }
  driven.pipe(null, new Change("r", null), 5);
  assertEquals(driven.context.drops, ["null-key"]);
  driven.processor.process({ key: "fk", value: new Change("r", null), timestamp: 5 } as never);
  assertEquals(driven.context.take(), [
    ["1", new SubscriptionResponseWrapper(hashOf("1"), "r", 2), 5],
    ["2", new SubscriptionResponseWrapper(hashOf("2"), "r", 2), 5],
  ]);
});

test("an answer is joined with the row that asked, and dropped when that has changed", () => {
  const store = new FakeKeyValueStore();
  store.put("pk", new ValueAndTimestamp("l", 9));
  const join = (leftJoin: boolean) =>
    new Driven(
      new ResponseJoinProcessorSupplier<string, string, string, string>({
        leftTable: rows,
        leftValue: string(),
        subscriptionTopic,
        joiner: (left, right, key) => `${key}:${left}+${right}`,
        leftJoin,
      }),
      { rows: store },
    );
  const response = (asked: string | null, answer: string | null) =>
    new SubscriptionResponseWrapper(asked === null ? null : hashOf(asked), answer, null);
  const [inner, left] = [join(false), join(true)];
  assertEquals(inner.pipe("pk", response("l", "r"), 5), ["pk=pk:l+r@5"]);
  assertEquals(inner.pipe("pk", response("l", null), 5), ["pk=null@5"]);
  assertEquals(left.pipe("pk", response("l", null), 5), ["pk=pk:l+null@5"]);
  assertEquals(left.pipe("gone", response(null, null), 5), ["gone=null@5"]);
  assertEquals(left.pipe("pk", response("older", "r"), 5), []);
  assertEquals(left.pipe("pk", response(null, null), 5), []);
  assertEquals(left.context.drops, ["stale-response", "stale-response"]);
});
