/** One header: a name and its bytes, or null. Names may repeat; order is kept. */
export interface Header {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/**
 * The headers of a record, in order. Immutable: `add` and `remove` give new ones, so children that got the same
 * record never see each other's changes. Kafka: `Headers`.
 */
export class Headers {
  /** No headers at all; shared by every record that has none. */
  static readonly EMPTY: Headers = new Headers([]);
  readonly #entries: readonly Header[];

  private constructor(entries: readonly Header[]) {
    this.#entries = entries;
  }

  /** Headers with these entries, in this order. */
  static of(entries: readonly Header[]): Headers {
    return entries.length === 0 ? Headers.EMPTY : new Headers(entries);
  }

  /** How many entries there are, repeated names counted. */
  get size(): number {
    return this.#entries.length;
  }

  /** These headers and one more at the end. Text is written as UTF-8. */
  add(name: string, value: Uint8Array | string | null): Headers {
    const bytes = typeof value === "string" ? ENCODER.encode(value) : value;
    return new Headers([...this.#entries, { name, value: bytes }]);
  }

  /** These headers without those of that name. */
  remove(name: string): Headers {
    return Headers.of(this.#entries.filter((h) => h.name !== name));
  }

  /** The last value of that name; undefined when there is none. Kafka: `lastHeader`. */
  last(name: string): Uint8Array | null | undefined {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (this.#entries[i].name === name) return this.#entries[i].value;
    }
    return undefined;
  }

  /** The last value of that name as UTF-8 text; undefined when there is none or it is null. */
  lastText(name: string): string | undefined {
    const value = this.last(name);
    return value ? DECODER.decode(value) : undefined;
  }

  [Symbol.iterator](): Iterator<Header> {
    return this.#entries[Symbol.iterator]();
  }
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
