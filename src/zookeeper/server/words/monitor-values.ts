import { familiesOf, processFamilies } from '../../../observability/exposition.ts';
import { memberOf } from '../ensemble-view.ts';
import { JavaDouble } from '../java-double.ts';
import { type MetricValue, metricValues } from '../metrics/metric-values.ts';
import type { ServerView } from '../server-view.ts';
import { SERVER_VERSION } from '../version.ts';

/** What `mntr` and the admin server's `monitor` show. */
export function* monitorValues(server: ServerView): Generator<[key: string, value: MetricValue]> {
  const { mode } = server;
  const ensemble = memberOf(server);
  yield ['version', SERVER_VERSION];
  yield ['server_state', mode];
  if (ensemble !== undefined) yield ['peer_state', ensemble.peerState];
  if (mode === 'observer') yield ['observer_master_id', ensemble?.master ?? -1];
  yield* valuesOfProvider(server);
}

/** Apache's providers differ in the names under which they show their values. */
function* valuesOfProvider({ config, metrics, process }: ServerView): Generator<[key: string, value: MetricValue]> {
  const { kind, exportJvmInfo } = config.metricsProvider;
  if (kind === 'default') yield* metricValues(metrics.all);
  if (kind !== 'prometheus') return;
  for (const { samples } of [...familiesOf(metrics.all), ...(exportJvmInfo ? processFamilies(process) : [])]) {
    for (const { name, labels, value } of samples) {
      const text = labels.map(([label, of]) => `${label}="${of}"`).join(',');
      yield [text === '' ? name : `${name}{${text}}`, new JavaDouble(value)];
    }
  }
}
