/** An OpenTelemetry SDK for tests: spans are kept as plain data. @module */
import { propagation, trace } from "@opentelemetry/api";
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from "@opentelemetry/core";
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

/** A span as tests compare it. */
export interface PlainSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string | undefined;
  /** The spans that it links to. */
  readonly links: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The message of its error. */
  readonly error: string | undefined;
}

/** A span as data. */
export function plainSpan(span: ReadableSpan): PlainSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    name: span.name,
    traceId,
    spanId,
    parent: span.parentSpanContext?.spanId,
    links: span.links.map((link) => link.context.spanId),
    attributes: span.attributes,
    error: span.status.code === 2 ? span.status.message : undefined,
  };
}

/** Registers an SDK with this exporter in this isolate, with W3C propagation. */
export function registerExporter(exporter: SpanExporter): TracerProvider {
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  trace.setGlobalTracerProvider(provider);
  const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()];
  propagation.setGlobalPropagator(new CompositePropagator({ propagators }));
  return provider;
}

/** Runs `use` while an SDK is registered; `spans` gives those that have ended, in that order. */
export async function withSdk(
  use: (spans: () => PlainSpan[]) => void | Promise<void>,
): Promise<void> {
  const exporter = new InMemorySpanExporter();
  const provider = registerExporter(exporter);
  try {
    await use(() => exporter.getFinishedSpans().map(plainSpan));
  } finally {
    trace.disable();
    propagation.disable();
    await provider.shutdown();
  }
}
