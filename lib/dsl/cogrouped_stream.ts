import type { Windowed } from "../record/windowed.ts";
import type { Serde } from "../serde/serde.ts";
import { sessionWindowed, timeWindowed } from "../serde/windowed.ts";
import type { SessionStoreSupplier, WindowStoreSupplier } from "../state/suppliers.ts";
import { needFunctions, needSamePlan } from "./checks.ts";
import { addCogroup, type Cogroup } from "./cogroup_plan.ts";
import { KTable } from "./ktable.ts";
import { isVersionedSpec, type NamedMaterialized } from "./materialized.ts";
import type { Aggregator, Initializer, Merger } from "./processors/functions.ts";
import { KStreamAggregate } from "./processors/kstream_aggregate.ts";
import { KStreamSessionWindowAggregate } from "./processors/kstream_session_window_aggregate.ts";
import { sessionsStoreBuilder, tableStoreBuilder, windowedStoreBuilder } from "./store_builders.ts";
import { GroupedHandle } from "./stream_aggregation.ts";
import type { GroupedStreamOf } from "./stream_state.ts";
import { timeWindowsAggregate } from "./windowed_stream.ts";
import {
  type EnumerableWindows,
  refuseWindows,
  type SessionWindows,
  type SlidingWindows,
  windowSizeMs,
} from "./windows.ts";

/** The aggregators by grouped stream, and what all aggregates of this cogroup share. */
interface Sources {
  readonly aggregators: ReadonlyMap<GroupedHandle, Aggregator<any, any, any>>;
  readonly parents: Cogroup["parents"];
}

function cogroupOf({ aggregators, parents }: Sources): Cogroup {
  const sources = [...aggregators].map(([grouped, aggregator]) => ({ grouped, aggregator }));
  return { sources, parents };
}

/** Several grouped streams that are aggregated into one table. Kafka Streams: `CogroupedKStream` (KIP-150). */
export class CogroupedKStream<K, A> {
  readonly #sources: Sources;

  constructor(sources: Sources = { aggregators: new Map(), parents: new Map() }) {
    this.#sources = sources;
  }

  /** Adds a grouped stream with its own aggregator; another one for the same grouped stream replaces it. */
  cogroup<V>(
    grouped: GroupedStreamOf<K, V>,
    aggregator: Aggregator<K, NonNullable<V>, A>,
  ): CogroupedKStream<K, A> {
    needFunctions("cogroup", { aggregator });
    const { aggregators, parents } = this.#sources;
    if (!(grouped?.handle instanceof GroupedHandle)) {
      throw new TypeError(
        `Cannot cogroup as the other side must be a KGroupedStream: current value is ${grouped}`,
      );
    }
    for (const { stream } of aggregators.keys()) {
      needSamePlan("cogroup", stream.plan, grouped.handle.stream.plan);
    }
    return new CogroupedKStream({
      aggregators: new Map(aggregators).set(grouped.handle, aggregator),
      parents,
    });
  }

  /** Aggregates the values of each key of all streams. */
  aggregate(
    initializer: Initializer<A>,
    options: NamedMaterialized<K, A> & { readonly value: Serde<A> },
  ): KTable<K, A, "key" | "value"> {
    needFunctions("aggregate", { initializer });
    return new KTable(addCogroup(cogroupOf(this.#sources), options, {
      store: (plan, spec) => tableStoreBuilder(plan, spec),
      supplier: (store, aggregator) => new KStreamAggregate({ store, initializer, aggregator }),
      tableKey: (key) => key,
      traits: (spec) => ({ versioned: isVersionedSpec(spec) }),
    }));
  }

  /** Groups by windows too. */
  windowedBy(windows: SessionWindows): SessionWindowedCogroupedKStream<K, A>;
  windowedBy(windows: EnumerableWindows | SlidingWindows): TimeWindowedCogroupedKStream<K, A>;
  windowedBy(
    windows: EnumerableWindows | SlidingWindows | SessionWindows,
  ): TimeWindowedCogroupedKStream<K, A> | SessionWindowedCogroupedKStream<K, A> {
    switch (windows?.kind) {
      case "session":
        return new SessionWindowedCogroupedKStream(this.#sources, windows);
      case "time":
      case "sliding":
      case "unlimited":
        return new TimeWindowedCogroupedKStream(this.#sources, windows);
      default:
        return refuseWindows(windows);
    }
  }
}

/** Cogrouped streams in tumbling, hopping, sliding or unlimited windows. Kafka Streams: `TimeWindowedCogroupedKStream`. */
export class TimeWindowedCogroupedKStream<K, A> {
  readonly #sources: Sources;
  readonly #windows: EnumerableWindows | SlidingWindows;

  constructor(sources: Sources, windows: EnumerableWindows | SlidingWindows) {
    this.#sources = sources;
    this.#windows = windows;
  }

  /** Aggregates the values of each key in each window. */
  aggregate(
    initializer: Initializer<A>,
    options: NamedMaterialized<K, A, WindowStoreSupplier> & { readonly value: Serde<A> },
  ): KTable<Windowed<K>, A, "key" | "value"> {
    needFunctions("aggregate", { initializer });
    const windows = this.#windows;
    const emit = "onWindowUpdate";
    return new KTable(addCogroup(cogroupOf(this.#sources), options, {
      store: (plan, spec) => windowedStoreBuilder(plan, spec, windows, emit),
      supplier: (store, aggregator) =>
        timeWindowsAggregate({ windows, store, emit, initializer, aggregator }),
      tableKey: (key) => timeWindowed(key, windowSizeMs(windows)),
      traits: () => ({ graceMs: windows.kind === "unlimited" ? 0 : windows.graceMs }),
    }));
  }
}

/** Cogrouped streams in sessions. Kafka Streams: `SessionWindowedCogroupedKStream`. */
export class SessionWindowedCogroupedKStream<K, A> {
  readonly #sources: Sources;
  readonly #windows: SessionWindows;

  constructor(sources: Sources, windows: SessionWindows) {
    this.#sources = sources;
    this.#windows = windows;
  }

  /** Aggregates the values of each session. */
  aggregate(
    initializer: Initializer<A>,
    merger: Merger<K, A>,
    options: NamedMaterialized<K, A, SessionStoreSupplier> & { readonly value: Serde<A> },
  ): KTable<Windowed<K>, A, "key" | "value"> {
    needFunctions("aggregate", { initializer, merger });
    const windows = this.#windows;
    const emit = "onWindowUpdate";
    return new KTable(addCogroup(cogroupOf(this.#sources), options, {
      store: (plan, spec) => sessionsStoreBuilder(plan, spec, windows, emit),
      supplier: (store, aggregator) =>
        new KStreamSessionWindowAggregate({
          windows,
          store,
          emit,
          initializer,
          aggregator,
          merger,
        }),
      tableKey: sessionWindowed,
      traits: () => ({ graceMs: windows.graceMs + windows.gapMs }),
    }));
  }
}
