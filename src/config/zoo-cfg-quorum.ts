import { ConfigError, IllegalValueError } from './config-error.ts';
import { accepted, type Option, type Options, option } from './options.ts';
import { parseServer, type ServerSpec } from './server-spec.ts';

/** What a member of an ensemble is told about it. Times are milliseconds, `…Ticks` are multiples of `tickTime`. */
export interface QuorumConfig {
  readonly initLimitTicks: number;
  readonly syncLimitTicks: number;
  readonly connectToLeaderLimitTicks: number;
  readonly quorumListenOnAllIps: boolean;
  readonly peerType: 'participant' | 'observer';
  readonly observersSync: boolean;
  readonly standaloneEnabled: boolean;
  readonly reconfigEnabled: boolean;
  readonly localSessionsEnabled: boolean;
  readonly localSessionsUpgradingEnabled: boolean;
  readonly leaderServes: boolean;
  readonly readOnlyModeEnabled: boolean;
  /** The file that holds the membership instead of this one. */
  readonly dynamicConfigFile: string | undefined;
  /** By server id; empty without `server.N` lines. */
  readonly servers: ReadonlyMap<number, ServerSpec>;
  /** `group.N` and `weight.N` lines, as they stand. */
  readonly groups: ReadonlyMap<string, string>;
  readonly multiAddressEnabled: boolean;
  /** Whether the addresses of a server are tried before one is chosen, and how long. */
  readonly reachabilityCheckEnabled: boolean;
  readonly reachabilityCheckTimeoutMs: number;
  /** The file whose first character may grant leadership to the survivor of two. */
  readonly oraclePath: string | undefined;

  /** Tries to bind the election port before the server gives up; 0: for ever. */
  readonly electionPortBindRetries: number;
  /** Patience with a connection to another election port. */
  readonly electionConnectTimeoutMs: number;
  /** Patience with what others say first on the election port: `syncLimit` ticks unless it is given. */
  readonly electionHelloTimeoutMs: number;
  readonly minNotificationIntervalMs: number;
  readonly maxNotificationIntervalMs: number;
  readonly tcpKeepAlive: boolean;

  readonly maxConcurrentSnapSyncs: number;
  readonly maxConcurrentDiffSyncs: number;
  readonly forceSnapshotSync: boolean;
  /**
   * How long a leader that waits for a new epoch bears that a voter looks for a leader again; undefined: until `initLimit` is over.
   */
  readonly maxTimeToWaitForEpochMs: number | undefined;
  /** Where a leader begins to count, to see the end of an epoch in tests. */
  readonly initialCounter: number;
  readonly leaderConnectRetryDelayMs: number;
  /** Undefined: followers serve no observers. */
  readonly observerMasterPort: number | undefined;
  readonly observerReconnectDelayMs: number;
  /** How long an observer waits before it looks for another leader. */
  readonly observerElectionDelayMs: number;
}

const ms = { unit: 'ms', min: 0 } as const;
const ticks = { unit: 'ticks', min: 0 } as const;
const port = { min: 0, max: 65_535 } as const;

/** Keys that QuorumPeerConfig parses itself. */
export const quorumParsedKeys: readonly Option[] = [
  option('initLimit', 'int', 0, 'time for a follower to connect and synchronize', ticks),
  option('syncLimit', 'int', 0, 'time that a follower may lag', ticks),
  option('connectToLearnerMasterLimit', 'int', 0, 'time to connect to a leader, 0 for initLimit', ticks),
  option('electionAlg', 'int', 3, 'only 3, fast leader election, exists', { min: 3, max: 3 }),
  option('quorumListenOnAllIPs', 'boolean', false, 'peer and election ports listen on every interface'),
  option('peerType', 'string', 'participant', 'participant or observer'),
  option('syncEnabled', 'boolean', true, 'observers keep a log and snapshots'),
  option('dynamicConfigFile', 'path', null, 'file of the membership'),
  option('standaloneEnabled', 'boolean', true, 'a single server may run without quorum'),
  option('reconfigEnabled', 'boolean', false, 'clients may change the membership'),
  option('observerMasterPort', 'int', 0, 'port on which followers serve observers; 0 is off', port),
  option('localSessionsEnabled', 'boolean', false, 'sessions known to one server only'),
  option('localSessionsUpgradingEnabled', 'boolean', false, 'a local session becomes global when it needs to'),
  option('multiAddress.enabled', 'boolean', false, 'several addresses a server, parted by |'),
  option('multiAddress.reachabilityCheckTimeoutMs', 'int', 1000, 'patience with each address', { unit: 'ms', min: 1 }),
  option('multiAddress.reachabilityCheckEnabled', 'boolean', true, 'addresses are tried before one is chosen'),
  option('oraclePath', 'path', null, 'oracle of an ensemble of two'),
  accepted('quorum.cnxn.threads.size', 'int', 20, 'threads for connections between servers'),
];

/** Keys that Apache turns into system properties `zookeeper.<key>`. */
export const quorumPropertyKeys: readonly Option[] = [
  option('leaderServes', 'yes-no', 'yes', 'the leader accepts clients'),
  option('electionPortBindRetry', 'int', 3, 'tries to bind the election port, 0 for any number', { min: 0 }),
  option('cnxTimeout', 'int', 5000, 'patience with a connection to an election port', { unit: 'ms', min: 1 }),
  option('quorumCnxnTimeoutMs', 'int', -1, 'patience with the first bytes there, -1 for syncLimit', {
    unit: 'ms',
    min: -1,
  }),
  option('fastleader.minNotificationInterval', 'int', 200, 'first silence borne in an election', {
    unit: 'ms',
    min: 1,
  }),
  option('fastleader.maxNotificationInterval', 'int', 60_000, 'longest silence borne in an election', {
    unit: 'ms',
    min: 1,
  }),
  option('tcpKeepAlive', 'boolean', false, 'keep-alive on connections between election ports'),
  option('leader.maxConcurrentSnapSyncs', 'int', 10, 'observers that get a snapshot at once', { min: 1 }),
  option('leader.maxConcurrentDiffSyncs', 'int', 100, 'observers that get a difference at once', { min: 1 }),
  option('forceSnapshotSync', 'boolean', false, 'learners always get a snapshot'),
  option('leader.maxTimeToWaitForEpoch', 'int', -1, 'patience once a voter looks again, -1 for initLimit', {
    unit: 'ms',
    min: -1,
  }),
  option('leaderConnectDelayDuringRetryMs', 'int', 100, 'time between tries to reach the leader', ms),
  option('observer.reconnectDelayMs', 'long', 0, 'time before an observer connects again', ms),
  option('observer.election.DelayMs', 'long', 200, 'time before an observer looks for another leader', ms),
  option('observer.syncEnabled', 'boolean', null, 'the same as syncEnabled, which it overrides'),
  accepted('observerMaster.sizeLimit', 'int', 33_554_432, 'what a follower keeps for observers'),
  accepted('leader.ackLoggingFrequency', 'int', 1000, 'every so many acknowledgements one is traced'),
  accepted('leader.closeSocketAsync', 'boolean', false, 'threads'),
  accepted('learner.closeSocketAsync', 'boolean', false, 'threads'),
  accepted('learner.asyncSending', 'boolean', false, 'threads'),
  accepted('follower.skipLearnerRequestToNextProcessor', 'boolean', false, 'requests of observers pass by a queue'),
  accepted('commitProcessor.numWorkerThreads', 'int', null, 'threads'),
  accepted('commitProcessor.shutdownTimeout', 'long', 5000, 'threads'),
  accepted('commitProcessor.maxReadBatchSize', 'int', -1, 'threads'),
  accepted('commitProcessor.maxCommitBatchSize', 'int', 1, 'threads'),
  accepted('kerberos.canonicalizeHostNames', 'boolean', false, 'Kerberos'),
  accepted('messageTracker.Enabled', 'boolean', false, 'the last packets of a learner are logged when it leaves'),
  accepted('messageTracker.BufferSize', 'int', 10, 'packets for messageTracker.Enabled'),
];

/** Plain Java system properties. */
export const quorumSystemProperties: readonly Option[] = [
  option('readonlymode.enabled', 'boolean', false, 'a server without quorum answers reads'),
  option('zookeeper.testingonly.initialZxid', 'long', null, 'counter from which each leader goes on, to see its end', {
    min: 0,
    max: 0xffff_ffff,
  }),
  accepted('leader.nodelay', 'boolean', true, 'sockets between servers'),
  accepted('follower.nodelay', 'boolean', true, 'sockets between servers'),
];

/** @throws ConfigError */
export function quorumConfigOf(
  options: Options,
  system: Options,
  given: ReadonlyMap<string, string>,
  tickTimeMs: number,
): QuorumConfig {
  const initLimitTicks = options.number('initLimit');
  const syncLimitTicks = options.number('syncLimit');
  const helloTimeoutMs = options.number('quorumCnxnTimeoutMs');
  const epochWaitMs = options.number('leader.maxTimeToWaitForEpoch');
  const syncKey = options.isGiven('observer.syncEnabled') ? 'observer.syncEnabled' : 'syncEnabled';
  const multiAddressEnabled = options.boolean('multiAddress.enabled');
  const lines = membershipLines(given, multiAddressEnabled);
  refuseTwoPlaces(options, lines);
  return {
    initLimitTicks,
    syncLimitTicks,
    connectToLeaderLimitTicks: options.number('connectToLearnerMasterLimit') || initLimitTicks,
    quorumListenOnAllIps: options.boolean('quorumListenOnAllIPs'),
    peerType: peerTypeOf(options.string('peerType')),
    observersSync: options.boolean(syncKey),
    standaloneEnabled: options.boolean('standaloneEnabled'),
    reconfigEnabled: options.boolean('reconfigEnabled'),
    localSessionsEnabled: options.boolean('localSessionsEnabled'),
    localSessionsUpgradingEnabled: options.boolean('localSessionsUpgradingEnabled'),
    leaderServes: options.boolean('leaderServes'),
    readOnlyModeEnabled: system.boolean('readonlymode.enabled'),
    dynamicConfigFile: options.optional('dynamicConfigFile'),
    ...lines,
    multiAddressEnabled,
    reachabilityCheckEnabled: options.boolean('multiAddress.reachabilityCheckEnabled'),
    reachabilityCheckTimeoutMs: options.number('multiAddress.reachabilityCheckTimeoutMs'),
    oraclePath: options.optional('oraclePath'),

    electionPortBindRetries: options.number('electionPortBindRetry'),
    electionConnectTimeoutMs: options.number('cnxTimeout'),
    electionHelloTimeoutMs: helloTimeoutMs > 0 ? helloTimeoutMs : tickTimeMs * syncLimitTicks,
    minNotificationIntervalMs: options.number('fastleader.minNotificationInterval'),
    maxNotificationIntervalMs: options.number('fastleader.maxNotificationInterval'),
    tcpKeepAlive: options.boolean('tcpKeepAlive'),

    maxConcurrentSnapSyncs: options.number('leader.maxConcurrentSnapSyncs'),
    maxConcurrentDiffSyncs: options.number('leader.maxConcurrentDiffSyncs'),
    forceSnapshotSync: options.boolean('forceSnapshotSync'),
    maxTimeToWaitForEpochMs: epochWaitMs < 0 ? undefined : epochWaitMs,
    initialCounter: Number(system.optional('zookeeper.testingonly.initialZxid') ?? 0),
    leaderConnectRetryDelayMs: options.number('leaderConnectDelayDuringRetryMs'),
    observerMasterPort: options.number('observerMasterPort') || undefined,
    observerReconnectDelayMs: options.number('observer.reconnectDelayMs'),
    observerElectionDelayMs: options.number('observer.election.DelayMs'),
  };
}

/** Keys of a membership: `server.N`, `group.N`, `weight.N`. */
export function isMembershipKey(key: string): boolean {
  return key.startsWith('server.') || key.startsWith('group') || key.startsWith('weight');
}

/** @throws ConfigError */
export function membershipLines(
  given: ReadonlyMap<string, string>,
  multiAddressEnabled: boolean,
): Pick<QuorumConfig, 'servers' | 'groups'> {
  const servers = new Map<number, ServerSpec>();
  const groups = new Map<string, string>();
  for (const [key, value] of given) {
    if (!isMembershipKey(key)) continue;
    const [, kind, digits] = /^(server|group|weight)\.(\d+)$/.exec(key) ?? [];
    const id = Number(digits);
    if (!Number.isSafeInteger(id)) {
      throw new IllegalValueError(key, value, 'a number follows: server.1, group.1, weight.1');
    }
    if (kind !== 'server') {
      groups.set(key, value);
      continue;
    }
    servers.set(id, parseServer(key, value, { multiAddressEnabled }));
  }
  return { servers, groups };
}

function refuseTwoPlaces(options: Options, { servers, groups }: Pick<QuorumConfig, 'servers' | 'groups'>): void {
  const file = options.optional('dynamicConfigFile');
  const [key] = [...[...servers.keys()].map((id) => `server.${id}`), ...groups.keys()];
  if (file === undefined || key === undefined) return;
  throw new ConfigError('dynamicConfigFile', file, `the membership is in that file, so ${key} must not be in this one`);
}

function peerTypeOf(value: string): 'participant' | 'observer' {
  const type = value.toLowerCase();
  if (type === 'participant' || type === 'observer') return type;
  throw new ConfigError('peerType', value, 'choose participant or observer');
}
