import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { topology as aggregate } from "../../examples/orders/aggregate.ts";
import { topology as all } from "../../examples/orders/all.ts";
import { COUNTS_STORE, topology as counts } from "../../examples/orders/counts.ts";
import { topology as enrich } from "../../examples/orders/enrich.ts";
import {
  type GeneratedOrder,
  generateOrders,
  generatePayments,
} from "../../examples/orders/generator.ts";
import {
  enrichedOrders,
  orderCounts,
  orders,
  orderStats,
  payments,
} from "../../examples/orders/topics.ts";
import { Headers } from "../../lib/record/headers.ts";
import { encodeAlone } from "../../lib/serde/list.ts";
import { mockRegistry } from "../../lib/serde/mock_registry.ts";
import { TopologyTestDriver } from "../../lib/testing/topology_test_driver.ts";
import { seededRandom } from "../support/random.ts";
import { expectedAggregate, expectedJoin } from "./expected_orders.ts";

const DEAD_LETTERS = {
  "deserialization.exception.handler": "dead-letter-queue",
  "processing.exception.handler": "dead-letter-queue",
  "errors.dead.letter.queue.topic.name": "dlq-orders",
};

const registry = mockRegistry("orders-test");
for (const topic of [orders, payments, orderStats, enrichedOrders]) topic.value.bind!({ registry });

function pipeOrders(driver: TopologyTestDriver, generated: readonly GeneratedOrder[]): void {
  for (const { key, order, corrupt, timestamp } of generated) {
    const value = corrupt ??
      encodeAlone(orders.value, order!, { topic: orders.topic, isKey: false });
    driver.pipeRaw({
      topic: orders.topic,
      key: new TextEncoder().encode(key),
      value,
      timestamp,
      headers: Headers.EMPTY,
    });
  }
}

test("The aggregate gives each closed minute of each customer once, and drops what is late", () => {
  const { seed } = seededRandom("orders aggregate");
  const generated = [...generateOrders(20_000, { seed, customers: 20 })];
  const expected = expectedAggregate(generated);
  assert(
    expected.windows.length > 40 && expected.late > 5 && expected.corrupt > 0,
    "the data has all cases",
  );
  using driver = new TopologyTestDriver(aggregate, DEAD_LETTERS);
  pipeOrders(driver, generated);
  const got = driver.createOutputTopic(orderStats.topic, orderStats).readKeyValues()
    .map(([customer, stats]) => ({ customer, stats: { ...stats } }));
  const wanted = expected.windows.map(({ customer, stats }) => ({ customer, stats }));
  const byText = (a: unknown, b: unknown) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  assertEquals(got.sort(byText) as unknown, wanted.sort(byText));
  assertEquals(driver.droppedFor("late"), expected.late);
  assertEquals(driver.outputQueue("dlq-orders").length, expected.corrupt);
});

test("The join enriches each order that was paid within thirty seconds", () => {
  const { seed } = seededRandom("orders join");
  const generated = [...generateOrders(5_000, { seed, lateEvery: 0, outOfOrderEvery: 0 })];
  const paid = [...generatePayments(generated, seed)].sort((a, b) => a.timestamp - b.timestamp);
  using driver = new TopologyTestDriver(enrich, DEAD_LETTERS);
  // Both streams in the order of their time, as a task that has both topics' records takes them.
  let next = 0;
  const pay = driver.createInputTopic(payments.topic, payments);
  for (const order of generated) {
    while (next < paid.length && paid[next].timestamp < order.timestamp) {
      const { key, payment, timestamp } = paid[next++];
      pay.pipe(key, payment, { timestamp });
    }
    pipeOrders(driver, [order]);
  }
  for (; next < paid.length; next++) {
    pay.pipe(paid[next].key, paid[next].payment, { timestamp: paid[next].timestamp });
  }
  const got = new Map(
    driver.createOutputTopic(enrichedOrders.topic, enrichedOrders).readKeyValues().map((
      [k, v],
    ) => [k, { ...v }]),
  );
  const wanted = expectedJoin(generated, paid);
  assert(wanted.size > 2_000);
  assertEquals(got.size, wanted.size);
  for (const [id, enriched] of wanted) assertEquals(got.get(id) as unknown, enriched);
});

test("An order with a negative amount goes to the dead letter topic with its cause", () => {
  using driver = new TopologyTestDriver(enrich, DEAD_LETTERS);
  const order = { orderId: "o", customerId: "c", amount: -1, currency: "EUR", placedAt: 0 };
  driver.createInputTopic(orders.topic, orders).pipe("c", order, { timestamp: 0 });
  const [letter] = driver.outputQueue("dlq-orders");
  assertEquals(letter.headers.lastText("__streams.errors.message"), "Order o has the amount -1");
});

test("The counter keeps a count for each customer and forwards all of them each ten seconds", () => {
  const generated = [...generateOrders(3_000, { seed: 1, customers: 7, corruptEvery: 0 })];
  using driver = new TopologyTestDriver(counts);
  pipeOrders(driver, generated);
  const wanted = new Map<string, number>();
  for (const { key } of generated) wanted.set(key, (wanted.get(key) ?? 0) + 1);
  assertEquals(
    new Map(driver.getKeyValueStore<string, number>(COUNTS_STORE)!.all()),
    new Map([...wanted].sort()),
  );
  const forwarded = driver.createOutputTopic(orderCounts.topic, orderCounts).readKeyValues();
  assert(forwarded.length >= 7 * 2, `${forwarded.length} counts`);
});

test("All three run as one topology", () => {
  using driver = new TopologyTestDriver(all, DEAD_LETTERS);
  pipeOrders(driver, [...generateOrders(10_000, { seed: 2, customers: 5 })]);
  const produced = driver.producedTopicNames();
  for (const topic of [orderStats.topic, orderCounts.topic, "dlq-orders"]) {
    assert(produced.includes(topic), topic);
  }
});
