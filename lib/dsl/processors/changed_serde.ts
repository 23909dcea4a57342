import { SerializationException } from "../../errors.ts";
import { ByteWriter } from "../../record/bytes.ts";
import { Change } from "../../record/change.ts";
import type { Headers } from "../../record/headers.ts";
import type { Serde, SerdeEnvironment, SerdeSite } from "../../serde/serde.ts";

/** The last byte says which values are there. The `…Versioned` forms, with an isLatest byte before it, are only read. */
const OLD_ONLY = 0;
const NEW_ONLY = 1;
const NEW_AND_OLD = 2;
const OLD_ONLY_VERSIONED = 3;
const NEW_ONLY_VERSIONED = 4;
const NEW_AND_OLD_VERSIONED = 5;

/**
 * The changes that a grouped table sends through its repartition topic, byte for byte as Kafka Streams since 3.5:
 * `old 0`, `new 1`, or `varint(new's length) new old 2`. Kafka Streams: `ChangedSerializer`, `ChangedDeserializer`.
 */
export class ChangedSerde<V> implements Serde<Change<V>> {
  readonly name: string;
  readonly #inner: Serde<V>;
  readonly #scratch = new ByteWriter();

  constructor(inner: Serde<V>) {
    this.#inner = inner;
    this.name = `changed(${inner.name})`;
  }

  /** @throws {SerializationException} when neither value is there */
  encode(change: Change<V>, out: ByteWriter, site: SerdeSite): void {
    const { newValue, oldValue } = change;
    if (newValue !== null && oldValue !== null) {
      const scratch = this.#scratch;
      scratch.reset();
      this.#inner.encode(newValue, scratch, site);
      writeVarint(scratch.length, out);
      out.raw(scratch.bytes, 0, scratch.length);
      this.#inner.encode(oldValue, out, site);
      out.uint8(NEW_AND_OLD);
    } else if (newValue !== null) {
      this.#inner.encode(newValue, out, site);
      out.uint8(NEW_ONLY);
    } else if (oldValue !== null) {
      this.#inner.encode(oldValue, out, site);
      out.uint8(OLD_ONLY);
    } else {
      throw new SerializationException(
        `Cannot write a change to ${site.topic} as the new or the old value must be there: current value is null for both`,
      );
    }
  }

  /** @throws {SerializationException} when the bytes are no change */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    site: SerdeSite,
    headers?: Headers,
  ): Change<V> {
    const form = end > start ? bytes[end - 1] : -1;
    let isLatest = true;
    let last = end - 1;
    if (form >= OLD_ONLY_VERSIONED && form <= NEW_AND_OLD_VERSIONED) {
      last--;
      if (last < start || bytes[last] > 1) throw malformed(site, "isLatest byte", bytes[last]);
      isLatest = bytes[last] === 1;
    }
    switch (form) {
      case OLD_ONLY:
      case OLD_ONLY_VERSIONED:
        return new Change<V>(
          null,
          this.#inner.decode(bytes, start, last, site, headers),
          isLatest,
        );
      case NEW_ONLY:
      case NEW_ONLY_VERSIONED:
        return new Change<V>(
          this.#inner.decode(bytes, start, last, site, headers),
          null,
          isLatest,
        );
      case NEW_AND_OLD:
      case NEW_AND_OLD_VERSIONED:
        return this.#decodeBoth(bytes, start, last, site, headers, isLatest);
      default:
        throw malformed(site, "form", form);
    }
  }

  #decodeBoth(
    bytes: Uint8Array,
    start: number,
    last: number,
    site: SerdeSite,
    headers: Headers | undefined,
    isLatest: boolean,
  ): Change<V> {
    let at = start;
    let zigzag = 0;
    let shift = 0;
    let byte: number;
    do {
      if (at >= last || shift > 28) throw malformed(site, "length", at - start);
      byte = bytes[at++];
      zigzag |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte > 0x7f);
    const length = (zigzag >>> 1) ^ -(zigzag & 1);
    const middle = at + length;
    if (length < 0 || middle > last) throw malformed(site, "length of the new value", length);
    const newValue = this.#inner.decode(bytes, at, middle, site, headers);
    const oldValue = this.#inner.decode(bytes, middle, last, site, headers);
    return new Change(newValue, oldValue, isLatest);
  }

  bind(environment: SerdeEnvironment): void {
    this.#inner.bind?.(environment);
  }

  prepare(site: SerdeSite): Promise<void> {
    return this.#inner.prepare?.(site) ?? Promise.resolve();
  }
}

/** A zigzag varint, as Kafka's `ByteUtils.writeVarint` writes it. */
function writeVarint(value: number, out: ByteWriter): void {
  let rest = value << 1;
  while (rest > 0x7f) {
    out.uint8((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.uint8(rest);
}

function malformed(site: SerdeSite, what: string, value: number): SerializationException {
  return new SerializationException(
    `Cannot read a change from ${site.topic} as its ${what} is unknown: current value is ${value}`,
  );
}
