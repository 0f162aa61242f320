import type { DataTree } from '../tree/data-tree.ts';
import { NO_NODE } from '../tree/data-tree.ts';
import { QuotaValues, quotaLimitPath, quotaStatPath } from '../tree/quotas.ts';
import type { OutstandingChanges } from './outstanding-changes.ts';

/**
 * Whether a hard limit forbids so many nodes and bytes more (ZooKeeperServer.checkQuota, `zookeeper.enforceQuota`). Usage is
 * what is applied: Apache does not count what is outstanding either.
 */
export function quotaRefuses(
  tree: DataTree,
  changes: OutstandingChanges,
  path: string,
  nodes: number,
  bytes: number,
): boolean {
  const prefix = tree.quotaPrefix(path);
  if (prefix === undefined || !changes.has(quotaLimitPath(prefix))) return false;
  const limits = valuesAt(tree, quotaLimitPath(prefix));
  const usage = valuesAt(tree, quotaStatPath(prefix));
  return (
    exceeds(usage.get('count'), nodes, limits.get('countHardLimit')) ||
    exceeds(usage.get('bytes'), bytes, limits.get('byteHardLimit'))
  );
}

function exceeds(used: number, more: number, limit: number): boolean {
  return limit > -1 && more > 0 && Math.max(used, 0) + more > limit;
}

function valuesAt(tree: DataTree, path: string): QuotaValues {
  const node = tree.find(path);
  const data = node === NO_NODE ? null : tree.viewData(node);
  return new QuotaValues(data === null ? '' : Buffer.prototype.utf8Slice.call(data, 0, data.length));
}
