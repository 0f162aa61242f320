/** What differs between two right brokers: addresses, ids, times, documentation. */

/** Fields whose values are another broker's own; only whether they are set counts. */
const ownValues: ReadonlySet<string> = new Set([
  ...['host', 'port', 'clusterId', 'topicId', 'sessionId', 'memberId', 'leader', 'clientHost'],
  ...['logDir', 'totalBytes', 'usableBytes'],
  ...['documentation', 'producerId', 'logAppendTimeMs', 'commitTimestamp', 'finalizedFeaturesEpoch'],
]);

/** Lists whose order says nothing, by what they are sorted. */
const sortKeys = [
  ...['name', 'index', 'apiKey', 'groupId', 'transactionalId', 'partitionIndex', 'topicName', 'key', 'nodeId'],
  ...['topic', 'partitionId', 'user', 'feature', 'resourceName'],
];

/** Lists of Java's maps, whose items have no name of their own. */
const unordered: ReadonlySet<string> = new Set([
  'entries',
  'entity',
  'resources',
  'acls',
  'matchingAcls',
  'configResources',
  'activeProducers',
]);

export function normalise(value: unknown, name = ''): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (isSlices(value)) return withoutPadding(Buffer.concat(value.chunks).toString('hex'));
  if (Array.isArray(value)) {
    const items = value.map((item) => normalise(item, name));
    if (unordered.has(name)) return items.sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b)));
    return items.sort((a, b) => compare(sortKey(a), sortKey(b)));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normalise(item, key)]));
  }
  if (name === 'throttleTimeMs') return 0;
  if (ownValues.has(name) && (typeof value === 'string' || typeof value === 'number')) return describe(value);
  return value;
}

/** Apache fills down-converted records up to the size they had, with a message that is cut off and that clients skip. */
function withoutPadding(hex: string): string {
  return hex.replace(/f{16}[0-9a-f]{8}0*$/, '');
}

function describe(value: string | number): string {
  if (typeof value === 'number') return value < 0 ? 'negative' : value === 0 ? 'zero' : 'positive';
  return value === '' || /^A{22}$/.test(value) ? 'empty' : 'text';
}

function isSlices(value: unknown): value is { chunks: Uint8Array[]; size: number } {
  return typeof value === 'object' && value !== null && 'chunks' in value && 'size' in value;
}

function sortKey(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item).padStart(12, '0');
  for (const key of sortKeys) {
    const found = (item as Record<string, unknown>)[key];
    if (typeof found === 'string' && found !== 'text') return found;
    if (typeof found === 'number') return String(found).padStart(12, '0');
  }
  return '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
