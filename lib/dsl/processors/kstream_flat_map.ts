import { StreamRecord } from "../../record/record.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import { type KeyMapper, synchronous, type ValueMapper } from "./functions.ts";
import { refusePair } from "./kstream_map.ts";

/** Makes any number of records of each one. Kafka Streams: `KStreamFlatMap`. */
export class KStreamFlatMap<K, V, K2, V2> implements ProcessorSupplier<K, V, K2, V2> {
  readonly #mapper: KeyMapper<K, V, Iterable<readonly [K2, V2]>>;
  constructor(options: { readonly mapper: KeyMapper<K, V, Iterable<readonly [K2, V2]>> }) {
    this.#mapper = options.mapper;
  }
  get(): Processor<K, V, K2, V2> {
    return new FlatMapProcessor(this.#mapper);
  }
}

/** Makes any number of records with the same key of each one. Kafka Streams: `KStreamFlatMapValues`. */
export class KStreamFlatMapValues<K, V, V2> implements ProcessorSupplier<K, V, K, V2> {
  readonly #mapper: ValueMapper<K, V, Iterable<V2>>;
  constructor(options: { readonly mapper: ValueMapper<K, V, Iterable<V2>> }) {
    this.#mapper = options.mapper;
  }
  get(): Processor<K, V, K, V2> {
    return new FlatMapValuesProcessor(this.#mapper);
  }
}

class FlatMapProcessor<K, V, K2, V2> implements Processor<K, V, K2, V2> {
  readonly #mapper: KeyMapper<K, V, Iterable<readonly [K2, V2]>>;
  #context!: ProcessorContext<K2, V2>;
  constructor(mapper: KeyMapper<K, V, Iterable<readonly [K2, V2]>>) {
    this.#mapper = mapper;
  }
  init(context: ProcessorContext<K2, V2>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    const pairs = this.#mapper(record.value, record.key);
    if (!Array.isArray(pairs)) demandIterable(pairs);
    for (const pair of pairs) {
      if (!Array.isArray(pair)) refusePair(pair);
      this.#context.forward(
        new StreamRecord(pair[0] as K2, pair[1] as V2, record.timestamp, record.headers),
      );
    }
  }
}

class FlatMapValuesProcessor<K, V, V2> implements Processor<K, V, K, V2> {
  readonly #mapper: ValueMapper<K, V, Iterable<V2>>;
  #context!: ProcessorContext<K, V2>;
  constructor(mapper: ValueMapper<K, V, Iterable<V2>>) {
    this.#mapper = mapper;
  }
  init(context: ProcessorContext<K, V2>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    const values = this.#mapper(record.value, record.key);
    if (!Array.isArray(values)) demandIterable(values);
    for (const value of values) {
      this.#context.forward(
        new StreamRecord(record.key, value as V2, record.timestamp, record.headers),
      );
    }
  }
}

function demandIterable(result: unknown): void {
  synchronous(result, "flat mapper");
  if (
    result === null || result === undefined ||
    typeof (result as { [Symbol.iterator]?: unknown })[Symbol.iterator] !== "function"
  ) {
    throw new TypeError(
      `Cannot flat-map a record as the mapper must give an iterable, empty for nothing: current value is ${result}`,
    );
  }
}
