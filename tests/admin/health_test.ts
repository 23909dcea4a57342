import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { createAdminApp } from "../../lib/admin/app.ts";
import type { ApplicationStatus } from "../../lib/admin/source.ts";
import { ManualClock } from "../../lib/record/time.ts";
import { FakeApplication } from "./fake_application.ts";

const LIMITS = { beatTimeoutMs: 1000, readinessGraceMs: 100, minLiveThreads: 1 };

async function probes(status: Partial<ApplicationStatus>, nowMs = 0): Promise<number[]> {
  const application = new FakeApplication();
  application.current = { ...application.current, ...status };
  const app = createAdminApp({
    applications: () => [application],
    limits: LIMITS,
    info: {},
    logLevels: () => ({}),
    clock: new ManualClock(nowMs),
  });
  const statuses: number[] = [];
  for (const path of ["/livez", "/startupz", "/readyz"]) {
    statuses.push((await app.fetch(new Request(`http://x${path}`))).status);
  }
  return statuses;
}

const [ACTIVE] = new FakeApplication().current.threads;
const RESTORING = {
  ...ACTIVE,
  state: "PARTITIONS_ASSIGNED" as const,
  tasks: [{ ...ACTIVE.tasks[0], state: "RESTORING" }],
};
const STARTING = { ...ACTIVE, state: "STARTING" as const, lastBeatMs: undefined, tasks: [] };

// [live, started, ready]
const CASES: [name: string, status: Partial<ApplicationStatus>, nowMs: number, want: number[]][] = [
  ["created", { state: "CREATED", wasRunning: false, threads: [STARTING] }, 0, [200, 503, 503]],
  ["joining", { state: "REBALANCING", wasRunning: false, threads: [STARTING] }, 0, [200, 503, 503]],
  [
    "restoring for the first time",
    {
      state: "REBALANCING",
      wasRunning: false,
      threads: [RESTORING],
    },
    0,
    [200, 200, 503],
  ],
  ["running", {}, 0, [200, 200, 200]],
  ["rebalancing within the grace", { state: "REBALANCING", threads: [RESTORING] }, 50, [
    200,
    200,
    200,
  ]],
  ["rebalancing longer, own tasks running", { state: "REBALANCING" }, 500, [200, 200, 200]],
  [
    "rebalancing longer, own tasks not running",
    {
      state: "REBALANCING",
      threads: [RESTORING],
    },
    500,
    [200, 200, 503],
  ],
  ["stopping", { state: "PENDING_SHUTDOWN" }, 0, [200, 200, 503]],
  ["failing", { state: "PENDING_ERROR" }, 0, [503, 503, 503]],
  ["failed", { state: "ERROR" }, 0, [503, 503, 503]],
  ["all threads dead", { threads: [{ ...ACTIVE, state: "DEAD" }] }, 0, [503, 200, 200]],
  ["a thread that hangs", {}, 5000, [503, 200, 200]],
  ["a missing topic", { missingTopics: ["in"] }, 0, [200, 200, 503]],
];
for (const [name, status, nowMs, want] of CASES) {
  test(`Health of an application: ${name}`, async () => {
    assertEquals(await probes(status, nowMs), want);
  });
}

test("A probe tells what failed, and everything when it is asked verbosely", async () => {
  const application = new FakeApplication();
  const app = createAdminApp({
    applications: () => [application],
    limits: LIMITS,
    info: {},
    logLevels: () => ({}),
    clock: new ManualClock(),
  });
  const text = async (path: string, headers = {}) =>
    await (await app.fetch(new Request(`http://x${path}`, { headers }))).text();
  assertEquals(await text("/healthz"), "ok\n");
  application.restoring = [
    { store: "s", taskId: "0_0", changelog: "c", partition: 0, restored: 25, remaining: 75 },
  ];
  assertEquals(
    await text("/readyz?verbose"),
    "[+]state RUNNING\n[+]restore 25 % of 1 stores\nready check passed\n",
  );
  application.current = { ...application.current, state: "ERROR" };
  assertEquals(await text("/healthz"), "[-]state ERROR\nlive check failed\n");
  assertEquals(JSON.parse(await text("/healthz", { accept: "application/json" })), {
    status: "DOWN",
    checks: [{ name: "state", ok: false, detail: "ERROR" }],
  });
});
