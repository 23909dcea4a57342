/**
 * The admin server: health, metrics, topology, and what the application does, as JSON. Reading is open; whatever changes something, or shows what stores hold, needs the bearer token.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { type Clock, systemClock } from "../record/time.ts";
import { LOG_LEVELS } from "../telemetry/logger.ts";
import { mergeSnapshots, withSummary } from "../telemetry/merge.ts";
import type { MetricsSnapshot } from "../telemetry/metrics.ts";
import { renderPrometheus } from "../telemetry/prometheus.ts";
import { inRequestSpan } from "../telemetry/tracing.ts";
import { checkHealth, type HealthLimits, type Probe } from "./health.ts";
import { eventStream } from "./events.ts";
import { PAGE, PAGE_POLICY } from "./page.ts";
import type { ApplicationSource } from "./source.ts";
import { answerStoreQuestion, type StoreQuestion } from "./store_queries.ts";
import { topologyAsJson, topologyAsMermaid } from "./topology_formats.ts";

/** What the server is made with. */
export interface AdminOptions {
  /** The applications of this process; asked at each request, as they may come and go. */
  readonly applications: () => readonly ApplicationSource[];
  readonly limits: HealthLimits;
  /** Facts about the process: version, runtime and the like. */
  readonly info: Readonly<Record<string, string | number>>;
  /** Metrics of the process itself, beside those of the applications. */
  readonly processMetrics?: () => MetricsSnapshot;
  /** `admin.token`; without it nothing can be changed. */
  readonly token?: string | undefined;
  /** `admin.base.path` */
  readonly basePath?: string | undefined;
  /** Levels of this isolate's log that are set now. */
  readonly logLevels: () => Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

/** The app; `fetch` of it answers a `Request`, so that tests need no server. */
export interface AdminApp {
  fetch(request: Request): Response | Promise<Response>;
}

/** Makes the admin server's app. */
export function createAdminApp(options: AdminOptions): AdminApp {
  const app = new Hono().basePath(options.basePath ?? "/");
  app.use(traced);
  app.use(async (c, next) => {
    await next();
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Cache-Control", "no-store");
  });
  addHealth(app, options);
  addViews(app, options);
  addApi(app, options);
  addActions(app, options);
  addStoreQueries(app, options);
  app.get("/", (c) => c.html(PAGE, 200, { "Content-Security-Policy": PAGE_POLICY }));
  app.notFound((c) => problem(c, 404, "There is nothing at this address", c.req.path));
  app.onError((error, c) => problem(c, 500, "The request failed", error.message));
  return app;
}

const traced: MiddlewareHandler = (c, next) =>
  inRequestSpan(c.req.method, {
    kind: "server",
    traceparent: c.req.header("traceparent"),
    attributes: { "http.request.method": c.req.method, "url.path": c.req.path },
  }, async (_, span) => {
    await next();
    span.updateName(`${c.req.method} ${c.req.routePath}`);
    span.setAttributes({
      "http.route": c.req.routePath,
      "http.response.status_code": c.res.status,
    });
  });

function problem(
  c: Context,
  status: 400 | 401 | 403 | 404 | 500 | 503,
  title: string,
  detail: string,
) {
  return c.body(JSON.stringify({ type: "about:blank", title, status, detail }), status, {
    "Content-Type": "application/problem+json",
  });
}

/** Text with its type: Hono leaves the type to the runtime, and Bun sets none before the answer is on its way. */
function plain(c: Context, text: string, status: 200 | 503 = 200) {
  return c.body(text, status, { "Content-Type": "text/plain; charset=UTF-8" });
}

function addHealth(app: Hono, { applications, limits, clock = systemClock }: AdminOptions): void {
  const answer = (probe: Probe) => (c: Context) => {
    const checks = checkHealth(probe, applications(), limits, clock.now());
    const ok = checks.every((check) => check.ok);
    const status = ok ? 200 : 503;
    if (c.req.header("accept")?.includes("application/json")) {
      return c.json({ status: ok ? "UP" : "DOWN", checks }, status);
    }
    const lines = checks.map(({ ok, name, detail }) => `[${ok ? "+" : "-"}]${name} ${detail}\n`);
    const verdict = `${probe} check ${ok ? "passed" : "failed"}\n`;
    const verbose = c.req.query("verbose") !== undefined || !ok;
    return plain(c, verbose ? lines.join("") + verdict : "ok\n", status);
  };
  for (const path of ["/healthz", "/livez", "/health/live"]) app.get(path, answer("live"));
  for (const path of ["/readyz", "/health/ready"]) app.get(path, answer("ready"));
  for (const path of ["/startupz", "/health/started"]) app.get(path, answer("started"));
}

function addViews(app: Hono, options: AdminOptions): void {
  const { applications } = options;
  app.get("/metrics", async (c) => {
    const { body, contentType } = await renderPrometheus(
      allMetrics(options),
      c.req.header("accept"),
    );
    return c.body(body, 200, { "Content-Type": contentType });
  });
  app.get("/topology", (c) => {
    const wanted = c.req.query("application");
    const shown = applications().filter((a) => wanted === undefined || a.applicationId === wanted);
    if (shown.length === 0) {
      return problem(c, 404, "There is no such application", wanted ?? "none runs");
    }
    const format = c.req.query("format") ?? "text";
    switch (format) {
      case "text":
        return plain(c, shown.map((a) => a.describe().toString()).join("\n"));
      case "mermaid":
        return plain(c, shown.map((a) => topologyAsMermaid(a.describe())).join("\n"));
      case "json":
        return c.json(
          shown.length === 1 ? topologyAsJson(shown[0].describe()) : shown.map((a) => ({
            applicationId: a.applicationId,
            ...topologyAsJson(a.describe()) as object,
          })),
        );
      default:
        return problem(c, 400, "format must be text, json or mermaid", format);
    }
  });
  app.get("/config", (c) => {
    const all = applications();
    return c.json(all.length === 1 ? all[0].config() : byApplication(all, (a) => a.config()));
  });
}

function allMetrics({ applications, processMetrics }: AdminOptions): MetricsSnapshot {
  return mergeSnapshots([
    ...applications().map((a) => withSummary(a.metrics(), a.applicationId)),
    ...(processMetrics ? [processMetrics()] : []),
  ]);
}

function byApplication<T>(
  applications: readonly ApplicationSource[],
  view: (application: ApplicationSource) => T,
): Record<string, T> {
  return Object.fromEntries(applications.map((a) => [a.applicationId, view(a)]));
}

function addApi(app: Hono, options: AdminOptions): void {
  const views: Readonly<Record<string, (application: ApplicationSource) => unknown>> = {
    state: (a) => {
      const { threads, ...status } = a.status();
      return { ...status, threads: threads.length };
    },
    threads: (a) => a.status().threads.map(({ tasks, ...t }) => ({ ...t, tasks: tasks.length })),
    tasks: (a) =>
      a.status().threads.flatMap(({ name, tasks }) => tasks.map((t) => ({ thread: name, ...t }))),
    lag: (a) => a.lag(),
    stores: (a) => a.stores(),
    restore: (a) => a.restores(),
    errors: (a) => a.errors(),
    nodes: (a) => a.nodes(),
    live: liveView,
    config: (a) => a.config(),
    topology: (a) => topologyAsJson(a.describe()),
  };
  // Each view answers an object by application id, whether there is one application or several.
  for (const [name, view] of Object.entries(views)) {
    app.get(`/api/v1/${name}`, (c) => c.json(byApplication(options.applications(), view)));
  }
  app.get("/api/v1/info", (c) =>
    c.json({
      ...options.info,
      loggers: options.logLevels(),
      applications: options.applications().map(({ applicationId, clientId, processId }) => ({
        applicationId,
        clientId,
        processId,
      })),
    }));
  app.get("/api/v1/events", (c) => {
    const events = eventStream(options.applications, liveView);
    return c.body(events, 200, { "Content-Type": "text/event-stream" });
  });
  app.get("/api/v1/metrics", (c) => c.json(allMetrics(options)));
}

/** What stores hold is the application's business: it needs the token, as changes do. */
function addStoreQueries(app: Hono, options: AdminOptions): void {
  const allowed = needsToken(options.token);
  const answer = async (c: Context, what: StoreQuestion["what"]) => {
    const wanted = c.req.query("application");
    const application = options.applications()
      .find((a) => wanted === undefined || a.applicationId === wanted);
    if (application === undefined) return problem(c, 404, "There is no such application", wanted!);
    const answered = await answerStoreQuestion(application, {
      store: c.req.param("store")!,
      what,
      key: c.req.param("key") ?? c.req.query("key"),
      parameter: (name) => c.req.query(name),
    });
    if (answered.status === 200) return c.json(answered.body as object);
    if (answered.status === 503) c.header("Retry-After", "1");
    return problem(c, answered.status, "The store has no answer", answered.problem);
  };
  for (const what of ["keys", "windows", "sessions", "versions", "count"] as const) {
    app.get(`/api/v1/stores/:store/${what}`, allowed, (c) => answer(c, what));
  }
  app.get("/api/v1/stores/:store/keys/:key", allowed, (c) => answer(c, "keys"));
}

/** All that moves, of one moment: what the page asks for again and again. */
function liveView(application: ApplicationSource): unknown {
  const { threads, ...state } = application.status();
  return {
    state,
    threads,
    lag: application.lag(),
    stores: application.stores(),
    restore: application.restores(),
    errors: application.errors(),
    nodes: application.nodes(),
  };
}

function addActions(app: Hono, options: AdminOptions): void {
  const allowed = needsToken(options.token);
  for (const action of ["pause", "resume"] as const) {
    app.post(`/api/v1/actions/${action}`, allowed, (c) => {
      const wanted = c.req.query("application");
      const chosen = options.applications()
        .filter((a) => wanted === undefined || a.applicationId === wanted);
      if (chosen.length === 0) return problem(c, 404, "There is no such application", wanted ?? "");
      for (const application of chosen) application[action]();
      return c.json({ [action]: chosen.map((a) => a.applicationId) }, 202);
    });
  }
  app.get("/api/v1/loggers", (c) => c.json(options.logLevels()));
  app.put("/api/v1/loggers/:name", allowed, async (c) => {
    const level = oneOf(LOG_LEVELS, await levelOf(c));
    if (level === undefined) return refuseLevel(c, LOG_LEVELS);
    const log = { name: c.req.param("name"), level };
    for (const application of options.applications()) application.setLevels({ log });
    return c.json({ ...options.logLevels(), [log.name]: level });
  });
  app.put("/api/v1/metrics/recording-level", allowed, async (c) => {
    const level = oneOf(RECORDING_LEVELS, await levelOf(c));
    if (level === undefined) return refuseLevel(c, RECORDING_LEVELS);
    for (const application of options.applications()) application.setLevels({ recording: level });
    return c.json({ level });
  });
}

const RECORDING_LEVELS = ["info", "debug", "trace"] as const;

function oneOf<T extends string>(allowed: readonly T[], given: string): T | undefined {
  return allowed.find((each) => each === given);
}

function refuseLevel(c: Context, allowed: readonly string[]) {
  return problem(c, 400, "There is no such level", `level must be one of ${allowed.join(", ")}`);
}

async function levelOf(c: Context): Promise<string> {
  const body = await c.req.json<{ level?: unknown }>().catch(() => ({ level: undefined }));
  return String(body?.level);
}

function needsToken(token: string | undefined): MiddlewareHandler {
  return async (c, next) => {
    if (token === undefined) {
      return problem(c, 403, "This is off", "Set admin.token, and send it as a bearer token");
    }
    const given = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
    if (!sameText(given, token)) {
      c.header("WWW-Authenticate", "Bearer");
      return problem(c, 401, "A valid bearer token is needed", "The token is that of admin.token");
    }
    await next();
  };
}

/** Compares in a time that tells nothing about where the texts differ. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
