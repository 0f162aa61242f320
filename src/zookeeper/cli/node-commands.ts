import type { ZookeeperClient } from '../client/client.ts';
import type { CreateOptions } from '../client/client-options.ts';
import { childOf, validatePath, validateSequentialPath } from '../client/paths.ts';
import { deleteRecursive } from '../client/recipes/nodes.ts';
import { CreateMode } from '../jute/create-mode.ts';
import type { Stat } from '../jute/data.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { type Command, type CommandContext, isInteger, parseInteger, versionOf } from './command.ts';
import { CliError, type ParsedWords } from './command-line.ts';
import { aclLines, hexDump, listLine, parseAcl, sorted, statLines } from './output.ts';

const statFlag = { s: 'flag' } as const;

const ls: Command = {
  name: 'ls',
  usage: '[-s] [-w] [-R] path',
  options: { s: 'flag', w: 'flag', R: 'flag' },
  wordsMin: 1,
  newWatchForm: 'ls [-w] path',
  async run(context, words) {
    const path = firstOf(words);
    const watch = words.options.has('w') ? context.watcher : undefined;
    if (words.options.has('R')) {
      for await (const found of subtree(context.client, path)) context.print(found);
      return;
    }
    const { children, stat } = await context.client.getChildrenWithStat(path, { watch });
    context.print(listLine(sorted(children)));
    if (words.options.has('s')) printAll(context, statLines(stat));
  },
};

/** 3.4's `ls -s`. */
const ls2: Command = {
  name: 'ls2',
  hidden: true,
  usage: 'path [watch]',
  wordsMin: 1,
  async run(context, words) {
    const watch = words.positional.length > 1 ? context.watcher : undefined;
    const { children, stat } = await context.client.getChildrenWithStat(firstOf(words), { watch });
    context.print(listLine(sorted(children)));
    printAll(context, statLines(stat));
  },
};

const create: Command = {
  name: 'create',
  usage: '[-s] [-e] [-c] [-t ttl] path [data] [acl]',
  options: { s: 'flag', e: 'flag', c: 'flag', t: 'value' },
  wordsMin: 1,
  async run(context, words) {
    const [path = '', data = null, aclText] = words.positional;
    const { mode, ttlMs } = modeOf(words);
    const acl = aclText === undefined ? undefined : parseAcl(aclText, context.complain);
    const options: CreateOptions = { mode, ttlMs, acl };
    try {
      if (acl?.length === 0) {
        if (words.options.has('s')) validateSequentialPath(path);
        else validatePath(path);
        throw new KeeperError(ErrorCode.INVALIDACL);
      }
      context.complain(`Created ${await context.client.create(path, data, options)}`);
    } catch (error) {
      const code = error instanceof KeeperError ? error.code : ErrorCode.OK;
      if (code === ErrorCode.INVALIDACL) context.complain((error as KeeperError).message);
      if (code === ErrorCode.EPHEMERALONLOCALSESSION) {
        context.complain('Unable to create ephemeral node on a local session');
      }
      throw error;
    }
  },
};

const TTL_MS_MAX = 1_099_511_627_775;

function modeOf({ options }: ParsedWords): { mode: CreateMode; ttlMs?: number } {
  const [isEphemeral, isSequential, isContainer] = [options.has('e'), options.has('s'), options.has('c')];
  if (isContainer && (isEphemeral || isSequential)) {
    throw new CliError('-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.');
  }
  const ttl = options.get('t');
  if (ttl !== undefined) {
    const ttlMs = ttlOf(ttl, { isEphemeral, isContainer });
    return { mode: isSequential ? CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL : CreateMode.PERSISTENT_WITH_TTL, ttlMs };
  }
  if (isContainer) return { mode: CreateMode.CONTAINER };
  if (isEphemeral) return { mode: isSequential ? CreateMode.EPHEMERAL_SEQUENTIAL : CreateMode.EPHEMERAL };
  return { mode: isSequential ? CreateMode.PERSISTENT_SEQUENTIAL : CreateMode.PERSISTENT };
}

function ttlOf(text: string, { isEphemeral, isContainer }: { isEphemeral: boolean; isContainer: boolean }): number {
  if (!isInteger(text, 64)) throw new CliError('-t argument must be a long value');
  if (isEphemeral) throw new CliError('TTLs cannot be used with Ephemeral znodes');
  if (isContainer) throw new CliError('TTLs cannot be used with Container znodes');
  const ttlMs = Number(text);
  if (ttlMs <= 0 || ttlMs > TTL_MS_MAX) {
    throw new CliError(`ttl must be positive and cannot be larger than: ${TTL_MS_MAX}`);
  }
  return ttlMs;
}

const remove: Command = {
  name: 'delete',
  usage: '[-v version] path',
  options: { v: 'value' },
  wordsMin: 1,
  async run(context, words) {
    const [path = '', oldVersion] = words.positional;
    if (oldVersion !== undefined) {
      context.complain("'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.");
    }
    // Apache's does not look at the version of the old form any more, and deletes whatever is there.
    await context.client.delete(path, oldVersion === undefined ? versionOf(words) : parseInteger(oldVersion));
  },
};

const deleteAll: Command = {
  name: 'deleteall',
  usage: 'path [-b batch size]',
  options: { b: 'value' },
  wordsMin: 1,
  async run(context, words) {
    const batch = words.options.get('b') ?? '1000';
    if (!isInteger(batch, 32)) throw new CliError('-b argument must be an int value');
    // A batch of none or less never fills: all goes at once.
    const batchSize = Number(batch) > 0 ? Number(batch) : Number.POSITIVE_INFINITY;
    const complete = await deleteRecursive(context.client, firstOf(words), { batchSize });
    if (!complete) context.complain('Failed to delete some node(s) in the subtree!');
  },
};

/** 3.4's name of deleteall. */
const rmr: Command = { ...deleteAll, name: 'rmr', usage: 'path', options: {}, hidden: true };

const get: Command = {
  name: 'get',
  usage: '[-s] [-w] [-b] [-x] path',
  optionsHelp: [
    ' -b   Output data in base64 format',
    ' -s   Print znode stats additionally',
    ' -w   Watch for changes on the znode',
    ' -x   Output data in hexdump format',
  ],
  options: { s: 'flag', w: 'flag', b: 'flag', x: 'flag' },
  wordsMin: 1,
  newWatchForm: 'get [-s] [-w] path',
  async run(context, words) {
    const watch = words.options.has('w') ? context.watcher : undefined;
    const { data, stat } = await context.client.getData(firstOf(words), { watch });
    context.print(dataText(data ?? Buffer.from('null'), words));
    if (words.options.has('s')) printAll(context, statLines(stat));
  },
};

function dataText(data: Buffer, { options }: ParsedWords): string {
  if (options.has('x')) return hexDump(data);
  if (options.has('b')) return data.toString('base64');
  return data.toString();
}

const set: Command = {
  name: 'set',
  usage: 'path data [-s] [-v version] [-b]',
  optionsHelp: [
    ' -b         Supply data in base64 format',
    ' -s         Print znode stats additionally',
    ' -v <arg>   Set with an expected version',
  ],
  options: { s: 'flag', v: 'value', b: 'flag' },
  wordsMin: 2,
  async run(context, words) {
    const [path = '', text = ''] = words.positional;
    const data = words.options.has('b') ? fromBase64(text) : text;
    const stat = await context.client.setData(path, data, versionOf(words));
    if (words.options.has('s')) printAll(context, statLines(stat));
  },
};

function fromBase64(text: string): Buffer {
  const isWhole = /^(?:[\w+/]{4})*(?:[\w+/]{2}(?:==)?|[\w+/]{3}=?)?$/.test(text) && !text.includes('_');
  if (!isWhole) throw new CliError(`${text} is not base64`);
  return Buffer.from(text, 'base64');
}

const stat: Command = {
  name: 'stat',
  usage: '[-w] path',
  options: { w: 'flag' },
  wordsMin: 1,
  newWatchForm: 'stat [-w] path',
  async run(context, words) {
    const path = firstOf(words);
    const watch = words.options.has('w') ? context.watcher : undefined;
    const found = await context.client.exists(path, { watch });
    if (found === undefined) throw new KeeperError(ErrorCode.NONODE, path);
    printAll(context, statLines(found));
  },
};

const getAcl: Command = {
  name: 'getAcl',
  usage: '[-s] path',
  options: statFlag,
  wordsMin: 1,
  async run(context, words) {
    const found = await context.client.getACL(firstOf(words));
    printAll(context, aclLines(found.acl));
    if (words.options.has('s')) printAll(context, statLines(found.stat));
  },
};

const setAcl: Command = {
  name: 'setAcl',
  usage: '[-s] [-v version] [-R] path acl',
  options: { s: 'flag', v: 'value', R: 'flag' },
  wordsMin: 2,
  async run(context, words) {
    const { client } = context;
    const [path = '', aclText = ''] = words.positional;
    const acl = parseAcl(aclText, context.complain);
    const version = versionOf(words);
    validatePath(path);
    const change = (changed: string): Promise<Stat> => {
      if (acl.length === 0) throw new KeeperError(ErrorCode.INVALIDACL);
      return client.setACL(changed, acl, version);
    };
    if (words.options.has('R')) {
      const failures: string[] = [];
      for await (const found of subtree(client, path)) {
        try {
          await change(found);
        } catch (error) {
          if (!(error instanceof KeeperError)) throw error;
          failures.push(error.message);
        }
      }
      // Apache's puts no line ends between them.
      if (failures.length > 0) context.print(failures.join(''));
      return;
    }
    const changed = await change(path);
    if (words.options.has('s')) printAll(context, statLines(changed));
  },
};

const sync: Command = {
  name: 'sync',
  usage: 'path',
  wordsMin: 1,
  async run(context, words) {
    validatePath(firstOf(words));
    try {
      await context.client.sync(firstOf(words));
      context.print('Sync is OK');
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error;
      context.print(`Sync has failed. rc=${error.code}`);
    }
  },
};

const getEphemerals: Command = {
  name: 'getEphemerals',
  usage: 'path',
  async run(context, words) {
    context.print(listLine(await context.client.getEphemerals(words.positional[0] ?? '/')));
  },
};

const getAllChildrenNumber: Command = {
  name: 'getAllChildrenNumber',
  usage: 'path',
  wordsMin: 1,
  async run(context, words) {
    context.print(String(await context.client.getAllChildrenNumber(firstOf(words))));
  },
};

export const nodeCommands: readonly Command[] = [
  ls,
  ls2,
  create,
  remove,
  deleteAll,
  rmr,
  get,
  set,
  stat,
  getAcl,
  setAcl,
  sync,
  getEphemerals,
  getAllChildrenNumber,
];

/** A node, then its children in order, then what is below each (ZKUtil.visitSubTreeDFS). */
async function* subtree(client: ZookeeperClient, root: string): AsyncGenerator<string> {
  await client.getData(root);
  yield root;
  yield* below(client, root);
}

async function* below(client: ZookeeperClient, path: string): AsyncGenerator<string> {
  const names = await client.getChildren(path).catch((error: unknown): string[] => {
    if (error instanceof KeeperError && error.code === ErrorCode.NONODE) return [];
    throw error;
  });
  const children = sorted(names).map((name) => childOf(path, name));
  yield* children;
  for (const child of children) yield* below(client, child);
}

function firstOf(words: ParsedWords): string {
  return words.positional[0] ?? '';
}

function printAll(context: CommandContext, lines: readonly string[]): void {
  for (const line of lines) context.print(line);
}
