import type { Summary, SummarySet } from '../../../base/metrics.ts';

/** The first name of a path: `app` of `/app/a`. Undefined for the root (PathUtils.getTopNamespace). */
export function namespaceOf(path: string): string | undefined {
  const end = path.indexOf('/', 1);
  const namespace = end < 0 ? path.slice(1) : path.slice(1, end);
  return namespace === '' ? undefined : namespace;
}

/** Bytes by namespace. Most requests are about the namespace of the one before: it is found without a new string. */
export class NamespaceBytes {
  readonly #summaries: SummarySet;
  /** `/app` */
  #lastPrefix = '/';
  #last: Summary | undefined;

  constructor(summaries: SummarySet) {
    this.#summaries = summaries;
  }

  add(path: string, bytes: number): void {
    if (!this.#isLast(path)) {
      const namespace = namespaceOf(path);
      if (namespace === undefined) return;
      this.#lastPrefix = `/${namespace}`;
      this.#last = this.#summaries.of(namespace);
    }
    this.#last?.add(bytes);
  }

  #isLast(path: string): boolean {
    const prefix = this.#lastPrefix;
    if (!path.startsWith(prefix)) return false;
    return path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f;
  }
}
