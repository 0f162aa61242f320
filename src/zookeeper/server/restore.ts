import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import type { FileSnapLog } from '../persistence/file-snap-log.ts';
import { loadSnapshot } from '../persistence/snapshot-reader.ts';
import type { DataTree, DataTreeOptions } from '../tree/data-tree.ts';

/** These bytes are no snapshot that a server can be restored from. */
export class RestoreError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RestoreError';
  }
}

/** A tree with its sessions, to take the place of what there is. */
export interface Replacement {
  readonly tree: DataTree;
  readonly sessions: Map<SessionId, number>;
  /** What the snapshot says. */
  readonly zxid: Zxid;
}

export function treeOptionsOf(config: ZooCfg): DataTreeOptions {
  return { digest: config.digestEnabled, extendedTypes: config.extendedTypesEnabled };
}

/** In slices between requests. @throws RestoreError, CorruptionError */
export async function loadReplacement(clock: Clock, bytes: Uint8Array, options: DataTreeOptions): Promise<Replacement> {
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
export async function storeReplacement(
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
