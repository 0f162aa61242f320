/** Releases with the number of their last `-IV` (`MetadataVersion` of 3.9); before 0.10 there were none. */
const lastIvs: ReadonlyMap<string, number> = new Map([
  ...(['0.8.0', '0.8.1', '0.8.2', '0.9.0'] as const).map((release) => [release, -1] as const),
  ...([
    ['0.10.0', 1],
    ['0.10.1', 2],
    ['0.10.2', 0],
    ['0.11.0', 2],
    ['1.0', 0],
    ['1.1', 0],
  ] as const),
  ...([
    ['2.0', 1],
    ['2.1', 2],
    ['2.2', 1],
    ['2.3', 1],
    ['2.4', 1],
    ['2.5', 0],
    ['2.6', 0],
    ['2.7', 2],
    ['2.8', 1],
  ] as const),
  ...([
    ['3.0', 1],
    ['3.1', 0],
    ['3.2', 0],
    ['3.3', 3],
    ['3.4', 0],
    ['3.5', 2],
    ['3.6', 2],
    ['3.7', 4],
    ['3.8', 0],
  ] as const),
  ...([
    ['3.9', 0],
    ['4.0', 1],
  ] as const),
]);

/** Whether a text names a version as `message.format.version` does: a release, its patches too, or one of its `-IV`. */
export function isFormatVersion(text: string): boolean {
  const [, release = '', iv] = /^(\d+\.\d+(?:\.\d+)*)(?:-IV(\d+))?$/.exec(text) ?? [];
  const segments = release.startsWith('0.') ? 3 : 2;
  const last = lastIvs.get(iv === undefined ? release.split('.').slice(0, segments).join('.') : release);
  return last !== undefined && (iv === undefined || Number(iv) <= last);
}
