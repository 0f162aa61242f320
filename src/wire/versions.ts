/** Inclusive ranges spelled as in Apache's message definitions: `0`, `3+`, `1-4`. */
export type Versions = `${number}` | `${number}+` | `${number}-${number}`;

const parsed = new Map<string, readonly [number, number]>();

/** The first and the last version of a range; an open range ends at Infinity. */
export function bounds(versions: Versions): readonly [number, number] {
  let range = parsed.get(versions);
  if (range === undefined) {
    range = parse(versions);
    parsed.set(versions, range);
  }
  return range;
}

export function within(versions: Versions | 'none' | undefined, version: number): boolean {
  if (versions === undefined || versions === 'none') return false;
  const [first, last] = bounds(versions);
  return version >= first && version <= last;
}

function parse(versions: Versions): readonly [number, number] {
  if (versions.endsWith('+')) return [Number(versions.slice(0, -1)), Infinity];
  const dash = versions.indexOf('-', 1);
  if (dash < 0) return [Number(versions), Number(versions)];
  return [Number(versions.slice(0, dash)), Number(versions.slice(dash + 1))];
}
