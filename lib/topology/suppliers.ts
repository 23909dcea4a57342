/**
 * Suppliers of processors, as a topology takes them: checked, and wrapped where that is asked for.
 *
 * @module
 */
import type { AnyProcessorSupplier } from "./nodes.ts";
import type { FixedKeyProcessor, Processor } from "./processor.ts";

/** A processor supplier, or just the function that makes a processor. */
export type SupplierOrFactory =
  | AnyProcessorSupplier
  | (() => Processor<any, any, any, any> | FixedKeyProcessor<any, any, any>);

/**
 * Puts something around every processor of a topology, the DSL's own included: to measure, to log, to test. What it gives
 * has to make a new processor on each call, too. Kafka Streams: `ProcessorWrapper` (KIP-1112).
 *
 * ```ts
 * const counting: ProcessorWrapper = {
 *   wrap: (name, supplier) => ({
 *     get: () => {
 *       const inner = supplier.get();
 *       return {
 *         init: (context) => inner.init?.(context),
 *         process: (record) => (count(name), inner.process(record)),
 *         close: () => inner.close?.(),
 *       };
 *     },
 *   }),
 * };
 * ```
 */
export interface ProcessorWrapper {
  /** Gives the supplier that stands in the place of this one. Stores that it does not name are those of the one inside. */
  wrap(name: string, supplier: AnyProcessorSupplier): AnyProcessorSupplier;
}

/** A supplier in its checked form, wrapped. */
export function checkedSupplier(
  name: string,
  supplier: SupplierOrFactory,
  wrapper: ProcessorWrapper | undefined,
): AnyProcessorSupplier {
  const made = toSupplier(supplier, name);
  if (wrapper === undefined) return made;
  const wrapped = toSupplier(wrapper.wrap(name, made), name);
  const named = wrapped.stores === undefined ? made : wrapped;
  return {
    get: () => wrapped.get(),
    stores: () => named.stores?.() ?? [],
  } as AnyProcessorSupplier;
}

function toSupplier(supplier: SupplierOrFactory, name: string): AnyProcessorSupplier {
  const made: AnyProcessorSupplier = typeof supplier === "function"
    ? { get: supplier as () => Processor<any, any, any, any> }
    : supplier;
  if (typeof made?.get !== "function") {
    throw new TypeError(
      `Cannot add the processor "${name}" as its supplier is neither a function nor has a get(): current value is ${supplier}`,
    );
  }
  // Two tasks would share one processor's fields. Kafka Streams: ApiUtils.checkSupplier.
  const first = made.get();
  if (first === null || first === undefined || first === made.get()) {
    throw new RangeError(
      `Cannot add the processor "${name}" as its supplier must give a new object on each call: current value is ${
        first ? "the same object twice" : first
      }`,
    );
  }
  return made;
}
