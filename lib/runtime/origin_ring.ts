/** Where an outgoing record came from. */
export interface RecordOrigin {
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly nodeName: string;
  readonly taskId: string;
}

/** What many records have in common: all of an origin but the offset. */
type Place = Omit<RecordOrigin, "offset">;

/** Tags count up to this and begin anew. */
const LAST_TAG = 2 ** 30 - 1;

/**
 * Remembers where the last records that were sent came from, by tag, so that a delivery that fails minutes later can still be explained. The oldest are
 * forgotten: `reserve` says how many may be asked for.
 */
export class OriginRing {
  readonly #places: Place[] = [];
  readonly #indexes = new Map<string, number>();
  /** The places of the last two records: a store's changelog and what follows from its update mostly alternate. */
  #last = -1;
  #previous = -1;
  /** Indexes of places and offsets, by tag; a power of two of each. */
  #ofTag = new Int32Array(1);
  #offsets = new Float64Array(1);
  #next = 0;

  /** @param inFlight as `reserve` */
  constructor(inFlight: number) {
    this.reserve(inFlight);
  }

  /** Sees to it that so many of the last origins are remembered. */
  reserve(inFlight: number): void {
    const before = this.#ofTag.length;
    if (inFlight <= before) return;
    const size = 2 ** Math.ceil(Math.log2(inFlight));
    const ofTag = new Int32Array(size);
    const offsets = new Float64Array(size);
    for (let i = 1; i <= before; i++) {
      const tag = (this.#next - i) & LAST_TAG;
      ofTag[tag & (size - 1)] = this.#ofTag[tag & (before - 1)];
      offsets[tag & (size - 1)] = this.#offsets[tag & (before - 1)];
    }
    this.#ofTag = ofTag;
    this.#offsets = offsets;
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
    this.#next = (tag + 1) & LAST_TAG;
    const at = tag & (this.#ofTag.length - 1);
    this.#offsets[at] = offset;
    if (!this.#isAt(this.#last, topic, partition, nodeName, taskId)) {
      const place = this.#isAt(this.#previous, topic, partition, nodeName, taskId)
        ? this.#previous
        : this.#indexOf({ topic, partition, nodeName, taskId });
      this.#previous = this.#last;
      this.#last = place;
    }
    this.#ofTag[at] = this.#last;
    return tag;
  }

  #isAt(
    index: number,
    topic: string | undefined,
    partition: number,
    nodeName: string,
    taskId: string,
  ): boolean {
    if (index < 0) return false;
    const place = this.#places[index];
    return place.partition === partition && place.nodeName === nodeName && place.topic === topic &&
      place.taskId === taskId;
  }

  #indexOf(place: Place): number {
    const name = JSON.stringify([place.taskId, place.nodeName, place.partition, place.topic]);
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = this.#places.push(place) - 1;
      this.#indexes.set(name, index);
    }
    return index;
  }

  /** The origin of a tag. */
  get(tag: number): RecordOrigin {
    const at = tag & (this.#ofTag.length - 1);
    return { ...this.#places[this.#ofTag[at]], offset: this.#offsets[at] };
  }
}
