import { Headers } from "../../../lib/record/headers.ts";
import { StreamRecord } from "../../../lib/record/record.ts";
import { Change } from "../../../lib/record/change.ts";
import { Windowed } from "../../../lib/record/windowed.ts";
import type { StateStore } from "../../../lib/state/store.ts";
import type { ProcessorSupplier } from "../../../lib/topology/processor.ts";
import { FakeContext } from "./fake_context.ts";

/** A processor of a supplier, started on a fake context with these stores. */
export class Driven {
  readonly context: FakeContext;
  readonly processor: ReturnType<ProcessorSupplier<any, any, any, any>["get"]>;

  constructor(
    supplier: ProcessorSupplier<any, any, any, any>,
    stores: Record<string, unknown> = {},
    context: FakeContext = new FakeContext(),
  ) {
    this.context = context;
    for (const [name, store] of Object.entries(stores)) {
      context.stores.set(name, store as StateStore);
    }
    this.processor = supplier.get();
    this.processor.init?.(this.context);
  }

  /** Processes a record; gives what was forwarded as text, one line a record. */
  pipe(key: unknown, value: unknown, timestamp: number, headers = Headers.EMPTY): string[] {
    this.processor.process(new StreamRecord(key, value, timestamp, headers));
    return this.context.take().map(([k, v, t]) => `${text(k)}=${text(v)}@${t}`);
  }
}

/** `key[start,end]` for windowed keys, `new<old` for changes with an old value, `null` for nothing. */
export function text(value: unknown): string {
  if (value instanceof Windowed) return `${text(value.key)}[${value.start},${value.end}]`;
  if (value instanceof Change) {
    const late = value.isLatest ? "" : " late";
    const old = value.oldValue === null ? "" : `<${text(value.oldValue)}`;
    return `${text(value.newValue)}${old}${late}`;
  }
  return String(value);
}

/** Numbers from a seed, the same on each run. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 4294967296 * below);
  };
}
