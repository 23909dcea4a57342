import { test } from "node:test";
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Headers } from "../../lib/record/headers.ts";
import { inRequestSpan, openTracing, traceFacts } from "../../lib/telemetry/tracing.ts";
import { withSdk } from "../support/otel.ts";

const TRACE = "c".repeat(32);
const UPSTREAM = "d".repeat(16);
const PARENT = `00-${TRACE}-${UPSTREAM}-01`;
const OPTIONS = { applicationId: "orders", clientId: "c", threadId: "t" };
const RECORD = {
  topic: "in",
  partition: 3,
  offset: 42,
  headers: Headers.EMPTY.add("traceparent", PARENT).add("other", "x"),
};
const spanOf = (headers: Headers) => headers.lastText("traceparent")?.split("-")[2];

test("openTracing gives nothing while no SDK is registered", () => {
  assertEquals(openTracing(OPTIONS), undefined);
});

test("Tracing continues a record's trace into what is sent, and links a commit to it", () =>
  withSdk((spans) => {
    const tracing = openTracing(OPTIONS)!;
    const traced = tracing.beginRecord(RECORD, "0_3");
    const sent = tracing.inject(traced, "out");
    tracing.endRecord();
    tracing.endCommit(tracing.beginCommit(), 2);

    const [send, process, commit] = spans();
    assertEquals(process.name, "process in");
    assertEquals([process.traceId, process.parent], [TRACE, UPSTREAM]);
    assertEquals(process.attributes, {
      "messaging.system": "kafka",
      "messaging.consumer.group.name": "orders",
      "messaging.client.id": "c",
      "kafka.streams.application.id": "orders",
      "kafka.streams.thread.id": "t",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.destination.name": "in",
      "messaging.destination.partition.id": "3",
      "messaging.kafka.offset": 42,
      "kafka.streams.task.id": "0_3",
      "kafka.streams.subtopology": "0",
    });
    assertEquals([send.name, send.traceId, send.parent], ["send out", TRACE, process.spanId]);
    assertEquals(spanOf(traced), process.spanId);
    assertEquals(spanOf(sent), send.spanId);
    assertEquals([...sent].map((header) => header.name).sort(), ["other", "traceparent"]);
    assertEquals([commit.name, commit.parent, commit.links], ["commit", undefined, [
      process.spanId,
    ]]);
    assertEquals(commit.attributes["messaging.batch.message_count"], 2);
    assertNotEquals(commit.traceId, TRACE);
  }));

test("Tracing gives what is sent long after its record the trace that its headers carry", () =>
  withSdk((spans) => {
    const tracing = openTracing(OPTIONS)!;
    const first = tracing.beginRecord(RECORD, "0_3");
    tracing.endRecord();
    tracing.beginRecord({ ...RECORD, headers: Headers.EMPTY }, "0_3");
    tracing.inject(first, "out");
    tracing.endRecord();
    tracing.inject(first, "out");
    const sent = spans().filter((span) => span.name === "send out");
    assertEquals(sent.map(({ traceId, parent }) => [traceId, parent]), [
      [TRACE, spanOf(first)],
      [TRACE, spanOf(first)],
    ]);
  }));

test("Tracing gives headers that a processor made new the trace of the record in hand", () =>
  withSdk((spans) => {
    const tracing = openTracing(OPTIONS)!;
    tracing.beginRecord(RECORD, "0_3");
    const sent = tracing.inject(Headers.EMPTY, "out");
    tracing.endRecord();
    const [send, process] = spans();
    assertEquals([send.traceId, send.parent], [TRACE, process.spanId]);
    assertEquals(spanOf(sent), send.spanId);
    // Outside a record there is no trace to give: a punctuation's records begin none.
    assertEquals(tracing.inject(Headers.EMPTY, "out"), Headers.EMPTY);
  }));

test("Tracing links to a record's trace instead of continuing it when told so", () =>
  withSdk((spans) => {
    const tracing = openTracing({ ...OPTIONS, relationship: "link" })!;
    tracing.beginRecord(RECORD, "0_3");
    tracing.noteError(Object.assign(new Error("no"), { codeName: "NOT_ENOUGH_REPLICAS" }));
    tracing.endRecord();
    const [process] = spans();
    assertEquals([process.parent, process.links], [undefined, [UPSTREAM]]);
    assertNotEquals(process.traceId, TRACE);
    assertEquals(process.error, "no");
    assertEquals(process.attributes["error.type"], "NOT_ENOUGH_REPLICAS");
  }));

test("Tracing begins no trace beyond its ratio, and goes on with those that records bring", () =>
  withSdk((spans) => {
    const tracing = openTracing({ ...OPTIONS, ratio: 0 })!;
    const own = Headers.EMPTY.add("other", "x");
    assertEquals(tracing.beginRecord({ ...RECORD, headers: own }, "0_3"), own);
    assertEquals(tracing.inject(own, "out"), own);
    tracing.endRecord();
    assertEquals(spans(), []);
    tracing.beginRecord(RECORD, "0_3");
    tracing.endRecord();
    assertEquals(spans().map((span) => span.traceId), [TRACE]);
  }));

test("Tracing carries tracestate and baggage on", () =>
  withSdk(() => {
    const tracing = openTracing(OPTIONS)!;
    const headers = RECORD.headers.add("tracestate", "vendor=1").add("baggage", "tenant=7");
    const sent = tracing.inject(tracing.beginRecord({ ...RECORD, headers }, "0_3"), "out");
    tracing.endRecord();
    assertEquals(sent.lastText("tracestate"), "vendor=1");
    assertEquals(sent.lastText("baggage"), "tenant=7");
  }));

test("inRequestSpan spans a request, continues its trace and gives it on", () =>
  withSdk(async (spans) => {
    const attributes = { "http.request.method": "GET" };
    const given = await inRequestSpan(
      "GET /schemas",
      { kind: "client", traceparent: PARENT, attributes },
      (inject) => {
        let header = "";
        inject((_, value) => void (header = value));
        return Promise.resolve(header);
      },
    );
    const [span] = spans();
    assertEquals(given, `00-${TRACE}-${span.spanId}-01`);
    assertEquals(span.parent, UPSTREAM);
    assertMatch(span.name, /^GET/);
  }));

test("inRequestSpan marks a request that fails, and throws what it threw", () =>
  withSdk(async (spans) => {
    const failure = await inRequestSpan("GET", { kind: "client", attributes: {} }, () => {
      throw new RangeError("refused");
    }).catch((error) => error);
    assert(failure instanceof RangeError);
    assertEquals([spans()[0].error, spans()[0].attributes["error.type"]], [
      "refused",
      "RangeError",
    ]);
  }));

test("traceFacts reads the ids from headers", () => {
  assertEquals(traceFacts(RECORD.headers), {
    trace_id: TRACE,
    span_id: UPSTREAM,
    trace_flags: "01",
  });
  assertEquals(traceFacts(Headers.EMPTY), {});
});
