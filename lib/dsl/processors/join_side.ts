import { type ByteWriter, readInt64 } from "../../record/bytes.ts";
import type { Headers } from "../../record/headers.ts";
import type { Serde, SerdeEnvironment, SerdeSite } from "../../serde/serde.ts";

/** The key of unmatched records that wait for their join window to close. Kafka Streams: `TimestampedKeyAndJoinSide`. */
export class TimestampedKeyAndJoinSide<K> {
  readonly key: K;
  /** Epoch ms of the record. */
  readonly timestamp: number;
  readonly isLeft: boolean;
  constructor(key: K, timestamp: number, isLeft: boolean) {
    this.key = key;
    this.timestamp = timestamp;
    this.isLeft = isLeft;
  }
}

/** An unmatched record's value, and from which side it came. Kafka Streams: `LeftOrRightValue`. */
export class LeftOrRightValue<L, R> {
  readonly value: L | R;
  readonly isLeft: boolean;
  constructor(value: L | R, isLeft: boolean) {
    this.value = value;
    this.isLeft = isLeft;
  }
}

/** `int64 timestamp | 1 for left, 0 for right | key`: byte order is time, then right before left. Kafka Streams: `TimestampedKeyAndJoinSideSerde`. */
export class TimestampedKeyAndJoinSideSerde<K> implements Serde<TimestampedKeyAndJoinSide<K>> {
  readonly name: string;
  readonly #key: Serde<K>;
  constructor(key: Serde<K>) {
    this.#key = key;
    this.name = `timestampedKeyAndJoinSide(${key.name})`;
  }
  encode(value: TimestampedKeyAndJoinSide<K>, out: ByteWriter, site: SerdeSite): void {
    out.int64(value.timestamp);
    out.uint8(value.isLeft ? 1 : 0);
    this.#key.encode(value.key, out, site);
  }
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    site: SerdeSite,
    headers?: Headers,
  ): TimestampedKeyAndJoinSide<K> {
    const key = this.#key.decode(bytes, start + 9, end, site, headers);
    return new TimestampedKeyAndJoinSide(key, readInt64(bytes, start), bytes[start + 8] === 1);
  }
  bind(environment: SerdeEnvironment): void {
    this.#key.bind?.(environment);
  }
  prepare(site: SerdeSite): Promise<void> {
    return this.#key.prepare?.(site) ?? Promise.resolve();
  }
}

/** `1 for left, 0 for right | value`. Kafka Streams: `LeftOrRightValueSerde`. */
export class LeftOrRightValueSerde<L, R> implements Serde<LeftOrRightValue<L, R>> {
  readonly name: string;
  readonly #left: Serde<L>;
  readonly #right: Serde<R>;
  constructor(left: Serde<L>, right: Serde<R>) {
    this.#left = left;
    this.#right = right;
    this.name = `leftOrRight(${left.name}, ${right.name})`;
  }
  encode(value: LeftOrRightValue<L, R>, out: ByteWriter, site: SerdeSite): void {
    out.uint8(value.isLeft ? 1 : 0);
    if (value.isLeft) this.#left.encode(value.value as L, out, site);
    else this.#right.encode(value.value as R, out, site);
  }
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    site: SerdeSite,
    headers?: Headers,
  ): LeftOrRightValue<L, R> {
    const isLeft = bytes[start] === 1;
    const inner: Serde<L | R> = isLeft ? this.#left as Serde<L | R> : this.#right as Serde<L | R>;
    return new LeftOrRightValue<L, R>(inner.decode(bytes, start + 1, end, site, headers), isLeft);
  }
  bind(environment: SerdeEnvironment): void {
    this.#left.bind?.(environment);
    this.#right.bind?.(environment);
  }
  async prepare(site: SerdeSite): Promise<void> {
    await this.#left.prepare?.(site);
    await this.#right.prepare?.(site);
  }
}
