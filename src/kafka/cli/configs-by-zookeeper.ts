import type { Runtime } from '../../runtime/runtime.ts';
import { connectZookeeper } from '../../zookeeper/client/client.ts';
import { ensurePath } from '../../zookeeper/client/recipes/nodes.ts';
import { ErrorCode, KeeperError } from '../../zookeeper/jute/errors.ts';
import { DEFAULT_NAME, desanitize, sanitize } from '../zk/entity-names.ts';
import { KafkaZk } from '../zk/kafka-zk.ts';
import { type ConfigEntityType, decodeConfig, encodeConfig } from '../zk/znodes.ts';
import { type Entity, parseAddedConfigs, parseDeletedConfigs } from './kafka-configs-options.ts';
import type { ParsedOptions } from './option-parser.ts';
import { ToolExit, type ToolIo } from './tool.ts';
import { requireValidConfigs } from './topic-command.ts';

/** kafka-configs of 2.1: reads and writes znodes itself, and announces the change to the brokers. */
export async function configsByZookeeper(
  options: ParsedOptions,
  entities: readonly Entity[],
  io: ToolIo,
  runtime: Runtime,
): Promise<void> {
  const client = connectZookeeper(runtime, { connect: options.value('zookeeper')! });
  try {
    await client.connected({ timeoutMs: 30_000 });
    const zk = new KafkaZk(client, runtime.clock, runtime.random);
    if (options.has('alter')) await alter(zk, options, entities, io);
    else await describe(zk, entities, io);
  } finally {
    await client.close();
  }
}

/** `topics/t`, `users/u/clients/c`, below /config. */
function pathOf(entities: readonly Entity[]): string {
  const inOrder = [...entities].sort((a, b) => (a.type === 'users' ? -1 : b.type === 'users' ? 1 : 0));
  return inOrder.map(({ type, name }) => `${type}/${sanitized(type, name)}`).join('/');
}

/** Users and clients may have any name: it is quoted as in a URL (`Sanitizer`). */
function sanitized(type: Entity['type'], name: string | null | undefined): string {
  if (name === null || name === undefined) return DEFAULT_NAME;
  return type === 'users' || type === 'clients' ? sanitize(name) : name;
}

async function read(zk: KafkaZk, path: string): Promise<Map<string, string>> {
  try {
    return decodeConfig((await zk.client.getData(`/config/${path}`)).data);
  } catch (error) {
    if (error instanceof KeeperError && error.code === ErrorCode.NONODE) return new Map();
    throw error;
  }
}

async function alter(zk: KafkaZk, options: ParsedOptions, entities: readonly Entity[], io: ToolIo): Promise<void> {
  const path = pathOf(entities);
  const configs = await read(zk, path);
  const added = parseAddedConfigs(options.value('add-config'));
  const deleted = parseDeletedConfigs(options.value('delete-config'));
  const missing = deleted.filter((name) => !configs.has(name));
  if (missing.length > 0) throw new ToolExit(`Invalid config(s): ${missing.join(',')}\n`);
  const [first] = entities;
  if (first!.type === 'topics') {
    if (!(await zk.topicExists(first!.name ?? ''))) throw new ToolExit(`Topic ${first!.name} does not exist.\n`);
    requireValidConfigs(added);
  }
  for (const [name, value] of added) configs.set(name, value);
  for (const name of deleted) configs.delete(name);
  await ensurePath(zk.client, `/config/${path}`);
  await zk.client.setData(`/config/${path}`, encodeConfig(configs));
  await zk.announceConfigChange(path);
  io.out(`Completed Updating config for entity: ${entityText(entities)}.\n`);
}

async function describe(zk: KafkaZk, entities: readonly Entity[], io: ToolIo): Promise<void> {
  const [first] = entities;
  const isNamed = entities.every(({ name }) => name !== undefined);
  const all = isNamed
    ? [entities]
    : (await zk.configuredEntities(first!.type as ConfigEntityType)).map((name) => [named(first!, name)]);
  for (const each of all) {
    const configs = await read(zk, pathOf(each));
    // A listing leaves out entities whose settings are all gone; topics are always shown.
    if (!isNamed && configs.size === 0 && first!.type !== 'topics') continue;
    const text = [...configs].map(([name, value]) => `${name}=${value}`).join(',');
    io.out(`Configs for ${entityText(each)} are ${text}\n`);
  }
}

function named({ type }: Entity, znode: string): Entity {
  return { type, name: znode === DEFAULT_NAME ? null : desanitize(znode) };
}

/** `user-principal 'u', client-id 'c'`. */
function entityText(entities: readonly Entity[]): string {
  const words: Readonly<Record<string, string>> = {
    users: 'user-principal',
    clients: 'client-id',
    topics: 'topic',
    brokers: 'brokerId',
  };
  return entities
    .map(({ type, name }) => {
      const word = words[type] ?? type;
      return name === null || name === undefined ? `default ${word}` : `${word} '${name}'`;
    })
    .join(', ');
}
