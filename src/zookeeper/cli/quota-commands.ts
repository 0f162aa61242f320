import type { ZookeeperClient } from '../client/client.ts';
import { childOf, parentOf, validatePath } from '../client/paths.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { type Command, isInteger, toBigInt } from './command.ts';
import { CliError, type ParsedWords } from './command-line.ts';

/** Limits live beside the tree: `/zookeeper/quota<path>/zookeeper_limits`, usage in `zookeeper_stats`. */
const QUOTA_ROOT = '/zookeeper/quota';
const LIMITS = 'zookeeper_limits';
const STATS = 'zookeeper_stats';

/** -1 is no limit. */
interface Quota {
  count: bigint;
  bytes: bigint;
  countHardLimit: bigint;
  byteHardLimit: bigint;
}
const kinds = { n: 'count', b: 'bytes', N: 'countHardLimit', B: 'byteHardLimit' } as const;
type KindOption = keyof typeof kinds;

const quotaPath = (path: string): string => QUOTA_ROOT + path; // of the root: invalid, and refused as such
const limitsPath = (path: string): string => childOf(quotaPath(path), LIMITS);

/** The two hard limits follow in a form that servers before 3.7 skip (StatsTrack). */
export function formatQuota({ count, bytes, countHardLimit, byteHardLimit }: Quota): string {
  return `count=${count},bytes=${bytes}=;byteHardLimit=${byteHardLimit};countHardLimit=${countHardLimit}`;
}

export function parseQuota(text: string): Quota {
  const quota: Quota = { count: -1n, bytes: -1n, countHardLimit: -1n, byteHardLimit: -1n };
  for (const part of text.split(/[,;]+/)) {
    const [name = '', value = ''] = part.split('=');
    if (name in quota && isInteger(value, 64)) quota[name as keyof Quota] = toBigInt(value);
  }
  return quota;
}

const setQuota: Command = {
  name: 'setquota',
  usage: '-n|-b|-N|-B val path',
  options: { n: 'value', b: 'value', N: 'value', B: 'value' },
  exclusive: Object.keys(kinds),
  missingOption: '-n num soft quota, -b bytes soft quota, -N num hard quota, -B bytes hard quota',
  wordsMin: 1,
  async run({ client, print }, words) {
    const path = words.positional[0] ?? '';
    if (path.startsWith(QUOTA_ROOT)) throw new CliError(`cannot set a quota under the path: ${QUOTA_ROOT}`, 0);
    const quota = wantedQuota(words);
    await refuseNested(client, path);
    const old = await readQuota(client, limitsPath(path));
    await createMissing(client, quotaPath(path));
    const limits = old === undefined ? quota : merged(old, quota);
    if (old === undefined) await createQuota(client, path, limits);
    await warnIfExceeded(client, path, limits, print);
    if (old !== undefined) await client.setData(limitsPath(path), formatQuota(limits));
  },
};

function kindOf(options: ParsedWords['options']): KindOption | undefined {
  return [...options.keys()].find((name): name is KindOption => name in kinds);
}

function wantedQuota({ options }: ParsedWords): Quota {
  const option = kindOf(options) as KindOption;
  return { ...parseQuota(''), [kinds[option]]: limitOf(option, options.get(option) ?? '') };
}

/** @throws CliError which tells, and is no failure, as Apache's */
function limitOf(option: KindOption, text: string): bigint {
  const isCount = option === 'n' || option === 'N';
  if (!isInteger(text, isCount ? 32 : 64)) {
    throw new CliError('NumberFormatException happens when parsing the option value', 0);
  }
  const value = toBigInt(text);
  if (isCount && value <= 0) throw new CliError('the num quota must be greater than zero', 0);
  if (value < 0) throw new CliError('the bytes quota must be greater than or equal to zero', 0);
  return value;
}

/** A node is charged to one quota only: none above, none below. */
async function refuseNested(client: ZookeeperClient, path: string): Promise<void> {
  validatePath(path);
  if ((await client.exists(path)) === undefined) throw new CliError(`${path} does not exist.`);
  for (let above = path; above !== '/' && parentOf(above) !== '/'; ) {
    above = parentOf(above);
    if ((await client.exists(limitsPath(above))) !== undefined) {
      throw new CliError(`${path} has a parent ${above} which has a quota`);
    }
  }
  const below = await findQuotaBelow(client, path);
  if (below !== undefined) throw new CliError(`${path} has a child ${below} which has a quota`);
}

async function findQuotaBelow(client: ZookeeperClient, path: string): Promise<string | undefined> {
  for (const name of await childrenOf(client, quotaPath(path))) {
    if (name === LIMITS || name === STATS) continue;
    const child = childOf(path, name);
    if ((await client.exists(limitsPath(child))) !== undefined) return child;
    const deeper = await findQuotaBelow(client, child);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

async function createMissing(client: ZookeeperClient, path: string): Promise<void> {
  if ((await client.exists(path)) !== undefined) return;
  await createMissing(client, parentOf(path));
  await client.create(path);
}

async function createQuota(client: ZookeeperClient, path: string, quota: Quota): Promise<void> {
  await client.create(limitsPath(path), formatQuota(quota));
  await client.create(childOf(quotaPath(path), STATS), 'count=0,bytes=0'); // the server counts, from now on
}

function merged(old: Quota, wanted: Quota): Quota {
  const result = { ...old };
  for (const kind of Object.values(kinds)) if (wanted[kind] >= 0) result[kind] = wanted[kind];
  return result;
}

async function warnIfExceeded(
  client: ZookeeperClient,
  path: string,
  quota: Quota,
  print: (line: string) => void,
): Promise<void> {
  const used = await readQuota(client, childOf(quotaPath(path), STATS));
  if (used === undefined) return;
  const limits = [
    ['count', used.count, quota.count, quota.countHardLimit],
    ['bytes', used.bytes, quota.bytes, quota.byteHardLimit],
  ] as const;
  for (const [what, existing, ...both] of limits) {
    if (both.some((limit) => limit > -1 && limit < existing)) {
      print(`[Warning]: the ${what} quota you create is less than the existing ${what}:${existing}`);
    }
  }
}

const listQuota: Command = {
  name: 'listquota',
  usage: 'path',
  wordsMin: 1,
  async run({ client, print, complain }, { positional: [path = ''] }) {
    complain(`absolute path is ${limitsPath(path)}`);
    const limits = await readText(client, limitsPath(path));
    if (limits === undefined) {
      complain(`quota for ${path} does not exist.`);
      return;
    }
    print(`Output quota for ${path} ${limits}`);
    const stats = await readText(client, childOf(quotaPath(path), STATS));
    if (stats !== undefined) print(`Output stat for ${path} ${stats}`);
  },
};

const deleteQuota: Command = {
  name: 'delquota',
  usage: '[-n|-b|-N|-B] path',
  options: { n: 'flag', b: 'flag', N: 'flag', B: 'flag' },
  exclusive: Object.keys(kinds),
  wordsMin: 1,
  async run({ client, print }, { positional: [path = ''], options }) {
    const option = kindOf(options);
    const old = await readQuota(client, limitsPath(path));
    if (old === undefined) {
      print(`Quota does not exist for ${path}`);
      return;
    }
    if (option === undefined) await removeQuota(client, path);
    else await client.setData(limitsPath(path), formatQuota({ ...old, [kinds[option]]: -1n }));
  },
};

async function removeQuota(client: ZookeeperClient, path: string): Promise<void> {
  await client.delete(limitsPath(path));
  await client.delete(childOf(quotaPath(path), STATS));
  // What was made for this quota alone goes too.
  for (let at = quotaPath(path); at !== QUOTA_ROOT; at = parentOf(at)) {
    if ((await childrenOf(client, at)).length > 0) return;
    await client.delete(at);
  }
}

async function readQuota(client: ZookeeperClient, path: string): Promise<Quota | undefined> {
  const text = await readText(client, path);
  return text === undefined ? undefined : parseQuota(text);
}

function readText(client: ZookeeperClient, path: string): Promise<string | undefined> {
  return client.getData(path).then(
    ({ data }) => data?.toString() ?? '',
    (error: unknown) => unlessNoNode(error, undefined),
  );
}

function childrenOf(client: ZookeeperClient, path: string): Promise<string[]> {
  return client.getChildren(path).catch((error: unknown) => unlessNoNode<string[]>(error, []));
}

function unlessNoNode<T>(error: unknown, instead: T): T {
  if (error instanceof KeeperError && error.code === ErrorCode.NONODE) return instead;
  throw error;
}

export const quotaCommands: readonly Command[] = [setQuota, listQuota, deleteQuota];
