import type { Metrics } from '../../../base/metrics.ts';
import { type DataTree, NO_NODE } from '../../tree/data-tree.ts';
import { LIMIT_NODE, QUOTA_ROOT, QuotaValues, STAT_NODE } from '../../tree/quotas.ts';
import { namespaceOf } from './namespaces.ts';

export const quotaGaugeNames = [
  'quota_count_limit_per_namespace',
  'quota_bytes_limit_per_namespace',
  'quota_count_usage_per_namespace',
  'quota_bytes_usage_per_namespace',
];

/** Limits and usage by namespace: the sum over all quotas below it (QuotaMetricsUtils). */
export function registerQuotaGauges(metrics: Metrics, tree: DataTree): void {
  metrics.gaugeSet('quota_count_limit_per_namespace', () =>
    sums(tree, LIMIT_NODE, (limits) => hardOrSoft(limits, 'countHardLimit', 'count')),
  );
  metrics.gaugeSet('quota_bytes_limit_per_namespace', () =>
    sums(tree, LIMIT_NODE, (limits) => hardOrSoft(limits, 'byteHardLimit', 'bytes')),
  );
  metrics.gaugeSet('quota_count_usage_per_namespace', () => sums(tree, STAT_NODE, (usage) => usage.get('count')));
  metrics.gaugeSet('quota_bytes_usage_per_namespace', () => sums(tree, STAT_NODE, (usage) => usage.get('bytes')));
}

function hardOrSoft(limits: QuotaValues, hard: 'countHardLimit' | 'byteHardLimit', soft: 'count' | 'bytes'): number {
  return limits.get(hard) > -1 ? limits.get(hard) : limits.get(soft);
}

function sums(tree: DataTree, leaf: string, figureOf: (values: QuotaValues) => number): Map<string, number> {
  const byNamespace = new Map<string, number>();
  const visit = (path: string): void => {
    const node = tree.find(path);
    if (node === NO_NODE) return;
    if (tree.childCount(node) > 0) {
      for (const child of [...tree.children(node)]) visit(`${path}/${child}`);
      return;
    }
    if (!path.endsWith(`/${leaf}`)) return;
    const namespace = namespaceOf(path.slice(QUOTA_ROOT.length));
    const data = tree.viewData(node);
    if (namespace === undefined || data === null) return;
    const values = new QuotaValues(Buffer.prototype.utf8Slice.call(data, 0, data.length));
    byNamespace.set(namespace, (byNamespace.get(namespace) ?? 0) + figureOf(values));
  };
  visit(QUOTA_ROOT);
  return byNamespace;
}
