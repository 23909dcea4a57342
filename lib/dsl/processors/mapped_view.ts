import type { ValueAndTimestamp } from "../../state/store.ts";
import type { ProcessingContext } from "../../topology/processor.ts";
import type { KTableValueGetter, KTableValueGetterSupplier } from "./table.ts";

/** Computes a row from the parent's row; made once for each getter. */
export interface RowMapping<K, V, R> {
  init?(context: ProcessingContext): void;
  map(key: K, row: ValueAndTimestamp<V> | null): ValueAndTimestamp<R> | null;
  close?(): void;
}

/** A table without a store of its own that is computed from its parent at each look-up. */
export class MappedView<K, V, R> implements KTableValueGetterSupplier<K, R> {
  readonly #parent: KTableValueGetterSupplier<K, V>;
  readonly #mapping: () => RowMapping<K, V, R>;
  readonly #storeNames: () => readonly string[];

  constructor(
    parent: KTableValueGetterSupplier<K, V>,
    mapping: () => RowMapping<K, V, R>,
    storeNames: () => readonly string[] = () => parent.storeNames(),
  ) {
    this.#parent = parent;
    this.#mapping = mapping;
    this.#storeNames = storeNames;
  }
  get(): KTableValueGetter<K, R> {
    return new MappedGetter(this.#parent.get(), this.#mapping());
  }
  storeNames(): readonly string[] {
    return this.#storeNames();
  }
}

class MappedGetter<K, V, R> implements KTableValueGetter<K, R> {
  readonly #parent: KTableValueGetter<K, V>;
  readonly #mapping: RowMapping<K, V, R>;
  constructor(parent: KTableValueGetter<K, V>, mapping: RowMapping<K, V, R>) {
    this.#parent = parent;
    this.#mapping = mapping;
  }
  init(context: ProcessingContext): void {
    this.#parent.init(context);
    this.#mapping.init?.(context);
  }
  get(key: K): ValueAndTimestamp<R> | null {
    return this.#mapping.map(key, this.#parent.get(key));
  }
  getAsOf(key: K, timestamp: number): ValueAndTimestamp<R> | null {
    return this.#mapping.map(key, this.#parent.getAsOf(key, timestamp));
  }
  isVersioned(): boolean {
    return this.#parent.isVersioned();
  }
  close(): void {
    this.#parent.close?.();
    this.#mapping.close?.();
  }
}
