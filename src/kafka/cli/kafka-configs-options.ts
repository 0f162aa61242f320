import type { OptionSpec, ParsedOptions } from './option-parser.ts';
import { ToolExit, usageExit } from './tool.ts';

export const specs: readonly OptionSpec[] = [
  { name: 'bootstrap-server', argument: 'server to connect to', description: 'The brokers to ask first.' },
  { name: 'zookeeper', argument: 'urls', description: 'The ensemble, host:port,…/chroot: as the tool of 2.1 worked.' },
  { name: 'command-config', argument: 'command config property file', description: 'A file of client settings.' },
  { name: 'describe', description: 'Shows settings.' },
  { name: 'alter', description: 'Changes settings.' },
  { name: 'all', description: 'Shows the settings that nobody set, too.' },
  { name: 'entity-type', argument: '', description: 'topics, clients, users, brokers, broker-loggers or ips.' },
  { name: 'entity-name', argument: '', description: 'Whose settings, by name or broker id.' },
  { name: 'entity-default', description: 'The default of all brokers, clients, users or ips.' },
  {
    name: 'add-config',
    argument: '',
    description: "Sets 'k1=v1,k2=[v1,v2],k3=v3'; brackets around a value with commas.",
  },
  { name: 'add-config-file', argument: '', description: 'A file of settings to add.' },
  { name: 'delete-config', argument: '', description: "Removes 'k1,k2'." },
  { name: 'force', description: 'No questions.' },
  ...(['topic', 'client', 'user', 'broker', 'broker-logger', 'ip'] as const).map((name) => ({
    name,
    argument: `${name}'s name`,
    description: `Short for --entity-type ${name}s --entity-name.`,
  })),
  ...(['client', 'user', 'broker', 'ip'] as const).map((name) => ({
    name: `${name}-defaults`,
    description: `Short for --entity-type ${name}s --entity-default.`,
  })),
  { name: 'help', description: 'Prints this table.' },
  { name: 'version', description: 'Prints the version of Kafka.' },
];

export const DESCRIPTION =
  'This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip or client-metrics';
export const OLD_DESCRIPTION = 'Add/Remove entity config for a topic, client, user or broker';

export type EntityType = 'topics' | 'clients' | 'users' | 'brokers' | 'broker-loggers' | 'ips';
const entityTypes: readonly string[] = ['topics', 'clients', 'users', 'brokers', 'broker-loggers', 'ips'];

/** One entity, or all of a type (no name), or the default of a type (null). */
export interface Entity {
  readonly type: EntityType;
  readonly name: string | null | undefined;
}

/** Types and names in the order of the command line. @throws ToolExit */
export function entitiesOf(options: ParsedOptions, args: readonly string[]): Entity[] {
  const types = [...options.values('entity-type')];
  const names: (string | null)[] = [];
  for (const [index, arg] of args.entries()) {
    if (arg === '--entity-name') names.push(args[index + 1] ?? '');
    else if (arg.startsWith('--entity-name=')) names.push(arg.slice('--entity-name='.length));
    else if (arg === '--entity-default') names.push(null);
  }
  for (const name of ['topic', 'client', 'user', 'broker', 'broker-logger', 'ip']) {
    for (const value of options.values(name)) {
      types.push(`${name}s`);
      names.push(value);
    }
    if (options.has(`${name}-defaults`)) {
      types.push(`${name}s`);
      names.push(null);
    }
  }
  for (const type of types) {
    if (!entityTypes.includes(type)) {
      throw new ToolExit(
        `Invalid entity type ${type}, the entity type must be one of topics, clients, users, brokers, ips, broker-loggers, client-metrics, groups with a --bootstrap-server or --bootstrap-controller argument\n`,
      );
    }
  }
  return types.map((type, index) => ({ type: type as EntityType, name: names[index] }));
}

/** @throws ToolExit */
export function checkConfigOptions(options: ParsedOptions, entities: readonly Entity[]): void {
  if (options.has('alter') === options.has('describe')) {
    throw usageExit('Command must include exactly one action: --describe, --alter', specs);
  }
  if (entities.length === 0) throw new ToolExit('At least one entity type must be specified\n');
  if (!options.has('bootstrap-server') && !options.has('zookeeper')) {
    throw new ToolExit('Only one of --bootstrap-server or --bootstrap-controller can be specified\n');
  }
  if (!options.has('alter')) return;
  const nameless = entities.find(({ name }) => name === undefined);
  if (nameless !== undefined) {
    const list = entities.map(({ type }) => type).join(',');
    throw new ToolExit(`an entity name must be specified with --alter of ${list}\n`);
  }
  if (!['add-config', 'add-config-file', 'delete-config'].some((name) => options.has(name))) {
    throw new ToolExit(
      'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter\n',
    );
  }
}

/** `k1=v1,k2=[v1,v2]`. @throws ToolExit */
export function parseAddedConfigs(text: string | undefined): Map<string, string> {
  const configs = new Map<string, string>();
  if (text === undefined) return configs;
  for (const pair of text.split(/,(?![^[\]]*\])/)) {
    const equals = pair.indexOf('=');
    if (equals < 0) {
      throw new ToolExit(
        'requirement failed: Invalid entity config: all configs to be added must be in the format "key=val".\n',
      );
    }
    configs.set(
      pair.slice(0, equals).trim(),
      pair
        .slice(equals + 1)
        .trim()
        .replace(/^\[([\s\S]*)\]$/, '$1'),
    );
  }
  return configs;
}

export function parseDeletedConfigs(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(',').map((name) => name.trim());
}
