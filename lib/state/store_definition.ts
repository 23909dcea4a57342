import type { Serde } from "../serde/serde.ts";
import type { ChangelogPolicy, StateStore, StoreBuilder, StoreKind } from "./store.ts";

/** The settings that every kind of store has. */
export interface StoreSettings {
  readonly logging: boolean;
  readonly caching: boolean;
  readonly logConfig: Readonly<Record<string, string>>;
}

/** What differs between kinds of store. */
export interface StoreTraits<S extends StateStore> {
  readonly name: string;
  readonly kind: StoreKind;
  readonly changelogPolicy: ChangelogPolicy;
  readonly serdes: readonly { readonly serde: unknown; readonly isKey: boolean }[];
  /** Why the kind cannot cache; caching is then refused (`throws`) or left out (`ignored`). */
  readonly uncacheable?: { readonly why: string; readonly reaction: "throws" | "ignored" };
  make(settings: StoreSettings): S;
}

const DEFAULTS: StoreSettings = { logging: true, caching: false, logConfig: {} };

/** The one builder of all kinds of store: traits, and settings that `with…` change in a copy. Kafka Streams: `AbstractStoreBuilder`. */
export class StoreDefinition<S extends StateStore> implements StoreBuilder<S> {
  readonly #traits: StoreTraits<S>;
  readonly #settings: StoreSettings;

  constructor(traits: StoreTraits<S>, settings: StoreSettings = DEFAULTS) {
    this.#traits = traits;
    this.#settings = settings;
  }

  get name(): string {
    return this.#traits.name;
  }
  get kind(): StoreKind {
    return this.#traits.kind;
  }
  get loggingEnabled(): boolean {
    return this.#settings.logging;
  }
  get cachingEnabled(): boolean {
    return this.#settings.caching;
  }
  get logConfig(): Readonly<Record<string, string>> {
    return this.#settings.logConfig;
  }
  get changelogPolicy(): ChangelogPolicy {
    return this.#traits.changelogPolicy;
  }
  get serdes(): readonly { readonly serde: unknown; readonly isKey: boolean }[] {
    return this.#traits.serdes;
  }

  /** @throws {TypeError} when the changelog's settings are no object */
  withLoggingEnabled(logConfig: Readonly<Record<string, string>> = {}): StoreBuilder<S> {
    if (typeof logConfig !== "object" || logConfig === null) {
      throw new TypeError(
        `Cannot log store ${this.name} as the settings of its changelog must be an object: current value is ${logConfig}`,
      );
    }
    return new StoreDefinition(this.#traits, { ...this.#settings, logging: true, logConfig });
  }
  withLoggingDisabled(): StoreBuilder<S> {
    return new StoreDefinition(this.#traits, { ...this.#settings, logging: false, logConfig: {} });
  }
  /** @throws {TypeError} when the kind cannot cache (versioned stores and buffers) */
  withCachingEnabled(): StoreBuilder<S> {
    const { uncacheable } = this.#traits;
    if (uncacheable?.reaction === "throws") {
      throw new TypeError(
        `Cannot enable caching of store ${this.name} as ${uncacheable.why}: current value is kind ${this.kind}`,
      );
    }
    if (uncacheable !== undefined) return this;
    return new StoreDefinition(this.#traits, { ...this.#settings, caching: true });
  }
  withCachingDisabled(): StoreBuilder<S> {
    return new StoreDefinition(this.#traits, { ...this.#settings, caching: false });
  }

  build(): S {
    return this.#traits.make(this.#settings);
  }
}

/** A key's and a value's serde, as `StoreTraits.serdes` lists them. */
export function serdeList(
  key: Serde<any>,
  ...values: readonly Serde<any>[]
): readonly { readonly serde: unknown; readonly isKey: boolean }[] {
  return [
    { serde: key, isKey: true },
    ...values.map((serde) => ({ serde, isKey: false })),
  ];
}
