/**
 * OpenTelemetry traces through record headers (W3C `traceparent`, `tracestate`, `baggage`), by the API alone: whichever SDK the user registers gets the
 * spans. It is registered before a thread starts, in each isolate (`tracing.module`); without one, threads have no `Tracing` at all.
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
  /** The share of the records without a trace of their own that begin one; 1 by default, and the SDK's sampler decides. */
  readonly ratio?: number;
}

/** Where a record came from. */
export interface TracedRecord {
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly headers: Headers;
}

/** The most links a span of a commit carries. */
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

/** Where this process' spans go; undefined while no SDK is registered. */
function registeredTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  const delegate = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  return delegate === NO_SDK ? undefined : trace.getTracer("weir");
}

/**
 * Whether an SDK is registered that this API cannot see: each minor version of `@opentelemetry/api` sees only what its own or a later one has registered.
 */
export function registeredUnseen(): boolean {
  const shared = (globalThis as Record<symbol, { trace?: unknown } | undefined>)[
    Symbol.for("opentelemetry.js.api.1")
  ];
  return shared?.trace !== undefined && registeredTracer() === undefined;
}

/** The tracing of a thread; undefined without an SDK, so that the record path asks nothing more than that. */
export function openTracing(options: TracingOptions): Tracing | undefined {
  const tracer = registeredTracer();
  return tracer && new Tracing(tracer, options);
}

/**
 * Makes the spans of a thread. A record's span goes into the record's headers, and with these into whatever comes of the record: through stores, caches and
 * suppress buffers, to sinks and dead letters, however much later that is.
 */
export class Tracing {
  readonly #tracer: Tracer;
  readonly #options: TracingOptions;
  readonly #common: Attributes;
  readonly #ratio: number;
  #current: Span | undefined = undefined;
  #links: Link[] = [];

  constructor(tracer: Tracer, options: TracingOptions) {
    this.#tracer = tracer;
    this.#options = options;
    this.#ratio = options.ratio ?? 1;
    this.#common = {
      "messaging.system": "kafka",
      "messaging.consumer.group.name": options.applicationId,
      "messaging.client.id": options.clientId,
      "kafka.streams.application.id": options.applicationId,
      ...(options.threadId ? { "kafka.streams.thread.id": options.threadId } : {}),
    };
  }

  /**
   * Begins the span `process <topic>` of a record, which becomes the one in hand. Gives the headers that the record is processed with: its own, with this span
   * in the place of the one that they came with.
   */
  beginRecord({ topic, partition, offset, headers }: TracedRecord, taskId: string): Headers {
    const remote = propagation.extract(ROOT_CONTEXT, headers, getter);
    const origin = trace.getSpanContext(remote);
    if (origin === undefined && this.#ratio < 1 && Math.random() >= this.#ratio) return headers;
    const asLink = this.#options.relationship === "link";
    const span = this.#tracer.startSpan(`process ${topic}`, {
      kind: SpanKind.CONSUMER,
      links: asLink && origin ? [{ context: origin }] : [],
      attributes: {
        ...this.#common,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": String(partition),
        "messaging.kafka.offset": offset,
        "kafka.streams.task.id": taskId,
        "kafka.streams.subtopology": taskId.split("_")[0],
      },
    }, asLink ? ROOT_CONTEXT : remote);
    this.#current = span;
    if (this.#links.length < MAX_LINKS) this.#links.push({ context: span.spanContext() });
    return injected(headers, trace.setSpan(remote, span));
  }

  /** The record in hand has come to an error, whatever follows from that. */
  noteError(error: unknown): void {
    if (this.#current !== undefined) fail(this.#current, error);
  }

  /** Ends the span of the record in hand. */
  endRecord(): void {
    this.#current?.end();
    this.#current = undefined;
  }

  /**
   * The headers of a record that is sent to `topic`, with a span `send <topic>` of the trace that they carry. When they carry none, because a processor made new
   * ones, it is that of the record in hand.
   */
  inject(headers: Headers, topic: string): Headers {
    let context = propagation.extract(ROOT_CONTEXT, headers, getter);
    if (trace.getSpanContext(context) === undefined) {
      if (this.#current === undefined) return headers;
      context = trace.setSpan(context, this.#current);
    }
    const span = this.#tracer.startSpan(`send ${topic}`, {
      kind: SpanKind.PRODUCER,
      attributes: {
        ...this.#common,
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
      },
    }, context);
    span.end();
    return injected(headers, trace.setSpan(context, span));
  }

  /** Begins the span of a commit, with links to the records since the last one. */
  beginCommit(): Span {
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
      },
    }, ROOT_CONTEXT);
  }

  /** Ends the span of a commit of so many partitions. */
  endCommit(span: Span, partitions: number, error?: unknown): void {
    span.setAttribute("messaging.batch.message_count", partitions);
    if (error !== undefined) fail(span, error);
    span.end();
  }
}

function injected(headers: Headers, context: Context): Headers {
  const carrier = { headers };
  propagation.inject(context, carrier, setter);
  return carrier.headers;
}

function fail(span: Span, thrown: unknown): void {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
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

/** The span of a request, as far as its caller adds to it. */
export type RequestSpan = Pick<Span, "setAttribute" | "setAttributes" | "updateName">;

/** Runs a request of the admin server or the registry client in a span of its own; the caller adds the attributes. */
export async function inRequestSpan<T>(
  name: string,
  options: {
    readonly kind: "server" | "client";
    readonly traceparent?: string;
    readonly attributes: Attributes;
  },
  run: (
    inject: (set: (name: string, value: string) => void) => void,
    span: RequestSpan,
  ) => Promise<T>,
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
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}
