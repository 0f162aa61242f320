import { type Metric, type Metrics, percentile, type Summary } from '../../../base/metrics.ts';
import { average, JavaDouble } from '../java-double.ts';

/** A value as `mntr` and the admin server show it. */
export type MetricValue = number | string | JavaDouble;

/** Gauges that are doubles in Apache's server; all others are integers. */
export const doubleGauges: ReadonlySet<string> = new Set(['avg_latency', 'connection_drop_probability']);

/** The order in which Apache's default provider shows them. */
const kinds: readonly Metric['kind'][] = ['gauge', 'gauge-set', 'counter', 'counter-set', 'summary', 'summary-set'];

/** All values under the names of Apache's default provider: `avg_<name>`, `p99_<name>`, `<key>_<name>`. */
export function* metricValues(metrics: Metrics): Generator<[key: string, value: MetricValue]> {
  for (const kind of kinds) {
    for (const [name, metric] of metrics) if (metric.kind === kind) yield* valuesOf(name, metric);
  }
}

function* valuesOf(name: string, metric: Metric): Generator<[key: string, value: MetricValue]> {
  switch (metric.kind) {
    case 'gauge':
      yield [name, doubleGauges.has(name) ? new JavaDouble(metric.value) : Math.floor(metric.value)];
      return;
    case 'counter':
      yield [name, metric.value];
      return;
    case 'gauge-set':
      for (const [key, value] of metric.values) yield [`${key}_${name}`, value];
      return;
    case 'counter-set':
      for (const [key, { value }] of metric.counters) yield [`${key}_${name}`, value];
      return;
    case 'summary':
      yield* summaryValues(name, metric);
      return;
    case 'summary-set':
      for (const [key, summary] of metric.summaries) yield* summaryValues(`${key}_${name}`, summary);
      return;
    default:
      return metric satisfies never;
  }
}

function* summaryValues(name: string, summary: Summary): Generator<[key: string, value: MetricValue]> {
  yield [`avg_${name}`, average(summary.avg)];
  yield [`min_${name}`, summary.min];
  yield [`max_${name}`, summary.max];
  yield [`cnt_${name}`, summary.count];
  yield [`sum_${name}`, summary.sum];
  if (summary.level !== 'advanced') return;
  const sorted = summary.sorted();
  yield [`p50_${name}`, Math.round(percentile(sorted, 0.5))];
  yield [`p95_${name}`, Math.round(percentile(sorted, 0.95))];
  yield [`p99_${name}`, Math.round(percentile(sorted, 0.99))];
  yield [`p999_${name}`, Math.round(percentile(sorted, 0.999))];
}
