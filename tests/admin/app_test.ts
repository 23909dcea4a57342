import { test } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type AdminOptions, createAdminApp } from "../../lib/admin/app.ts";
import { serve } from "../../lib/admin/serve.ts";
import { ManualClock } from "../../lib/record/time.ts";
import { withSdk } from "../support/otel.ts";
import { FakeApplication } from "./fake_application.ts";

const LIMITS = { beatTimeoutMs: 300_000, readinessGraceMs: 15_000, minLiveThreads: 1 };

function appOf(
  applications: readonly FakeApplication[] = [new FakeApplication()],
  more: Partial<AdminOptions> = {},
) {
  const app = createAdminApp({
    applications: () => applications,
    limits: LIMITS,
    info: { version: "0.1.0", runtime: "test" },
    logLevels: () => ({ root: "info" }),
    clock: new ManualClock(),
    ...more,
  });
  return (path: string, init?: RequestInit) => app.fetch(new Request(`http://x${path}`, init));
}

test("GET /metrics gives Prometheus text with Kafka Streams' and the order system's names", async () => {
  const response = await appOf()("/metrics");
  assertStringIncludes(response.headers.get("content-type")!, "text/plain");
  const body = await response.text();
  assertStringIncludes(body, 'kafka_streams_records_lag_max{application_id="orders"} 7');
  assertStringIncludes(body, 'kafka_streams_commit_total{application_id="orders"} 1');
  assertStringIncludes(body, "kafka_stream_thread_commit_latency_max");
});

test("GET /metrics keeps two applications apart", async () => {
  const body = await (await appOf([new FakeApplication("a"), new FakeApplication("b")])("/metrics"))
    .text();
  assertStringIncludes(body, 'kafka_streams_commit_total{application_id="a"} 1');
  assertStringIncludes(body, 'kafka_streams_commit_total{application_id="b"} 1');
});

test("GET /topology gives describe() byte for byte, and JSON and Mermaid when asked", async () => {
  const application = new FakeApplication();
  const request = appOf([application]);
  const text = await request("/topology");
  assertStringIncludes(text.headers.get("content-type")!, "text/plain");
  assertEquals(await text.text(), application.describe().toString());
  const json = await (await request("/topology?format=json")).json();
  assertEquals(json.subtopologies[0].nodes.map((node: { type: string }) => node.type), [
    "SOURCE",
    "PROCESSOR",
    "SINK",
  ]);
  const mermaid = await (await request("/topology?format=mermaid")).text();
  assertStringIncludes(mermaid, "flowchart TD");
  assertStringIncludes(mermaid, "t_in --> n_source");
  assertEquals((await request("/topology?format=png")).status, 400);
  assertEquals((await request("/topology?application=other")).status, 404);
});

test("GET /config shows no secret", async () => {
  assertEquals(await (await appOf()("/config")).json(), {
    "application.id": "orders",
    "sasl.password": "[hidden]",
  });
});

for (
  const name of [
    "state",
    "threads",
    "tasks",
    "lag",
    "stores",
    "restore",
    "errors",
    "config",
    "topology",
  ]
) {
  test(`GET /api/v1/${name} answers by application`, async () => {
    const response = await appOf()(`/api/v1/${name}`);
    assertEquals(response.status, 200);
    assertEquals(Object.keys(await response.json()), ["orders"]);
  });
}

test("GET /api/v1/info names the process and its applications", async () => {
  const info = await (await appOf()("/api/v1/info")).json();
  assertEquals(info.version, "0.1.0");
  assertEquals(info.applications[0].applicationId, "orders");
});

test("An unknown address is answered as problem+json", async () => {
  const response = await appOf()("/api/v1/nothing");
  assertEquals(response.status, 404);
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  assertEquals((await response.json()).status, 404);
});

test("Changes are off without a token, and need it when there is one", async () => {
  const application = new FakeApplication();
  const post = { method: "POST" };
  assertEquals((await appOf([application])("/api/v1/actions/pause", post)).status, 403);
  const request = appOf([application], { token: "correct-horse" });
  assertEquals((await request("/api/v1/actions/pause", post)).status, 401);
  const wrong = { ...post, headers: { authorization: "Bearer wrong-horse" } };
  assertEquals((await request("/api/v1/actions/pause", wrong)).status, 401);
  assertEquals(application.calls, []);
  const right = { ...post, headers: { authorization: "Bearer correct-horse" } };
  assertEquals((await request("/api/v1/actions/pause", right)).status, 202);
  assertEquals((await request("/api/v1/actions/resume", right)).status, 202);
  assertEquals(application.calls, ["pause", "resume"]);
  assertEquals((await request("/api/v1/actions/pause?application=x", right)).status, 404);
});

test("Log levels and the recording level change while running", async () => {
  const application = new FakeApplication();
  const request = appOf([application], { token: "correct-horse" });
  const put = (path: string, level: unknown, token = "correct-horse") =>
    request(path, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ level }),
    });
  assertEquals(await (await put("/api/v1/loggers/kafka", "debug")).json(), {
    root: "info",
    kafka: "debug",
  });
  assertEquals((await put("/api/v1/loggers/kafka", "loud")).status, 400);
  assertEquals((await put("/api/v1/loggers/kafka", "info", "wrong-horse")).status, 401);
  assertEquals((await put("/api/v1/metrics/recording-level", "debug")).status, 200);
  assertEquals((await put("/api/v1/metrics/recording-level", "loud")).status, 400);
  assertEquals((await put("/api/v1/metrics/recording-level", "info", "wrong-horse")).status, 401);
  assertEquals(application.calls, [
    '{"log":{"name":"kafka","level":"debug"}}',
    '{"recording":"debug"}',
  ]);
  assertEquals(await (await request("/api/v1/loggers")).json(), { root: "info" });
});

test("The page loads nothing from elsewhere", async () => {
  const response = await appOf()("/");
  assertStringIncludes(response.headers.get("content-security-policy")!, "default-src 'none'");
  const page = await response.text();
  assertStringIncludes(page, "<title>Weir</title>");
  assert(!/(src|href)="https?:/.test(page));
});

test("The app answers under its base path", async () => {
  const request = appOf(undefined, { basePath: "/weir" });
  for (const path of ["/weir", "/weir/healthz", "/weir/metrics"]) {
    assertEquals((await request(path)).status, 200, path);
  }
  assertEquals((await request("/healthz")).status, 404);
});

test("serve answers over HTTP on a free port, and refuses one that is taken", async () => {
  const app = { fetch: async (request: Request) => new Response(`got ${await request.text()}`) };
  const server = await serve(app, { host: "127.0.0.1", port: 0 });
  try {
    assertEquals(await (await fetch(`${server.url}/`)).text(), "got ");
    const post = await fetch(`${server.url}/`, { method: "POST", body: "abc" });
    assertEquals(await post.text(), "got abc");
    const large = await fetch(`${server.url}/`, { method: "POST", body: "x".repeat(70_000) });
    await large.body?.cancel();
    assertEquals(large.status, 413);
    let refused = "";
    await serve(app, { host: "127.0.0.1", port: server.port }).catch((e) =>
      void (refused = e.message)
    );
    assertStringIncludes(refused, `127.0.0.1:${server.port}`);
  } finally {
    await server.close();
  }
});

test("serve ends right after a request that was too large", async () => {
  const server = await serve({ fetch: () => new Response("fine") }, { host: "127.0.0.1", port: 0 });
  await (await fetch(server.url, { method: "POST", body: "x".repeat(70_000) })).text();
  await server.close();
});

test("The admin server spans a request by its route, in the trace that it came with", () =>
  withSdk(async (spans) => {
    const traceparent = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;
    await appOf()("/healthz", { headers: { traceparent } });
    await appOf()("/nowhere");
    const [health, nowhere] = spans();
    assertEquals([health.name, health.traceId, health.parent], [
      "GET /healthz",
      "c".repeat(32),
      "d".repeat(16),
    ]);
    assertEquals(health.attributes, {
      "http.request.method": "GET",
      "url.path": "/healthz",
      "http.route": "/healthz",
      "http.response.status_code": 200,
    });
    assertEquals(nowhere.attributes["http.response.status_code"], 404);
  }));
