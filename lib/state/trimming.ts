import { compareBytes } from "../record/bytes.ts";

/** Rows that a save removes of what was trimmed, beside twice the number it writes. */
const TRIM_ROWS = 1_000;

/** Where rows can be removed below a key, at most so many; gives how many. */
export interface Trimmed {
  removeBelow(floor: Uint8Array, limit: number): number;
}

/** Removes what was given up, a bounded number with each save. */
export class Trimming {
  readonly #places: readonly Trimmed[];
  /** Rows below were given up since the last commit; undefined: none. */
  #floor: Uint8Array | undefined = undefined;
  /** Rows below were given up before it, and not all are removed yet. */
  #sealed: Uint8Array | undefined = undefined;

  /** @param places where the rows are: each is trimmed */
  constructor(...places: readonly Trimmed[]) {
    this.#places = places;
  }

  upTo(floor: Uint8Array): void {
    if (this.#floor === undefined || compareBytes(floor, this.#floor) > 0) this.#floor = floor;
  }

  /** Rows below it have been given up and committed so, and not all are removed yet; undefined: there are none. */
  get floor(): Uint8Array | undefined {
    return this.#sealed;
  }

  get isDue(): boolean {
    return this.#sealed !== undefined;
  }

  /** What was given up is committed so. */
  seal(): void {
    this.#sealed = this.#floor ?? this.#sealed;
    this.#floor = undefined;
  }

  /** The part of a save that wrote so many rows. */
  remove(written: number): void {
    const floor = this.#sealed;
    if (floor === undefined) return;
    const limit = TRIM_ROWS + 2 * written;
    let isDone = true;
    for (const place of this.#places) if (place.removeBelow(floor, limit) >= limit) isDone = false;
    if (isDone) this.#sealed = undefined;
  }

  /** Forgets what was given up since the last commit. */
  rollback(): void {
    this.#floor = undefined;
  }

  forget(): void {
    this.#floor = undefined;
    this.#sealed = undefined;
  }
}
