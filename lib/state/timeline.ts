/** Rows in order of time, in columns. */
interface Rows {
  readonly firsts: number[];
  readonly seconds: number[];
  readonly values: Uint8Array[];
}

/**
 * The rows of one key by time: a first number that orders them, and a second one among equals. A row that never had a second beside it lies in the object itself:
 * in a join most keys have one, and three arrays took three times as much.
 */
export class Timeline {
  /** What it is in; undefined: it was taken out. */
  owner: unknown;
  readonly key: unknown;
  #first: number;
  #second: number;
  /** Undefined: the rows are in the arrays, or there are none. */
  #value: Uint8Array | undefined;
  #rows: Rows | undefined = undefined;

  constructor(owner: unknown, key: unknown, first: number, second: number, value: Uint8Array) {
    this.owner = owner;
    this.key = key;
    this.#first = first;
    this.#second = second;
    this.#value = value;
  }

  /** Reads what a `put` will read; the number means nothing. */
  readAhead(): number {
    const rows = this.#rows;
    if (rows === undefined) return this.#first;
    const last = rows.firsts.length - 1;
    return last < 0 ? 0 : rows.firsts[last] + rows.seconds[last] + rows.values.length;
  }

  get size(): number {
    return this.#rows === undefined ? this.#value === undefined ? 0 : 1 : this.#rows.firsts.length;
  }
  /** Whether it ever had a second row. */
  get isGrown(): boolean {
    return this.#rows !== undefined;
  }
  first(at: number): number {
    return this.#rows === undefined ? this.#first : this.#rows.firsts[at];
  }
  value(at: number): Uint8Array {
    return this.#rows === undefined ? this.#value! : this.#rows.values[at];
  }

  /** The value of a row, if it is there. */
  get(first: number, second: number): Uint8Array | undefined {
    const at = this.indexOf(first, second);
    return this.isAt(at, first, second) ? this.value(at) : undefined;
  }

  /** Whether the row at an index, which may be one past the end, has these numbers. */
  isAt(at: number, first: number, second: number): boolean {
    const rows = this.#rows;
    if (rows !== undefined) return rows.firsts[at] === first && rows.seconds[at] === second;
    return at < this.size && this.#first === first && this.#second === second;
  }

  /** The index of the first row that is not before (first, second). Most rows are newer than all that are there. */
  indexOf(first: number, second: number): number {
    const rows = this.#rows;
    if (rows === undefined) {
      if (this.#value === undefined) return 0;
      return this.#first < first || (this.#first === first && this.#second < second) ? 1 : 0;
    }
    const { firsts, seconds } = rows;
    let high = firsts.length;
    if (high === 0) return 0;
    const last = high - 1;
    if (firsts[last] < first || (firsts[last] === first && seconds[last] < second)) return high;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const each = firsts[middle];
      if (each < first || (each === first && seconds[middle] < second)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Replaces the value of a row. */
  replace(at: number, value: Uint8Array): void {
    if (this.#rows === undefined) this.#value = value;
    else this.#rows.values[at] = value;
  }

  insert(at: number, first: number, second: number, value: Uint8Array): void {
    if (this.#rows === undefined && this.#value === undefined) {
      this.#first = first;
      this.#second = second;
      this.#value = value;
      return;
    }
    if (this.#rows === undefined) return this.#grow(at, first, second, value);
    const { firsts, seconds, values } = this.#rows;
    if (at === firsts.length) {
      firsts.push(first);
      seconds.push(second);
      values.push(value);
      return;
    }
    firsts.splice(at, 0, first);
    seconds.splice(at, 0, second);
    values.splice(at, 0, value);
  }

  /** Two rows: arrays of just that length, as an array that a push lets grow has room for seventeen. */
  #grow(at: number, first: number, second: number, value: Uint8Array): void {
    const own = this.#value!;
    this.#value = undefined;
    this.#rows = at === 0
      ? {
        firsts: [first, this.#first],
        seconds: [second, this.#second],
        values: [value, own],
      }
      : {
        firsts: [this.#first, first],
        seconds: [this.#second, second],
        values: [own, value],
      };
  }

  /** Takes rows out. */
  cut(at: number, count: number): void {
    const rows = this.#rows;
    if (rows === undefined) this.#value = undefined;
    else if (at === 0 && count === 1) {
      rows.firsts.shift();
      rows.seconds.shift();
      rows.values.shift();
    } else {
      rows.firsts.splice(at, count);
      rows.seconds.splice(at, count);
      rows.values.splice(at, count);
    }
  }

  /** Copies of the rows [from, to), in columns. */
  slice(from: number, to: number): Rows {
    const rows = this.#rows;
    if (rows === undefined) {
      return { firsts: [this.#first], seconds: [this.#second], values: [this.#value!] };
    }
    return {
      firsts: rows.firsts.slice(from, to),
      seconds: rows.seconds.slice(from, to),
      values: rows.values.slice(from, to),
    };
  }
}
