import type { StreamRecord } from "../../record/record.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import { type Predicate, synchronous } from "./functions.ts";

/** Options of `KStreamBranch`. Both lists may still grow until the topology is built. */
export interface KStreamBranchOptions<K, V> {
  readonly predicates: readonly Predicate<K, V>[];
  /** The child of each predicate, and one more where there is a default branch. */
  readonly childNames: readonly string[];
}

/** Gives each record to the first branch whose predicate accepts it, else to the default branch. Kafka Streams: `KStreamBranch`. */
export class KStreamBranch<K, V> implements ProcessorSupplier<K, V, K, V> {
  readonly #options: KStreamBranchOptions<K, V>;
  constructor(options: KStreamBranchOptions<K, V>) {
    this.#options = options;
  }
  get(): Processor<K, V, K, V> {
    return new BranchProcessor(this.#options);
  }
}

/** Passes records on as they are: the node where merged streams meet. Kafka Streams: `PassThrough`. */
export class PassThrough<K, V> implements ProcessorSupplier<K, V, K, V> {
  get(): Processor<K, V, K, V> {
    return new PassThroughProcessor();
  }
}

class BranchProcessor<K, V> implements Processor<K, V, K, V> {
  readonly #predicates: readonly Predicate<K, V>[];
  readonly #childNames: readonly string[];
  #context!: ProcessorContext<K, V>;
  constructor(options: KStreamBranchOptions<K, V>) {
    this.#predicates = [...options.predicates];
    this.#childNames = [...options.childNames];
  }
  init(context: ProcessorContext<K, V>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    const predicates = this.#predicates;
    for (let i = 0; i < predicates.length; i++) {
      const accepted = predicates[i](record.value, record.key);
      if (typeof accepted === "object") synchronous(accepted, "branch predicate");
      if (accepted) {
        this.#context.forward(record, this.#childNames[i]);
        return;
      }
    }
    if (this.#childNames.length > predicates.length) {
      this.#context.forward(record, this.#childNames[predicates.length]);
    }
  }
}

class PassThroughProcessor<K, V> implements Processor<K, V, K, V> {
  #context!: ProcessorContext<K, V>;
  init(context: ProcessorContext<K, V>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    this.#context.forward(record);
  }
}
