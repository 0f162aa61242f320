import type { IncomingMessage } from 'node:http';

/** What a request asks for. */
export interface HttpTarget {
  /** Decoded, without `.`, `..` and what stands behind semicolons. */
  readonly pathname: string;
  readonly searchParams: URLSearchParams;
}

/** Undefined for what is no path: one that leads above the root, broken escapes, a NUL. */
export function targetOf({ url = '/' }: IncomingMessage): HttpTarget | undefined {
  try {
    const [, path, query = ''] = /^(?:https?:\/\/[^/]*)?(\/[^?#]*)\??([^#]*)/.exec(url) ?? [];
    if (path === undefined) return undefined;
    const pathname = decodeURIComponent(withoutDots(path.replaceAll(/;[^/]*/g, '')));
    return pathname.includes('\0') ? undefined : { pathname, searchParams: new URLSearchParams(query) };
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** @throws URIError where it leads above the root */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const name = segment.replaceAll(/%2e/gi, '.');
    const isLast = index === segments.length - 1;
    if (name === '..' && kept.pop() === undefined) throw new URIError(path);
    if (name !== '..' && name !== '.') kept.push(segment);
    else if (isLast) kept.push('');
  }
  return `/${kept.join('/')}`;
}
