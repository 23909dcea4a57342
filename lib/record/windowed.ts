/** A span of event time in epoch ms. Time windows hold [start, end), session and sliding windows [start, end]. Kafka Streams: `Window`. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** The key of a windowed table's row: the plain key and its window, in epoch ms. Kafka Streams: `Windowed`. */
export class Windowed<K = unknown> {
  readonly key: K;
  readonly start: number;
  readonly end: number;
  /** @throws {RangeError} when the window begins before the epoch, or ends before it begins */
  constructor(key: K, start: number, end: number) {
    if (start < 0 || end < start) refuse(start, end);
    this.key = key;
    this.start = start;
    this.end = end;
  }

  /** The window alone. */
  get window(): Window {
    return { start: this.start, end: this.end };
  }

  /** `[key@start/end]`, as Kafka Streams writes it. */
  toString(): string {
    return `[${this.key}@${this.start}/${this.end}]`;
  }
}

function refuse(start: number, end: number): never {
  throw new RangeError(
    `Cannot make a window as it must not begin before 0, and not end before it begins: current value is ${start} to ${end}`,
  );
}
