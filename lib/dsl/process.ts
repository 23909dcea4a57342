/**
 * `process` and `processValues`: processors in a stream, as suppliers or as objects with typed stores.
 *
 * @module
 */
import { asyncFunctionError, isThenable } from "../errors.ts";
import type { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import type { StateStore, StoreBuilder } from "../state/store.ts";
import type {
  FixedKeyProcessor,
  FixedKeyProcessorContext,
  FixedKeyProcessorSupplier,
  FixedKeyRecord,
  Processor,
  ProcessorContext,
  ProcessorSupplier,
} from "../topology/processor.ts";
import type { SupplierOrFactory } from "../topology/suppliers.ts";
import { checkName, PREFIX } from "./naming.ts";
import { StoresContext } from "./stores_context.ts";
import type { StreamHandle } from "./stream_handle.ts";

/** Store builders by the names under which a processor sees their stores. */
export type StoreBuilders = Readonly<Record<string, StoreBuilder<any>>>;

/** The stores of builders, by the same names. */
export type StoresOf<B> = {
  readonly [Name in keyof B]: B[Name] extends StoreBuilder<infer S> ? S : StateStore;
};

/** Options of a step that runs a processor. */
export interface ProcessOptions {
  readonly name?: string;
  /** Names of stores that were added to the builder and that the processor uses. */
  readonly stores?: readonly string[];
}

/**
 * A processor as one object: its stores are added to the topology, connected, and stand in `ctx.stores` with their types.
 *
 * ```ts
 * stream.process({
 *   stores: { seen: keyValueStoreBuilder(persistentKeyValueStore("seen"), { key: string(), value: long() }) },
 *   process(record, ctx) {
 *     if (ctx.stores.seen.get(record.key) !== null) return;
 *     ctx.stores.seen.put(record.key, record.timestamp);
 *     ctx.forward(record);
 *   },
 * });
 * ```
 */
export interface ProcessorObject<K, V, K2, V2, B extends StoreBuilders> {
  readonly stores?: B;
  /** The serdes of what is forwarded; they say its types, which are those of the stream without them. */
  readonly key?: Serde<K2>;
  readonly value?: Serde<V2>;
  init?(ctx: ProcessorContext<K2, V2> & { readonly stores: StoresOf<B> }): void;
  process(
    record: StreamRecord<K, V>,
    ctx: ProcessorContext<K2, V2> & { readonly stores: StoresOf<B> },
  ): void;
  close?(): void;
}

/** As `ProcessorObject`, for processors that cannot change the key. */
export interface FixedKeyProcessorObject<K, V, V2, B extends StoreBuilders> {
  readonly stores?: B;
  readonly value?: Serde<V2>;
  init?(ctx: FixedKeyProcessorContext<K, V2> & { readonly stores: StoresOf<B> }): void;
  process(
    record: FixedKeyRecord<K, V>,
    ctx: FixedKeyProcessorContext<K, V2> & { readonly stores: StoresOf<B> },
  ): void;
  close?(): void;
}

/** What `process` takes: an object, a supplier, or the function that makes a processor for each task. */
export type Processing<K, V, K2, V2, B extends StoreBuilders> =
  | ProcessorObject<K, V, K2, V2, B>
  | ProcessorSupplier<K, V, K2, V2>
  | (() => Processor<K, V, K2, V2>);

/** What `processValues` takes. */
export type FixedKeyProcessing<K, V, V2, B extends StoreBuilders> =
  | FixedKeyProcessorObject<K, V, V2, B>
  | FixedKeyProcessorSupplier<K, V, V2>
  | (() => FixedKeyProcessor<K, V, V2>);

/** Any of these. */
export type AnyProcessing =
  | Processing<any, any, any, any, any>
  | FixedKeyProcessing<any, any, any, any>;

/** Adds a processor that may change the key. Kafka Streams: `KStream.process`. */
export function process(
  stream: StreamHandle,
  processing: AnyProcessing,
  options: ProcessOptions,
): StreamHandle {
  return addProcessor(stream, processing, options, PREFIX.process).with({
    key: serdeOf(processing, "key"),
    repartitionRequired: true,
  });
}

/** Adds a processor that cannot change the key. Kafka Streams: `KStream.processValues`. */
export function processValues(
  stream: StreamHandle,
  processing: AnyProcessing,
  options: ProcessOptions,
): StreamHandle {
  return addProcessor(stream, processing, options, PREFIX.processValues);
}

function addProcessor(
  stream: StreamHandle,
  processing: AnyProcessing,
  options: ProcessOptions,
  prefix: string,
): StreamHandle {
  const supplier = toSupplier(processing);
  // A given name uses no number up, unlike those of other steps, as in Kafka Streams.
  const name = options.name === undefined ? stream.plan.generate(prefix) : checkName(options.name);
  return stream.step(name, supplier, {
    storeNames: options.stores,
    changes: { value: serdeOf(processing, "value") },
  });
}

function serdeOf(processing: AnyProcessing, part: "key" | "value"): Serde<any> | undefined {
  return isObjectForm(processing)
    ? (processing as ProcessorObject<any, any, any, any, any>)[part]
    : undefined;
}

function isObjectForm(
  processing: AnyProcessing,
): processing is ProcessorObject<any, any, any, any, any> {
  return typeof processing === "object" && processing !== null && "process" in processing;
}

function toSupplier(processing: AnyProcessing): SupplierOrFactory {
  if (!isObjectForm(processing)) return processing as SupplierOrFactory;
  const stores = Object.entries(processing.stores ?? {}) as [string, StoreBuilder][];
  return {
    get: () => new ObjectProcessor(processing, stores.map(([name, store]) => [name, store.name])),
    stores: () => stores.map(([, store]) => store),
  };
}

/** Runs an object's functions with a context of this task's own. */
class ObjectProcessor implements Processor<any, any, any, any> {
  readonly #object: ProcessorObject<any, any, any, any, any>;
  readonly #stores: readonly (readonly [string, string])[];
  #context!: StoresContext;

  constructor(
    object: ProcessorObject<any, any, any, any, any>,
    stores: readonly (readonly [string, string])[],
  ) {
    this.#object = object;
    this.#stores = stores;
  }
  init(context: ProcessorContext<any, any>): void {
    const stores: Record<string, StateStore> = {};
    for (const [name, store] of this.#stores) stores[name] = context.getStateStore(store);
    this.#context = new StoresContext(context, stores);
    refusePromise(this.#object.init?.(this.#context), context.processorName);
  }
  process(record: StreamRecord<any, any>): void {
    const result: unknown = this.#object.process(record, this.#context);
    if (result !== undefined) refusePromise(result, this.#context.processorName);
  }
  close(): void {
    this.#object.close?.();
  }
}

function refusePromise(result: unknown, processor: string): void {
  if (!isThenable(result)) return;
  throw asyncFunctionError(
    `Cannot run the processor ${processor} as processors are synchronous: current value is a Promise`,
    result,
  );
}
