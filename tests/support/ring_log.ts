/** A log that keeps its last lines in memory and prints them only when the test fails. @module */

/** The last `capacity` lines, newest last. */
export class RingLog {
  #lines: string[] = [];
  #next = 0;
  readonly #capacity: number;

  constructor(capacity = 2_000) {
    this.#capacity = capacity;
  }

  /** Keeps one line, with the time it came. */
  write(line: string): void {
    this.#lines[this.#next++ % this.#capacity] = `${new Date().toISOString()} ${line}`;
  }
  /** What is kept, oldest first. */
  lines(): string[] {
    if (this.#next <= this.#capacity) return [...this.#lines];
    const start = this.#next % this.#capacity;
    return [...this.#lines.slice(start), ...this.#lines.slice(0, start)];
  }
  toString(): string {
    return this.lines().join("\n");
  }
  /** Runs `test`; when it fails, prints what is kept and fails with the same error. */
  async printOnFailure<T>(test: () => T | Promise<T>): Promise<T> {
    try {
      return await test();
    } catch (error) {
      console.error(this.toString());
      throw error;
    }
  }
}
