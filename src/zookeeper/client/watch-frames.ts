import type { Zxid } from '../jute/ids.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { SetWatches, SetWatches2 } from '../jute/proto.ts';
import { encodeRequest } from './frames.ts';
import type { WatchKind, WatchRegistry } from './watch-registry.ts';

/** A server of any version takes a request with this much path text (ClientCnxn.SET_WATCHES_MAX_LENGTH). */
const PATH_BYTES_MAX = 131_072;

const kinds = ['data', 'exist', 'child', 'persistent', 'recursive'] as const satisfies readonly WatchKind[];
type Batch = Record<(typeof kinds)[number], string[]>;

/**
 * The requests that tell a new server all watches of a registry. The server answers what changed after `relativeZxid` with the
 * events that were missed.
 */
export function watchFrames(watches: WatchRegistry, relativeZxid: Zxid): readonly Uint8Array[] {
  const batches: Batch[] = [];
  let batch: Batch | undefined;
  let size = 0;
  for (const kind of kinds) {
    for (const path of watches.paths(kind)) {
      if (batch === undefined || size + path.length > PATH_BYTES_MAX) {
        batch = { data: [], exist: [], child: [], persistent: [], recursive: [] };
        batches.push(batch);
        size = 0;
      }
      batch[kind].push(path);
      size += path.length;
    }
  }
  return batches.map((each) => encodeBatch(each, relativeZxid));
}

/** The older request where it says all: servers before 3.6 know no other. */
function encodeBatch({ data, exist, child, persistent, recursive }: Batch, relativeZxid: Zxid): Uint8Array {
  const common = { relativeZxid, dataWatches: data, existWatches: exist, childWatches: child };
  if (persistent.length + recursive.length === 0) {
    return encodeRequest(Xid.setWatches, OpCode.setWatches, (to) => SetWatches.write(to, common));
  }
  const request = { ...common, persistentWatches: persistent, persistentRecursiveWatches: recursive };
  return encodeRequest(Xid.setWatches, OpCode.setWatches2, (to) => SetWatches2.write(to, request));
}
