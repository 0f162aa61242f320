import type { Chance } from '../../../base/reservoir.ts';
import { ErrorCounts } from './error-walk.ts';
import type { Histogram } from './histogram.ts';
import { type Measure, RequestSample } from './request-sample.ts';

/** What is known of the requests that go by one name (`RequestMetrics`). */
export class RequestFigures {
  readonly name: string;
  /** How many, by version. */
  readonly versions: number[] = [];
  /** How many of each error code their answers had. */
  readonly errors = new ErrorCounts();
  readonly #chance: Chance;
  #recent: RequestSample | undefined;
  #earlier: RequestSample | undefined;

  constructor(name: string, chance: Chance) {
    this.name = name;
    this.#chance = chance;
  }

  /** The sample that requests which begin now may be in: it stands for this period and the one before. */
  get sample(): RequestSample {
    this.#recent ??= new RequestSample(this.#chance);
    return this.#recent;
  }

  beginPeriod(): void {
    this.#earlier = this.#recent;
    this.#recent = undefined;
  }

  count(apiVersion: number): void {
    this.versions[apiVersion] = (this.versions[apiVersion] ?? 0) + 1;
  }

  histogram(measure: Measure): Histogram {
    return {
      count: this.versions.reduce((sum, count) => sum + count, 0),
      sorted: () => Int32Array.from(this.#valuesOf(measure)).sort(),
    };
  }

  *#valuesOf(measure: Measure): Generator<number> {
    if (this.#earlier !== undefined) yield* this.#earlier.valuesOf(measure);
    if (this.#recent !== undefined) yield* this.#recent.valuesOf(measure);
  }
}
