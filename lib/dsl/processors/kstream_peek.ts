import type { StreamRecord } from "../../record/record.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import { type ForeachAction, synchronous } from "./functions.ts";

/** Looks at each record and passes it on. Kafka Streams: `KStreamPeek`. */
export class KStreamPeek<K, V> implements ProcessorSupplier<K, V, K, V> {
  readonly #action: ForeachAction<K, V>;
  constructor(options: { readonly action: ForeachAction<K, V> }) {
    this.#action = options.action;
  }
  get(): Processor<K, V, K, V> {
    return new PeekProcessor(this.#action);
  }
}

/** Does something with each record; nothing comes after it. Kafka Streams: `ForeachProcessor`. */
export class KStreamForeach<K, V> implements ProcessorSupplier<K, V, never, never> {
  readonly #action: ForeachAction<K, V>;
  constructor(options: { readonly action: ForeachAction<K, V> }) {
    this.#action = options.action;
  }
  get(): Processor<K, V, never, never> {
    return new ForeachProcessor(this.#action);
  }
}

/** Options of `KStreamPrint`. */
export interface KStreamPrintOptions<K, V> {
  /** Stands before each record in brackets; Java's default is the processor's name. */
  readonly label: string;
  /** What is printed of a record; without it `key, value`. Kafka Streams: `Printed.withKeyValueMapper`. */
  readonly mapper?: (value: V, key: K) => string;
  /** Where a line goes, with its end; standard output if absent. */
  readonly write?: (line: string) => void;
}

/** Prints `[label]: key, value` per record; nothing comes after it. Kafka Streams: `KStreamPrint`. */
export class KStreamPrint<K, V> implements ProcessorSupplier<K, V, never, never> {
  readonly #options: KStreamPrintOptions<K, V>;
  constructor(options: KStreamPrintOptions<K, V>) {
    this.#options = options;
  }
  get(): Processor<K, V, never, never> {
    const { label, mapper } = this.#options;
    const write = this.#options.write ?? ((line: string) => console.log(line.slice(0, -1)));
    return new ForeachProcessor<K, V>((value, key) => {
      write(`[${label}]: ${mapper === undefined ? `${key}, ${value}` : mapper(value, key)}\n`);
    });
  }
}

class PeekProcessor<K, V> implements Processor<K, V, K, V> {
  readonly #action: ForeachAction<K, V>;
  #context!: ProcessorContext<K, V>;
  constructor(action: ForeachAction<K, V>) {
    this.#action = action;
  }
  init(context: ProcessorContext<K, V>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    synchronous<unknown>(this.#action(record.value, record.key), "peek action");
    this.#context.forward(record);
  }
}

class ForeachProcessor<K, V> implements Processor<K, V, never, never> {
  readonly #action: ForeachAction<K, V>;
  constructor(action: ForeachAction<K, V>) {
    this.#action = action;
  }
  process(record: StreamRecord<K, V>): void {
    synchronous<unknown>(this.#action(record.value, record.key), "foreach action");
  }
}
