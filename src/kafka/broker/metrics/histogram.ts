import { percentile, Summary } from '../../../base/metrics.ts';
import type { Chance } from '../../../base/reservoir.ts';
import type { Family, Sample } from '../../../observability/exposition.ts';
import { type MetricName, prometheusName } from './family.ts';

/** Values of Apache's samples (`ExponentiallyDecayingSample`). */
export const SAMPLE_SIZE = 1028;
/** Those that the beans have. */
const places = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999];

/** How values are distributed. */
export interface Histogram {
  readonly count: number;
  /** A sample of them, in order. */
  sorted(): ArrayLike<number>;
}

/** For what happens seldom: values are added one by one. */
export function newHistogram(chance: Chance): Summary {
  return new Summary('advanced', chance, SAMPLE_SIZE);
}

type Labels = Sample['labels'];
type Labelled = readonly [labels: Labels, histogram: Histogram];

/** `<name>` with a label `quantile`, and `<name>_count`: the exporter gives no sum. */
export function histograms(name: MetricName, all: () => Iterable<Labelled>): Family[] {
  const sampleName = prometheusName(name);
  const help = `kafka.${name.group}:type=${name.type},name=${name.name}`;
  return [
    { name: sampleName, help, type: 'gauge', samples: quantilesOf(sampleName, all()) },
    { name: `${sampleName}_count`, help, type: 'counter', samples: countsOf(`${sampleName}_count`, all()) },
  ];
}

function* quantilesOf(name: string, all: Iterable<Labelled>): Generator<Sample> {
  for (const [labels, histogram] of all) {
    const sorted = histogram.sorted();
    for (const place of places) {
      yield { name, labels: [...labels, ['quantile', String(place)]], value: percentile(sorted, place) };
    }
  }
}

function* countsOf(name: string, all: Iterable<Labelled>): Generator<Sample> {
  for (const [labels, { count }] of all) yield { name, labels, value: count };
}
