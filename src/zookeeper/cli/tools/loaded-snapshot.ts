import { accessSync, constants, statSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import { nodeRuntime } from '../../../runtime/node/node-runtime.ts';
import { parseHex, type Zxid } from '../../jute/ids.ts';
import { finished } from '../../persistence/recovery.ts';
import type { LoadedSnapshot } from '../../persistence/snapshot-body.ts';
import { loadUnsealedSnapshot } from '../../persistence/snapshot-reader.ts';
import { openSnapshot } from '../../persistence/snapshot-source.ts';
import type { DataTree, NodeId } from '../../tree/data-tree.ts';
import { hashOrder, stringHash } from './java-hash.ts';

/** As Apache's tools load a snapshot: no seal is looked at, and TTL nodes are no kind of their own. */
export function loadForTool(path: string): LoadedSnapshot {
  const { source, close } = openSnapshot(nodeRuntime({ logStream: process.stderr, logLevel: 'warn' }).disk, path);
  try {
    return finished(loadUnsealedSnapshot(source, zxidOfName(path), { digest: false }));
  } finally {
    close();
  }
}

/** Of the file's name; -1 where it tells none (Util.getZxidFromName). */
export function zxidOfName(path: string): Zxid {
  const [prefix, hex, ...rest] = basename(path).split('.');
  const isNamed = prefix === 'snapshot' && (rest.length === 0 || /^(gz|snappy)$/.test(rest.join('.')));
  return ((isNamed ? parseHex(hex ?? '') : undefined) ?? -1n) as Zxid;
}

/** Names, in the order of the set that Apache's node keeps them in. */
export function childrenInOrder(tree: DataTree, node: NodeId): string[] {
  return hashOrder(tree.children(node), stringHash, 8);
}

/** What is wrong with a file that a user names, in Apache's words (ZKUtil.validateFileInput). */
export function fileProblem(path: string): string | undefined {
  // As Java: nothing is normalized.
  const absolute = isAbsolute(path) ? path : `${process.cwd()}/${path}`;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return `File '${absolute}' does not exist.`;
  try {
    accessSync(path, constants.R_OK);
  } catch {
    return `Read permission is denied on the file '${absolute}'`;
  }
  return stat.isDirectory() ? `'${absolute}' is a directory. it must be a file.` : undefined;
}
