/** Where an outgoing record came from. */
export interface RecordOrigin {
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly nodeName: string;
  readonly taskId: string;
}

/**
 * Remembers where the last records that were sent came from, by tag, so that a delivery that fails minutes later can still be explained. Fixed memory:
 * the oldest are forgotten. Larger than librdkafka's queue, so that what is in flight is always there.
 */
export class OriginRing {
  readonly #mask: number;
  readonly #topics: (string | undefined)[];
  readonly #nodes: string[];
  readonly #tasks: string[];
  readonly #partitions: Int32Array;
  readonly #offsets: Float64Array;
  #next = 0;

  /** @param size a power of two */
  constructor(size = 131_072) {
    this.#mask = size - 1;
    this.#topics = new Array(size).fill(undefined);
    this.#nodes = new Array(size).fill("");
    this.#tasks = new Array(size).fill("");
    this.#partitions = new Int32Array(size);
    this.#offsets = new Float64Array(size);
  }

  /** Remembers an origin and gives its tag. */
  add(
    topic: string | undefined,
    partition: number,
    offset: number,
    nodeName: string,
    taskId: string,
  ): number {
    const tag = this.#next;
    this.#next = (tag + 1) & this.#mask;
    this.#topics[tag] = topic;
    this.#nodes[tag] = nodeName;
    this.#tasks[tag] = taskId;
    this.#partitions[tag] = partition;
    this.#offsets[tag] = offset;
    return tag;
  }

  /** The origin of a tag. */
  get(tag: number): RecordOrigin {
    return {
      topic: this.#topics[tag],
      partition: this.#partitions[tag],
      offset: this.#offsets[tag],
      nodeName: this.#nodes[tag],
      taskId: this.#tasks[tag],
    };
  }
}
