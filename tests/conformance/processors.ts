/** The named processors of the scenario format; its README defines each of them. */
import { StreamRecord } from "../../lib/record/record.ts";
import type { KeyValueStore } from "../../lib/state/store.ts";
import type { Cancellable, Processor, ProcessorContext } from "../../lib/topology/processor.ts";
import { IllegalStateException } from "./functions.ts";
import { text, type Ty, ty } from "./values.ts";

/** A `process` or `processValues` step. */
export interface ProcessStep {
  readonly fn: string;
  readonly store?: string;
  readonly intervalMs?: number;
  readonly clear?: boolean;
  readonly type?: string;
  readonly times?: number;
  readonly windowMs?: number;
  readonly deltaMs?: number;
  readonly headerName?: string;
  readonly headerValue?: string;
  readonly arg?: unknown;
}

/** The type of what the processor forwards. */
export function processorOutput(fn: string, value: Ty): Ty {
  switch (fn) {
    case "countingStore":
    case "streamTimePunctuator":
    case "wallClockPunctuator":
    case "streamTimeReporter":
    case "wallClockReporter":
    case "cancellingPunctuator":
      return ty("long");
    case "previousValue":
    case "recordInfo":
      return ty("string");
    default:
      return value;
  }
}

/** The type of the values in the processor's store. */
export function processorStoreValue(fn: string, value: Ty): Ty {
  return fn === "previousValue" ? value : ty("long");
}

type AnyRecord = StreamRecord<any, any>;

/** A processor of that step. */
export class ScenarioProcessor implements Processor<any, any, any, any> {
  readonly #step: ProcessStep;
  #context!: ProcessorContext<any, any>;
  #store!: KeyValueStore<any, any>;
  #fired = 0;
  #schedule: Cancellable | undefined;

  constructor(step: ProcessStep) {
    this.#step = step;
  }

  init(context: ProcessorContext<any, any>): void {
    const { fn, store, intervalMs = 0, type, times } = this.#step;
    this.#context = context;
    if (store !== undefined) this.#store = context.getStateStore(store);
    if (fn === "streamTimePunctuator" || fn === "wallClockPunctuator") {
      const time = fn === "streamTimePunctuator" ? "stream-time" : "wall-clock-time";
      context.schedule(intervalMs, time, (timestamp) => this.#emitAll(timestamp));
    }
    if (fn === "cancellingPunctuator") {
      const time = (type ?? "stream") === "stream" ? "stream-time" : "wall-clock-time";
      this.#schedule = context.schedule(intervalMs, time, (timestamp) => {
        context.forward(new StreamRecord("tick", ++this.#fired, timestamp));
        if (this.#fired >= times!) this.#schedule!.cancel();
      });
    }
  }

  #emitAll(timestamp: number): void {
    for (const [key, value] of [...this.#store.all()]) {
      this.#context.forward(new StreamRecord(key, value, timestamp));
      if (this.#step.clear) this.#store.delete(key);
    }
  }

  process(record: AnyRecord): void {
    const context = this.#context;
    const step = this.#step;
    switch (step.fn) {
      case "countingStore":
        return context.forward(record.withValue(this.#count(record.key)));
      case "streamTimePunctuator":
      case "wallClockPunctuator":
        this.#count(record.key);
        return;
      case "cancellingPunctuator":
        return;
      case "dedupe": {
        const seen = this.#store.get(record.key);
        if (seen !== null && record.timestamp - seen <= step.windowMs!) return;
        this.#store.put(record.key, record.timestamp);
        return context.forward(record);
      }
      case "previousValue": {
        const previous = this.#store.get(record.key);
        this.#store.put(record.key, record.value);
        return context.forward(record.withValue(`${text(previous)}>${text(record.value)}`));
      }
      case "streamTimeReporter":
        return context.forward(record.withValue(context.currentStreamTimeMs()));
      case "wallClockReporter":
        return context.forward(record.withValue(context.currentSystemTimeMs()));
      case "recordInfo": {
        const at = context.recordMetadata();
        return context.forward(
          record.withValue(at === undefined ? "none" : `${at.topic}/${at.partition}/${at.offset}`),
        );
      }
      case "shiftTimestamp":
        return context.forward(record.withTimestamp(record.timestamp + step.deltaMs!));
      case "addHeader":
        return context.forward(
          record.withHeaders(record.headers.add(step.headerName!, step.headerValue!)),
        );
      case "forwardTwice":
        context.forward(record);
        return context.forward(record);
      case "failOnValue":
        if (record.value !== null && text(record.value) === String(step.arg)) {
          throw new IllegalStateException("failOnValue");
        }
        return context.forward(record);
      default:
        throw new Error(`unknown processor ${step.fn}`);
    }
  }

  #count(key: unknown): number {
    const count = (this.#store.get(key) ?? 0) + 1;
    this.#store.put(key, count);
    return count;
  }
}

/** The table transformer of a `transformValues` step. */
export function transform(
  fn: string,
  value: unknown,
  key: unknown,
  store: KeyValueStore<any, any> | undefined,
): unknown {
  switch (fn) {
    case "describeValue":
      return `${text(key)}:${text(value)}`;
    case "describeOrNull":
      return value === null ? null : `${text(key)}:${text(value)}`;
    case "callCount": {
      const count = (store!.get(key) ?? 0) + 1;
      store!.put(key, count);
      return `${text(value)}#${count}`;
    }
    default:
      throw new Error(`unknown transformer ${fn}`);
  }
}
