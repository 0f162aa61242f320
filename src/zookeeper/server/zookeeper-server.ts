import { ConfigError } from '../../config/config-error.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { DiskLock } from '../../runtime/disk.ts';
import type { Address } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { VERSION_DIRECTORY } from '../persistence/file-names.ts';
import { FileSnapLog } from '../persistence/file-snap-log.ts';
import { type Recovered, RecoveryError } from '../persistence/recovery.ts';
import { auditToLog } from './audit/audit-event.ts';
import { AuditLog } from './audit/audit-log.ts';
import { readSaslUsers } from './auth/sasl-users.ts';
import { type ParentDirectory, parentsToSync, syncDirectories } from './durable-directories.ts';
import { treeOptionsOf } from './restore.ts';
import type { ServerView } from './server-view.ts';
import { ServingServer } from './serving-server.ts';
import { StandaloneRole } from './standalone-role.ts';

/** The id in sessions of a server that is no member of an ensemble (ZooKeeperServer.createSessionTracker). */
const STANDALONE_SESSION_SERVER = 1;

export interface StartOptions {
  /** The server has stopped by itself: its disk failed, or an invariant broke. Called once. */
  readonly onFatal?: (error: unknown) => void;
}

/** A running server. */
export interface ZookeeperServer {
  /** Where clients connect: to the plain port if there is one. */
  readonly clientAddress: Address;
  /** Where the AdminServer listens; undefined where it is off, or its port was taken. */
  readonly adminAddress: Address | undefined;
  /** The same of `/metrics` for Prometheus. */
  readonly metricsAddress: Address | undefined;
  /** Where TLS clients connect; undefined without `secureClientPort`. */
  readonly secureClientAddress: Address | undefined;
  readonly state: 'serving' | 'failed' | 'closed';
  /** What operators may look at. */
  readonly view: ServerView;
  /** Stops serving; what was acknowledged is on the disk, sessions stay alive for the next start. */
  close(): Promise<void>;
}

/** The server of Apache's standalone form, everywhere: whatever it touches outside its memory is the runtime's. */
export async function startZookeeper(
  runtime: Runtime,
  config: ZooCfg,
  options: StartOptions = {},
): Promise<ZookeeperServer> {
  refuseEnsemble(config);
  const log = runtime.log.named('zookeeper');
  for (const warning of config.warnings) log.warn(warning);
  const saslUsers = readSaslUsers(runtime.disk, config.auth.sasl, log);
  const parents = parentDirectories(runtime, config);
  const locks = lockDirectories(runtime, config);
  const release = (): void => {
    for (const lock of locks) lock.release();
  };
  const audit = config.auditEnabled ? new AuditLog(auditToLog(runtime.log), runtime.process.userName) : undefined;
  let server: ServingServer | undefined;
  try {
    const files = openFiles(runtime, config);
    await syncDirectories(runtime.disk, parents);
    const recovered = await files.recover();
    if (recovered.lastZxid < 0n) {
      throw new RecoveryError(`No database in ${config.dataDir}, and db.autocreate=false forbids to begin one`);
    }
    server = new ServingServer({
      ...{ runtime, config, files, recovered, audit, saslUsers, release },
      serverId: 0,
      sessionServerId: STANDALONE_SESSION_SERVER,
      role: (parts) => new StandaloneRole(parts, recovered.lastZxid),
      onFatal: options.onFatal,
    });
    takeStartSnapshot(files, server, recovered);
    await server.start();
    return server;
  } catch (error) {
    audit?.startFailed();
    if (server === undefined) release();
    else await server.close();
    throw error;
  }
}

function refuseEnsemble(config: ZooCfg): void {
  const [first] = [...config.servers.values()].filter(({ role }) => role === 'participant');
  if (config.servers.size > 1 || (first !== undefined && !config.standaloneEnabled)) {
    throw new ConfigError('server.N', `${config.servers.size} servers`, 'a standalone server has no other members');
  }
  if (config.dynamicConfigFile !== undefined) {
    throw new ConfigError(
      'dynamicConfigFile',
      config.dynamicConfigFile,
      'a standalone server has no membership; leave it out',
    );
  }
  if (config.clientPort === undefined && config.tls.secureClientPort === undefined) {
    throw new ConfigError('clientPort', undefined, 'port for clients');
  }
}

/** Before anything is made: a data directory must not be lost with the power, nor a parent made for it. */
function parentDirectories({ disk }: Runtime, { dataDir, dataLogDir }: ZooCfg): ParentDirectory[] {
  return [dataDir, dataLogDir].flatMap((directory) => parentsToSync(disk, `${directory}/${VERSION_DIRECTORY}`));
}

function lockDirectories(runtime: Runtime, { dataDir, dataLogDir, autocreateDirectories }: ZooCfg): DiskLock[] {
  const locks: DiskLock[] = [];
  try {
    for (const directory of new Set([dataDir, dataLogDir])) {
      if (autocreateDirectories) runtime.disk.makeDirectory(directory);
      else if (runtime.disk.stat(directory) === undefined) {
        throw new RecoveryError(`Missing data directory ${directory}: make it, or do not set datadir.autocreate=false`);
      }
      locks.push(runtime.disk.lock(directory));
    }
  } catch (error) {
    for (const lock of locks) lock.release();
    throw error;
  }
  return locks;
}

function openFiles(runtime: Runtime, config: ZooCfg): FileSnapLog {
  return new FileSnapLog(runtime, {
    dataDir: config.dataDir,
    dataLogDir: config.dataLogDir,
    tree: treeOptionsOf(config),
    log: {
      preAllocBytes: config.preAllocSizeBytes,
      sizeLimitBytes: config.txnLogSizeLimitBytes,
      forceSync: config.forceSync,
      syncWarningMs: config.syncWarningMs,
    },
    trigger: { snapCount: config.snapCount, snapSizeBytes: config.snapSizeLimitBytes },
    commitLogCount: config.commitLogCount,
    trustEmptySnapshot: config.trustEmptySnapshot,
    autoCreate: config.autocreateDatabase,
    createDirectories: config.autocreateDirectories,
    compression: config.snapshotCompression,
    serializeLastProcessedZxid: config.serializeLastProcessedZxid,
  });
}

/** As Apache at each start, unless the newest one holds it all. */
function takeStartSnapshot(files: FileSnapLog, server: ServingServer, recovered: Recovered): void {
  if (recovered.replayedCount > 0) files.startSnapshot(server.snapshotSubject);
}
