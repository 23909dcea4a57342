import { SerializationException } from "../../../errors.ts";
import { type ByteWriter, cutCopy } from "../../../record/bytes.ts";
import type { Headers } from "../../../record/headers.ts";
import type { Serde, SerdeEnvironment, SerdeSite } from "../../../serde/serde.ts";

const CURRENT_VERSION = 0;
const HASH_IS_NULL = 0x80;
const HASH_LENGTH = 16;

/** The right table's answer to a left row of a foreign-key join. Kafka Streams: `SubscriptionResponseWrapper`. */
export class SubscriptionResponseWrapper<VRight> {
  /** The hash of the left value that was asked for. */
  readonly originalValueHash: Uint8Array | null;
  readonly foreignValue: VRight | null;
  /** The partition it goes to; not on the wire, null where it was read from there. */
  readonly primaryPartition: number | null;
  constructor(
    originalValueHash: Uint8Array | null,
    foreignValue: VRight | null,
    primaryPartition: number | null,
  ) {
    this.originalValueHash = originalValueHash;
    this.foreignValue = foreignValue;
    this.primaryPartition = primaryPartition;
  }
}

/** `version, with 0x80 when there is no hash | 16 bytes hash | value, nothing for null`. Kafka Streams: `SubscriptionResponseWrapperSerde`. */
export class SubscriptionResponseWrapperSerde<VRight>
  implements Serde<SubscriptionResponseWrapper<VRight>> {
  readonly name: string;
  readonly #value: Serde<VRight>;

  constructor(foreignValue: Serde<VRight>) {
    this.#value = foreignValue;
    this.name = `subscriptionResponse(${foreignValue.name})`;
  }

  encode(response: SubscriptionResponseWrapper<VRight>, out: ByteWriter, site: SerdeSite): void {
    const { originalValueHash: hash, foreignValue } = response;
    out.uint8(hash === null ? CURRENT_VERSION | HASH_IS_NULL : CURRENT_VERSION);
    if (hash !== null) out.raw(hash);
    if (foreignValue !== null) this.#value.encode(foreignValue, out, site);
  }

  /** @throws {SerializationException} when the version is unknown */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    site: SerdeSite,
    headers?: Headers,
  ): SubscriptionResponseWrapper<VRight> {
    const version = bytes[start] & 0x7f;
    if (version !== CURRENT_VERSION) {
      throw new SerializationException(
        `Cannot read a response from ${site.topic} as its version is unknown: current value is ${version}`,
      );
    }
    let at = start + 1;
    let hash: Uint8Array | null = null;
    if ((bytes[start] & HASH_IS_NULL) === 0) {
      hash = cutCopy(bytes, at, at + HASH_LENGTH);
      at += HASH_LENGTH;
    }
    const value = at < end ? this.#value.decode(bytes, at, end, site, headers) : null;
    return new SubscriptionResponseWrapper(hash, value, null);
  }

  bind(environment: SerdeEnvironment): void {
    this.#value.bind?.(environment);
  }

  prepare(site: SerdeSite): Promise<void> {
    return this.#value.prepare?.(site) ?? Promise.resolve();
  }
}
