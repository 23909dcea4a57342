import { compareBytes } from "../record/bytes.ts";

/** Rows that a commit removes of what was trimmed, beside twice the number it writes. */
const TRIM_ROWS = 1_000;

/** Where rows can be removed below a key, at most so many; gives how many. */
export interface Trimmed {
  removeBelow(floor: Uint8Array, limit: number): number;
}

/** Removes what was given up, a bounded number with each commit. */
export class Trimming {
  readonly #places: readonly Trimmed[];
  /** Rows below were given up since the last commit; undefined: none. */
  #floor: Uint8Array | undefined = undefined;
  /** The part of earlier floors that commits have not got to yet. */
  #rest: Uint8Array | undefined = undefined;

  /** @param places where the rows are: each is trimmed */
  constructor(...places: readonly Trimmed[]) {
    this.#places = places;
  }

  upTo(floor: Uint8Array): void {
    if (this.#floor === undefined || compareBytes(floor, this.#floor) > 0) this.#floor = floor;
  }

  /** Rows below it have been given up, and not all are removed yet; undefined: there are none. */
  get floor(): Uint8Array | undefined {
    return this.#floor ?? this.#rest;
  }

  get isDue(): boolean {
    return this.floor !== undefined;
  }

  /** The part of a commit that wrote so many rows. */
  remove(written: number): void {
    const { floor } = this;
    if (floor === undefined) return;
    const limit = TRIM_ROWS + 2 * written;
    let isDone = true;
    for (const place of this.#places) if (place.removeBelow(floor, limit) >= limit) isDone = false;
    this.#rest = isDone ? undefined : floor;
    this.#floor = undefined;
  }

  /** Forgets what was given up since the last commit. */
  rollback(): void {
    this.#floor = undefined;
  }

  forget(): void {
    this.#floor = undefined;
    this.#rest = undefined;
  }
}
