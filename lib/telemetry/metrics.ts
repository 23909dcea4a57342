/**
 * The metrics of one isolate, and their snapshot as plain data: Workers post theirs to the main isolate, which merges them.
 *
 * @module
 */
import { type Clock, systemClock } from "../record/time.ts";
import type { MetricDefinition, RecordingLevel } from "./definition.ts";
import { GrowthRate, Histogram, Sampler, type SampleWindows } from "./sampler.ts";

/** Labels of a series. Never a record's key. */
export type Labels = Readonly<Record<string, string>>;

/** A series of a snapshot. */
export interface SeriesSnapshot {
  readonly labels: Labels;
  readonly value: number;
  /** How many values an average stands for. */
  readonly weight?: number;
  /** Of a histogram: the counts by bound, then the one above all bounds; `value` is the sum. */
  readonly counts?: readonly number[];
}

/** All series of one metric. */
export interface FamilySnapshot extends MetricDefinition {
  readonly bounds?: readonly number[];
  readonly series: SeriesSnapshot[];
}

/** The metrics of an isolate at an instant, as data that can be posted. */
export interface MetricsSnapshot {
  readonly families: readonly FamilySnapshot[];
}

interface Series {
  readonly definition: MetricDefinition;
  readonly labels: Labels;
  readonly bounds?: readonly number[];
  read(nowMs: number): SeriesSnapshot | undefined;
}

/** What a registry is made with. */
export interface MetricsOptions {
  readonly level?: RecordingLevel;
  readonly windows?: SampleWindows;
  readonly clock?: Clock;
}

const RANK: Readonly<Record<RecordingLevel, number>> = { info: 0, debug: 1, trace: 2 };
const DEFAULT_WINDOWS: SampleWindows = { windowMs: 30_000, samples: 2 };

/** Removes the series that a holder registered. */
export interface Registration {
  /** Call it when what is measured is gone: a closed task, a lost partition. */
  remove(): void;
}

/** Keeps the series of one isolate. Kafka: `Metrics`. */
export class MetricsRegistry {
  readonly windows: SampleWindows;
  readonly #clock: Clock;
  readonly #series = new Set<Series>();
  #level: RecordingLevel;

  constructor(options: MetricsOptions = {}) {
    this.windows = options.windows ?? DEFAULT_WINDOWS;
    this.#level = options.level ?? "info";
    this.#clock = options.clock ?? systemClock;
  }

  /** `metrics.recording.level`; may change while running. */
  get level(): RecordingLevel {
    return this.#level;
  }
  set level(level: RecordingLevel) {
    this.#level = level;
  }

  /** Whether metrics of this level are kept; asked before measuring what costs. */
  records(level: RecordingLevel): boolean {
    return RANK[level] <= RANK[this.#level];
  }

  /** The instant by the registry's clock, epoch ms. */
  now(): number {
    return this.#clock.now();
  }

  /** A group of series with the same labels, removed together. */
  scope(labels: Labels): MetricsScope {
    return new MetricsScope(this, labels);
  }

  /** Adds a series. Used by scopes. */
  add(series: Series): void {
    this.#series.add(series);
  }

  /** Takes a series out. Used by scopes. */
  delete(series: Series): void {
    this.#series.delete(series);
  }

  /** The series of the recording level and below, at this instant. */
  snapshot(): MetricsSnapshot {
    const now = this.#clock.now();
    const families = new Map<string, FamilySnapshot>();
    for (const series of this.#series) {
      const { definition, bounds } = series;
      if (!this.records(definition.level)) continue;
      const value = series.read(now);
      if (value === undefined) continue;
      let family = families.get(definition.name);
      if (family === undefined) {
        family = { ...definition, ...(bounds ? { bounds } : {}), series: [] };
        families.set(definition.name, family);
      }
      family.series.push(value);
    }
    return { families: [...families.values()] };
  }
}

/** Series with labels in common. What is measured holds one, and removes it in the end. */
export class MetricsScope implements Registration {
  readonly registry: MetricsRegistry;
  readonly labels: Labels;
  readonly #series: Series[] = [];

  constructor(registry: MetricsRegistry, labels: Labels) {
    this.registry = registry;
    this.labels = labels;
  }

  /** A counter or gauge whose value is asked for when it is read; undefined leaves it out. */
  observe(
    definition: MetricDefinition,
    read: (nowMs: number) => number | undefined,
    more?: Labels,
  ): void {
    const labels = more === undefined ? this.labels : { ...this.labels, ...more };
    this.#add({
      definition,
      labels,
      read(nowMs) {
        const value = read(nowMs);
        return value === undefined ? undefined : { labels, value };
      },
    });
  }

  /** The growth per second of a running total. */
  rate(definition: MetricDefinition, read: () => number, more?: Labels): void {
    const labels = more === undefined ? this.labels : { ...this.labels, ...more };
    const growth = this.#growth(read);
    this.#add({
      definition,
      labels,
      read: (nowMs) => ({ labels, value: growth.read(read(), nowMs) }),
    });
  }

  /** The share of the growth of one running total in that of another, for example of the time spent in all the time. */
  share(definition: MetricDefinition, part: () => number, whole: () => number): void {
    const partGrowth = this.#growth(part);
    const wholeGrowth = this.#growth(whole);
    const labels = this.labels;
    this.#add({
      definition,
      labels,
      read(nowMs) {
        const grown = wholeGrowth.read(whole(), nowMs);
        const value = partGrowth.read(part(), nowMs);
        return { labels, value: grown === 0 ? 0 : Math.min(1, value / grown), weight: 1 };
      },
    });
  }

  /** Begins to watch a total, so that the first look already knows how it has grown. */
  #growth(read: () => number): GrowthRate {
    const growth = new GrowthRate(this.registry.windows);
    growth.read(read(), this.registry.now());
    return growth;
  }

  /** A sampler that is shown as an average, a maximum and a minimum, those that have a definition. */
  sampler(shown: {
    readonly average?: MetricDefinition;
    readonly max?: MetricDefinition;
    readonly min?: MetricDefinition;
  }): Sampler {
    const sampler = new Sampler(this.registry.windows);
    const labels = this.labels;
    const add = (
      definition: MetricDefinition | undefined,
      pick: (values: ReturnType<Sampler["read"]>) => SeriesSnapshot,
    ) => {
      if (definition === undefined) return;
      this.#add({ definition, labels, read: (nowMs) => pick(sampler.read(nowMs)) });
    };
    add(shown.average, ({ sum, count }) => ({ labels, value: sum / count, weight: count }));
    add(shown.max, ({ max }) => ({ labels, value: max }));
    add(shown.min, ({ min }) => ({ labels, value: min }));
    return sampler;
  }

  /** A histogram with these bounds. */
  histogram(definition: MetricDefinition, bounds: readonly number[]): Histogram {
    const histogram = new Histogram(bounds);
    const labels = this.labels;
    this.#add({
      definition,
      labels,
      bounds,
      read: () => ({ labels, value: histogram.sum, counts: [...histogram.counts] }),
    });
    return histogram;
  }

  #add(series: Series): void {
    this.#series.push(series);
    this.registry.add(series);
  }

  remove(): void {
    for (const series of this.#series) this.registry.delete(series);
    this.#series.length = 0;
  }
}
