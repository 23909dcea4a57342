import { Change } from "../../../record/change.ts";
import { StreamRecord } from "../../../record/record.ts";
import { type KeyValueStore, type StoreBuilder, ValueAndTimestamp } from "../../../state/store.ts";
import type {
  Processor,
  ProcessorContext,
  ProcessorSupplier,
} from "../../../topology/processor.ts";
import type { KTableValueGetter, KTableValueGetterSupplier } from "../table.ts";
import {
  type BoundCombinedKeySchema,
  CombinedKey,
  type CombinedKeySchema,
} from "./combined_key.ts";
import { SubscriptionResponseWrapper } from "./subscription_response_wrapper.ts";
import { INSTRUCTION, type SubscriptionWrapper } from "./subscription_wrapper.ts";

/** The subscriptions to a partition of the right table, by `CombinedKeySchema` bytes. */
export type SubscriptionStore<KLeft> = KeyValueStore<
  Uint8Array,
  ValueAndTimestamp<SubscriptionWrapper<KLeft>>
>;

/** A subscription on its way to being answered. */
type Subscription<KLeft> = Change<ValueAndTimestamp<SubscriptionWrapper<KLeft>>>;

/** Options of `SubscriptionReceiveProcessorSupplier` and `ForeignTableJoinProcessorSupplier`. */
export interface SubscriptionStoreOptions<KLeft, KRight> {
  /** A timestamped key-value store of plain bytes to `SubscriptionWrapper`, without a cache. */
  readonly store: StoreBuilder;
  readonly keySchema: CombinedKeySchema<KRight, KLeft>;
}

/** The right side of a foreign-key join: keeps each subscription, or deletes it, before it is answered. Kafka Streams: `SubscriptionReceiveProcessorSupplier`. */
export class SubscriptionReceiveProcessorSupplier<KLeft, KRight> implements
  ProcessorSupplier<
    KRight | null,
    SubscriptionWrapper<KLeft>,
    CombinedKey<KRight, KLeft>,
    Subscription<KLeft>
  > {
  readonly #options: SubscriptionStoreOptions<KLeft, KRight>;
  constructor(options: SubscriptionStoreOptions<KLeft, KRight>) {
    this.#options = options;
  }
  get(): Processor<
    KRight | null,
    SubscriptionWrapper<KLeft>,
    CombinedKey<KRight, KLeft>,
    Subscription<KLeft>
  > {
    return new ReceiveProcessor(this.#options);
  }
  stores(): readonly StoreBuilder[] {
    return [this.#options.store];
  }
}

/** Options of `SubscriptionJoinProcessorSupplier`. */
export interface SubscriptionJoinOptions<KRight, VRight> {
  readonly foreignTable: KTableValueGetterSupplier<KRight, VRight>;
}

/** Answers a subscription with the right row as it is now. Kafka Streams: `SubscriptionJoinProcessorSupplier`. */
export class SubscriptionJoinProcessorSupplier<KLeft, KRight, VRight> implements
  ProcessorSupplier<
    CombinedKey<KRight, KLeft>,
    Subscription<KLeft>,
    KLeft,
    SubscriptionResponseWrapper<VRight>
  > {
  readonly #options: SubscriptionJoinOptions<KRight, VRight>;
  constructor(options: SubscriptionJoinOptions<KRight, VRight>) {
    this.#options = options;
  }
  get(): Processor<
    CombinedKey<KRight, KLeft>,
    Subscription<KLeft>,
    KLeft,
    SubscriptionResponseWrapper<VRight>
  > {
    return new SubscriptionJoinProcessor(this.#options.foreignTable.get());
  }
}

class ReceiveProcessor<KLeft, KRight> implements
  Processor<
    KRight | null,
    SubscriptionWrapper<KLeft>,
    CombinedKey<KRight, KLeft>,
    Subscription<KLeft>
  > {
  readonly #options: SubscriptionStoreOptions<KLeft, KRight>;
  #context!: ProcessorContext<CombinedKey<KRight, KLeft>, Subscription<KLeft>>;
  #store!: SubscriptionStore<KLeft>;
  #keySchema!: BoundCombinedKeySchema<KRight, KLeft>;

  constructor(options: SubscriptionStoreOptions<KLeft, KRight>) {
    this.#options = options;
  }

  init(context: ProcessorContext<CombinedKey<KRight, KLeft>, Subscription<KLeft>>): void {
    this.#context = context;
    this.#store = context.getStateStore<SubscriptionStore<KLeft>>(this.#options.store.name);
    this.#keySchema = this.#options.keySchema.bind(context);
  }

  process(record: StreamRecord<KRight | null, SubscriptionWrapper<KLeft>>): void {
    const { key: foreignKey, value: wrapper } = record;
    const isWithoutKey = foreignKey === null || foreignKey === undefined;
    if (isWithoutKey && wrapper.instruction !== INSTRUCTION.propagateNullIfNoFkValAvailable) {
      this.#context.dropped("null-key", "null foreign key");
      return;
    }
    const subscription = new ValueAndTimestamp(wrapper, record.timestamp);
    if (!isWithoutKey) this.#keep(foreignKey, subscription);
    this.#context.forward(
      new StreamRecord(
        new CombinedKey(isWithoutKey ? null : foreignKey, wrapper.primaryKey),
        new Change(subscription, null),
        record.timestamp,
        record.headers,
      ),
    );
  }

  #keep(foreignKey: KRight, subscription: ValueAndTimestamp<SubscriptionWrapper<KLeft>>): void {
    const { instruction, primaryKey } = subscription.value;
    const key = this.#keySchema.toBytes(foreignKey, primaryKey);
    const isDeleted = instruction === INSTRUCTION.deleteKeyAndPropagate ||
      instruction === INSTRUCTION.deleteKeyNoPropagate;
    this.#store.put(key, isDeleted ? null : subscription);
  }
}

class SubscriptionJoinProcessor<KLeft, KRight, VRight> implements
  Processor<
    CombinedKey<KRight, KLeft>,
    Subscription<KLeft>,
    KLeft,
    SubscriptionResponseWrapper<VRight>
  > {
  readonly #rows: KTableValueGetter<KRight, VRight>;
  #context!: ProcessorContext<KLeft, SubscriptionResponseWrapper<VRight>>;

  constructor(rows: KTableValueGetter<KRight, VRight>) {
    this.#rows = rows;
  }

  init(context: ProcessorContext<KLeft, SubscriptionResponseWrapper<VRight>>): void {
    this.#context = context;
    this.#rows.init(context);
  }

  process(record: StreamRecord<CombinedKey<KRight, KLeft>, Subscription<KLeft>>): void {
    const { foreignKey, primaryKey } = record.key;
    const subscription = record.value.newValue!;
    const { instruction, hash, primaryPartition } = subscription.value;
    if (instruction === INSTRUCTION.deleteKeyNoPropagate) return;
    const row = foreignKey === null ? null : this.#rows.get(foreignKey);
    if (instruction === INSTRUCTION.propagateOnlyIfFkValAvailable && row === null) return;
    const isDeleted = instruction === INSTRUCTION.deleteKeyAndPropagate;
    const answer = isDeleted || row === null ? null : row.value;
    const timestamp = row === null
      ? subscription.timestamp
      : Math.max(subscription.timestamp, row.timestamp);
    const response = new SubscriptionResponseWrapper(hash, answer, primaryPartition);
    this.#context.forward(new StreamRecord(primaryKey, response, timestamp, record.headers));
  }

  close(): void {
    this.#rows.close?.();
  }
}
