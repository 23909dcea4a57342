import { ByteWriter, cutCopy, equalBytes } from "../../../record/bytes.ts";
import type { Change } from "../../../record/change.ts";
import { StreamRecord } from "../../../record/record.ts";
import type { Serde, SerdeSite } from "../../../serde/serde.ts";
import type {
  Processor,
  ProcessorContext,
  ProcessorSupplier,
} from "../../../topology/processor.ts";
import { type KeyMapper, synchronous } from "../functions.ts";
import { murmur3Hash128 } from "./murmur3.ts";
import { INSTRUCTION, type Instruction, SubscriptionWrapper } from "./subscription_wrapper.ts";

/** Options of `SubscriptionSendProcessorSupplier`. */
export interface SubscriptionSendOptions<KLeft, VLeft, KRight> {
  /** The foreign key of a left row; null when it has none. */
  readonly foreignKeyExtractor: KeyMapper<KLeft, VLeft, KRight | null>;
  /** The subscription topic's name without the application id. */
  readonly subscriptionTopic: string;
  readonly foreignKey: Serde<KRight>;
  readonly leftValue: Serde<VLeft>;
  readonly leftJoin: boolean;
}

/**
 * The left side of a foreign-key join: tells the right side which row each left row needs now, and which it needs no longer.
 * The left table has to send old values. Kafka Streams: `SubscriptionSendProcessorSupplier`.
 */
export class SubscriptionSendProcessorSupplier<KLeft, VLeft, KRight>
  implements ProcessorSupplier<KLeft, Change<VLeft>, KRight, SubscriptionWrapper<KLeft>> {
  readonly #options: SubscriptionSendOptions<KLeft, VLeft, KRight>;
  #versioned = false;
  constructor(options: SubscriptionSendOptions<KLeft, VLeft, KRight>) {
    this.#options = options;
  }
  get(): Processor<KLeft, Change<VLeft>, KRight, SubscriptionWrapper<KLeft>> {
    return new SendProcessor(this.#options, this.#versioned);
  }
  /** The left table is versioned: out-of-order updates are dropped (KIP-914). */
  useVersionedSemantics(versioned: boolean): void {
    this.#versioned = versioned;
  }
}

class SendProcessor<KLeft, VLeft, KRight>
  implements Processor<KLeft, Change<VLeft>, KRight, SubscriptionWrapper<KLeft>> {
  readonly #options: SubscriptionSendOptions<KLeft, VLeft, KRight>;
  readonly #versioned: boolean;
  readonly #writer = new ByteWriter();
  #context!: ProcessorContext<KRight, SubscriptionWrapper<KLeft>>;
  #foreignKeySite!: SerdeSite;
  #valueSite!: SerdeSite;
  #taskPartition = 0;

  constructor(options: SubscriptionSendOptions<KLeft, VLeft, KRight>, versioned: boolean) {
    this.#options = options;
    this.#versioned = versioned;
  }

  init(context: ProcessorContext<KRight, SubscriptionWrapper<KLeft>>): void {
    this.#context = context;
    const topic = `${context.applicationId}-${this.#options.subscriptionTopic}`;
    this.#foreignKeySite = { topic: `${topic}-fk`, isKey: true };
    this.#valueSite = { topic: `${topic}-vh`, isKey: false };
    this.#taskPartition = Number(context.taskId.slice(context.taskId.lastIndexOf("_") + 1));
  }

  process(record: StreamRecord<KLeft, Change<VLeft>>): void {
    const { key, value: change } = record;
    if (this.#versioned && !change.isLatest) {
      this.#context.dropped("out-of-order");
      return;
    }
    if (change.oldValue === null && change.newValue === null) return;
    const wanted = this.#foreignKeyOf(key, change.newValue);
    const unwanted = this.#foreignKeyOf(key, change.oldValue);
    const hash = change.newValue === null ? null : this.#hash(change.newValue);
    if (this.#options.leftJoin) this.#sendLeft(record, hash, wanted, unwanted);
    else this.#sendInner(record, hash, wanted, unwanted);
  }

  /** A left join always wants an answer, null if there is no row or no foreign key. */
  #sendLeft(
    record: StreamRecord<KLeft, Change<VLeft>>,
    hash: Uint8Array | null,
    wanted: KRight | null,
    unwanted: KRight | null,
  ): void {
    if (unwanted !== null && !this.#isSame(wanted, unwanted)) {
      this.#send(record, hash, unwanted, INSTRUCTION.deleteKeyNoPropagate);
    }
    this.#send(record, hash, wanted, INSTRUCTION.propagateNullIfNoFkValAvailable);
  }

  #sendInner(
    record: StreamRecord<KLeft, Change<VLeft>>,
    hash: Uint8Array | null,
    wanted: KRight | null,
    unwanted: KRight | null,
  ): void {
    if (wanted === null && unwanted === null) {
      this.#context.dropped("null-key", "null foreign key");
    } else if (wanted === null) {
      this.#send(record, hash, unwanted, INSTRUCTION.deleteKeyAndPropagate);
    } else if (unwanted !== null && !this.#isSame(wanted, unwanted)) {
      this.#send(record, hash, unwanted, INSTRUCTION.deleteKeyNoPropagate);
      // Null too: it takes back the result that the old foreign key had given.
      this.#send(record, hash, wanted, INSTRUCTION.propagateNullIfNoFkValAvailable);
    } else {
      this.#send(record, hash, wanted, INSTRUCTION.propagateOnlyIfFkValAvailable);
    }
  }

  #foreignKeyOf(key: KLeft, value: VLeft | null): KRight | null {
    if (value === null) return null;
    const extractor = this.#options.foreignKeyExtractor;
    return synchronous(extractor(value, key), "foreign-key extractor") ?? null;
  }

  /** By their bytes, as the right side's store compares them. */
  #isSame(wanted: KRight | null, unwanted: KRight): boolean {
    if (wanted === null) return false;
    return equalBytes(this.#foreignKeyBytes(wanted), this.#foreignKeyBytes(unwanted));
  }

  #foreignKeyBytes(key: KRight): Uint8Array {
    this.#writer.reset();
    this.#options.foreignKey.encode(key, this.#writer, this.#foreignKeySite);
    return cutCopy(this.#writer.bytes, 0, this.#writer.length);
  }

  #hash(value: VLeft): Uint8Array {
    this.#writer.reset();
    this.#options.leftValue.encode(value, this.#writer, this.#valueSite);
    return murmur3Hash128(this.#writer.bytes, 0, this.#writer.length);
  }

  #send(
    record: StreamRecord<KLeft, Change<VLeft>>,
    hash: Uint8Array | null,
    foreignKey: KRight | null,
    instruction: Instruction,
  ): void {
    const source = this.#context.recordMetadata()?.partition ?? -1;
    // A record made by a punctuation has no partition of its own: its answer goes to the task's.
    const partition = source >= 0 ? source : this.#taskPartition;
    const wrapper = new SubscriptionWrapper(hash, instruction, record.key, partition);
    this.#context.forward(
      new StreamRecord(foreignKey as KRight, wrapper, record.timestamp, record.headers),
    );
  }
}
