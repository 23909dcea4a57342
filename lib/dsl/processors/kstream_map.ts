import { StreamRecord } from "../../record/record.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import { type KeyMapper, type PairMapper, synchronous, type ValueMapper } from "./functions.ts";

/** Gives each record a new key and a new value. Kafka Streams: `KStreamMap`. */
export class KStreamMap<K, V, K2, V2> implements ProcessorSupplier<K, V, K2, V2> {
  readonly #mapper: PairMapper<K, V, K2, V2>;
  constructor(options: { readonly mapper: PairMapper<K, V, K2, V2> }) {
    this.#mapper = options.mapper;
  }
  get(): Processor<K, V, K2, V2> {
    return new MapProcessor(this.#mapper);
  }
}

/** Gives each record a new key. Kafka Streams: `selectKey`, a `KStreamMap`. */
export class KStreamSelectKey<K, V, K2> implements ProcessorSupplier<K, V, K2, V> {
  readonly #mapper: KeyMapper<K, V, K2>;
  constructor(options: { readonly mapper: KeyMapper<K, V, K2> }) {
    this.#mapper = options.mapper;
  }
  get(): Processor<K, V, K2, V> {
    return new SelectKeyProcessor(this.#mapper);
  }
}

/** Gives each record a new value; null values are mapped too. Kafka Streams: `KStreamMapValues`. */
export class KStreamMapValues<K, V, V2> implements ProcessorSupplier<K, V, K, V2> {
  readonly #mapper: ValueMapper<K, V, V2>;
  constructor(options: { readonly mapper: ValueMapper<K, V, V2> }) {
    this.#mapper = options.mapper;
  }
  get(): Processor<K, V, K, V2> {
    return new MapValuesProcessor(this.#mapper);
  }
}

class MapProcessor<K, V, K2, V2> implements Processor<K, V, K2, V2> {
  readonly #mapper: PairMapper<K, V, K2, V2>;
  #context!: ProcessorContext<K2, V2>;
  constructor(mapper: PairMapper<K, V, K2, V2>) {
    this.#mapper = mapper;
  }
  init(context: ProcessorContext<K2, V2>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    const pair = this.#mapper(record.value, record.key);
    if (!Array.isArray(pair)) refusePair(pair);
    this.#context.forward(
      new StreamRecord(pair[0] as K2, pair[1] as V2, record.timestamp, record.headers),
    );
  }
}

/** Throws for a mapper's result that is no pair. */
export function refusePair(pair: unknown): never {
  synchronous(pair, "mapper");
  throw new TypeError(
    `Cannot map a record as the mapper must give [key, value]: current value is ${pair}`,
  );
}

class SelectKeyProcessor<K, V, K2> implements Processor<K, V, K2, V> {
  readonly #mapper: KeyMapper<K, V, K2>;
  #context!: ProcessorContext<K2, V>;
  constructor(mapper: KeyMapper<K, V, K2>) {
    this.#mapper = mapper;
  }
  init(context: ProcessorContext<K2, V>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    const key = synchronous(this.#mapper(record.value, record.key), "key mapper");
    this.#context.forward(new StreamRecord(key, record.value, record.timestamp, record.headers));
  }
}

class MapValuesProcessor<K, V, V2> implements Processor<K, V, K, V2> {
  readonly #mapper: ValueMapper<K, V, V2>;
  #context!: ProcessorContext<K, V2>;
  constructor(mapper: ValueMapper<K, V, V2>) {
    this.#mapper = mapper;
  }
  init(context: ProcessorContext<K, V2>): void {
    this.#context = context;
  }
  process(record: StreamRecord<K, V>): void {
    const value = synchronous(this.#mapper(record.value, record.key), "value mapper");
    this.#context.forward(new StreamRecord(record.key, value, record.timestamp, record.headers));
  }
}
