import { NO_NODE, type NodeTable } from './node-table.ts';
import { LIMIT_NODE, QUOTA_ROOT, QuotaPaths, QuotaValues, quotaStatPath, STAT_NODE } from './quotas.ts';

/**
 * Keeps the usage nodes of quotas. Every server changes them in place as it applies a transaction: no version, no time, no
 * digest.
 */
export class QuotaUsage {
  readonly #nodes: NodeTable;
  readonly #paths = new QuotaPaths();

  constructor(nodes: NodeTable) {
    this.#nodes = nodes;
  }

  /** The path itself or its closest ancestor that has a quota. */
  prefixOf(path: string): string | undefined {
    return this.#paths.prefixOf(path);
  }

  created(path: string, parentPath: string, dataLength: number): void {
    if (parentPath.startsWith(QUOTA_ROOT)) {
      const quotaPath = parentPath.slice(QUOTA_ROOT.length);
      if (path.endsWith(`/${LIMIT_NODE}`)) this.#paths.add(quotaPath);
      if (path.endsWith(`/${STAT_NODE}`)) this.#measure(quotaPath);
    }
    this.#charge(path, 1, dataLength);
  }

  deleted(path: string, parentPath: string, dataLength: number): void {
    if (parentPath.startsWith(QUOTA_ROOT) && path.endsWith(`/${LIMIT_NODE}`)) {
      this.#paths.delete(parentPath.slice(QUOTA_ROOT.length));
    }
    this.#charge(path, -1, -dataLength);
  }

  changed(path: string, grownBytes: number): void {
    this.#charge(path, 0, grownBytes);
  }

  /** After a tree was loaded. */
  measureAll(): void {
    const root = this.#nodes.find(QUOTA_ROOT);
    if (root === NO_NODE) return;
    const limits: string[] = [];
    this.#nodes.visit(root, (node) => {
      const path = this.#nodes.path(node);
      if (path.endsWith(`/${LIMIT_NODE}`)) limits.push(path.slice(QUOTA_ROOT.length, -LIMIT_NODE.length - 1));
    });
    for (const path of limits) {
      this.#paths.add(path);
      this.#measure(path);
    }
  }

  #charge(path: string, countDelta: number, bytesDelta: number): void {
    const quotaPath = this.#paths.prefixOf(path);
    if (quotaPath === undefined) return;
    const node = this.#nodes.find(quotaStatPath(quotaPath));
    if (node === NO_NODE) return;
    const usage = new QuotaValues(Buffer.from(this.#nodes.viewData(node) ?? '').toString());
    usage.set('count', usage.get('count') + countDelta);
    usage.set('bytes', usage.get('bytes') + bytesDelta);
    this.#nodes.storeData(node, Buffer.from(usage.toString()));
  }

  /** Usage from scratch. */
  #measure(quotaPath: string): void {
    const usage = new QuotaValues();
    let count = 0;
    let bytes = 0;
    const measured = this.#nodes.find(quotaPath);
    if (measured !== NO_NODE) {
      this.#nodes.visit(measured, (node) => {
        count += 1;
        bytes += this.#nodes.dataLength(node);
      });
    }
    usage.set('count', count);
    usage.set('bytes', bytes);
    const node = this.#nodes.find(quotaStatPath(quotaPath));
    if (node !== NO_NODE) this.#nodes.storeData(node, Buffer.from(usage.toString()));
  }
}
