import type { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import { long } from "../serde/primitives.ts";
import type { WindowStore } from "../state/store.ts";
import { windowStoreBuilder } from "../state/stores.ts";
import type { Processor, ProcessorContext } from "../topology/processor.ts";
import { noteGeneratedStore } from "./materialized.ts";
import { checkName, PREFIX } from "./naming.ts";
import type { KeyMapper } from "./processors/functions.ts";
import type { StreamHandle } from "./stream_handle.ts";

/** How duplicates are found. */
export interface DeduplicateOptions<Id> {
  /** The serde of the ids, which are kept in a store. */
  readonly id: Serde<Id>;
  readonly name?: string;
  /** The name of the store. */
  readonly store?: string;
}

/**
 * Adds a step that lets the first record of each id through, and again when `windowMs` have passed in the records' time.
 *
 * @throws {RangeError} when the window is not a positive whole number
 */
export function deduplicate(
  stream: StreamHandle,
  windowMs: number,
  by: KeyMapper<any, any, any>,
  options: DeduplicateOptions<any>,
): StreamHandle {
  if (!Number.isSafeInteger(windowMs) || windowMs <= 0) {
    throw new RangeError(
      `Cannot deduplicate as the window must be a positive whole number of ms: current value is ${windowMs}`,
    );
  }
  const { plan } = stream;
  if (options.store !== undefined) checkName(options.store);
  const storeName = options.store ?? plan.generateStore(PREFIX.deduplicate);
  if (options.store === undefined) noteGeneratedStore(plan, storeName, true);
  const name = plan.nameOr(options.name, PREFIX.deduplicate);
  // An id is looked up on both sides of a record, so rows are needed for twice the window.
  const supplier = plan.defaults.stores.windowStore({
    name: storeName,
    windowSizeMs: windowMs,
    retentionMs: 2 * windowMs,
    retainDuplicates: false,
    emitOnClose: false,
    timestamped: false,
  });
  const key = plan.keySerde(options.id, name);
  const store = windowStoreBuilder<any, number>(supplier, { key, value: long() });
  return stream.step(name, {
    get: () => new DeduplicateProcessor(storeName, windowMs, by),
    stores: () => [store],
  });
}

class DeduplicateProcessor implements Processor<any, any, any, any> {
  readonly #storeName: string;
  readonly #windowMs: number;
  readonly #by: KeyMapper<any, any, any>;
  #context!: ProcessorContext<any, any>;
  #seen!: WindowStore<any, number>;

  constructor(storeName: string, windowMs: number, by: KeyMapper<any, any, any>) {
    this.#storeName = storeName;
    this.#windowMs = windowMs;
    this.#by = by;
  }
  init(context: ProcessorContext<any, any>): void {
    this.#context = context;
    this.#seen = context.getStateStore(this.#storeName);
  }
  process(record: StreamRecord<any, any>): void {
    const id = this.#by(record.value, record.key);
    const { timestamp } = record;
    // A record without an id has no duplicates.
    if (id === null || id === undefined) {
      this.#context.forward(record);
      return;
    }
    const from = Math.max(0, timestamp - this.#windowMs);
    for (const _ of this.#seen.fetchRange(id, from, timestamp + this.#windowMs)) return;
    this.#seen.put(id, timestamp, timestamp);
    this.#context.forward(record);
  }
}
