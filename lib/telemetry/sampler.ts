/**
 * What the hot path writes into: plain objects with numbers. Reading them costs, writing hardly does.
 *
 * @module
 */

/** How long averages, maxima and rates look back: `samples` windows of `windowMs` each. */
export interface SampleWindows {
  /** `metrics.sample.window.ms` */
  readonly windowMs: number;
  /** `metrics.num.samples` */
  readonly samples: number;
}

interface Sample {
  startMs: number;
  sum: number;
  count: number;
  max: number;
  min: number;
}

/** What a sampler shows: averages are kept as sum and count, so that those of several threads can be put together. */
export interface SampledValues {
  readonly sum: number;
  readonly count: number;
  /** NaN without samples. */
  readonly max: number;
  readonly min: number;
}

/**
 * Average, maximum and minimum of the values of the last windows. Kafka: `Avg`, `Max` and `Min` over a `SampledStat`. A value
 * is recorded with the instant that the caller has read anyway.
 */
export class Sampler {
  readonly #windows: SampleWindows;
  readonly #samples: Sample[] = [];
  #current: Sample;

  constructor(windows: SampleWindows) {
    this.#windows = windows;
    this.#current = emptySample(Number.NEGATIVE_INFINITY);
  }

  /** Takes a value at an instant (ms; any clock, but always the same one). */
  record(value: number, nowMs: number): void {
    let sample = this.#current;
    if (nowMs - sample.startMs >= this.#windows.windowMs) sample = this.#advance(nowMs);
    sample.sum += value;
    sample.count++;
    if (value > sample.max) sample.max = value;
    if (value < sample.min) sample.min = value;
  }

  /** Takes several values at once. */
  recordAll(
    sum: number,
    count: number,
    { max, min }: { readonly max: number; readonly min: number },
    nowMs: number,
  ): void {
    let sample = this.#current;
    if (nowMs - sample.startMs >= this.#windows.windowMs) sample = this.#advance(nowMs);
    sample.sum += sum;
    sample.count += count;
    if (max > sample.max) sample.max = max;
    if (min < sample.min) sample.min = min;
  }

  #advance(nowMs: number): Sample {
    const oldest = this.#samples.length < this.#windows.samples ? undefined : this.#samples.shift();
    const sample = oldest ?? emptySample(nowMs);
    sample.startMs = nowMs;
    sample.sum = 0;
    sample.count = 0;
    sample.max = Number.NEGATIVE_INFINITY;
    sample.min = Number.POSITIVE_INFINITY;
    this.#samples.push(sample);
    this.#current = sample;
    return sample;
  }

  /** What the windows that are not over hold. */
  read(nowMs: number): SampledValues {
    const expiry = nowMs - this.#windows.windowMs * this.#windows.samples;
    let sum = 0;
    let count = 0;
    let max = Number.NaN;
    let min = Number.NaN;
    for (const sample of this.#samples) {
      if (sample.startMs < expiry || sample.count === 0) continue;
      sum += sample.sum;
      count += sample.count;
      if (!(sample.max <= max)) max = sample.max;
      if (!(sample.min >= min)) min = sample.min;
    }
    return { sum, count, max, min };
  }
}

function emptySample(startMs: number): Sample {
  return {
    startMs,
    sum: 0,
    count: 0,
    max: Number.NEGATIVE_INFINITY,
    min: Number.POSITIVE_INFINITY,
  };
}

/**
 * How fast a running total grows, per second, over the last windows. It looks at the total only when it is asked, so a
 * total that is a plain field costs the hot path nothing.
 */
export class GrowthRate {
  readonly #windows: SampleWindows;
  readonly #points: { readonly atMs: number; readonly total: number }[] = [];

  constructor(windows: SampleWindows) {
    this.#windows = windows;
  }

  /** The rate at this instant, given the total now. The first call knows none and gives 0. */
  read(total: number, nowMs: number): number {
    const points = this.#points;
    const span = this.#windows.windowMs * this.#windows.samples;
    // The oldest point kept is the last one that lies outside the span, so that the span is always covered.
    while (points.length > 1 && points[1].atMs <= nowMs - span) points.shift();
    const last = points[points.length - 1];
    // Points closer together than an eighth of the span would only fill memory.
    if (last === undefined || nowMs - last.atMs >= span / 8) points.push({ atMs: nowMs, total });
    const first = points[0];
    const elapsed = nowMs - first.atMs;
    return elapsed <= 0 ? 0 : Math.max(0, total - first.total) * 1000 / elapsed;
  }
}

/** Counts of values by size, for quantiles. Bounds are upper ones, in rising order; all threads use the same. */
export class Histogram {
  readonly bounds: readonly number[];
  /** One more than bounds: the last counts what is above all of them. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Takes a value, `times` times. */
  observe(value: number, times = 1): void {
    let at = 0;
    while (at < this.bounds.length && value > this.bounds[at]) at++;
    this.counts[at] += times;
    this.sum += value * times;
  }
}
