import type { OptionSpec, ParsedOptions } from './option-parser.ts';
import { requireOption, type ToolExit, usageExit } from './tool.ts';

export const specs: readonly OptionSpec[] = [
  { name: 'bootstrap-server', argument: 'server to connect to', description: 'The brokers to ask first.' },
  {
    name: 'command-config',
    argument: 'command-config',
    isArgumentOptional: true,
    description: 'A file of client settings.',
  },
  {
    name: 'authorizer',
    argument: 'authorizer',
    description:
      'The class of the authorizer, with --authorizer-properties; there is the one of 2.1 and its successor.',
  },
  {
    name: 'authorizer-properties',
    argument: 'authorizer-properties',
    description:
      'Instead of brokers: zookeeper.connect=host:port,…/chroot, and other keys of the authorizer. Works on ZooKeeper itself, and speaks as the tool of 2.1.',
  },
  {
    name: 'zk-tls-config-file',
    argument: 'Authorizer ZooKeeper TLS configuration',
    description: 'A file of zookeeper.ssl.* keys, for --authorizer-properties.',
  },
  { name: 'add', description: 'Adds ACLs.' },
  { name: 'remove', description: 'Removes ACLs; without principals all of the resource.' },
  { name: 'list', description: 'Lists the ACLs of the named resources, or all.' },
  { name: 'topic', argument: 'topic', description: "A topic, or '*' for all." },
  { name: 'cluster', description: 'The cluster.' },
  { name: 'group', argument: 'group', description: "A consumer group, or '*' for all." },
  { name: 'transactional-id', argument: 'transactional-id', description: "A transactional id, or '*' for all." },
  { name: 'delegation-token', argument: 'delegation-token', description: "A delegation token, or '*' for all." },
  {
    name: 'user-principal',
    argument: 'user-principal',
    description: 'A user as the resource: whose tokens may be made (CreateTokens) or seen (DescribeTokens).',
  },
  {
    name: 'resource-pattern-type',
    argument: 'ANY|MATCH|LITERAL|PREFIXED',
    default: 'LITERAL',
    description:
      'How names are meant: literal, or prefixed for all that begin with them. Only for --list and --remove: any for patterns of exactly that name, match for all patterns that such a resource is in.',
  },
  { name: 'operation', argument: '', default: 'All', description: 'What is allowed or denied; may be repeated.' },
  { name: 'allow-principal', argument: 'allow-principal', description: "Who may: User:name, or 'User:*'." },
  { name: 'deny-principal', argument: 'deny-principal', description: 'Who may not. A denial counts more.' },
  { name: 'allow-host', argument: 'allow-host', description: 'Where those come from who may; default all hosts.' },
  { name: 'deny-host', argument: 'deny-host', description: 'Where those come from who may not; default all hosts.' },
  {
    name: 'principal',
    argument: 'principal',
    isArgumentOptional: true,
    description: 'With --list: only the ACLs of this one; may be repeated.',
  },
  { name: 'producer', description: 'Short for what a producer needs: Write, Describe and Create on its topic.' },
  {
    name: 'consumer',
    description: 'Short for what a consumer needs: Read and Describe on its topic, Read on its group.',
  },
  { name: 'idempotent', description: 'With --producer: IdempotentWrite on the cluster, too.' },
  { name: 'force', description: 'No questions.' },
  { name: 'help', description: 'Prints this table.' },
  { name: 'version', description: 'Prints the version of Kafka.' },
];

export const DESCRIPTION = 'This tool helps to manage acls on kafka.';
export const OLD_DESCRIPTION = 'Usage:';

const ofRoles = ['operation', 'deny-principal', 'deny-host'] as const;
/** What goes with which option not. */
const refusals: readonly (readonly [option: string, invalid: readonly string[]])[] = [
  ['list', ['producer', 'consumer', 'allow-host', 'allow-principal', 'deny-host', 'deny-principal']],
  ['producer', ofRoles],
  ['consumer', ofRoles],
];

const NO_OTHERS =
  'With --consumer you must specify a --topic and a --group and no --cluster or --transactional-id option should be specified.';

/** @param isOld in the words of 2.1 @throws ToolExit */
export function checkAclOptions(options: ParsedOptions, isOld: boolean): void {
  const has = (name: string): boolean => options.has(name);
  const refuseIf = (condition: boolean, message: string): void => {
    if (condition) throw usage(message);
  };
  const byBrokers = has('bootstrap-server');
  refuseIf(byBrokers && has('authorizer'), 'Only one of --bootstrap-server or --authorizer must be specified');
  if (!byBrokers) requireOption(options, specs, 'authorizer-properties');
  const onlyWith = (option: string, other: string): string =>
    `The --${option} option can only be used with --${other} option`;
  refuseIf(!byBrokers && has('command-config'), onlyWith('command-config', 'bootstrap-server'));
  refuseIf(byBrokers && has('authorizer-properties'), onlyWith('authorizer-properties', 'authorizer'));
  const actions = ['add', 'remove', 'list'].filter(has);
  refuseIf(actions.length !== 1, 'Command must include exactly one action: --list, --add, --remove. ');
  for (const [option, invalid] of refusals) {
    const other = invalid.find((name) => has(option) && has(name));
    if (other !== undefined)
      throw usage(`Option "[${option}]" can't be used with option${isOld ? '' : ' '}"[${other}]"`);
  }
  refuseIf(has('principal') && !has('list'), 'The --principal option is only available if --list is set');
  refuseIf(has('producer') && !has('topic'), 'With --producer you must specify a --topic');
  refuseIf(has('idempotent') && !has('producer'), 'The --idempotent option is only available if --producer is set');
  const hasOthers = !has('producer') && (has('cluster') || has('transactional-id'));
  refuseIf(has('consumer') && (!has('topic') || !has('group') || hasOthers), NO_OTHERS);
}

export function usage(message: string): ToolExit {
  return usageExit(message, specs);
}
