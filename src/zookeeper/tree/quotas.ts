/** Where limits and usage of quotas live (org.apache.zookeeper.Quotas). */
export const QUOTA_ROOT = '/zookeeper/quota';
export const LIMIT_NODE = 'zookeeper_limits';
export const STAT_NODE = 'zookeeper_stats';

export const quotaLimitPath = (path: string): string => `${QUOTA_ROOT}${path}/${LIMIT_NODE}`;
export const quotaStatPath = (path: string): string => `${QUOTA_ROOT}${path}/${STAT_NODE}`;

/**
 * Limits or usage, as text: `count=4,bytes=5=;byteHardLimit=10;countHardLimit=10`. The spurious `=` makes parsers of before 3.7
 * ignore what follows (StatsTrack).
 */
export class QuotaValues {
  readonly #values = new Map<string, number>();

  constructor(text = '') {
    for (const pair of text.split(/[,;]+/)) {
      const [key, value] = pair.split('=');
      if (key !== undefined && key !== '' && value !== undefined)
        this.#values.set(key, value === '' ? -1 : Number(value));
    }
  }

  /** -1: no limit. */
  get(key: 'count' | 'bytes' | 'countHardLimit' | 'byteHardLimit'): number {
    return this.#values.get(key) ?? -1;
  }

  set(key: 'count' | 'bytes' | 'countHardLimit' | 'byteHardLimit', value: number): void {
    this.#values.set(key, value);
  }

  toString(): string {
    const more = [...this.#values.keys()].filter((key) => key !== 'count' && key !== 'bytes').sort();
    const tail = more.map((key) => `;${key}=${this.#values.get(key)}`).join('');
    return `count=${this.get('count')},bytes=${this.get('bytes')}${tail === '' ? '' : `=${tail}`}`;
  }
}

/** The paths that have limits (PathTrie). */
export class QuotaPaths {
  readonly #paths = new Set<string>();

  /** The root of the tree (an empty path here) never has a quota. */
  add(path: string): void {
    if (path !== '') this.#paths.add(path);
  }

  delete(path: string): void {
    this.#paths.delete(path);
  }

  /** The path itself or its closest ancestor that has limits. */
  prefixOf(path: string): string | undefined {
    if (this.#paths.size === 0) return undefined;
    for (let prefix = path; prefix.length > 1; prefix = prefix.slice(0, prefix.lastIndexOf('/'))) {
      if (this.#paths.has(prefix)) return prefix;
    }
    return undefined;
  }
}
