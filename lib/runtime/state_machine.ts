import { StreamsException } from "../errors.ts";

/** Which states may follow which. */
export type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>;

/** A state with its table of transitions; whoever listens is told of each change. */
export class StateMachine<S extends string> {
  readonly #name: string;
  readonly #next: Transitions<S>;
  readonly #onChange: (next: S, previous: S) => void;
  #state: S;

  /** @param name who it is, for messages */
  constructor(
    name: string,
    first: S,
    next: Transitions<S>,
    onChange: (next: S, previous: S) => void,
  ) {
    this.#name = name;
    this.#state = first;
    this.#next = next;
    this.#onChange = onChange;
  }

  get state(): S {
    return this.#state;
  }

  /** Whether the state may follow now. */
  allows(next: S): boolean {
    return this.#next[this.#state].includes(next);
  }

  /** Goes on to a state. @throws {StreamsException} when it may not follow */
  go(next: S): void {
    if (!this.allows(next)) {
      throw new StreamsException(
        `Cannot go to ${next} in ${this.#name} as that may not follow: current value is ${this.#state}`,
      );
    }
    this.#change(next);
  }

  /** Goes on to a state if it may follow and is another one; true when it did. */
  tryGo(next: S): boolean {
    if (next === this.#state || !this.allows(next)) return false;
    this.#change(next);
    return true;
  }

  #change(next: S): void {
    const previous = this.#state;
    this.#state = next;
    if (next !== previous) this.#onChange(next, previous);
  }
}
