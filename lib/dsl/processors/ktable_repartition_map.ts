import { StreamsException } from "../../errors.ts";
import { Change } from "../../record/change.ts";
import { StreamRecord } from "../../record/record.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import { type PairMapper, synchronous } from "./functions.ts";
import { equalKeys } from "./key_equality.ts";

/** Options of `KTableRepartitionMap`. */
export interface KTableRepartitionMapOptions<K, V, K2, V2> {
  /** The group's key and the value in it; null, or null for either, leaves the row out. */
  readonly mapper: PairMapper<K, V, K2 | null, V2 | null> | ((value: V, key: K) => null);
}

/**
 * Sends a table's changes to their groups: a row that stays in its group as one change, one that moves as a subtraction from
 * the old group and then an addition to the new one. The table upstream has to send old values. Kafka Streams: `KTableRepartitionMap`.
 */
export class KTableRepartitionMap<K, V, K2, V2>
  implements ProcessorSupplier<K, Change<V>, K2, Change<V2>> {
  readonly #options: KTableRepartitionMapOptions<K, V, K2, V2>;
  #versioned = false;
  constructor(options: KTableRepartitionMapOptions<K, V, K2, V2>) {
    this.#options = options;
  }
  get(): Processor<K, Change<V>, K2, Change<V2>> {
    return new RepartitionMapProcessor(this.#options, this.#versioned);
  }
  /** The table upstream is versioned: out-of-order updates stay out of the aggregate (KIP-914). */
  useVersionedSemantics(versioned: boolean): void {
    this.#versioned = versioned;
  }
}

class RepartitionMapProcessor<K, V, K2, V2> implements Processor<K, Change<V>, K2, Change<V2>> {
  readonly #mapper: (value: V, key: K) => readonly [K2 | null, V2 | null] | null;
  readonly #versioned: boolean;
  #context!: ProcessorContext<K2, Change<V2>>;

  constructor(options: KTableRepartitionMapOptions<K, V, K2, V2>, versioned: boolean) {
    this.#mapper = options.mapper;
    this.#versioned = versioned;
  }

  init(context: ProcessorContext<K2, Change<V2>>): void {
    this.#context = context;
  }

  process(record: StreamRecord<K, Change<V>>): void {
    const { key, value: change } = record;
    if (key === null || key === undefined) {
      throw new StreamsException(
        "Cannot group a table's row as it needs a key: current value is null",
      );
    }
    if (this.#versioned && !change.isLatest) return;
    const added = this.#select(key, change.newValue);
    const removed = this.#select(key, change.oldValue);
    if (added !== null && removed !== null && equalKeys(added[0], removed[0])) {
      this.#send(record, added[0], added[1], removed[1]);
      return;
    }
    if (removed !== null) this.#send(record, removed[0], null, removed[1]);
    if (added !== null) this.#send(record, added[0], added[1], null);
  }

  #select(key: K, value: V | null): readonly [K2, V2] | null {
    if (value === null || value === undefined) return null;
    const pair = synchronous(this.#mapper(value, key), "group mapper") ?? null;
    if (pair === null) return null;
    const isIncomplete = pair[0] === null || pair[0] === undefined ||
      pair[1] === null || pair[1] === undefined;
    return isIncomplete ? null : pair as readonly [K2, V2];
  }

  #send(
    record: StreamRecord<K, Change<V>>,
    key: K2,
    newValue: V2 | null,
    oldValue: V2 | null,
  ): void {
    const change = new Change(newValue, oldValue, record.value.isLatest);
    this.#context.forward(new StreamRecord(key, change, record.timestamp, record.headers));
  }
}
