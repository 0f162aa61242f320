import { javaDouble } from '../base/java-double.ts';
import { type Metric, type Metrics, quantile, type Summary } from '../base/metrics.ts';
import type { ProcessFacts } from '../runtime/process-facts.ts';

/** A line of the text format. */
export interface Sample {
  readonly name: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

/** A metric with all its lines. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'summary';
  /** Read when they are written. */
  readonly samples: Iterable<Sample>;
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Those of Apache's PrometheusMetricsProvider. */
const quantiles = { basic: [0.5], advanced: [0.5, 0.9, 0.99] } as const;

/** All metrics as Apache's provider names and types them, those without any value too. */
export function* familiesOf(metrics: Metrics): Generator<Family> {
  for (const [name, metric] of metrics)
    yield { name, help: name, type: typeOf(metric), samples: samplesOf(name, metric) };
}

/** What the Java client exports of the process; there is no JVM to tell more of. */
export function processFamilies(process: ProcessFacts): Family[] {
  const { resident, virtual } = process.memory();
  const family = (name: string, type: Family['type'], help: string, value: number): Family => ({
    ...{ name, help, type },
    samples: [{ name, labels: [], value }],
  });
  return [
    family(
      'process_cpu_seconds_total',
      'counter',
      'User and system time of the process in seconds.',
      process.cpuSeconds(),
    ),
    family(
      'process_start_time_seconds',
      'gauge',
      'Start of the process in seconds since 1970.',
      process.startedSeconds,
    ),
    family('process_open_fds', 'gauge', 'File descriptors in use.', process.openFileCount()),
    family('process_max_fds', 'gauge', 'File descriptors that are allowed.', process.maxFileCount()),
    family('process_virtual_memory_bytes', 'gauge', 'Virtual memory in bytes.', virtual),
    family('process_resident_memory_bytes', 'gauge', 'Resident memory in bytes.', resident),
  ];
}

/** So many samples are written between two looks at the clock by who writes in slices. */
const SAMPLES_AT_ONCE = 32;

/**
 * Version 0.0.4 of the text format, as the Java client writes it: a comma behind every label, every value a double. It comes in
 * pieces, each of little work.
 */
export function* exposition(families: Iterable<Family>, wants: WantsSample = () => true): Generator<string, undefined> {
  for (const { name, help, type, samples } of families) {
    let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    let isTold = false;
    let count = 0;
    for (const sample of samples) {
      count += 1;
      if (wants(sample.name)) {
        text += lineOf(sample);
        isTold = true;
      }
      if (count % SAMPLES_AT_ONCE !== 0) continue;
      yield isTold ? text : '';
      if (isTold) text = '';
    }
    // A set that has no key yet is named all the same, unless names were asked for.
    if (isTold || (count === 0 && wants(name))) yield text;
  }
}

/** Whether a sample of that name is asked for. */
export type WantsSample = (sampleName: string) => boolean;

function lineOf({ name, labels, value }: Sample): string {
  if (labels.length === 0) return `${name} ${javaDouble(value)}\n`;
  let text = `${name}{`;
  for (const [label, labelled] of labels) text += `${label}="${escaped(labelled)}",`;
  return `${text}} ${javaDouble(value)}\n`;
}

function typeOf({ kind }: Metric): Family['type'] {
  if (kind === 'counter' || kind === 'counter-set') return 'counter';
  return kind === 'gauge' || kind === 'gauge-set' ? 'gauge' : 'summary';
}

function samplesOf(name: string, metric: Metric): Sample[] {
  switch (metric.kind) {
    case 'counter':
    case 'gauge':
      return [{ name, labels: [], value: metric.value }];
    case 'gauge-set':
      return [...metric.values].map(([key, value]) => ({ name, labels: [['key', key]], value }));
    case 'counter-set':
      return [...metric.counters].map(([key, { value }]) => ({ name, labels: [['key', key]], value }));
    case 'summary':
      return summarySamples(name, metric, []);
    case 'summary-set':
      return [...metric.summaries].flatMap(([key, summary]) => summarySamples(name, summary, [['key', key]]));
    default:
      return metric satisfies never;
  }
}

function summarySamples(name: string, summary: Summary, labels: Sample['labels']): Sample[] {
  const sorted = summary.sorted();
  const places = quantiles[summary.level].map((place) => ({
    name,
    labels: [...labels, ['quantile', String(place)] as const],
    value: quantile(sorted, place),
  }));
  return [
    ...places,
    { name: `${name}_count`, labels, value: summary.count },
    { name: `${name}_sum`, labels, value: summary.sum },
  ];
}

const special = /[\\"\n]/;

function escaped(value: string): string {
  // Most have nothing of the kind.
  if (!special.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
