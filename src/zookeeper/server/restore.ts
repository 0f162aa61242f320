import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import type { FileSnapLog } from '../persistence/file-snap-log.ts';
import { loadSnapshot } from '../persistence/snapshot-reader.ts';
import type { DataTree, DataTreeOptions } from '../tree/data-tree.ts';
import type { ClientPort } from './client-port.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { Preparer } from './prepare.ts';
import type { ReadRequests } from './reads.ts';
import type { Role } from './role.ts';
import type { Sessions } from './sessions.ts';

/** These bytes are no snapshot that a server can be restored from. */
export class RestoreError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RestoreError';
  }
}

/** A tree with its sessions, to take the place of what there is. */
interface Replacement {
  readonly tree: DataTree;
  readonly sessions: Map<SessionId, number>;
  /** What the snapshot says. */
  readonly zxid: Zxid;
}

export function treeOptionsOf(config: ZooCfg): DataTreeOptions {
  return { digest: config.digestEnabled, extendedTypes: config.extendedTypesEnabled };
}

/** The parts of a server that a restore changes. */
export interface RestoreOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly config: ZooCfg;
  readonly files: FileSnapLog;
  readonly tree: DataTree;
  readonly reads: ReadRequests;
  readonly sessions: Sessions;
  /** What snapshots and the pipeline know of sessions. */
  readonly sessionTimeouts: Map<SessionId, number>;
  readonly port: ClientPort;
  readonly role: Role;
  readonly metrics: ServerMetrics;
  readonly isServing: () => boolean;
}

/** Puts the content of an uploaded snapshot in the place of a running server's (ZooKeeperServer.restoreFromSnapshot). */
export class Restore {
  readonly #options: RestoreOptions;
  #isUnderWay = false;

  constructor(options: RestoreOptions) {
    this.#options = options;
  }

  /** Another tree takes the place of this one: nothing is to be proposed meanwhile. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /**
   * Answers the snapshot's zxid.
   * @throws RestoreError, CorruptionError; nothing has changed then
   */
  async from(snapshot: Uint8Array): Promise<Zxid> {
    const { clock, config, files, log, port, role, metrics, isServing } = this.#options;
    const { preparer } = role;
    // As one server of an ensemble it would hold another database than the rest.
    if (preparer === undefined || role.mode !== 'standalone')
      throw new RestoreError('only a standalone server can be restored');
    const startMs = clock.monotonicMs();
    const replacement = await loadReplacement(clock, snapshot, treeOptionsOf(config));
    if (this.#isUnderWay || !isServing()) throw new RestoreError('the server cannot be restored now');
    this.#isUnderWay = true;
    // Clients come back with their sessions if the snapshot has them, and set their watches again.
    port.shut();
    try {
      while (role.pendingCount > 0) await new Promise<void>((resolve) => clock.soon(resolve));
      if (!isServing()) throw new RestoreError('the server has stopped');
      const zxid = await storeReplacement(replacement, files, preparer.lastZxid, log);
      this.#replace(replacement, zxid, preparer);
    } finally {
      this.#isUnderWay = false;
      port.reopen();
    }
    metrics.restoreTime.add(Math.floor(clock.monotonicMs() - startMs));
    return replacement.zxid;
  }

  #replace(replacement: Replacement, zxid: Zxid, preparer: Preparer): void {
    const { tree, reads, sessions, sessionTimeouts } = this.#options;
    tree.become(replacement.tree);
    reads.treeReplaced();
    preparer.treeReplaced(zxid);
    for (const { id } of [...sessions]) if (!replacement.sessions.has(id)) sessions.remove(id);
    sessionTimeouts.clear();
    for (const [id, timeoutMs] of replacement.sessions) {
      sessionTimeouts.set(id, timeoutMs);
      sessions.remove(id);
      sessions.add(id, timeoutMs);
    }
  }
}

/** In slices between requests. @throws RestoreError, CorruptionError */
async function loadReplacement(clock: Clock, bytes: Uint8Array, options: DataTreeOptions): Promise<Replacement> {
  const source = {
    path: 'the uploaded snapshot',
    size: bytes.length,
    read: (position: number, length: number) => bytes.subarray(position, position + length),
  };
  const slices = loadSnapshot(source, 0n as Zxid, options);
  for (;;) {
    const slice = slices.next();
    if (slice.done !== true) {
      await new Promise<void>((resolve) => clock.soon(resolve));
      continue;
    }
    const { tree, sessions, lastProcessedZxid } = slice.value;
    if (lastProcessedZxid === undefined) throw new RestoreError('the snapshot does not tell its zxid');
    tree.lastProcessedZxid = lastProcessedZxid;
    return { tree, sessions, zxid: lastProcessedZxid };
  }
}

/**
 * Makes a replacement what the next start finds, before anybody sees it. It takes the place of all that happened up to now, so
 * it stands for the newest zxid there is: no transaction of before may be replayed over it, and no client may find a server that
 * is older than what it has seen.
 */
async function storeReplacement(
  { tree, sessions }: Replacement,
  files: FileSnapLog,
  newestZxid: Zxid,
  log: Log,
): Promise<Zxid> {
  if (newestZxid > tree.lastProcessedZxid) tree.lastProcessedZxid = newestZxid;
  files.log.roll();
  await files.takeSnapshot({ tree, sessions });
  const zxid = tree.lastProcessedZxid;
  log.info('restored to a new database', { zxid: printHex(zxid), nodes: tree.nodeCount, sessions: sessions.size });
  return zxid;
}
