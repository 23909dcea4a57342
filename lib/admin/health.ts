/**
 * Whether an instance is live, started and ready. Live: a restart would not help. Started: it has joined its group; restores may go on. Ready: its own
 * tasks process. A broker that is down makes it neither dead nor unready by itself.
 *
 * @module
 */
import type { ApplicationSource, ApplicationStatus } from "./source.ts";

/** A question that an orchestrator asks. */
export type Probe = "live" | "started" | "ready";

/** One thing that was looked at. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** The bounds of health. */
export interface HealthLimits {
  /** A thread whose loop has not gone round for this long hangs (`max.poll.interval.ms`). */
  readonly beatTimeoutMs: number;
  /** `health.readiness.grace.ms` */
  readonly readinessGraceMs: number;
  /** `health.min.live.threads` */
  readonly minLiveThreads: number;
}

/** Looks at all applications; the instance is healthy when every check is. */
export function checkHealth(
  probe: Probe,
  applications: readonly ApplicationSource[],
  limits: HealthLimits,
  nowMs: number,
): HealthCheck[] {
  return applications.flatMap((application) => {
    const status = application.status();
    const prefix = applications.length > 1 ? `${application.applicationId} ` : "";
    return CHECKS[probe](status, limits, nowMs, application)
      .map((check) => ({ ...check, name: prefix + check.name }));
  });
}

type Look = (
  status: ApplicationStatus,
  limits: HealthLimits,
  nowMs: number,
  application: ApplicationSource,
) => HealthCheck[];

const CHECKS: Readonly<Record<Probe, Look>> = { live, started, ready };

function live(status: ApplicationStatus, limits: HealthLimits, nowMs: number): HealthCheck[] {
  const failed = status.state === "ERROR" || status.state === "PENDING_ERROR";
  const checks: HealthCheck[] = [{ name: "state", ok: !failed, detail: status.state }];
  if (status.state === "RUNNING" || status.state === "REBALANCING") {
    checks.push(threadsAlive(status, limits), threadsBeat(status, limits, nowMs));
  }
  return checks;
}

function threadsAlive({ threads }: ApplicationStatus, limits: HealthLimits): HealthCheck {
  const alive = threads.filter((thread) => thread.state !== "DEAD").length;
  return {
    name: "threads",
    ok: alive >= Math.min(limits.minLiveThreads, threads.length),
    detail: `${alive} of ${threads.length} alive`,
  };
}

function threadsBeat(status: ApplicationStatus, limits: HealthLimits, nowMs: number): HealthCheck {
  const stuck = status.threads.filter(({ state, lastBeatMs }) =>
    state !== "DEAD" && lastBeatMs !== undefined && nowMs - lastBeatMs > limits.beatTimeoutMs
  );
  return {
    name: "beat",
    ok: stuck.length === 0,
    detail: stuck.length === 0
      ? "every thread goes round"
      : stuck.map((t) => `${t.name} hangs for ${nowMs - t.lastBeatMs!} ms`).join(", "),
  };
}

function started(status: ApplicationStatus): HealthCheck[] {
  const joined = status.wasRunning ||
    status.threads.some(({ state }) => state === "PARTITIONS_ASSIGNED" || state === "RUNNING");
  const stopping = status.state === "PENDING_SHUTDOWN" || status.state === "NOT_RUNNING";
  const failed = status.state === "ERROR" || status.state === "PENDING_ERROR";
  return [{ name: "joined", ok: (joined || stopping) && !failed, detail: status.state }];
}

function ready(
  status: ApplicationStatus,
  limits: HealthLimits,
  nowMs: number,
  application: ApplicationSource,
): HealthCheck[] {
  const checks: HealthCheck[] = [{
    name: "state",
    ok: status.state === "RUNNING" || rebalancesInPassing(status, limits, nowMs),
    detail: status.state,
  }];
  const missing = status.missingTopics ?? [];
  if (missing.length > 0) {
    checks.push({ name: "topics", ok: false, detail: `missing: ${missing.join(", ")}` });
  }
  const restores = application.restores();
  if (restores.length > 0) {
    const restored = restores.reduce((sum, restore) => sum + restore.restored, 0);
    const all = restores.reduce((sum, restore) => sum + restore.restored + restore.remaining, 0);
    const percent = all === 0 ? 100 : Math.floor(100 * restored / all);
    // Shown, not judged: standbys restore for ever, and a task that restores is not RUNNING anyway.
    checks.push({ name: "restore", ok: true, detail: `${percent} % of ${restores.length} stores` });
  }
  return checks;
}

/** A rebalance after the first does not empty a Service while the instance's own tasks go on. */
function rebalancesInPassing(
  status: ApplicationStatus,
  limits: HealthLimits,
  nowMs: number,
): boolean {
  if (status.state !== "REBALANCING" || !status.wasRunning) return false;
  if (nowMs - status.sinceMs <= limits.readinessGraceMs) return true;
  const active = status.threads.flatMap((thread) => thread.tasks).filter((t) =>
    t.role === "active"
  );
  return active.length > 0 && active.every((task) => task.state === "RUNNING");
}
