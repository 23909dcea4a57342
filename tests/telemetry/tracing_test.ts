import { test } from "node:test";
import {
  type Context,
  propagation,
  type Span,
  type SpanContext,
  type SpanOptions,
  trace,
} from "@opentelemetry/api";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Headers } from "../../lib/record/headers.ts";
import { inRequestSpan, traceFacts, Tracing } from "../../lib/telemetry/tracing.ts";

interface Recorded {
  readonly name: string;
  readonly options: SpanOptions;
  readonly parent: SpanContext | undefined;
  readonly context: SpanContext;
  readonly attributes: Record<string, unknown>;
  ended: boolean;
  failed: boolean;
}

/** A stand-in for an SDK: it records spans, and carries them in traceparent. */
function registerSdk(): Recorded[] {
  const spans: Recorded[] = [];
  const startSpan = (name: string, options: SpanOptions, context: Context): Span => {
    const parent = options.root ? undefined : trace.getSpanContext(context);
    const recorded: Recorded = {
      name,
      options,
      parent,
      context: {
        traceId: parent?.traceId ?? String(spans.length + 1).padStart(32, "a"),
        spanId: String(spans.length + 1).padStart(16, "b"),
        traceFlags: 1,
      },
      attributes: { ...options.attributes },
      ended: false,
      failed: false,
    };
    spans.push(recorded);
    return {
      spanContext: () => recorded.context,
      end: () => void (recorded.ended = true),
      setStatus: () => void (recorded.failed = true),
      setAttribute: (key: string, value: unknown) => void (recorded.attributes[key] = value),
      recordException: () => {},
    } as unknown as Span;
  };
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) } as any);
  propagation.setGlobalPropagator({
    fields: () => ["traceparent"],
    inject(context, carrier, setter) {
      const { traceId, spanId } = trace.getSpanContext(context)!;
      setter.set(carrier, "traceparent", `00-${traceId}-${spanId}-01`);
    },
    extract(context, carrier, getter) {
      const text = String(getter.get(carrier, "traceparent") ?? "");
      const [, traceId, spanId] = text.split("-");
      if (!spanId) return context;
      return trace.setSpanContext(context, { traceId, spanId, traceFlags: 1, isRemote: true });
    },
  });
  return spans;
}

const PARENT = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;
const OPTIONS = { applicationId: "orders", clientId: "c" };
const RECORD = {
  topic: "in",
  partition: 3,
  offset: 42,
  taskId: "0_3",
  headers: Headers.EMPTY.add("traceparent", PARENT),
};

test("Tracing does nothing while no SDK is registered", () => {
  const tracing = new Tracing(OPTIONS);
  assertEquals(tracing.enabled, false);
  assertEquals(tracing.beginRecord(RECORD), undefined);
  assertEquals(tracing.inject(RECORD.headers, "out"), RECORD.headers);
  assertEquals(tracing.beginCommit(1), undefined);
  tracing.endRecord(undefined);
  tracing.endCommit(undefined);
});

test("Tracing continues a record's trace into what is sent, and links a commit to it", () => {
  const spans = registerSdk();
  try {
    const tracing = new Tracing(OPTIONS);
    assert(tracing.enabled);
    const span = tracing.beginRecord(RECORD);
    const sent = tracing.inject(RECORD.headers.add("other", "x"), "out");
    tracing.endRecord(span);
    const commit = tracing.beginCommit(1);
    tracing.endCommit(commit);

    const [process, send, settled] = spans;
    assertEquals(process.name, "process in");
    assertEquals(process.parent!.spanId, "d".repeat(16));
    assertEquals(process.attributes["messaging.kafka.offset"], 42);
    assertEquals(process.attributes["messaging.destination.partition.id"], "3");
    assertEquals(process.attributes["kafka.streams.task.id"], "0_3");
    assertEquals(send.name, "send out");
    assertEquals(send.parent!.spanId, process.context.spanId);
    assertEquals(
      sent.lastText("traceparent"),
      `00-${"c".repeat(32)}-${send.context.spanId}-01`,
    );
    assertEquals([...sent].filter((header) => header.name === "traceparent").length, 1);
    assertEquals(sent.lastText("other"), "x");
    assertEquals(settled.options.links!.map((link) => link.context), [process.context]);
    assert(spans.every((each) => each.ended));
    // What is sent outside a record keeps the trace that its headers carry.
    assertEquals(tracing.inject(RECORD.headers, "out"), RECORD.headers);
  } finally {
    trace.disable();
    propagation.disable();
  }
});

test("Tracing links to a record's trace instead of continuing it when told so", () => {
  const spans = registerSdk();
  try {
    const tracing = new Tracing({ ...OPTIONS, relationship: "link" });
    const error = Object.assign(new Error("no"), { codeName: "NOT_ENOUGH_REPLICAS" });
    tracing.endRecord(tracing.beginRecord(RECORD), error);
    assertEquals(spans[0].parent, undefined);
    assertEquals(spans[0].options.links![0].context.spanId, "d".repeat(16));
    assertEquals(spans[0].attributes["error.type"], "NOT_ENOUGH_REPLICAS");
    assert(spans[0].failed);
  } finally {
    trace.disable();
    propagation.disable();
  }
});

test("Tracing notices an SDK that is registered later", () => {
  const tracing = new Tracing(OPTIONS);
  registerSdk();
  try {
    assertEquals(tracing.enabled, false);
    tracing.refresh();
    assertEquals(tracing.enabled, true);
  } finally {
    trace.disable();
    propagation.disable();
  }
});

test("inRequestSpan spans a request and gives its trace on", async () => {
  const spans = registerSdk();
  try {
    const given = await inRequestSpan(
      "GET /schemas",
      { kind: "client", attributes: { "http.request.method": "GET" } },
      (inject) => {
        let header = "";
        inject((_, value) => void (header = value));
        return Promise.resolve(header);
      },
    );
    assertMatch(given, /^00-[a1]{32}-b+1-01$/);
    assert(spans[0].ended);
  } finally {
    trace.disable();
    propagation.disable();
  }
});

test("traceFacts reads the ids from headers", () => {
  assertEquals(traceFacts(RECORD.headers), {
    trace_id: "c".repeat(32),
    span_id: "d".repeat(16),
    trace_flags: "01",
  });
  assertEquals(traceFacts(Headers.EMPTY), {});
});
