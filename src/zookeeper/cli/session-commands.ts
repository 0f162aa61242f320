import type { RemovableWatches } from '../client/watch-registry.ts';
import { SERVER_VERSION } from '../server/version.ts';
import { type Command, parseInteger, usageError } from './command.ts';
import { CliError } from './command-line.ts';
import { clientConfigLine, readDynamicConfig } from './ensemble-config.ts';
import { statLines } from './output.ts';

const addAuth: Command = {
  name: 'addauth',
  usage: 'scheme auth',
  wordsMin: 1,
  run({ client }, { positional: [scheme = '', auth = null] }) {
    client.addAuth(scheme, auth).catch(() => undefined); // a refusal is told as the state AuthFailed
  },
};

const close: Command = {
  name: 'close',
  usage: '',
  run: ({ client }) => client.close(),
};

const whoAmI: Command = {
  name: 'whoami',
  usage: '',
  takesAnyWords: true,
  async run({ client, print }) {
    const identities = await client.whoAmI();
    print('Auth scheme: User');
    for (const { authScheme, user } of identities) print(`${authScheme}: ${user}`);
  },
};

const version: Command = {
  name: 'version',
  usage: '',
  run({ print }, { positional }) {
    if (positional.length > 0) throw usageError(version);
    print(`ZooKeeper CLI version: ${SERVER_VERSION}`);
  },
};

const addWatch: Command = {
  name: 'addWatch',
  usage:
    '[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE',
  options: { m: 'value' },
  wordsMin: 1,
  async run({ client, watcher }, { positional: [path = '', more], options }) {
    if (more !== undefined) throw usageError(addWatch);
    const mode = (options.get('m') ?? 'PERSISTENT_RECURSIVE').toUpperCase();
    if (mode !== 'PERSISTENT' && mode !== 'PERSISTENT_RECURSIVE') throw usageError(addWatch);
    await client.addWatch(path, watcher, { recursive: mode === 'PERSISTENT_RECURSIVE' });
  },
};

const watchKinds: readonly (readonly [option: string, which: RemovableWatches])[] = [
  ['c', 'Children'],
  ['d', 'Data'],
  ['p', 'Persistent'],
  ['r', 'PersistentRecursive'],
  ['a', 'Any'],
];

const removeWatches: Command = {
  name: 'removewatches',
  usage: 'path [-c|-d|-a] [-l]',
  options: { c: 'flag', d: 'flag', p: 'flag', r: 'flag', a: 'flag', l: 'flag' },
  wordsMin: 1,
  async run({ client }, { positional: [path = ''], options }) {
    const which = watchKinds.find(([option]) => options.has(option))?.[1] ?? 'Any';
    await client.removeWatches(path, which, { local: options.has('l') });
  },
};

const config: Command = {
  name: 'config',
  usage: '[-c] [-w] [-s]',
  options: { c: 'flag', w: 'flag', s: 'flag' },
  async run({ client, print, watcher }, { options }) {
    const { data, stat } = await client.getConfig({ watch: options.has('w') ? watcher : undefined });
    const text = data?.toString() ?? 'null';
    print(options.has('c') ? clientConfigLine(text) : text);
    if (options.has('s')) for (const line of statLines(stat)) print(line);
  },
};

const reconfig: Command = {
  name: 'reconfig',
  usage:
    '[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]',
  options: { s: 'flag', v: 'value', file: 'value', members: 'value', add: 'value', remove: 'value' },
  async run({ client, print }, { options }) {
    const lower = (name: string): string | undefined => options.get(name)?.toLowerCase();
    const [joining, leaving, file] = [lower('add'), lower('remove'), options.get('file')];
    const isWhole = options.has('members') || file !== undefined;
    if (!isWhole && joining === undefined && leaving === undefined) throw usageError(reconfig);
    const fromConfig = configVersionOf(options.get('v'));
    if (isWhole && (joining !== undefined || leaving !== undefined)) {
      throw new CliError(
        "Can't use -file or -members together with -add or -remove (mixing incremental and non-incremental modes is not allowed)",
      );
    }
    if (file !== undefined && options.has('members')) {
      throw new CliError("Can't use -file and -members together (conflicting non-incremental modes)");
    }
    const members = lower('members') ?? (file === undefined ? undefined : readDynamicConfig(file));
    const { data, stat } = await client.reconfigure({ joining, leaving, members, fromConfig });
    print(`Committed new configuration:\n${data?.toString() ?? ''}`);
    if (options.has('s')) for (const line of statLines(stat)) print(line);
  },
};

function configVersionOf(text: string | undefined): bigint {
  if (text === undefined) return -1n;
  const [, sign, digits] = /^([+-]?)([0-9a-f]+)$/i.exec(text) ?? [];
  const version = BigInt(`0x${digits ?? '0'}`) * (sign === '-' ? -1n : 1n);
  if (digits === undefined || BigInt.asIntN(64, version) !== version) {
    throw new CliError('-v must be followed by a long (configuration version)');
  }
  return version;
}

export const sessionCommands: readonly Command[] = [
  addAuth,
  close,
  whoAmI,
  version,
  addWatch,
  removeWatches,
  config,
  reconfig,
];

/** The line of a request that a redo names. */
export function redoneLine(history: readonly string[], word: string): string {
  const line = history[parseInteger(word)];
  if (line === undefined) throw new CliError('Command index out of range');
  if (/^\s*redo\b/.test(line)) throw new CliError('No redoing redos');
  return line;
}
