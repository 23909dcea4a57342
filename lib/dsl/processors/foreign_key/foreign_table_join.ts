import { ByteWriter, equalBytes } from "../../../record/bytes.ts";
import type { Change } from "../../../record/change.ts";
import { StreamRecord } from "../../../record/record.ts";
import type { Serde, SerdeSite } from "../../../serde/serde.ts";
import type { StoreBuilder } from "../../../state/store.ts";
import type {
  Processor,
  ProcessorContext,
  ProcessorSupplier,
} from "../../../topology/processor.ts";
import { synchronous, type ValueJoiner } from "../functions.ts";
import type { KTableValueGetter, KTableValueGetterSupplier } from "../table.ts";
import type { BoundCombinedKeySchema } from "./combined_key.ts";
import { murmur3Hash128 } from "./murmur3.ts";
import type { SubscriptionStore, SubscriptionStoreOptions } from "./subscription_receive.ts";
import { SubscriptionResponseWrapper } from "./subscription_response_wrapper.ts";

/** Answers all left rows that subscribe to a right row that has changed. Kafka Streams: `ForeignTableJoinProcessorSupplier`. */
export class ForeignTableJoinProcessorSupplier<KLeft, KRight, VRight>
  implements ProcessorSupplier<KRight, Change<VRight>, KLeft, SubscriptionResponseWrapper<VRight>> {
  readonly #options: SubscriptionStoreOptions<KLeft, KRight>;
  #versioned = false;
  constructor(options: SubscriptionStoreOptions<KLeft, KRight>) {
    this.#options = options;
  }
  get(): Processor<KRight, Change<VRight>, KLeft, SubscriptionResponseWrapper<VRight>> {
    return new ForeignTableJoinProcessor(this.#options, this.#versioned);
  }
  stores(): readonly StoreBuilder[] {
    return [this.#options.store];
  }
  /** The right table is versioned: out-of-order updates are dropped (KIP-914). */
  useVersionedSemantics(versioned: boolean): void {
    this.#versioned = versioned;
  }
}

class ForeignTableJoinProcessor<KLeft, KRight, VRight>
  implements Processor<KRight, Change<VRight>, KLeft, SubscriptionResponseWrapper<VRight>> {
  readonly #options: SubscriptionStoreOptions<KLeft, KRight>;
  readonly #versioned: boolean;
  #context!: ProcessorContext<KLeft, SubscriptionResponseWrapper<VRight>>;
  #store!: SubscriptionStore<KLeft>;
  #keySchema!: BoundCombinedKeySchema<KRight, KLeft>;

  constructor(options: SubscriptionStoreOptions<KLeft, KRight>, versioned: boolean) {
    this.#options = options;
    this.#versioned = versioned;
  }

  init(context: ProcessorContext<KLeft, SubscriptionResponseWrapper<VRight>>): void {
    this.#context = context;
    this.#store = context.getStateStore<SubscriptionStore<KLeft>>(this.#options.store.name);
    this.#keySchema = this.#options.keySchema.bind(context);
  }

  process(record: StreamRecord<KRight, Change<VRight>>): void {
    const { key, value: change } = record;
    if (key === null || key === undefined) {
      this.#context.dropped("null-key");
      return;
    }
    if (this.#versioned && !change.isLatest) {
      this.#context.dropped("out-of-order");
      return;
    }
    const prefix = this.#keySchema.prefixBytes(key);
    for (const [subscriptionKey, subscription] of this.#store.prefixScan(prefix)) {
      const { hash, primaryPartition } = subscription.value;
      const response = new SubscriptionResponseWrapper(hash, change.newValue, primaryPartition);
      const primaryKey = this.#keySchema.primaryKeyOf(subscriptionKey);
      this.#context.forward(
        new StreamRecord(primaryKey, response, record.timestamp, record.headers),
      );
    }
  }
}

/** Options of `ResponseJoinProcessorSupplier`. */
export interface ResponseJoinOptions<KLeft, VLeft, VRight, Out> {
  readonly leftTable: KTableValueGetterSupplier<KLeft, VLeft>;
  readonly leftValue: Serde<VLeft>;
  /** The subscription topic's name without the application id. */
  readonly subscriptionTopic: string;
  readonly joiner: ValueJoiner<KLeft, VLeft, VRight | null, Out>;
  readonly leftJoin: boolean;
}

/**
 * The left side again: joins the right table's answer with the left row, if that is still the one that asked; else a newer
 * answer is on its way and this one is dropped. Kafka Streams: `ResponseJoinProcessorSupplier`.
 */
export class ResponseJoinProcessorSupplier<KLeft, VLeft, VRight, Out>
  implements ProcessorSupplier<KLeft, SubscriptionResponseWrapper<VRight>, KLeft, Out | null> {
  readonly #options: ResponseJoinOptions<KLeft, VLeft, VRight, Out>;
  constructor(options: ResponseJoinOptions<KLeft, VLeft, VRight, Out>) {
    this.#options = options;
  }
  get(): Processor<KLeft, SubscriptionResponseWrapper<VRight>, KLeft, Out | null> {
    return new ResponseJoinProcessor(this.#options);
  }
}

class ResponseJoinProcessor<KLeft, VLeft, VRight, Out>
  implements Processor<KLeft, SubscriptionResponseWrapper<VRight>, KLeft, Out | null> {
  readonly #options: ResponseJoinOptions<KLeft, VLeft, VRight, Out>;
  readonly #rows: KTableValueGetter<KLeft, VLeft>;
  readonly #writer = new ByteWriter();
  #valueSite!: SerdeSite;
  #context!: ProcessorContext<KLeft, Out | null>;

  constructor(options: ResponseJoinOptions<KLeft, VLeft, VRight, Out>) {
    this.#options = options;
    this.#rows = options.leftTable.get();
  }

  init(context: ProcessorContext<KLeft, Out | null>): void {
    this.#context = context;
    this.#rows.init(context);
    const topic = `${context.applicationId}-${this.#options.subscriptionTopic}`;
    this.#valueSite = { topic: `${topic}-vh`, isKey: false };
  }

  process(record: StreamRecord<KLeft, SubscriptionResponseWrapper<VRight>>): void {
    const { key, value: response } = record;
    const row = this.#rows.get(key);
    const left = row === null ? null : row.value;
    const hash = left === null ? null : this.#hash(left);
    if (!equalBytes(hash, response.originalValueHash)) {
      this.#context.dropped("stale-response");
      return;
    }
    const result = this.#join(left, response.foreignValue, key);
    this.#context.forward(new StreamRecord(key, result, record.timestamp, record.headers));
  }

  #join(left: VLeft | null, right: VRight | null, key: KLeft): Out | null {
    const { joiner, leftJoin } = this.#options;
    // A right value for a deleted left row cannot come: its hash would not be null.
    if (left === null || (right === null && !leftJoin)) return null;
    return synchronous(joiner(left, right, key), "joiner") ?? null;
  }

  #hash(value: VLeft): Uint8Array {
    this.#writer.reset();
    this.#options.leftValue.encode(value, this.#writer, this.#valueSite);
    return murmur3Hash128(this.#writer.bytes, 0, this.#writer.length);
  }

  close(): void {
    this.#rows.close?.();
  }
}
