import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { DiskLock } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { VERSION_DIRECTORY } from '../persistence/file-names.ts';
import { FileSnapLog } from '../persistence/file-snap-log.ts';
import { RecoveryError } from '../persistence/recovery.ts';
import { type ParentDirectory, parentsToSync, syncDirectories } from '../server/durable-directories.ts';
import { treeOptionsOf } from '../server/restore.ts';

/** The directories of a server that runs: nobody else has them. */
export interface DataDirectories {
  readonly files: FileSnapLog;
  /** Gives them free. */
  readonly release: () => void;
}

/** Rejects with RecoveryError, DiskError; nothing is held then. */
export async function openDataDirectories(runtime: Runtime, config: ZooCfg): Promise<DataDirectories> {
  const parents = parentDirectories(runtime, config);
  const locks = lockDirectories(runtime, config);
  const release = (): void => {
    for (const lock of locks) lock.release();
  };
  try {
    const files = openFiles(runtime, config);
    await syncDirectories(runtime.disk, parents);
    return { files, release };
  } catch (error) {
    release();
    throw error;
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
    snapshotSizeFactor: config.snapshotSizeFactor,
    trustEmptySnapshot: config.trustEmptySnapshot,
    autoCreate: config.autocreateDatabase,
    createDirectories: config.autocreateDirectories,
    compression: config.snapshotCompression,
    serializeLastProcessedZxid: config.serializeLastProcessedZxid,
  });
}
