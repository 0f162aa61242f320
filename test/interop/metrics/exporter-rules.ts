/** Rules for the JMX exporter: names in small letters, tags as labels, `…PerSec` as `_total`, percentiles as `quantile`. */
const quotas = '(Produce|Fetch|Request|ControllerMutation)';
const bean = '([.\\w]+)<type=(.+), name=(.+)';
const tag = ', (.+)=(.+)';

interface Rule {
  readonly pattern: string;
  readonly name: string;
  readonly type: 'GAUGE' | 'COUNTER';
  readonly value?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

const one = { $4: '$5' };
const two = { $4: '$5', $6: '$7' };

const rules: readonly Rule[] = [
  {
    pattern: 'kafka.server<type=KafkaServer, name=ClusterId><>Value: (.+)',
    name: 'kafka_server_kafkaserver_clusterid',
    type: 'GAUGE',
    value: 1,
    labels: { clusterId: '$1' },
  },
  {
    pattern: 'kafka.server<type=SessionExpireListener, name=SessionState><>Value: (.+)',
    name: 'kafka_server_sessionexpirelistener_sessionstate',
    type: 'GAUGE',
    value: 1,
    labels: { state: '$1' },
  },
  {
    pattern: 'kafka.server<type=app-info, id=(.+)><>StartTimeMs: (.+)',
    name: 'kafka_server_app_info_start_time_ms',
    type: 'GAUGE',
    labels: { id: '$1' },
  },
  {
    pattern: `kafka.server<type=${quotas}, client-id=(.+)><>([a-z-]+)`,
    name: 'kafka_server_quota_$3',
    type: 'GAUGE',
    labels: { resource: '$1', clientId: '$2' },
  },
  {
    pattern: 'kafka.server<type=([a-z-]+), listener=(.+), networkProcessor=(.+)><>([a-z-]+)-total',
    name: 'kafka_server_$1_$4_total',
    type: 'COUNTER',
    labels: { listener: '$2', networkProcessor: '$3' },
  },
  {
    pattern: 'kafka.server<type=([a-z-]+), listener=(.+), networkProcessor=(.+)><>([a-z-]+)',
    name: 'kafka_server_$1_$4',
    type: 'GAUGE',
    labels: { listener: '$2', networkProcessor: '$3' },
  },
  {
    pattern: `kafka.${bean}PerSec\\w*${tag}${tag}><>Count`,
    name: 'kafka_$1_$2_$3_total',
    type: 'COUNTER',
    labels: two,
  },
  { pattern: `kafka.${bean}PerSec\\w*${tag}><>Count`, name: 'kafka_$1_$2_$3_total', type: 'COUNTER', labels: one },
  { pattern: `kafka.${bean}PerSec\\w*><>Count`, name: 'kafka_$1_$2_$3_total', type: 'COUNTER' },
  { pattern: `kafka.${bean}${tag}${tag}><>Value`, name: 'kafka_$1_$2_$3', type: 'GAUGE', labels: two },
  { pattern: `kafka.${bean}${tag}><>Value`, name: 'kafka_$1_$2_$3', type: 'GAUGE', labels: one },
  { pattern: `kafka.${bean}><>Value`, name: 'kafka_$1_$2_$3', type: 'GAUGE' },
  { pattern: `kafka.${bean}${tag}><>Count`, name: 'kafka_$1_$2_$3_count', type: 'COUNTER', labels: one },
  {
    pattern: `kafka.${bean}${tag}><>(\\d+)thPercentile`,
    name: 'kafka_$1_$2_$3',
    type: 'GAUGE',
    labels: { ...one, quantile: '0.$6' },
  },
  { pattern: `kafka.${bean}><>Count`, name: 'kafka_$1_$2_$3_count', type: 'COUNTER' },
  {
    pattern: `kafka.${bean}><>(\\d+)thPercentile`,
    name: 'kafka_$1_$2_$3',
    type: 'GAUGE',
    labels: { quantile: '0.$4' },
  },
];

/** JSON is YAML too. */
export const exporterConfig = JSON.stringify({ lowercaseOutputName: true, rules });
