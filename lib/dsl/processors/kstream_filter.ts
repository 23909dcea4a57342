import type { StreamRecord } from "../../record/record.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import { type Predicate, synchronous } from "./functions.ts";

/** Options of `KStreamFilter`. */
export interface KStreamFilterOptions<K, V> {
  readonly predicate: Predicate<K, V>;
  /** Keep what the predicate refuses: `filterNot`. */
  readonly not?: boolean;
}

/** Keeps the records that a predicate accepts, or refuses. Kafka Streams: `KStreamFilter`. */
export class KStreamFilter<K, V> implements ProcessorSupplier<K, V, K, V> {
  readonly #options: KStreamFilterOptions<K, V>;
  constructor(options: KStreamFilterOptions<K, V>) {
    this.#options = options;
  }
  get(): Processor<K, V, K, V> {
    return new FilterProcessor(this.#options);
  }
}

/** Leaves out records without a key, uncounted: they cannot be repartitioned. Java: the filter of `KStreamImpl.createRepartitionedSource`. */
export class NullKeyFilter<K, V> implements ProcessorSupplier<K, V, K, V> {
  get(): Processor<K, V, K, V> {
    return new NullKeyFilterProcessor();
  }
}

class FilterProcessor<K, V> implements Processor<K, V, K, V> {
  readonly #predicate: Predicate<K, V>;
  readonly #not: boolean;
  #context!: ProcessorContext<K, V>;
  constructor(options: KStreamFilterOptions<K, V>) {
    this.#predicate = options.predicate;
    this.#not = options.not ?? false;
  }
  init(context: ProcessorContext<K, V>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    const accepted = this.#predicate(record.value, record.key);
    if (typeof accepted === "object") synchronous(accepted, "predicate");
    if (!accepted === this.#not) this.#context.forward(record);
  }
}

class NullKeyFilterProcessor<K, V> implements Processor<K, V, K, V> {
  #context!: ProcessorContext<K, V>;
  init(context: ProcessorContext<K, V>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    if (record.key !== null && record.key !== undefined) this.#context.forward(record);
  }
}
