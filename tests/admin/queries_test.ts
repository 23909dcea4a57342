/** Stores asked over HTTP and events listened to, while the order application runs in two Workers. */
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { generateOrders } from "../../examples/orders/generator.ts";
import { orders } from "../../examples/orders/topics.ts";
import { serve } from "../../lib/admin/serve.ts";
import { createAdminApp } from "../../lib/admin/app.ts";
import { systemClock } from "../../lib/record/time.ts";
import { eventually } from "../runtime/application.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { FakeApplication } from "./fake_application.ts";
import { type RunningOrders, startOrders, TOKEN } from "./orders_running.ts";

const ORDERS = 1_000;
const MINUTE = 60_000;
const startMs = Math.floor(systemClock.now() / MINUTE) * MINUTE - 5 * MINUTE;
const generated = [
  ...generateOrders(ORDERS, { seed: 7, customers: 20, startMs, corruptEvery: 0, lateEvery: 0 }),
];
const counts = new Map<string, number>();
for (const { key } of generated) counts.set(key, (counts.get(key) ?? 0) + 1);

let running: RunningOrders;
before(async () => {
  running = await startOrders(makeTempDir("queries"), 2, { "commit.interval.ms": 100 });
  await running.feed(generated);
  await eventually(
    "all orders are processed",
    () =>
      running.streams.lag().filter((lag) => lag.topic === orders.topic)
        .reduce((sum, lag) => sum + (lag.committedOffset ?? 0), 0) === ORDERS,
  );
});
after(() => running?.stop());

async function get(path: string, token: string | undefined = TOKEN) {
  const headers: Record<string, string> = token === undefined
    ? {}
    : { authorization: `Bearer ${token}` };
  const answer = await fetch(`${running.url}/api/v1/stores/${path}`, { headers });
  return { status: answer.status, body: await answer.json() };
}

test("A key's value comes from the Worker that has it", async () => {
  for (const [customer, count] of counts) {
    const { status, body } = await get(`counts-store/keys/${customer}`);
    assertEquals([status, body.key, body.value], [200, customer, count]);
    assert(body.partition >= 0 && body.partition < 4);
  }
  assertEquals((await get("counts-store/keys/nobody")).status, 404);
});

test("A range of keys comes from all Workers, with bounds, a limit and either order", async () => {
  const all = await get("counts-store/keys?limit=1000");
  assertEquals(
    new Map(all.body.rows.map((row: any) => [row.key, row.value])),
    counts,
  );
  const some = await get("counts-store/keys?from=customer-1&to=customer-11");
  assertEquals(some.body.rows.map((row: any) => row.key).sort(), [
    "customer-1",
    "customer-10",
    "customer-11",
  ]);
  assertEquals((await get("counts-store/keys?limit=3")).body.rows.length, 3);
  const reverse = await get("counts-store/keys?limit=1000&reverse");
  const ofFirst = (body: any) =>
    body.rows.filter((row: any) => row.partition === 0).map((row: any) => row.key);
  assertEquals(ofFirst(reverse.body), ofFirst(all.body).toReversed());
  assertEquals((await get("counts-store/count")).body, { store: "counts-store", count: 20 });
});

test("Windows are asked by key and time", async () => {
  const customer = generated[0].key;
  const mine = generated.filter(({ key }) => key === customer);
  const first = mine.filter(({ timestamp }) => timestamp < startMs + MINUTE);
  const total = first.reduce((sum, { order }) => sum + order!.amount, 0);
  const { status, body } = await get(
    `order-stats/windows?key=${customer}&from=${startMs}&to=${startMs}`,
  );
  assertEquals(status, 200);
  assertEquals(body.rows.length, 1);
  const [{ start, value, timestamp }] = body.rows;
  assertEquals([start, value.count, value.lastOrderId], [
    startMs,
    first.length,
    first.at(-1)!.order!.orderId,
  ]);
  assert(Math.abs(value.total - total) < 1e-6);
  assert(timestamp >= startMs && timestamp < startMs + MINUTE);
  const everyone = await get(`order-stats/windows?from=${startMs}&to=${startMs}&limit=1000`);
  assertEquals(everyone.body.rows.length, 20);
  assertEquals(everyone.body.rows[0].end - everyone.body.rows[0].start, MINUTE);
});

test("What cannot be answered is refused with its reason", async () => {
  const cases: [string, number, string][] = [
    ["no-such-store/keys/a", 404, "no such store"],
    ["no-such-store/count", 404, "no store"],
    ["order-stats/keys/a", 400, "kind timestampedWindow"],
    ["counts-store/sessions?key=a", 400, "kind keyValue"],
    ["counts-store/sessions", 400, "need the parameter key"],
    ["counts-store/keys/a?serde=bigint", 400, "serde"],
    ["counts-store/keys/a?serde=klingon", 400, "klingon"],
    ["counts-store/keys?limit=0", 400, "limit"],
    ["order-stats/windows?from=yesterday", 400, "whole number"],
  ];
  for (const [path, status, reason] of cases) {
    const answer = await get(path);
    assertEquals(answer.status, status, `${path} ${JSON.stringify(answer.body)}`);
    assert(answer.body.detail.includes(reason), `${path} ${answer.body.detail}`);
  }
});

test("What stores hold is shown to who has the token alone", async () => {
  for (const path of ["counts-store/keys", "counts-store/keys/customer-1", "counts-store/count"]) {
    for (const token of ["wrong-horse", ""]) assertEquals((await get(path, token)).status, 401);
  }
  assertEquals((await fetch(`${running.url}/api/v1/stores`)).status, 200);
});

/** Reads events until `enough`. */
async function listen(
  url: string,
  enough: (events: readonly { event: string; data: any }[]) => boolean,
): Promise<{ event: string; data: any }[]> {
  const abort = new AbortController();
  const answer = await fetch(`${url}/api/v1/events`, { signal: abort.signal });
  assertEquals(answer.headers.get("content-type"), "text/event-stream");
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const events: { event: string; data: any }[] = [];
  try {
    while (!enough(events)) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
      const parts = text.split("\n\n");
      text = parts.pop()!;
      for (const part of parts) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(part)!;
        events.push({ event, data: JSON.parse(data) });
      }
    }
  } finally {
    abort.abort();
  }
  return events;
}

test("Events tell the state, its changes, and what moves", async () => {
  const paused = listen(running.url, (events) => events.some(({ data }) => data.paused));
  await systemClock.sleep(500);
  running.streams.pause();
  const events = await paused;
  running.streams.resume();
  assertEquals(events[0].event, "state");
  assertEquals([events[0].data.application, events[0].data.state, events[0].data.paused], [
    running.applicationId,
    "RUNNING",
    false,
  ]);
  assertEquals(Object.values(events[0].data.threads), ["RUNNING", "RUNNING"]);
  const live = events.find(({ event }) => event === "live")!.data[running.applicationId];
  assertEquals(live.nodes["order-counter"], ORDERS);
});

test("The server ends while somebody listens to events", async () => {
  const app = createAdminApp({
    applications: () => [new FakeApplication()],
    limits: { beatTimeoutMs: 1, readinessGraceMs: 1, minLiveThreads: 1 },
    info: {},
    logLevels: () => ({}),
  });
  const server = await serve(app, { host: "127.0.0.1", port: 0 });
  const listening = listen(server.url, () => false).catch(() => []);
  await systemClock.sleep(300);
  await server.close();
  await listening;
});
