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
  constructor(key: K, start: number, end: number) {
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
