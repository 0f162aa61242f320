import type { Family, Sample } from '../../../observability/exposition.ts';

/** Apache's name of a metric, as the usual rules of Prometheus's JMX exporter make it of the bean's. */
export interface MetricName {
  /** What follows `kafka.`: `server`, `network`, … */
  readonly group: string;
  readonly type: string;
  readonly name: string;
}

type Labels = Sample['labels'];

const noLabels: Labels = [];

/** `kafka_<group>_<type>_<name>`, in small letters. */
export function prometheusName({ group, type, name }: MetricName): string {
  return `kafka_${group}_${type}_${name}`.toLowerCase().replace(/[^a-z0-9_]/g, '_');
}

function helpOf({ group, type, name }: MetricName): string {
  return `kafka.${group}:type=${type},name=${name}`;
}

/** Values of the moment, read when they are written. */
export function gauges(name: MetricName, values: Iterable<readonly [labels: Labels, value: number]>): Family {
  const sampleName = prometheusName(name);
  return { name: sampleName, help: helpOf(name), type: 'gauge', samples: samplesOf(sampleName, values) };
}

export function gauge(name: MetricName, value: number, labels: Labels = noLabels): Family {
  return gauges(name, [[labels, value]]);
}

/** What Apache calls `<name>PerSec`: how many there were. */
export function counters(name: MetricName, values: Iterable<readonly [labels: Labels, value: number]>): Family {
  const sampleName = `${prometheusName(name)}_total`;
  const help = helpOf({ ...name, name: `${name.name}PerSec` });
  return { name: sampleName, help, type: 'counter', samples: samplesOf(sampleName, values) };
}

export function counter(name: MetricName, value: number): Family {
  return counters(name, [[noLabels, value]]);
}

function* samplesOf(name: string, values: Iterable<readonly [Labels, number]>): Generator<Sample> {
  for (const [labels, value] of values) yield { name, labels, value };
}
