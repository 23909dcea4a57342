import { SerializationException } from "../errors.ts";
import { ByteWriter, readInt32 } from "../record/bytes.ts";
import { describeSite } from "./primitives.ts";
import type { Serde, SerdeEnvironment, SerdePurpose, SerdeSite } from "./serde.ts";

const VARIABLE_SIZE = 1;
const CONSTANT_SIZE = 0;
const NULL_ENTRY = -1;

/**
 * A list of values, nulls allowed. Where every value has one size (`fixedSize`: numbers, UUIDs), they are written without lengths and nulls by
 * their positions, everything else with a length each, as Kafka's `ListSerializer` does (KIP-466).
 */
export function list<T>(inner: Serde<T>): Serde<(T | null)[]> {
  const { fixedSize } = inner;
  const sites = new WeakMap<SerdeSite, SerdeSite>();
  const within = (site: SerdeSite): SerdeSite => {
    let found = sites.get(site);
    if (found === undefined) sites.set(site, found = Object.freeze({ ...site, headerless: true }));
    return found;
  };
  return Object.freeze({
    name: `list(${inner.name})`,
    bind: (environment: SerdeEnvironment) => inner.bind?.(environment),
    prepare: (site: SerdeSite, purpose?: SerdePurpose) =>
      inner.prepare?.(within(site), purpose) ?? Promise.resolve(),
    encode(values: (T | null)[], out: ByteWriter, site: SerdeSite) {
      if (!Array.isArray(values)) {
        throw new SerializationException(
          `Cannot use ${describeSite(site)} as a list as it must be an array: current value is ${
            String(values)
          }`,
        );
      }
      if (fixedSize === undefined) writeVariable(inner, values, out, within(site));
      else writeFixed(inner, values, out, within(site));
    },
    decode(bytes: Uint8Array, start: number, end: number, site: SerdeSite) {
      const reader = new Reader(bytes, start, end, within(site));
      const flag = reader.uint8();
      if (flag === VARIABLE_SIZE) return readVariable(inner, reader);
      if (flag !== CONSTANT_SIZE || fixedSize === undefined) {
        throw reader.fault(`starts with the flag ${flag}`);
      }
      return readFixed(inner, reader, fixedSize);
    },
  });
}

function writeVariable<T>(
  inner: Serde<T>,
  values: (T | null)[],
  out: ByteWriter,
  site: SerdeSite,
): void {
  out.uint8(VARIABLE_SIZE);
  out.int32(values.length);
  for (const value of values) {
    const lengthAt = out.reserve(4);
    const start = out.length;
    if (value !== null) inner.encode(value, out, site);
    out.view.setInt32(lengthAt, value === null ? -1 : out.length - start);
  }
}

function writeFixed<T>(
  inner: Serde<T>,
  values: (T | null)[],
  out: ByteWriter,
  site: SerdeSite,
): void {
  out.uint8(CONSTANT_SIZE);
  const nulls = values.flatMap((value, index) => value === null ? [index] : []);
  out.int32(nulls.length);
  for (const index of nulls) out.int32(index);
  out.int32(values.length);
  for (const value of values) if (value !== null) inner.encode(value, out, site);
}

function readVariable<T>(inner: Serde<T>, reader: Reader): (T | null)[] {
  const values: (T | null)[] = [];
  const count = reader.count();
  for (let i = 0; i < count; i++) {
    const length = reader.int32();
    if (length === NULL_ENTRY) values.push(null);
    else {
      const from = reader.take(length);
      values.push(inner.decode(reader.bytes, from, from + length, reader.site));
    }
  }
  return reader.finish(values);
}

function readFixed<T>(inner: Serde<T>, reader: Reader, size: number): (T | null)[] {
  const nulls = new Set<number>();
  const nullCount = reader.count();
  for (let i = 0; i < nullCount; i++) nulls.add(reader.int32());
  const values: (T | null)[] = [];
  // Nulls take no bytes behind the count.
  const count = reader.count(nulls.size);
  for (let i = 0; i < count; i++) {
    if (nulls.has(i)) values.push(null);
    else {
      const from = reader.take(size);
      values.push(inner.decode(reader.bytes, from, from + size, reader.site));
    }
  }
  return reader.finish(values);
}

class Reader {
  readonly bytes: Uint8Array;
  readonly site: SerdeSite;
  readonly #end: number;
  #at: number;
  constructor(bytes: Uint8Array, start: number, end: number, site: SerdeSite) {
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.site = site;
  }
  take(count: number): number {
    const from = this.#at;
    if (count < 0 || count > this.#end - from) throw this.fault("ends too early");
    this.#at += count;
    return from;
  }
  uint8(): number {
    return this.bytes[this.take(1)];
  }
  int32(): number {
    return readInt32(this.bytes, this.take(4));
  }
  /** A count of entries; more than bytes are left is corrupt, and must not make a huge loop. */
  count(withoutBytes = 0): number {
    const count = this.int32();
    if (count < 0 || count > this.#end - this.#at + withoutBytes) {
      throw this.fault(`claims ${count} entries`);
    }
    return count;
  }
  finish<T>(values: T): T {
    if (this.#at !== this.#end) throw this.fault(`has ${this.#end - this.#at} bytes too many`);
    return values;
  }
  fault(what: string): SerializationException {
    return new SerializationException(
      `Cannot read ${describeSite(this.site)} as a list as it ${what}`,
    );
  }
}

/** Encodes one value alone: for stores and tests. */
export function encodeAlone<T>(serde: Serde<T>, value: T, site: SerdeSite): Uint8Array {
  const out = new ByteWriter(64);
  serde.encode(value, out, site);
  return out.copy();
}
