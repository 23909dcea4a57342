/** The page in a real browser, while the order application runs in two Workers. */
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { generateOrders } from "../../examples/orders/generator.ts";
import { orders } from "../../examples/orders/topics.ts";
import { createAdminApp } from "../../lib/admin/app.ts";
import { serve } from "../../lib/admin/serve.ts";
import { eventually } from "../runtime/application.ts";
import { type Browser, type BrowserPage, startBrowser } from "../support/browser.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { FakeApplication } from "./fake_application.ts";
import { type RunningOrders, startOrders } from "./orders_running.ts";

const ORDERS = 4_000;
let running: RunningOrders;
let browser: Browser;
let page: BrowserPage;
before(async () => {
  running = await startOrders(makeTempDir("page"), 2);
  browser = await startBrowser();
  page = await browser.open(running.url);
  await eventually(
    "the page shows the topology",
    async () =>
      await page.evaluate("document.querySelectorAll('[data-node]').length") as number > 0,
  );
});
after(async () => {
  await browser?.close();
  await running?.stop();
});

/** What an attribute says on each element that has it. */
const attributes = (name: string) =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll("[data-${name}]")].map((e) => e.dataset.${name})`,
  );
const lagOf = (topic: string) =>
  page.evaluate<number>(
    `Number(document.querySelector('[data-topic="${topic}"][data-role=source]').dataset.lag)`,
  );
const processedBy = (node: string) =>
  page.evaluate<number>(
    `Number(document.querySelector('[data-node="${node}"]').dataset.processed)`,
  );
const figure = (name: string) =>
  page.evaluate<string>(`document.querySelector('[data-figure="${name}"] b').textContent`);

test("The page draws every node of the topology, its topics and its sub-topologies", async () => {
  const described = running.streams.plan!.subtopologies;
  assertEquals(
    (await attributes("node")).sort(),
    described.flatMap(({ nodes }) => nodes.map(({ node }) => node.name)).sort(),
  );
  const topics = new Set(await attributes("topic"));
  for (const { sourceTopics, sinkTopics } of described) {
    // A description has internal topics without the application's id, as in Kafka Streams.
    for (const topic of [...sourceTopics, ...sinkTopics]) {
      assert(topics.has(topic.replace(`${running.applicationId}-`, "")), topic);
    }
  }
  const titles = await page.evaluate<string[]>(
    `[...document.querySelectorAll("svg .sub")].map((e) => e.textContent)`,
  );
  assertEquals(titles, described.map(({ id }) => `Sub-topology ${id}`));
});

test("The page shows the state of each thread and its tasks", async () => {
  const threads = await page.evaluate<string[][]>(
    `[...document.querySelectorAll("[data-thread]")].map((e) => [e.dataset.thread, e.dataset.state])`,
  );
  assertEquals(
    threads,
    [1, 2].map((n) => [`${running.streams.clientId}-StreamThread-${n}`, "RUNNING"]),
  );
  const tasks = running.streams.threads().flatMap((thread) => thread.tasks.map((t) => t.taskId));
  assertEquals((await attributes("task")).sort(), tasks.sort());
  assertEquals(await figure("threads"), "2 of 2");
  assertEquals(await page.evaluate("document.querySelector('h2 .state').textContent"), "RUNNING");
});

test("The page follows the lag up while the application is paused, and down again", async () => {
  assertEquals(await lagOf(orders.topic), 0);
  running.streams.pause();
  await running.feed(generateOrders(ORDERS, { seed: 5, corruptEvery: 0 }));
  await eventually("the page shows the lag", async () => await lagOf(orders.topic) === ORDERS);
  const rows = await page.evaluate<number>(
    `[...document.querySelectorAll("tr[data-lag]")].reduce((sum, e) => sum + Number(e.dataset.lag), 0)`,
  );
  assertEquals(rows, ORDERS);
  assertEquals(await figure("lag"), "4,000");
  assertEquals(await page.evaluate("document.querySelector('h2 .state').textContent"), "PAUSED");
  assertEquals(await processedBy("order-counter"), 0);

  running.streams.resume();
  await eventually("the page shows no lag", async () => await figure("lag") === "0");
  assertEquals(await lagOf(orders.topic), 0);
  assertEquals(await lagOf("orders-with-payments-left-repartition"), 0);
  await eventually(
    "the page shows that a node has processed all",
    async () => await processedBy("order-counter") === ORDERS,
  );
  assert(
    (await attributes("rate")).some((rate) => Number(rate) > 0),
    "some node shows records per second",
  );
  assertEquals(await page.evaluate("document.querySelector('h2 .state').textContent"), "RUNNING");
});

test("The page shows a node's details when it is clicked", async () => {
  await page.evaluate(
    `document.querySelector('[data-node="order-counter"]').dispatchEvent(new MouseEvent("click"))`,
  );
  const detail = await page.evaluate<string>(
    `document.querySelector("[data-part=detail]").textContent`,
  );
  assert(detail.startsWith("order-counter") && detail.includes("store counts-store"), detail);
});

test("The page has no fault in the browser and asks nobody but its own server", async () => {
  assertEquals(page.faults, []);
  assert(page.requests.length > 3);
  for (const url of page.requests) assert(url.startsWith(running.url), url);
});

test("The page shows several applications, restores as bars, errors as text, and that the server is gone", async () => {
  const first = new FakeApplication("first");
  const second = new FakeApplication("second");
  first.restoring = [
    { store: "counts", taskId: "0_0", changelog: "c", partition: 0, restored: 30, remaining: 10 },
  ];
  second.failures = [
    { atMs: 0, thread: "t", taskId: "0_0", name: "Error", message: "<img src=x onerror=alert(1)>" },
  ];
  const app = createAdminApp({
    applications: () => [first, second],
    limits: { beatTimeoutMs: 1, readinessGraceMs: 1, minLiveThreads: 1 },
    info: { version: "0.1.0", runtime: "test" },
    logLevels: () => ({}),
    basePath: "/weir",
  });
  const server = await serve(app, { host: "127.0.0.1", port: 0 });
  try {
    const fake = await browser.open(`${server.url}/weir`);
    await eventually(
      "both are shown",
      async () => await fake.evaluate("document.querySelectorAll('[data-node]').length") === 6,
    );
    const width = `document.querySelector('tr[data-restore="counts"] .bar i').style.width`;
    assertEquals(await fake.evaluate(width), "75%");
    const part = (application: string, name: string) =>
      fake.evaluate<string>(
        `document.querySelector('[data-application="${application}"] [data-part="${name}"]').textContent`,
      );
    assert((await part("second", "errors")).includes("Error: <img src=x onerror=alert(1)>"));
    assert((await part("second", "restore")).includes("none"));
    assertEquals(await fake.evaluate("document.images.length"), 0);
    assertEquals(fake.faults, []);
    await server.close();
    await eventually(
      "the page says so",
      async () =>
        (await fake.evaluate<string>("document.querySelector('#lost').textContent"))
          .startsWith("no answer"),
    );
  } finally {
    await server.close();
  }
});
