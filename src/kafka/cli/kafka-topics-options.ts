import type { OptionSpec, ParsedOptions } from './option-parser.ts';
import { refuseWith, requireOption, ToolExit, usageExit } from './tool.ts';

export const actions = ['list', 'describe', 'create', 'alter', 'delete'] as const;

/** What both generations of the tool know. */
const common: readonly OptionSpec[] = [
  { name: 'list', description: 'Names all topics.' },
  { name: 'describe', description: 'Shows topics with their partitions.' },
  { name: 'create', description: 'Makes a topic.' },
  { name: 'alter', description: 'Gives a topic more partitions.' },
  { name: 'delete', description: 'Removes a topic.' },
  {
    name: 'topic',
    argument: 'topic',
    description:
      'The topic; also a regular expression, but for --create. Escape dots where they matter: "test\\.topic".',
  },
  {
    name: 'partitions',
    argument: '# of partitions',
    type: 'Integer',
    description: 'How many partitions the topic gets. More partitions later move keys to other partitions.',
  },
  {
    name: 'replication-factor',
    argument: 'replication factor',
    type: 'Integer',
    description: 'How many replicas each partition gets.',
  },
  {
    name: 'replica-assignment',
    argument:
      'broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , broker_id_for_part2_replica1 : broker_id_for_part2_replica2 , ...',
    description: 'The replicas of each partition, chosen by hand.',
  },
  { name: 'config', argument: 'name=value', description: 'A setting of the topic; may be repeated.' },
  { name: 'delete-config', argument: 'name', description: 'A setting that the topic is to lose.' },
  { name: 'if-exists', description: 'No complaint when the topic is not there.' },
  { name: 'if-not-exists', description: 'No complaint when the topic is there already.' },
  { name: 'exclude-internal', description: 'Leaves out internal topics when listing or describing.' },
  { name: 'topics-with-overrides', description: 'Describes only topics with settings of their own.' },
  { name: 'under-replicated-partitions', description: 'Describes only partitions that lack in-sync replicas.' },
  { name: 'unavailable-partitions', description: 'Describes only partitions without a leader.' },
  { name: 'help', description: 'Prints this table.' },
];

/** With `--bootstrap-server`, as in 3.9. */
export const brokerOptions: readonly OptionSpec[] = [
  ...common,
  { name: 'bootstrap-server', argument: 'server to connect to', description: 'REQUIRED: the brokers to ask first.' },
  {
    name: 'command-config',
    argument: 'command config property file',
    description: 'A file of client settings.',
  },
  { name: 'topic-id', argument: 'topic-id', description: 'Describes the topic with this id.' },
  { name: 'at-min-isr-partitions', description: 'Describes only partitions with just min.insync.replicas in sync.' },
  { name: 'under-min-isr-partitions', description: 'Describes only partitions with fewer than min.insync.replicas.' },
  {
    name: 'partition-size-limit-per-response',
    argument: 'maximum number of partitions in one response.',
    type: 'Integer',
    description: 'Accepted without effect.',
  },
  { name: 'version', description: 'Prints the version of Kafka.' },
];

/** With `--zookeeper`, as in 2.1. */
export const zookeeperOptions: readonly OptionSpec[] = [
  ...common,
  {
    name: 'zookeeper',
    argument: 'hosts',
    description: 'REQUIRED: the ensemble, host:port,…/chroot.',
  },
  { name: 'force', description: 'No questions.' },
  { name: 'disable-rack-aware', description: 'Places replicas without regard to racks.' },
];

const DESCRIPTION = 'Create, delete, describe, or change a topic.';

const reports = [
  'under-replicated-partitions',
  'under-min-isr-partitions',
  'at-min-isr-partitions',
  'unavailable-partitions',
  'topics-with-overrides',
];

const allBut = (...kept: readonly string[]): string[] => actions.filter((action) => !kept.includes(action));

/** What goes with which action. */
const refusals: readonly (readonly [option: string, invalid: readonly string[]])[] = [
  ['config', allBut('create', 'alter')],
  ['delete-config', allBut('alter')],
  ['partitions', allBut('create', 'alter')],
  ['replication-factor', allBut('create')],
  ['replica-assignment', allBut('create', 'alter')],
  [
    'under-replicated-partitions',
    [...allBut('describe'), ...reports.filter((name) => name !== 'under-replicated-partitions')],
  ],
  [
    'under-min-isr-partitions',
    [...allBut('describe'), ...reports.filter((name) => name !== 'under-min-isr-partitions')],
  ],
  ['at-min-isr-partitions', [...allBut('describe'), ...reports.filter((name) => name !== 'at-min-isr-partitions')]],
  ['unavailable-partitions', [...allBut('describe'), ...reports.filter((name) => name !== 'unavailable-partitions')]],
  ['topics-with-overrides', [...allBut('describe'), ...reports.filter((name) => name !== 'topics-with-overrides')]],
  ['if-exists', allBut('alter', 'delete', 'describe')],
  ['if-not-exists', allBut('create')],
  ['exclude-internal', allBut('list', 'describe')],
];

export function usage(specs: readonly OptionSpec[]): ToolExit {
  return usageExit(DESCRIPTION, specs);
}

/** @throws ToolExit */
export function checkBrokerOptions(options: ParsedOptions): void {
  checkAction(options, brokerOptions);
  if (!options.has('bootstrap-server')) {
    const message = '--bootstrap-server must be specified';
    throw new ToolExit(`${message}\njava.lang.IllegalArgumentException: ${message}\n`);
  }
  if (options.has('describe') && options.has('if-exists') && !options.has('topic-id')) {
    requireOption(options, brokerOptions, 'topic');
  }
  if (!options.has('list') && !options.has('describe')) requireOption(options, brokerOptions, 'topic');
  if (options.has('alter')) {
    for (const setting of ['config', 'delete-config']) {
      if (!options.has(setting)) continue;
      const message = `Option combination "[[bootstrap-server], [${setting}]]" can't be used with option "[alter]" (the kafka-configs CLI supports altering topic configs with a --bootstrap-server option)`;
      throw usageExit(message, brokerOptions);
    }
    requireOption(options, brokerOptions, 'partitions');
  }
  checkRefusals(options, brokerOptions);
}

/** @throws ToolExit */
export function checkZookeeperOptions(options: ParsedOptions): void {
  checkAction(options, zookeeperOptions);
  requireOption(options, zookeeperOptions, 'zookeeper');
  if (!options.has('list') && !options.has('describe')) requireOption(options, zookeeperOptions, 'topic');
  if (options.has('create') && !options.has('replica-assignment')) {
    requireOption(options, zookeeperOptions, 'partitions', 'replication-factor');
  }
  checkRefusals(options, zookeeperOptions);
}

function checkAction(options: ParsedOptions, specs: readonly OptionSpec[]): void {
  if (actions.filter((action) => options.has(action)).length === 1) return;
  throw usageExit('Command must include exactly one action: --list, --describe, --create, --alter or --delete', specs);
}

function checkRefusals(options: ParsedOptions, specs: readonly OptionSpec[]): void {
  for (const [option, invalid] of refusals) refuseWith(options, specs, option, invalid);
  if (options.has('create')) refuseWith(options, specs, 'replica-assignment', ['partitions', 'replication-factor']);
}
