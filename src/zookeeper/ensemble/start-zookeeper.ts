import { ConfigError } from '../../config/config-error.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { RecoveryError } from '../persistence/recovery.ts';
import { DynamicConfigFiles, readMembership, type StoredMembership } from '../quorum/dynamic-config.ts';
import { memberOf, readMyid } from '../quorum/member.ts';
import { isEnsemble, type Membership } from '../quorum/membership.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { auditToLog } from '../server/audit/audit-event.ts';
import { AuditLog } from '../server/audit/audit-log.ts';
import { readSaslUsers } from '../server/auth/sasl-users.ts';
import { ProcessFigures } from '../server/process-figures.ts';
import { ServingServer } from '../server/serving-server.ts';
import { StandaloneRole } from '../server/standalone-role.ts';
import type { StartOptions, ZookeeperServer } from '../server/zookeeper-server.ts';
import { openDataDirectories } from './data-directories.ts';
import { Database } from './database.ts';
import { QuorumPeer } from './quorum-peer.ts';

/** The id in sessions of a server that is no member of an ensemble (ZooKeeperServer.createSessionTracker). */
const STANDALONE_SESSION_SERVER = 1;

/**
 * A server as its configuration wants it: alone, or a member of an ensemble, which serves once it has found the others. Whatever it
 * touches outside its memory is the runtime's. Rejects with ConfigError, RecoveryError, CorruptionError, DiskError, NetworkError.
 */
export async function startZookeeper(
  runtime: Runtime,
  config: ZooCfg,
  options: StartOptions = {},
): Promise<ZookeeperServer> {
  const log = runtime.log.named('zookeeper');
  for (const warning of config.warnings) log.warn(warning);
  const memberships = readMembership(runtime.disk, config);
  return isEnsemble(config, memberships.current)
    ? startMember(runtime, config, memberships, options)
    : startStandalone(runtime, config, options);
}

async function startMember(
  runtime: Runtime,
  config: ZooCfg,
  memberships: StoredMembership,
  { onFatal }: StartOptions,
): Promise<ZookeeperServer> {
  const log = runtime.log.named('zookeeper');
  const id = readMyid(runtime.disk, config);
  const member = memberOf(config, listing(memberships, id), id);
  for (const warning of member.warnings) log.warn(warning);
  const saslUsers = readSaslUsers(runtime.disk, config.auth.sasl, log);
  const { files, release } = await openDataDirectories(runtime, config);
  try {
    await backUpConfig(runtime, config);
    const database = await Database.open(runtime, files, config);
    const peer = new QuorumPeer({ runtime, config, memberships, member, database, saslUsers, release, onFatal });
    await peer.start();
    return peer;
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Who has agreed to a membership that takes it in may not know yet whether that is in force: it has to start, for others may not be
 * able to go on without it. Apache's server stops there.
 */
function listing({ current, next }: StoredMembership, id: ServerId | undefined): Membership {
  const isToCome = id !== undefined && !current.servers.has(id) && next?.servers.has(id) === true;
  return isToCome ? next : current;
}

/** The first membership that is activated goes into a file of its own, and out of this one. Rejects with DiskError. */
function backUpConfig({ disk }: Runtime, { reconfigEnabled, dynamicConfigFile, source }: ZooCfg): Promise<void> {
  const { path } = source;
  if (!reconfigEnabled || dynamicConfigFile !== undefined || path === undefined) return Promise.resolve();
  return new Promise((resolve, reject) => {
    new DynamicConfigFiles(disk, path).backUp((error) => (error === undefined ? resolve() : reject(error)));
  });
}

async function startStandalone(runtime: Runtime, config: ZooCfg, { onFatal }: StartOptions): Promise<ZookeeperServer> {
  refuseWithoutPort(config);
  const log = runtime.log.named('zookeeper');
  const saslUsers = readSaslUsers(runtime.disk, config.auth.sasl, log);
  const audit = config.auditEnabled ? new AuditLog(auditToLog(runtime.log), runtime.process.userName) : undefined;
  let server: ServingServer | undefined;
  let release: (() => void) | undefined;
  try {
    const directories = await openDataDirectories(runtime, config);
    ({ release } = directories);
    const { files } = directories;
    const recovered = await files.recover();
    if (recovered.lastZxid < 0n) {
      throw new RecoveryError(`No database in ${config.dataDir}, and db.autocreate=false forbids to begin one`);
    }
    const figures = new ProcessFigures(runtime, config);
    figures.metrics.observeFiles(files, recovered, figures.stats);
    server = new ServingServer({
      ...{ runtime, config, files, recovered, figures, audit, saslUsers, release, onFatal },
      serverId: 0,
      sessionServerId: STANDALONE_SESSION_SERVER,
      role: (parts) => new StandaloneRole(parts, recovered.lastZxid),
    });
    // As Apache at each start, unless the newest one holds it all.
    if (recovered.replayedCount > 0) files.startSnapshot(server.snapshotSubject);
    await server.start();
    return server;
  } catch (error) {
    audit?.startFailed();
    if (server === undefined) release?.();
    else await server.close();
    throw error;
  }
}

function refuseWithoutPort(config: ZooCfg): void {
  if (config.clientPort === undefined && config.tls.secureClientPort === undefined) {
    throw new ConfigError('clientPort', undefined, 'port for clients');
  }
}
