/** What a server counts about itself. Recording costs an addition or a few; whatever is worked out, is worked out by who reads. */
import { type Chance, Reservoir } from './reservoir.ts';

/** Only grows, until it is reset. */
export class Counter {
  readonly kind = 'counter';
  #value = 0;

  get value(): number {
    return this.#value;
  }

  add(count = 1): void {
    this.#value += count;
  }

  reset(): void {
    this.#value = 0;
  }
}

/** A counter that somebody keeps anyway: read when it is asked for, reset by remembering where it stood. */
export class CounterView {
  readonly kind = 'counter';
  readonly #read: () => number;
  #base = 0;

  constructor(read: () => number) {
    this.#read = read;
  }

  get value(): number {
    return this.#read() - this.#base;
  }

  reset(): void {
    this.#base = this.#read();
  }
}

/** A value of the moment. */
export class Gauge {
  readonly kind = 'gauge';
  readonly #read: () => number;

  constructor(read: () => number) {
    this.#read = read;
  }

  get value(): number {
    return this.#read();
  }
}

/** Values of the moment, by key. */
export class GaugeSet {
  readonly kind = 'gauge-set';
  readonly #read: () => ReadonlyMap<string, number>;

  constructor(read: () => ReadonlyMap<string, number>) {
    this.#read = read;
  }

  get values(): ReadonlyMap<string, number> {
    return this.#read();
  }
}

/** 4096, as Apache ZooKeeper's (AvgMinMaxPercentileCounter). */
const RESERVOIR_SIZE = 4096;

/** `advanced` ones answer for percentiles too. */
export type SummaryLevel = 'basic' | 'advanced';

/** How values are distributed: durations in milliseconds, sizes, counts. */
export class Summary {
  readonly kind = 'summary';
  readonly level: SummaryLevel;
  readonly #chance: Chance | undefined;
  readonly #sampleSize: number;
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;
  #recent: Reservoir | undefined;
  #earlier: Reservoir | undefined;

  /** @param chance given: keeps a sample for percentiles */
  constructor(level: SummaryLevel, chance: Chance | undefined, sampleSize = RESERVOIR_SIZE) {
    this.level = level;
    this.#chance = chance;
    this.#sampleSize = sampleSize;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** 0 while there is nothing, as the two below. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  get max(): number {
    return this.#count === 0 ? 0 : this.#max;
  }

  get avg(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** @param count so many events with this same value */
  add(value: number, count = 1): void {
    this.#count += count;
    this.#sum += value * count;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    if (this.#chance === undefined) return;
    this.#recent ??= new Reservoir(this.#chance, this.#sampleSize);
    this.#recent.add(value, count);
  }

  /** A copy of the sample, in order. */
  sorted(): number[] {
    return [...(this.#earlier?.values ?? []), ...(this.#recent?.values ?? [])].sort((a, b) => a - b);
  }

  /** The sample from now on stands for this period and the one before: who wants recent percentiles calls this on a timer. */
  beginPeriod(): void {
    this.#earlier = this.#recent;
    this.#recent = undefined;
  }

  reset(): void {
    this.#count = 0;
    this.#sum = 0;
    this.#min = Infinity;
    this.#max = -Infinity;
    this.#recent = undefined;
    this.#earlier = undefined;
  }
}

/** Between the two values around the place, by their distance; 0 of nothing (UniformSnapshot.getValue of Dropwizard Metrics). */
export function percentile(sorted: ArrayLike<number>, fraction: number): number {
  const last = sorted.length - 1;
  if (last < 0) return 0;
  const place = fraction * (last + 2);
  const index = Math.floor(place);
  if (index < 1) return sorted[0] as number;
  if (index > last) return sorted[last] as number;
  const lower = sorted[index - 1] as number;
  return lower + (place - index) * ((sorted[index] as number) - lower);
}

/** The value that so many are not above; NaN of nothing (summaries of the Prometheus clients). */
export function quantile(sorted: readonly number[], fraction: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] as number;
}

/** One counter a key. */
export class CounterSet {
  readonly kind = 'counter-set';
  readonly #byKey = new Map<string, Counter>();

  get counters(): ReadonlyMap<string, Counter> {
    return this.#byKey;
  }

  of(key: string): Counter {
    let counter = this.#byKey.get(key);
    if (counter === undefined) {
      counter = new Counter();
      this.#byKey.set(key, counter);
    }
    return counter;
  }

  reset(): void {
    for (const counter of this.#byKey.values()) counter.reset();
  }
}

/** One summary a key. */
export class SummarySet {
  readonly kind = 'summary-set';
  readonly level: SummaryLevel;
  readonly #chance: Chance | undefined;
  readonly #byKey = new Map<string, Summary>();

  constructor(level: SummaryLevel, chance: Chance | undefined) {
    this.level = level;
    this.#chance = chance;
  }

  get summaries(): ReadonlyMap<string, Summary> {
    return this.#byKey;
  }

  of(key: string): Summary {
    let summary = this.#byKey.get(key);
    if (summary === undefined) {
      summary = new Summary(this.level, this.#chance);
      this.#byKey.set(key, summary);
    }
    return summary;
  }

  beginPeriod(): void {
    for (const summary of this.#byKey.values()) summary.beginPeriod();
  }

  reset(): void {
    for (const summary of this.#byKey.values()) summary.reset();
  }
}

export type Metric = Counter | CounterView | CounterSet | Gauge | GaugeSet | Summary | SummarySet;

export interface MetricsOptions {
  readonly chance: Chance;
  /** Basic summaries keep a sample too, since somebody wants their median. */
  readonly samplesAll?: boolean;
}

/** All metrics of a server by name, in the order of registration. */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #byName = new Map<string, Metric>();

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): IterableIterator<[name: string, metric: Metric]> {
    return this.#byName.entries();
  }

  get(name: string): Metric | undefined {
    return this.#byName.get(name);
  }

  counter(name: string): Counter {
    return this.#register(name, new Counter());
  }

  counterView(name: string, read: () => number): CounterView {
    return this.#register(name, new CounterView(read));
  }

  counterSet(name: string): CounterSet {
    return this.#register(name, new CounterSet());
  }

  gauge(name: string, read: () => number): Gauge {
    return this.#register(name, new Gauge(read));
  }

  gaugeSet(name: string, read: () => ReadonlyMap<string, number>): GaugeSet {
    return this.#register(name, new GaugeSet(read));
  }

  summary(name: string, level: SummaryLevel = 'basic'): Summary {
    return this.#register(name, new Summary(level, this.#chanceFor(level)));
  }

  summarySet(name: string, level: SummaryLevel = 'basic'): SummarySet {
    return this.#register(name, new SummarySet(level, this.#chanceFor(level)));
  }

  /** Shown no more: who could tell of it is gone. */
  remove(name: string): void {
    this.#byName.delete(name);
  }

  /** Of every sample: see `Summary.beginPeriod`. */
  beginPeriod(): void {
    for (const metric of this.#byName.values()) {
      if (metric.kind === 'summary' || metric.kind === 'summary-set') metric.beginPeriod();
    }
  }

  /** Gauges stay what they are. */
  reset(): void {
    for (const metric of this.#byName.values()) {
      if (metric.kind !== 'gauge' && metric.kind !== 'gauge-set') metric.reset();
    }
  }

  #chanceFor(level: SummaryLevel): Chance | undefined {
    return level === 'advanced' || this.#options.samplesAll === true ? this.#options.chance : undefined;
  }

  #register<M extends Metric>(name: string, metric: M): M {
    this.#byName.set(name, metric);
    return metric;
  }
}
