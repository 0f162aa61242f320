import { ConfigError } from './config-error.ts';
import { type Observability, readObservability } from './observability.ts';
import { Options, tableOf } from './options.ts';
import { parseProperties } from './properties.ts';
import { ofClientPort, type TlsSettings, tlsSettings } from './tls-settings.ts';
import { type AuthConfig, authConfigOf } from './zoo-cfg-auth.ts';
import { isAuthFamily } from './zoo-cfg-auth-options.ts';
import { type ServerLimits, serverLimitsOf } from './zoo-cfg-limits.ts';
import { zooCfgOptions, zookeeperSystemProperties } from './zoo-cfg-options.ts';
import { isMembershipKey, type QuorumConfig, quorumConfigOf } from './zoo-cfg-quorum.ts';
import { type QuorumSecurity, quorumSecurityOf } from './zoo-cfg-quorum-security.ts';

/** TLS for clients. */
export interface ZooCfgTls {
  /** Undefined: no port for TLS alone. */
  readonly secureClientPort: number | undefined;
  /** Undefined: every interface. */
  readonly secureClientPortAddress: string | undefined;
  /** `clientPort` takes both. */
  readonly portUnification: boolean;
  readonly certReload: boolean;
  /** 0 or less: any number. */
  readonly outstandingHandshakeLimit: number;
  readonly settings: TlsSettings;
}

/** zoo.cfg and the system properties beside it, checked and typed. */
export interface ZooCfg extends Observability, QuorumConfig, QuorumSecurity {
  readonly dataDir: string;
  readonly dataLogDir: string;
  /** Undefined: the file names no port. */
  readonly clientPort: number | undefined;
  /** Undefined: every interface. */
  readonly clientPortAddress: string | undefined;
  readonly clientPortListenBacklog: number;
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly maxClientCnxns: number;
  readonly maxCnxns: number;
  readonly sessionlessTimeoutMs: number;
  readonly globalOutstandingLimit: number;
  readonly limits: ServerLimits;
  /** `jute.maxbuffer`, and what a field may have beyond it. */
  readonly juteMaxBuffer: number;
  readonly juteMaxBufferExtra: number;
  /** Lower case; `*` for all. */
  readonly fourLetterWords: readonly string[];

  readonly preAllocSizeBytes: number;
  readonly snapCount: number;
  /** 0 is off. */
  readonly snapSizeLimitBytes: number;
  /** 0 is off. */
  readonly txnLogSizeLimitBytes: number;
  readonly commitLogCount: number;
  /** At most 1; 0 is no limit, negative is off. */
  readonly snapshotSizeFactor: number;
  readonly flushDelayMs: number;
  readonly maxBatchSize: number;
  readonly forceSync: boolean;
  /** A sync that takes longer is logged. */
  readonly syncWarningMs: number;
  readonly trustEmptySnapshot: boolean;
  readonly snapshotCompression: 'none' | 'gz' | 'snappy';
  readonly digestEnabled: boolean;
  readonly closeSessionTxnEnabled: boolean;
  readonly serializeLastProcessedZxid: boolean;
  readonly autocreateDirectories: boolean;
  readonly autocreateDatabase: boolean;
  readonly snapRetainCount: number;
  /** 0 is off. */
  readonly purgeIntervalHours: number;

  readonly skipAcl: boolean;
  readonly auth: AuthConfig;
  readonly extendedTypesEnabled: boolean;
  readonly enforceQuota: boolean;
  readonly containerCheckIntervalMs: number;
  readonly containerMaxPerMinute: number;
  readonly containerMaxNeverUsedMs: number;

  /** What it was made from, for who asks the server. */
  readonly source: ConfigSource;
  readonly tls: ZooCfgTls;
  /** Lines to log once at the start. */
  readonly warnings: readonly string[];
}

export interface ConfigSource {
  readonly text: string;
  readonly isFile: boolean;
  /** Of the file, where it is known: files of the membership stand beside it, and it is rewritten when that changes. */
  readonly path: string | undefined;
  readonly keys: ReadonlyMap<string, string>;
  readonly systemProperties: SystemProperties;
}

/** What `-D` flags say beside the file: `jute.maxbuffer`, or a zoo.cfg key as `zookeeper.<key>`. */
export type SystemProperties = Readonly<Record<string, string>>;

/**
 * @param text of a file, its bytes read as Latin-1
 * @param path of that file
 * @throws ConfigError naming key, value and fix
 */
export function readZooCfg(text: string, systemProperties: SystemProperties = {}, path?: string): ZooCfg {
  return zooCfgOf(parseProperties(text), systemProperties, { text, path });
}

/** A configuration from its keys, as tests and embedding programs give it. @throws ConfigError */
export function zooCfg(
  keys: Readonly<Record<string, string | number | boolean>>,
  systemProperties: SystemProperties = {},
): ZooCfg {
  return zooCfgOf(new Map(Object.entries(keys).map(([key, value]) => [key, String(value)])), systemProperties);
}

/** @param file that the keys are from, if they are */
export function zooCfgOf(
  given: ReadonlyMap<string, string>,
  systemProperties: SystemProperties,
  file?: { readonly text: string; readonly path?: string | undefined },
): ZooCfg {
  const trimmed = new Map([...given].map(([key, value]) => [key, value.trim()]));
  const { properties, overrides } = splitSystemProperties(systemProperties);
  for (const [key, value] of overrides) if (!trimmed.has(key)) trimmed.set(key, value);
  const options = new Options(zooCfgOptions, trimmed, isKnownElsewhere);
  const system = new Options(zookeeperSystemProperties, properties);
  refuseUnsupported(trimmed);
  const config = typed(options, system, trimmed, {
    text: file?.text ?? [...trimmed].map(([key, value]) => `${key}=${value}\n`).join(''),
    isFile: file !== undefined,
    path: file?.path,
    keys: trimmed,
    systemProperties,
  });
  checkTogether(options, config);
  return config;
}

/** Scripts depend on `srvr`, clients of a read-only server on `isro` (FourLetterCommands.isEnabled). */
function fourLetterWordsOf(options: Options, system: Options): readonly string[] {
  const words = new Set([...options.list('4lw.commands.whitelist'), 'srvr']);
  if (system.boolean('readonlymode.enabled')) words.add('isro');
  return [...words];
}

function typed(options: Options, system: Options, given: ReadonlyMap<string, string>, source: ConfigSource): ZooCfg {
  const tickTimeMs = options.number('tickTime');
  const minSessionTimeout = options.number('minSessionTimeout');
  const maxSessionTimeout = options.number('maxSessionTimeout');
  const juteMaxBuffer = system.number('jute.maxbuffer');
  return {
    dataDir: options.string('dataDir'),
    dataLogDir: options.optional('dataLogDir') ?? options.string('dataDir'),
    clientPort: options.isGiven('clientPort') ? options.number('clientPort') : undefined,
    clientPortAddress: options.optional('clientPortAddress'),
    clientPortListenBacklog: options.number('clientPortListenBacklog'),
    tickTimeMs,
    minSessionTimeoutMs: minSessionTimeout === -1 ? tickTimeMs * 2 : minSessionTimeout,
    maxSessionTimeoutMs: maxSessionTimeout === -1 ? tickTimeMs * 20 : maxSessionTimeout,
    maxClientCnxns: options.number('maxClientCnxns'),
    maxCnxns: options.number('maxCnxns'),
    sessionlessTimeoutMs: options.number('nio.sessionlessCnxnTimeout'),
    globalOutstandingLimit: options.number('globalOutstandingLimit'),
    limits: serverLimitsOf(options),
    juteMaxBuffer,
    // BinaryInputArchive: at least 1024.
    juteMaxBufferExtra: Math.max(Number(system.optional('zookeeper.jute.maxbuffer.extrasize') ?? juteMaxBuffer), 1024),
    fourLetterWords: fourLetterWordsOf(options, system),

    preAllocSizeBytes: Math.max(0, options.number('preAllocSize')) * 1024,
    snapCount: Math.max(2, options.number('snapCount')),
    snapSizeLimitBytes: Math.max(0, options.number('snapSizeLimitInKb')) * 1024,
    txnLogSizeLimitBytes: Math.max(0, options.number('txnLogSizeLimitInKb')) * 1024,
    commitLogCount: Math.max(500, options.number('commitLogCount')),
    snapshotSizeFactor: sizeFactorOf(options.number('snapshotSizeFactor')),
    flushDelayMs: options.number('flushDelay'),
    maxBatchSize: batchSizeOf(options.number('maxBatchSize')),
    forceSync: options.boolean('forceSync'),
    syncWarningMs: options.number('fsync.warningthresholdms'),
    trustEmptySnapshot: options.boolean('snapshot.trust.empty'),
    snapshotCompression: compressionMethod(options.string('snapshot.compression.method')),
    digestEnabled: options.boolean('digest.enabled'),
    closeSessionTxnEnabled: options.boolean('closeSessionTxn.enabled'),
    serializeLastProcessedZxid: options.boolean('serializeLastProcessedZxid.enabled'),
    autocreateDirectories: options.boolean('datadir.autocreate'),
    autocreateDatabase: options.boolean('db.autocreate'),
    snapRetainCount: Math.max(3, options.number('autopurge.snapRetainCount')),
    purgeIntervalHours: options.number('autopurge.purgeInterval'),

    skipAcl: options.boolean('skipACL'),
    auth: authConfigOf({ options, system, given, systemProperties: source.systemProperties }),
    extendedTypesEnabled: options.boolean('extendedTypesEnabled'),
    enforceQuota: options.boolean('enforceQuota'),
    containerCheckIntervalMs: system.number('znode.container.checkIntervalMs'),
    containerMaxPerMinute: system.number('znode.container.maxPerMinute'),
    containerMaxNeverUsedMs: system.number('znode.container.maxNeverUsedIntervalMs'),

    ...quorumConfigOf(options, system, given, tickTimeMs),
    ...quorumSecurityOf({ options, system, given, systemProperties: source.systemProperties }),
    ...readObservability(options, source.isFile),
    source,
    tls: {
      secureClientPort: options.isGiven('secureClientPort') ? options.number('secureClientPort') : undefined,
      secureClientPortAddress: options.optional('secureClientPortAddress'),
      portUnification: options.boolean('client.portUnification'),
      certReload: options.boolean('client.certReload'),
      outstandingHandshakeLimit: options.number('netty.server.outstandingHandshake.limit'),
      settings: tlsSettings((key) => given.get(key), 'ssl.', ofClientPort),
    },
    warnings: [...options.warnings, ...system.warnings],
  };
}

function isKnownElsewhere(key: string): boolean {
  return isMembershipKey(key) || key.startsWith('metricsProvider.') || isAuthFamily(key);
}

/** `zookeeper.snapCount` is zoo.cfg's `snapCount`; the file wins, since Apache sets the property from it. */
function splitSystemProperties(given: SystemProperties): {
  properties: Map<string, string>;
  overrides: Map<string, string>;
} {
  const properties = new Map<string, string>();
  const overrides = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    const key = name.startsWith('zookeeper.') ? name.slice('zookeeper.'.length) : undefined;
    if (zookeeperSystemProperties.has(name)) properties.set(name, value);
    else if (key !== undefined && (zooCfgOptions.has(key) || isAuthFamily(key))) overrides.set(key, value);
    else properties.set(name, value);
  }
  return { properties, overrides };
}

/** What asks for a protection that we do not give must not start as if it had it. */
function refuseUnsupported(given: ReadonlyMap<string, string>): void {
  for (const [key, value] of given) {
    if (!key.startsWith('ssl.') || zooCfgOptions.has(key)) continue;
    throw new ConfigError(key, value, 'this part of TLS is not supported; leave it out');
  }
}

function checkTls(options: Options, tls: ZooCfgTls): void {
  const { secureClientPort, secureClientPortAddress, portUnification, settings } = tls;
  if (settings.verifyHostname && options.boolean('ssl.clientHostnameVerification')) {
    const fix = 'names of clients are not verified here: leave it out, and trust an authority of your own';
    throw new ConfigError('ssl.clientHostnameVerification', 'true', fix);
  }
  if (secureClientPortAddress !== undefined && secureClientPort === undefined) {
    throw new ConfigError('secureClientPortAddress', secureClientPortAddress, 'secureClientPort must be set too');
  }
  if ((secureClientPort !== undefined || portUnification) && settings.keyStore === undefined) {
    throw new ConfigError('ssl.keyStore.location', undefined, 'file of the private key and its certificates');
  }
}

function checkTogether(options: Options, config: ZooCfg): void {
  checkTls(options, config.tls);
  if (config.clientPortAddress !== undefined && config.clientPort === undefined) {
    throw new ConfigError('clientPortAddress', config.clientPortAddress, 'clientPort must be set too');
  }
  if (options.boolean('emulate353TTLNodes')) {
    throw new ConfigError('emulate353TTLNodes', 'true', 'TTL nodes in the form of 3.5.3 are not read; make them anew');
  }
  if (config.minSessionTimeoutMs > config.maxSessionTimeoutMs) {
    throw new ConfigError(
      'minSessionTimeout',
      String(options.number('minSessionTimeout')),
      `it must not exceed maxSessionTimeout (${config.maxSessionTimeoutMs} ms)`,
    );
  }
}

/** Below 1 no number of transactions is enough (SyncRequestProcessor). */
function batchSizeOf(size: number): number {
  return size > 0 ? size : Number.POSITIVE_INFINITY;
}

/** More than a whole snapshot makes no sense: the default then (ZKDatabase). */
function sizeFactorOf(factor: number): number {
  return factor > 1 ? 0.33 : factor;
}

function compressionMethod(method: string): 'none' | 'gz' | 'snappy' {
  if (method === '') return 'none';
  if (method === 'gz' || method === 'snappy') return method;
  throw new ConfigError('snapshot.compression.method', method, 'choose gz or snappy, or leave it out');
}

/** The whole table, for documentation and tests. */
export const allZooCfgOptions = tableOf([...zooCfgOptions.values(), ...zookeeperSystemProperties.values()]);
