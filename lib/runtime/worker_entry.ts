import { parseConfig, type StreamsConfig } from "../config.ts";
import { callAfter } from "../record/time.ts";
import { cacheBudget } from "../state/cache_budget.ts";
import type { MetricsRegistry } from "../telemetry/metrics.ts";
import { compileTopology, type TopologyPlan } from "../topology/compile.ts";
import { GlobalState } from "./global_state.ts";
import type { QueryResult } from "../state/query.ts";
import type { StateStore } from "../state/store.ts";
import { askStore, packAnswer } from "./state_queries.ts";
import { sharedStateHome } from "./state_home.ts";
import { logDropped } from "./dropped_log.ts";
import { childLog } from "./runtime_log.ts";
import type { RestoreListener } from "./store_restorer.ts";
import { StreamThread } from "./stream_thread.ts";
import type { StateHome, StreamsHost } from "./streams_host.ts";
import { taskSettings } from "./task_settings.ts";
import type { Changelog } from "./task_stores.ts";
import type { UncaughtExceptionResponse } from "./uncaught_exception.ts";
import { metricsRegistry, threadSettings } from "./thread_settings.ts";
import { buildTopology } from "./topology_source.ts";
import { importTracing } from "./tracing_module.ts";
import {
  errorData,
  type WorkerCommand,
  type WorkerEvent,
  type WorkerOrder,
} from "./worker_messages.ts";

/** The Worker's end of the line. */
export interface WorkerLine {
  post(event: WorkerEvent): void;
  onCommand(listener: (command: WorkerCommand) => void): void;
}

/** What a Worker's thread runs on; the state directory is locked by the main isolate. */
export type WorkerHost = Omit<StreamsHost, "openState" | "startWorker">;

/** How often the thread's report is posted (ms). */
const REPORT_MS = 500;

/** Serves one thread: waits for its order, runs it and tells how it goes. Called by the Worker's module. */
export function serveThread(
  line: WorkerLine,
  hostFor: (config: StreamsConfig) => WorkerHost,
): void {
  let thread: StreamThread | undefined;
  let globalStores: ReadonlyMap<string, StateStore> = new Map();
  let before: WorkerCommand[] = [];
  line.onCommand((command) => {
    if (command.kind === "start") {
      run(command.order, line, hostFor, (made, stores) => {
        thread = made;
        globalStores = stores;
        for (const waiting of before) apply(made, waiting);
        before = [];
      }).then(
        (failure) => line.post({ kind: "ended", failure: failure && errorData(failure) }),
        (error) => line.post({ kind: "ended", failure: errorData(error) }),
      );
    } else if (command.kind === "query" && thread === undefined) {
      line.post({ kind: "answer", id: command.id, results: [] });
    } else if (thread === undefined) before.push(command);
    else if (command.kind === "query") void answer(thread, globalStores, command, line);
    else apply(thread, command);
  });
}

function apply(thread: StreamThread, command: WorkerCommand): void {
  if (command.kind === "shutdown") thread.shutdown(command.deadlineMs, command.way);
  else if (command.kind === "pause") thread.setPaused(command.paused);
  else if (command.kind === "levels") thread.setLevels(command.levels);
}

async function answer(
  thread: StreamThread,
  globalStores: ReadonlyMap<string, StateStore>,
  { id, request }: WorkerCommand & { readonly kind: "query" },
  line: WorkerLine,
): Promise<void> {
  const global = globalStores.get(request.store);
  const answers = global === undefined
    ? await thread.query(request)
    : new Map([[0, askStore(global, request)]]);
  const results = [...answers].map(([partition, result]) => [partition, crossing(result)] as const);
  try {
    line.post({ kind: "answer", id, results });
  } catch (cause) {
    // A value that cannot be cloned, such as one with a function in it.
    const message = `Cannot hand the answer over from the thread's Worker: ${
      (cause as Error).message
    }`;
    const failed = results.map(([partition]) =>
      [partition, { ok: false, reason: "store-exception", message }] as const
    );
    line.post({ kind: "answer", id, results: failed });
  }
}

function crossing(result: QueryResult<unknown>): QueryResult<unknown> {
  if (result.ok) return { ...result, result: packAnswer(result.result) };
  // A cause may be anything, and need not cross.
  const { cause: _, ...failure } = result;
  return failure;
}

async function run(
  order: WorkerOrder,
  line: WorkerLine,
  hostFor: (config: StreamsConfig) => WorkerHost,
  made: (thread: StreamThread, globalStores: ReadonlyMap<string, StateStore>) => void,
): Promise<Error | undefined> {
  const config = parseConfig(order.config);
  const host = hostFor(config);
  const flushTraces = await importTracing(config.tracingModule, host.log);
  const topology = await buildTopology(order.source, config.values);
  const plan = compileTopology(topology, {
    applicationId: config.applicationId!,
    cacheMaxBytes: config.statestoreCacheMaxBytes,
  });
  const home = sharedStateHome(order.place, order.identity.index);
  const global = await openGlobal(plan, order, config, host, home);
  const metrics = metricsRegistry(config, host.clock);
  const thread = makeThread({ plan, order, config, host, home, global, metrics, line });
  made(thread, global?.stores ?? new Map());
  const stopReports = postReports(thread, metrics, line);
  // The global stores end only with a failure, and the thread cannot go on without them.
  let globalFailure: Error | undefined;
  void global?.run().then((failure) => {
    globalFailure = failure;
    if (failure === undefined) return;
    thread.shutdown(host.clock.now(), { leaveGroup: false, tellGroup: false });
  });
  const failure = await thread.run();
  stopReports();
  await flushTraces();
  await global?.close();
  return failure ?? globalFailure;
}

async function openGlobal(
  plan: TopologyPlan,
  order: WorkerOrder,
  config: StreamsConfig,
  { clients, clock, log, serdes }: WorkerHost,
  home: StateHome,
): Promise<GlobalState | undefined> {
  if (plan.global === undefined) return undefined;
  const state = new GlobalState({
    plan,
    settings: threadSettings(config, order.identity),
    taskSettings: taskSettings(config.values),
    clients,
    serdes,
    home,
    clock,
    log,
  });
  await state.open();
  return state;
}

interface ThreadMaking {
  readonly plan: TopologyPlan;
  readonly order: WorkerOrder;
  readonly config: StreamsConfig;
  readonly host: WorkerHost;
  readonly home: StateHome;
  readonly global: GlobalState | undefined;
  readonly metrics: MetricsRegistry;
  readonly line: WorkerLine;
}

function makeThread(
  { plan, order, config, host, home, global, metrics, line }: ThreadMaking,
): StreamThread {
  const cacheBytes = config.statestoreCacheMaxBytes / config.numStreamThreads;
  return new StreamThread({
    name: order.identity.name,
    plan,
    settings: threadSettings(config, order.identity),
    clients: host.clients,
    serdes: host.serdes,
    metrics,
    log: childLog(host.log, { thread_id: order.identity.name }, "stream-thread"),
    setLogLevel: host.setLogLevel,
    restoreListener: order.tellRestores ? restoreTeller(line) : {},
    onState: (next, previous) => line.post({ kind: "state", next, previous }),
    onFailure: (failure) => askVerdict(line, failure),
    surroundings: {
      settings: taskSettings(config.values),
      states: home,
      cache: cacheBytes > 0 ? cacheBudget(cacheBytes) : undefined,
      clock: host.clock,
      globalStores: global?.stores ?? new Map(),
      onDropped: logDropped(
        childLog(host.log, { thread_id: order.identity.name }, "stream-thread"),
      ),
    },
  });
}

/** Asks the main isolate, which has the handler. */
function askVerdict(line: WorkerLine, failure: Error): Promise<UncaughtExceptionResponse> {
  return new Promise((resolve) => {
    line.onCommand((command) => {
      if (command.kind === "verdict") resolve(command.response);
    });
    line.post({ kind: "failed", failure: errorData(failure) });
  });
}

function restoreTeller(line: WorkerLine): RestoreListener {
  const tell =
    (event: "start" | "batch" | "end" | "suspended") =>
    (changelog: Changelog, first: number, second = 0) =>
      line.post({ kind: "restore", event, changelog, first, second });
  return {
    onRestoreStart: tell("start"),
    onBatchRestored: tell("batch"),
    onRestoreEnd: tell("end"),
    onRestoreSuspended: tell("suspended"),
  };
}

/** Posts the thread's report again and again; the function it gives back ends that. */
function postReports(thread: StreamThread, metrics: MetricsRegistry, line: WorkerLine): () => void {
  let callOff = () => {};
  const post = () => {
    line.post({ kind: "report", report: { ...thread.report(), metrics: metrics.snapshot() } });
    callOff = callAfter(REPORT_MS, post);
  };
  post();
  return () => callOff();
}
