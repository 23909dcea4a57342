import { SerializationException } from "../errors.ts";
import type { ByteWriter } from "../record/bytes.ts";
import { readInt64 } from "../record/bytes.ts";
import type { Headers } from "../record/headers.ts";
import { Windowed } from "../record/windowed.ts";
import { describeSite } from "./primitives.ts";
import type { Serde, SerdeEnvironment, SerdePurpose, SerdeSite } from "./serde.ts";

/**
 * Keys of time windows in a topic: the inner key, then the window's start in 64 bits. The size is not written, so reading needs it; without
 * one the end is the greatest instant. Kafka Streams: `TimeWindowedSerde`.
 *
 * @param sizeMs the windows' size in ms
 */
export function timeWindowed<K>(inner: Serde<K>, sizeMs?: number): Serde<Windowed<K>> {
  checkInner(inner, "timeWindowed");
  if (sizeMs !== undefined && !(Number.isSafeInteger(sizeMs) && sizeMs >= 0)) {
    throw new RangeError(
      `Cannot make the serde timeWindowed as the windows' size must be whole milliseconds, at least 0: current value is ${sizeMs}`,
    );
  }
  return new WindowedSerde(inner, `timeWindowed(${inner.name})`, 8, {
    write: (window, out) => out.int64(window.start),
    start: readInt64,
    end(_bytes, _at, start) {
      const end = sizeMs === undefined ? Number.MAX_SAFE_INTEGER : start + sizeMs;
      return Math.min(end, Number.MAX_SAFE_INTEGER);
    },
  });
}

/** Keys of sessions in a topic: the inner key, then end and start in 64 bits each. Kafka Streams: `SessionWindowedSerde`. */
export function sessionWindowed<K>(inner: Serde<K>): Serde<Windowed<K>> {
  checkInner(inner, "sessionWindowed");
  return new WindowedSerde(inner, `sessionWindowed(${inner.name})`, 16, {
    write(window, out) {
      out.int64(window.end);
      out.int64(window.start);
    },
    start: (bytes, at) => readInt64(bytes, at + 8),
    end: readInt64,
  });
}

function checkInner(inner: Serde<any>, serde: string): void {
  if (typeof inner?.encode === "function" && typeof inner.decode === "function") return;
  throw new TypeError(
    `Cannot make the serde ${serde} as it needs the serde of the key without its window, such as string(): current value is ${inner}`,
  );
}

interface WindowFormat<K> {
  write(window: Windowed<K>, out: ByteWriter): void;
  start(bytes: Uint8Array, at: number): number;
  end(bytes: Uint8Array, at: number, start: number): number;
}

class WindowedSerde<K> implements Serde<Windowed<K>> {
  readonly name: string;
  readonly inner: Serde<K>;
  readonly #tail: number;
  readonly #format: WindowFormat<K>;

  constructor(inner: Serde<K>, name: string, tail: number, format: WindowFormat<K>) {
    this.inner = inner;
    this.name = name;
    this.#tail = tail;
    this.#format = format;
  }

  encode(value: Windowed<K>, out: ByteWriter, site: SerdeSite): void {
    if (!(value instanceof Windowed)) {
      throw new SerializationException(
        `Cannot use ${
          describeSite(site)
        } as ${this.name} as it must be a Windowed: current value is ${String(value)}`,
      );
    }
    this.inner.encode(value.key, out, site);
    this.#format.write(value, out);
  }

  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    site: SerdeSite,
    headers?: Headers,
  ): Windowed<K> {
    const at = end - this.#tail;
    if (at < start) {
      throw new SerializationException(
        `Cannot read ${
          describeSite(site)
        } as ${this.name} as it must have at least ${this.#tail} bytes: current value is ${
          end - start
        } bytes`,
      );
    }
    const key = this.inner.decode(bytes, start, at, site, headers);
    const windowStart = this.#format.start(bytes, at);
    const windowEnd = this.#format.end(bytes, at, windowStart);
    if (windowStart >= 0 && windowEnd >= windowStart) {
      return new Windowed(key, windowStart, windowEnd);
    }
    throw new SerializationException(
      `Cannot read ${
        describeSite(site)
      } as ${this.name} as its window must begin at 0 or later and end after that: current value is [${windowStart}, ${windowEnd}]`,
    );
  }

  headersOf(value: Windowed<K>, site: SerdeSite, headers: Headers): Headers {
    return this.inner.headersOf?.(value.key, site, headers) ?? headers;
  }

  partitionPrefix(length: number): number {
    return length - this.#tail;
  }

  bind(environment: SerdeEnvironment): void {
    this.inner.bind?.(environment);
  }

  prepare(site: SerdeSite, purpose?: SerdePurpose): Promise<void> {
    return this.inner.prepare?.(site, purpose) ?? Promise.resolve();
  }
}
