import { SerializationException } from "../../../errors.ts";
import { type ByteWriter, cutCopy, readInt32 } from "../../../record/bytes.ts";
import type { Serde, SerdeEnvironment, SerdeSite } from "../../../serde/serde.ts";

/**
 * What the right side is to do with a subscription. The numbers are those on the wire: drop it silently; drop it and answer null; keep it and
 * answer, with null if there is no row; keep it and answer only if there is a row. Kafka Streams: `SubscriptionWrapper.Instruction`.
 */
export const INSTRUCTION = {
  deleteKeyNoPropagate: 0,
  deleteKeyAndPropagate: 1,
  propagateNullIfNoFkValAvailable: 2,
  propagateOnlyIfFkValAvailable: 3,
} as const;

/** One of `INSTRUCTION`. */
export type Instruction = typeof INSTRUCTION[keyof typeof INSTRUCTION];

/** Version 0 has no partition; it is only read. */
const CURRENT_VERSION = 1;
const HASH_IS_NULL = 0x80;
const HASH_LENGTH = 16;

/** A left row's message to the right table of a foreign-key join. Kafka Streams: `SubscriptionWrapper`. */
export class SubscriptionWrapper<KLeft> {
  /** 128 bits of the left value, null when it was deleted: the answer is checked against it. */
  readonly hash: Uint8Array | null;
  readonly instruction: Instruction;
  readonly primaryKey: KLeft;
  /** Where the answer goes; null in messages of version 0. */
  readonly primaryPartition: number | null;
  constructor(
    hash: Uint8Array | null,
    instruction: Instruction,
    primaryKey: KLeft,
    primaryPartition: number | null,
  ) {
    this.hash = hash;
    this.instruction = instruction;
    this.primaryKey = primaryKey;
    this.primaryPartition = primaryPartition;
  }
}

/** Options of `SubscriptionWrapperSerde`. */
export interface SubscriptionWrapperSerdeOptions<KLeft> {
  /** The subscription topic's name without the application id. */
  readonly subscriptionTopic: string;
  readonly primaryKey: Serde<KLeft>;
  /** The serdes that the join's processors use by themselves: `bind` and `prepare` reach them too, as they stand at no topic of their own. */
  readonly foreignKey?: Serde<unknown>;
  readonly leftValue?: Serde<unknown>;
}

/**
 * `version, with 0x80 when there is no hash | instruction | 16 bytes hash | primary key | int32 partition`.
 * Kafka Streams: `SubscriptionWrapperSerde` (version 1, KIP-925 and later).
 */
export class SubscriptionWrapperSerde<KLeft> implements Serde<SubscriptionWrapper<KLeft>> {
  readonly name: string;
  readonly #options: SubscriptionWrapperSerdeOptions<KLeft>;
  #topic: string | undefined;
  /** One site object per place: serdes remember what they know of a place by it. */
  readonly #keySites = new Map<SerdeSite, SerdeSite>();
  #lastSite: SerdeSite | undefined;
  #lastKeySite!: SerdeSite;

  constructor(options: SubscriptionWrapperSerdeOptions<KLeft>) {
    this.#options = options;
    this.name = `subscription(${options.primaryKey.name})`;
  }

  encode(value: SubscriptionWrapper<KLeft>, out: ByteWriter, site: SerdeSite): void {
    const { hash, primaryPartition } = value;
    const version = primaryPartition === null ? 0 : CURRENT_VERSION;
    out.uint8(hash === null ? version | HASH_IS_NULL : version);
    out.uint8(value.instruction);
    if (hash !== null) out.raw(hash);
    this.#options.primaryKey.encode(value.primaryKey, out, this.#site(site));
    if (primaryPartition !== null) out.int32(primaryPartition);
  }

  /** @throws {SerializationException} when the version or the instruction is unknown */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    site: SerdeSite,
  ): SubscriptionWrapper<KLeft> {
    const version = bytes[start] & 0x7f;
    const instruction = bytes[start + 1];
    if (version > CURRENT_VERSION) throw unknown(site, "version", version);
    if (instruction > 3) throw unknown(site, "instruction", instruction);
    let at = start + 2;
    let hash: Uint8Array | null = null;
    if ((bytes[start] & HASH_IS_NULL) === 0) {
      hash = cutCopy(bytes, at, at + HASH_LENGTH);
      at += HASH_LENGTH;
    }
    const keyEnd = version > 0 ? end - 4 : end;
    const key = this.#options.primaryKey.decode(bytes, at, keyEnd, this.#site(site));
    const partition = version > 0 ? readInt32(bytes, keyEnd) : null;
    return new SubscriptionWrapper(hash, instruction as Instruction, key, partition);
  }

  bind(environment: SerdeEnvironment): void {
    const { primaryKey, foreignKey, leftValue } = this.#options;
    primaryKey.bind?.(environment);
    foreignKey?.bind?.(environment);
    leftValue?.bind?.(environment);
  }

  async prepare(site: SerdeSite): Promise<void> {
    const { primaryKey, foreignKey, leftValue } = this.#options;
    const topic = this.#topicOf(site);
    await primaryKey.prepare?.(this.#site(site));
    await foreignKey?.prepare?.({ topic: `${topic}-fk`, isKey: true });
    await leftValue?.prepare?.({ topic: `${topic}-vh`, isKey: false });
  }

  /** The primary key's pseudo topic is named after the subscription topic, also in the store. */
  #site(site: SerdeSite): SerdeSite {
    if (site === this.#lastSite) return this.#lastKeySite;
    let found = this.#keySites.get(site);
    if (found === undefined) {
      found = Object.freeze({ topic: `${this.#topicOf(site)}-pk`, isKey: true });
      this.#keySites.set(site, found);
    }
    this.#lastSite = site;
    this.#lastKeySite = found;
    return found;
  }

  /** Only the topic itself tells the application id: the store's changelog has another name. */
  #topicOf(site: SerdeSite): string {
    if (site.topic.endsWith(this.#options.subscriptionTopic)) this.#topic = site.topic;
    return this.#topic ?? site.topic;
  }
}

function unknown(site: SerdeSite, what: string, value: number): SerializationException {
  return new SerializationException(
    `Cannot read a subscription from ${site.topic} as its ${what} is unknown: current value is ${value}`,
  );
}
