import { ConfigError } from './config-error.ts';
import type { Options } from './options.ts';

/** Apache's AdminServer. */
export interface AdminConfig {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  /** `/commands` */
  readonly url: string;
  readonly idleTimeoutMs: number;
  /** Between two snapshots or restores; see the rate limiter for its unit. */
  readonly rateLimiterInterval: number;
  readonly snapshotEnabled: boolean;
  readonly restoreEnabled: boolean;
  /** By the stores of `ssl.quorum.*`: for none, for who wants it, for all. */
  readonly tls: 'none' | 'optional' | 'required';
  /** Clients with TLS must show a certificate. */
  readonly needClientAuth: boolean;
  /** A proxy tells whose request it is (`X-Forwarded-For`). */
  readonly trustsForwardedFor: boolean;
}

export interface MetricsProviderConfig {
  readonly kind: 'default' | 'null' | 'prometheus';
  readonly host: string;
  readonly port: number;
  /** Figures of the process too. */
  readonly exportJvmInfo: boolean;
}

/** Who notices when the process stood still. */
export interface JvmPauseConfig {
  readonly enabled: boolean;
  readonly sleepMs: number;
  readonly warnMs: number;
  readonly infoMs: number;
}

export interface Observability {
  readonly admin: AdminConfig;
  readonly metricsProvider: MetricsProviderConfig;
  readonly jvmPause: JvmPauseConfig;
  readonly auditEnabled: boolean;
}

const providers: Readonly<Record<string, MetricsProviderConfig['kind']>> = {
  'org.apache.zookeeper.metrics.impl.DefaultMetricsProvider': 'default',
  'org.apache.zookeeper.metrics.impl.NullMetricsProvider': 'null',
  'org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider': 'prometheus',
};
const AUDIT_LOGGER = 'org.apache.zookeeper.audit.Slf4jAuditLogger';

/**
 * @param isFile the keys come from a configuration file: only a server that was started by one opens the web port of Apache's
 * default without being told to, or every server inside a test would want it
 * @throws ConfigError
 */
export function readObservability(options: Options, isFile: boolean): Observability {
  refuse(options);
  return {
    admin: {
      enabled: options.isGiven('admin.enableServer') ? options.boolean('admin.enableServer') : isFile,
      host: options.string('admin.serverAddress'),
      port: options.number('admin.serverPort'),
      url: options.string('admin.commandURL').replace(/\/+$/, ''),
      idleTimeoutMs: options.number('admin.idleTimeout'),
      rateLimiterInterval: options.number('admin.rateLimiterIntervalInMS'),
      snapshotEnabled: options.boolean('admin.snapshot.enabled'),
      restoreEnabled: options.boolean('admin.restore.enabled'),
      tls: adminTlsOf(options),
      needClientAuth: options.boolean('admin.needClientAuth'),
      trustsForwardedFor: options.boolean('IPAuthenticationProvider.usexforwardedfor'),
    },
    metricsProvider: {
      kind: providers[options.string('metricsProvider.className')] ?? 'default',
      host: options.string('metricsProvider.httpHost'),
      port: options.number('metricsProvider.httpPort'),
      exportJvmInfo: options.boolean('metricsProvider.exportJvmInfo'),
    },
    jvmPause: {
      enabled: options.boolean('jvm.pause.monitor'),
      sleepMs: options.number('jvm.pause.sleep.time.ms'),
      warnMs: options.number('jvm.pause.warn-threshold.ms'),
      infoMs: options.number('jvm.pause.info-threshold.ms'),
    },
    auditEnabled: options.boolean('audit.enable'),
  };
}

function adminTlsOf(options: Options): AdminConfig['tls'] {
  if (options.boolean('admin.forceHttps')) return 'required';
  return options.boolean('admin.portUnification') ? 'optional' : 'none';
}

function refuse(options: Options): void {
  const className = options.string('metricsProvider.className');
  if (providers[className] === undefined) {
    throw new ConfigError('metricsProvider.className', className, `choose one of ${Object.keys(providers).join(', ')}`);
  }
  const audit = options.string('audit.impl.class');
  if (audit !== AUDIT_LOGGER) throw new ConfigError('audit.impl.class', audit, `only ${AUDIT_LOGGER} exists here`);
}
