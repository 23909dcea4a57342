import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { OriginRing, type RecordOrigin } from "../../lib/runtime/origin_ring.ts";
import { seededRandom } from "../support/random.ts";

test("OriginRing gives back each of the last origins, however many it is told to reserve meanwhile", () => {
  const random = seededRandom("origin ring");
  let inFlight = 5;
  const ring = new OriginRing(inFlight);
  const sent: { tag: number; origin: RecordOrigin }[] = [];
  for (let i = 0; i < 20_000; i++) {
    if (random.chance(0.001)) ring.reserve(inFlight = random.int(1, 3_000));
    const origin = {
      topic: random.pick([undefined, "orders", "payments"]),
      partition: random.int(-1, 4),
      offset: random.pick([-1, i, 2 ** 40 + i]),
      nodeName: random.pick(["a", "b"]),
      taskId: random.pick(["0_0", "1_3"]),
    };
    const { topic, partition, offset, nodeName, taskId } = origin;
    sent.push({ tag: ring.add(topic, partition, offset, nodeName, taskId), origin });
    // What was reserved later knows no more than what was kept before.
    const kept = Math.min(sent.length, 5, inFlight);
    for (const { tag, origin } of sent.slice(-kept)) assertEquals(ring.get(tag), origin);
  }
});

test("OriginRing keeps as many as were reserved", () => {
  const ring = new OriginRing(1_000);
  const tags = Array.from({ length: 5_000 }, (_, i) => ring.add("t", i % 7, i, "n", "0_0"));
  for (let i = 4_000; i < 5_000; i++) assertEquals(ring.get(tags[i]).offset, i);
  ring.reserve(3_000);
  for (let i = 4_000; i < 5_000; i++) assertEquals(ring.get(tags[i]).offset, i);
  const more = Array.from({ length: 2_000 }, (_, i) => ring.add("t", 0, i, "n", "0_0"));
  for (let i = 4_000; i < 5_000; i++) assertEquals(ring.get(tags[i]).offset, i);
  more.forEach((tag, i) => assertEquals(ring.get(tag).offset, i));
});
