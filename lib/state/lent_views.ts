/** Views of the beginning of one buffer, one for each length, so that what is written to it again and again costs no object each time. */
export class LentViews {
  readonly #from: number;
  #buffer: ArrayBufferLike | undefined = undefined;
  #views: (Uint8Array | undefined)[] = [];

  /** @param from where in the buffer the views begin */
  constructor(from: number) {
    this.#from = from;
  }

  /** `bytes[from, end)`. Its contents are good until the bytes are written again. */
  upTo(bytes: Uint8Array, end: number): Uint8Array {
    if (bytes.buffer !== this.#buffer) {
      this.#buffer = bytes.buffer;
      this.#views = [];
    }
    return this.#views[end] ??= bytes.subarray(this.#from, end);
  }
}
