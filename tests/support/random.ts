/** Random numbers that can be had again: every run prints its seed, `WEIR_SEED` repeats it. @module */
import process from "node:process";

/** sfc32, seeded with one 32-bit number. */
export class Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#a = this.seed;
    this.#b = 0x9e3779b9;
    this.#c = 0x243f6a88;
    // The first numbers of neighbouring seeds resemble each other.
    for (let i = 0; i < 16; i++) this.uint32();
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }
  /** A fraction in [0, 1). */
  next(): number {
    return this.uint32() / 0x100000000;
  }
  /** A whole number in [from, below). */
  int(from: number, below: number): number {
    return from + Math.floor(this.next() * (below - from));
  }
  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.next() < p;
  }
  /** One of `items`. */
  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length)];
  }
  /** A copy of `items` in random order. */
  shuffle<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.int(0, i + 1);
      [copy[i], copy[j]] = [copy[j], copy[i]];
    }
    return copy;
  }
  /** `length` random bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.uint32();
    return bytes;
  }
  /** `length` small letters. */
  word(length: number): string {
    let text = "";
    for (let i = 0; i < length; i++) text += String.fromCharCode(97 + this.int(0, 26));
    return text;
  }
}

/** A source of random numbers, seeded by `WEIR_SEED` or by chance; prints the seed beside `label`. */
export function seededRandom(label: string): Random {
  const given = process.env.WEIR_SEED;
  const seed = given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0] : Number(given);
  if (!Number.isInteger(seed)) {
    throw new TypeError(
      `Cannot seed as WEIR_SEED must be a whole number: current value is "${given}"`,
    );
  }
  console.log(`${label}: WEIR_SEED=${seed >>> 0}`);
  return new Random(seed);
}
