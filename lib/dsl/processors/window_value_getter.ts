import { InvalidStateStoreException } from "../../errors.ts";
import type { Windowed } from "../../record/windowed.ts";
import {
  type SessionStore,
  type TimestampedWindowStore,
  ValueAndTimestamp,
} from "../../state/store.ts";
import type { ProcessingContext } from "../../topology/processor.ts";
import type { KTableValueGetter, KTableValueGetterSupplier } from "./table.ts";

/** Reads the table of a windowed aggregate. Java: `KStreamWindowAggregate.view`. */
export class WindowValueGetterSupplier<K, A> implements KTableValueGetterSupplier<Windowed<K>, A> {
  readonly #storeName: string;
  constructor(storeName: string) {
    this.#storeName = storeName;
  }
  get(): KTableValueGetter<Windowed<K>, A> {
    return new WindowValueGetter(this.#storeName);
  }
  storeNames(): readonly string[] {
    return [this.#storeName];
  }
}

/** Reads the table of a session aggregate; rows are as old as their session's end. Java: `KStreamSessionWindowAggregate.view`. */
export class SessionValueGetterSupplier<K, A> implements KTableValueGetterSupplier<Windowed<K>, A> {
  readonly #storeName: string;
  constructor(storeName: string) {
    this.#storeName = storeName;
  }
  get(): KTableValueGetter<Windowed<K>, A> {
    return new SessionValueGetter(this.#storeName);
  }
  storeNames(): readonly string[] {
    return [this.#storeName];
  }
}

class WindowValueGetter<K, A> implements KTableValueGetter<Windowed<K>, A> {
  readonly #storeName: string;
  #store!: TimestampedWindowStore<K, A>;
  constructor(storeName: string) {
    this.#storeName = storeName;
  }
  init(context: ProcessingContext): void {
    this.#store = context.getStateStore<TimestampedWindowStore<K, A>>(this.#storeName);
  }
  get(key: Windowed<K>): ValueAndTimestamp<A> | null {
    return this.#store.fetch(key.key, key.start);
  }
  getAsOf(_key: Windowed<K>, timestamp: number): ValueAndTimestamp<A> | null {
    throw noHistory(this.#storeName, timestamp);
  }
  isVersioned(): boolean {
    return false;
  }
}

class SessionValueGetter<K, A> implements KTableValueGetter<Windowed<K>, A> {
  readonly #storeName: string;
  #store!: SessionStore<K, A>;
  constructor(storeName: string) {
    this.#storeName = storeName;
  }
  init(context: ProcessingContext): void {
    this.#store = context.getStateStore<SessionStore<K, A>>(this.#storeName);
  }
  get(key: Windowed<K>): ValueAndTimestamp<A> | null {
    const value = this.#store.fetchSession(key.key, key.start, key.end);
    return value === null ? null : new ValueAndTimestamp(value, key.end);
  }
  getAsOf(_key: Windowed<K>, timestamp: number): ValueAndTimestamp<A> | null {
    throw noHistory(this.#storeName, timestamp);
  }
  isVersioned(): boolean {
    return false;
  }
}

/** The error for a look-up in the past where there is no history. */
export function noHistory(storeName: string, timestamp: number): InvalidStateStoreException {
  return new InvalidStateStoreException(
    `Cannot read ${storeName} as of ${timestamp} as only a versioned store keeps history: current value is a table without history`,
  );
}
