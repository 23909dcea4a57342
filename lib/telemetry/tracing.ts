/**
 * OpenTelemetry traces through record headers (W3C `traceparent`, `tracestate`, `baggage`), by the API alone: whichever SDK the user registers gets the
 * spans. Without one, everything here is one comparison.
 *
 * @module
 */
import {
  type Attributes,
  type Context,
  type Link,
  propagation,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type TextMapSetter,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import type { Headers } from "../record/headers.ts";

/** What spans say of the application. */
export interface TracingOptions {
  readonly applicationId: string;
  readonly clientId: string;
  readonly threadId?: string;
  /** Whether a record's span continues the record's trace or links to it. */
  readonly relationship?: "parent" | "link";
}

/** Where a record came from. */
export interface TracedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly headers: Headers;
  readonly taskId: string;
  readonly tombstone?: boolean;
}

/** The most links a span of a commit or poll carries. */
const MAX_LINKS = 128;
/** What the API gives while no SDK is registered. */
const NO_SDK: unknown = new ProxyTracerProvider().getDelegate();

const getter: TextMapGetter<Headers> = {
  keys: (headers) => [...headers].map((header) => header.name),
  get: (headers, name) => headers.lastText(name),
};
const setter: TextMapSetter<{ headers: Headers }> = {
  set(carrier, name, value) {
    carrier.headers = carrier.headers.remove(name).add(name, value);
  },
};

/** Makes the spans of a thread. The record path is synchronous, so the span in hand is a field. */
export class Tracing {
  readonly #options: TracingOptions;
  readonly #common: Attributes;
  #tracer: Tracer | undefined = undefined;
  #current: Context | undefined = undefined;
  #links: Link[] = [];

  constructor(options: TracingOptions) {
    this.#options = options;
    this.#common = {
      "messaging.system": "kafka",
      "messaging.consumer.group.name": options.applicationId,
      "messaging.client.id": options.clientId,
      "kafka.streams.application.id": options.applicationId,
      ...(options.threadId ? { "kafka.streams.thread.id": options.threadId } : {}),
    };
    this.refresh();
  }

  /** Whether an SDK is registered. Ask it before a record's span is begun. */
  get enabled(): boolean {
    return this.#tracer !== undefined;
  }

  /** Looks whether an SDK has been registered since; called now and then, for example at each commit. */
  refresh(): void {
    const provider = trace.getTracerProvider();
    const delegate = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
    this.#tracer = delegate === NO_SDK ? undefined : trace.getTracer("weir");
  }

  /** Begins the span `process <topic>` of a record, which becomes the one in hand. Undefined without an SDK. */
  beginRecord(record: TracedRecord): Span | undefined {
    if (this.#tracer === undefined) return undefined;
    const remote = propagation.extract(ROOT_CONTEXT, record.headers, getter);
    const origin = trace.getSpanContext(remote);
    const asLink = this.#options.relationship === "link";
    const span = this.#tracer.startSpan(`process ${record.topic}`, {
      kind: SpanKind.CONSUMER,
      links: asLink && origin ? [{ context: origin }] : [],
      attributes: {
        ...this.#common,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": String(record.partition),
        "messaging.kafka.offset": record.offset,
        "kafka.streams.task.id": record.taskId,
        ...(record.tombstone ? { "messaging.kafka.message.tombstone": true } : {}),
      },
    }, asLink ? ROOT_CONTEXT : remote);
    this.#current = trace.setSpan(remote, span);
    if (this.#links.length < MAX_LINKS) this.#links.push({ context: span.spanContext() });
    return span;
  }

  /** Ends a record's span. */
  endRecord(span: Span | undefined, error?: Error): void {
    if (span === undefined) return;
    if (error !== undefined) fail(span, error);
    span.end();
    this.#current = undefined;
  }

  /**
   * The headers of a record that is sent to `topic`, with the trace in hand in them. Without one, as when a cache is emptied at a commit,
   * they keep the trace that they carry.
   */
  inject(headers: Headers, topic: string): Headers {
    if (this.#tracer === undefined || this.#current === undefined) return headers;
    const span = this.#tracer.startSpan(`send ${topic}`, {
      kind: SpanKind.PRODUCER,
      attributes: {
        ...this.#common,
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
      },
    }, this.#current);
    const carrier = { headers };
    propagation.inject(trace.setSpan(this.#current, span), carrier, setter);
    span.end();
    return carrier.headers;
  }

  /** Begins the span of a commit, with links to the records since the last one. */
  beginCommit(offsets: number): Span | undefined {
    if (this.#tracer === undefined) return undefined;
    const links = this.#links;
    this.#links = [];
    return this.#tracer.startSpan("commit", {
      kind: SpanKind.CLIENT,
      root: true,
      links,
      attributes: {
        ...this.#common,
        "messaging.operation.name": "commit",
        "messaging.operation.type": "settle",
        "messaging.batch.message_count": offsets,
      },
    });
  }

  /** Ends the span of a commit. */
  endCommit(span: Span | undefined, error?: Error): void {
    if (span === undefined) return;
    if (error !== undefined) fail(span, error);
    span.end();
  }
}

function fail(span: Span, error: Error): void {
  const code = (error as { codeName?: unknown }).codeName;
  span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  span.setAttribute("error.type", typeof code === "string" ? code : error.name);
}

/** The trace that headers carry, as log facts; an empty object without one. */
export function traceFacts(headers: Headers): Readonly<Record<string, string>> {
  const parts = headers.lastText("traceparent")?.split("-");
  if (parts?.length !== 4) return {};
  return { trace_id: parts[1], span_id: parts[2], trace_flags: parts[3] };
}

/** Runs a request of the admin server or the registry client in a span of its own; the caller adds the attributes. */
export async function inRequestSpan<T>(
  name: string,
  options: {
    readonly kind: "server" | "client";
    readonly traceparent?: string;
    readonly attributes: Attributes;
  },
  run: (inject: (set: (name: string, value: string) => void) => void, span: Span) => Promise<T>,
): Promise<T> {
  const parent = options.traceparent === undefined
    ? ROOT_CONTEXT
    : propagation.extract(ROOT_CONTEXT, { traceparent: options.traceparent });
  const span = trace.getTracer("weir").startSpan(name, {
    kind: options.kind === "server" ? SpanKind.SERVER : SpanKind.CLIENT,
    attributes: options.attributes,
  }, parent);
  try {
    return await run((set) => {
      propagation.inject(trace.setSpan(parent, span), set, {
        set: (carrier, key, value) => carrier(key, value),
      });
    }, span);
  } catch (error) {
    fail(span, error as Error);
    throw error;
  } finally {
    span.end();
  }
}
