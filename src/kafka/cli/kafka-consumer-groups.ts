/** kafka-consumer-groups.sh, in the words of 3.9. */
import type { Runtime } from '../../runtime/runtime.ts';
import type { Admin } from '../client/admin.ts';
import { exceptionName } from '../client/client-errors.ts';
import { partitionKey } from '../client/cluster-metadata.ts';
import type { DescribedGroup } from '../client/groups.ts';
import { type CommittedOffset, LATEST } from '../client/offsets.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { inJavaWords, TOOLS_VERSION } from './generation.ts';
import { listTable, membersTable, type OffsetRow, offsetsTable, stateTable } from './group-tables.ts';
import { type OptionSpec, type ParsedOptions, parseOptions } from './option-parser.ts';
import { newOffsets, partitionsOf } from './reset-offsets.ts';
import { refuseWith, requireOption, runTool, type Tool, type ToolIo, usageExit } from './tool.ts';
import { withAdmin } from './with-admin.ts';

const specs: readonly OptionSpec[] = [
  { name: 'bootstrap-server', argument: 'server to connect to', description: 'REQUIRED: the brokers to ask first.' },
  { name: 'list', description: 'Names all groups.' },
  { name: 'describe', description: 'Shows the offsets of groups, their members or their state.' },
  { name: 'delete', description: 'Removes groups without members.' },
  { name: 'reset-offsets', description: 'Moves groups without members to other offsets.' },
  { name: 'delete-offsets', description: 'Removes the offsets of a topic.' },
  { name: 'group', argument: 'consumer group', description: 'The group; may be repeated.' },
  { name: 'all-groups', description: 'Every group.' },
  {
    name: 'topic',
    argument: 'topic',
    description: 'The topic, or topic:0,1 for some of its partitions; may be repeated.',
  },
  { name: 'all-topics', description: 'Every topic of the group.' },
  { name: 'members', description: 'Describes the members.' },
  { name: 'offsets', description: 'Describes the offsets, as without any such option.' },
  {
    name: 'state',
    argument: '',
    isArgumentOptional: true,
    description: 'Describes the state; lists states, or only groups in these (a,b).',
  },
  { name: 'type', argument: '', isArgumentOptional: true, description: 'Lists types, or only groups of these (a,b).' },
  { name: 'verbose', description: 'Shows what members are assigned.' },
  {
    name: 'timeout',
    argument: 'timeout (ms)',
    type: 'Long',
    description: 'How long a request may take.',
    default: '5000',
  },
  { name: 'command-config', argument: 'command config property file', description: 'A file of client settings.' },
  { name: 'dry-run', description: 'Shows what a reset would do.' },
  { name: 'execute', description: 'Does it.' },
  { name: 'export', description: 'Prints a reset as CSV.' },
  { name: 'from-file', argument: 'path to CSV file', description: 'Resets to what a CSV file says.' },
  { name: 'to-earliest', description: 'Resets to the beginning.' },
  { name: 'to-latest', description: 'Resets to the end.' },
  { name: 'to-current', description: 'Resets to what is committed.' },
  { name: 'to-offset', argument: 'offset', type: 'Long', description: 'Resets to an offset.' },
  { name: 'to-datetime', argument: 'datetime', description: "Resets to a time: 'YYYY-MM-DDTHH:mm:SS.sss'." },
  { name: 'by-duration', argument: 'duration', description: "Resets to some time ago: 'PnDTnHnMnS'." },
  {
    name: 'shift-by',
    argument: 'number-of-offsets',
    type: 'Long',
    description: 'Moves by so many records, back with a minus.',
  },
  { name: 'help', description: 'Prints this table.' },
  { name: 'version', description: 'Prints the version of Kafka.' },
];

const DESCRIPTION =
  'This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or reset consumer group offsets.';
const actions = ['list', 'describe', 'delete', 'reset-offsets', 'delete-offsets'] as const;
const scenarios = [
  'to-offset',
  'to-current',
  'to-datetime',
  'from-file',
  'by-duration',
  'to-earliest',
  'to-latest',
  'shift-by',
];
const states = ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty', 'Assigning', 'Reconciling'];
const types = ['Consumer', 'Classic', 'Share'];

const NO_EXECUTE =
  'WARN: No action will be performed as the --execute option is missing.In a future major release, the default behavior of this command will be to prompt the user before executing the reset rather than doing a dry run. You should add the --dry-run option explicitly if you are scripting this command and want to keep the current default behavior without prompting.\n';

export const kafkaConsumerGroups: Tool = async (args, io, runtime) => {
  const options = inJavaWords(() => parseOptions(specs, args));
  if (args.length === 0 || options.has('help')) throw usageExit(DESCRIPTION, specs);
  if (options.has('version')) {
    io.out(`${TOOLS_VERSION}\n`);
    return 0;
  }
  if (actions.filter((action) => options.has(action)).length !== 1) {
    throw usageExit(
      `Command must include exactly one action: ${actions.map((action) => `--${action}`).join(', ')}`,
      specs,
    );
  }
  check(options, io);
  const work = (admin: Admin): Promise<void> => new ConsumerGroupCommand({ admin, options, io, runtime }).run();
  try {
    await withAdmin(options, runtime, work, { 'client.id': 'adminclient-1' });
    return 0;
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    io.out(`\nError: Executing consumer group command failed due to ${javaText(error)}\n`);
    return 1;
  }
};

function check(options: ParsedOptions, io: ToolIo): void {
  requireOption(options, specs, 'bootstrap-server');
  const needsOneOf = (action: string, scope: readonly string[], shown: string): void => {
    if (options.has(action) && !scope.some((name) => options.has(name))) {
      throw usageExit(`Option [${action}] takes one of these options: ${shown}`, specs);
    }
  };
  if (options.has('describe')) {
    needsOneOf('describe', ['group', 'all-groups'], '[all-groups], [group]');
    const kinds = ['members', 'offsets', 'state'].filter((kind) => options.has(kind));
    if (kinds.length > 1) {
      throw usageExit(`Option [describe] takes at most one of these options: [members], [offsets], [state]`, specs);
    }
  }
  needsOneOf('delete', ['group', 'all-groups'], '[all-groups], [group]');
  if (options.has('delete-offsets')) {
    requireOption(options, specs, 'group', 'topic');
  }
  if (options.has('reset-offsets')) checkReset(options, io);
  refuseWith(options, specs, 'group', ['all-groups']);
  if (options.has('delete') && options.has('topic')) {
    throw usageExit('Option [delete] does not take [topic]', specs);
  }
}

function checkReset(options: ParsedOptions, io: ToolIo): void {
  if (options.has('dry-run') && options.has('execute')) {
    throw usageExit('Option [reset-offsets] only accepts one of [execute] and [dry-run]', specs);
  }
  if (!options.has('dry-run') && !options.has('execute')) io.err(NO_EXECUTE);
  if (!options.has('group') && !options.has('all-groups')) {
    throw usageExit('Option [reset-offsets] takes one of these options: [all-groups], [group]', specs);
  }
  if (!options.has('topic') && !options.has('all-topics') && !options.has('from-file')) {
    throw usageExit('One of the reset scopes should be defined: --all-topics, --topic.', specs);
  }
  const given = scenarios.filter((scenario) => options.has(scenario));
  if (given.length === 0) {
    throw usageExit(
      `Option '[reset-offsets]' requires one of the following scenarios: [${scenarios.map((name) => `[${name}]`).join(', ')}]`,
      specs,
    );
  }
  for (const scenario of given)
    refuseWith(
      options,
      specs,
      scenario,
      scenarios.filter((other) => other !== scenario),
    );
}

/** `org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does not exist.` */
function javaText(error: KafkaError): string {
  return `org.apache.kafka.common.errors.${exceptionName(error)}: ${error.message}`;
}

interface Context {
  readonly admin: Admin;
  readonly options: ParsedOptions;
  readonly io: ToolIo;
  readonly runtime: Runtime;
}

class ConsumerGroupCommand {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  run(): Promise<void> {
    const { options } = this.#context;
    if (options.has('list')) return this.#list();
    if (options.has('describe')) return this.#describe();
    if (options.has('delete')) return this.#delete();
    if (options.has('reset-offsets')) return this.#reset();
    return this.#deleteOffsets();
  }

  #print(text: string): void {
    this.#context.io.out(text);
  }

  async #groupIds(): Promise<string[]> {
    const { admin, options } = this.#context;
    if (!options.has('all-groups')) return [...options.values('group')];
    return (await this.#consumerGroups(admin)).map(({ groupId }) => groupId);
  }

  /** Those of consumers: others have other tools. */
  async #consumerGroups(admin: Admin) {
    const groups = await admin.groups.list();
    const mine = groups.filter(({ protocolType }) => protocolType === 'consumer' || protocolType === '');
    return mine.sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
  }

  async #list(): Promise<void> {
    const { admin, options } = this.#context;
    const wantedStates = wantedOf(options, 'state', states);
    const wantedTypes = wantedOf(options, 'type', types);
    const groups = (await this.#consumerGroups(admin)).filter(
      ({ state, type }) => matches(wantedStates, state) && matches(wantedTypes, type),
    );
    const columns = (['type', 'state'] as const).filter((column) => options.has(column));
    const shown = groups.map(({ groupId, state, type }) => ({
      groupId,
      state: capitalized(state),
      type: capitalized(type),
    }));
    if (columns.length > 0) this.#print(listTable(shown, columns));
    else for (const { groupId } of groups) this.#print(`${groupId}\n`);
  }

  async #describe(): Promise<void> {
    const { admin, options } = this.#context;
    for (const groupId of await this.#groupIds()) {
      const group = await admin.groups.describe(groupId);
      if (options.has('members')) this.#describeMembers(group);
      else if (options.has('state')) this.#describeState(group);
      else await this.#describeOffsets(group);
    }
  }

  /** Says what keeps a description from being printed; answers whether it may be. */
  #isDescribable({ groupId, state }: DescribedGroup, rowCount: number): boolean {
    const { io } = this.#context;
    switch (state) {
      case 'Dead':
        this.#print(`\nError: Consumer group '${groupId}' does not exist.\n`);
        return false;
      case 'Empty':
        io.err(`\nConsumer group '${groupId}' has no active members.\n`);
        return rowCount > 0;
      case 'PreparingRebalance':
      case 'CompletingRebalance':
      case 'Assigning':
      case 'Reconciling':
        io.err(`\nWarning: Consumer group '${groupId}' is rebalancing.\n`);
        return rowCount > 0;
      case 'Stable':
        return rowCount > 0;
      default:
        this.#print(`\nError: Expected a valid consumer group state, but found '${state}'.\n`);
        return false;
    }
  }

  async #describeOffsets(group: DescribedGroup): Promise<void> {
    const committed = group.state === 'Dead' ? [] : await this.#context.admin.groups.committed(group.groupId);
    const rows = await this.#rows(group, committed);
    if (this.#isDescribable(group, rows.length)) this.#print(offsetsTable(group.groupId, rows));
  }

  async #rows({ members }: DescribedGroup, committed: readonly CommittedOffset[]): Promise<OffsetRow[]> {
    const offsets = new Map(committed.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
    const owned = members.flatMap((member) => member.assignment.map((each) => ({ ...each, member })));
    const keys = new Set(owned.map(({ topic, partition }) => partitionKey(topic, partition)));
    const free = committed.filter(({ topic, partition }) => !keys.has(partitionKey(topic, partition)));
    const all = [...owned, ...free.map(({ topic, partition }) => ({ topic, partition, member: undefined }))];
    all.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
    const found = await this.#context.admin.listOffsets(
      all.map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST })),
    );
    const ends = new Map(
      found.map(({ topic, partition, offset, error }) => [
        partitionKey(topic, partition),
        error === undefined ? offset : undefined,
      ]),
    );
    const rows: OffsetRow[] = all.map(({ topic, partition, member }) => ({
      topic,
      partition,
      current: offsets.get(partitionKey(topic, partition)),
      end: ends.get(partitionKey(topic, partition)),
      member,
    }));
    const idle = members.filter(({ assignment }) => assignment.length === 0);
    const nothing = { topic: undefined, partition: undefined, current: undefined, end: undefined };
    return [...rows, ...idle.map((member) => ({ ...nothing, member }))];
  }

  #describeMembers(group: DescribedGroup): void {
    if (this.#isDescribable(group, 1)) this.#print(membersTable(group, this.#context.options.has('verbose')));
  }

  #describeState(group: DescribedGroup): void {
    if (this.#isDescribable(group, 1)) this.#print(stateTable(group));
  }

  async #delete(): Promise<void> {
    const { admin } = this.#context;
    const deleted: string[] = [];
    const failed = new Map<string, KafkaError>();
    for (const groupId of await this.#groupIds()) {
      try {
        await admin.groups.delete(groupId);
        deleted.push(groupId);
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        failed.set(groupId, error);
      }
    }
    const names = deleted.map((groupId) => `'${groupId}'`).join(', ');
    if (failed.size === 0) {
      this.#print(`Deletion of requested consumer groups (${names}) was successful.\n`);
      return;
    }
    this.#print('\nError: Deletion of some consumer groups failed:\n');
    for (const [groupId, error] of failed) {
      this.#print(
        `* Group '${groupId}' could not be deleted due to: java.util.concurrent.ExecutionException: ${javaText(error)}\n`,
      );
    }
    if (deleted.length > 0) this.#print(`\nThese consumer groups were deleted successfully: ${names}\n`);
  }

  async #reset(): Promise<void> {
    const { admin, options, runtime } = this.#context;
    const isDryRun = options.has('dry-run') || !options.has('execute');
    const results = new Map<string, CommittedOffset[]>();
    for (const groupId of await this.#groupIds()) {
      const { state } = await admin.groups.describe(groupId);
      if (state !== 'Empty' && state !== 'Dead') {
        this.#print(
          `\nError: Assignments can only be reset if the group '${groupId}' is inactive, but the current state is ${state}.\n`,
        );
        continue;
      }
      const offsets = await newOffsets({ admin, options, runtime, groupId });
      if (!isDryRun) await admin.groups.setOffsets(groupId, offsets);
      results.set(
        groupId,
        offsets.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition)),
      );
    }
    this.#print(options.has('export') ? csv(results) : resetTable(results));
  }

  async #deleteOffsets(): Promise<void> {
    const { admin, options } = this.#context;
    const groupId = options.value('group')!;
    const texts = options.values('topic');
    const partitions = await partitionsOf(admin, texts);
    let head = `Request succeed for deleting offsets with topic ${texts.join(', ')} group ${groupId}\n`;
    let results: readonly { topic: string; partition: number; error: KafkaError | undefined }[];
    try {
      results = await admin.groups.deleteOffsets(groupId, partitions);
      if (results.some(({ error }) => error !== undefined))
        head = 'Encounter some partition level error, see the follow-up details:\n';
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      head = topLevelText(groupId, error);
      results = partitions.map((partition) => ({ ...partition, error }));
    }
    const row = (topic: string, partition: string, status: string): string =>
      `${topic.padEnd(30)} ${partition.padEnd(15)} ${status.padEnd(15)}\n`;
    this.#print(`${head}\n${row('TOPIC', 'PARTITION', 'STATUS')}`);
    for (const { topic, partition, error } of results) {
      this.#print(row(topic, String(partition), error === undefined ? 'Successful' : `Error: :${javaText(error)}`));
    }
  }
}

function topLevelText(groupId: string, error: KafkaError): string {
  switch (error.code) {
    case ErrorCode.INVALID_GROUP_ID:
      return `Error: '${groupId}' is not valid.\n`;
    case ErrorCode.GROUP_ID_NOT_FOUND:
      return `Error: '${groupId}' does not exist.\n`;
    case ErrorCode.GROUP_AUTHORIZATION_FAILED:
      return `Error: Access to '${groupId}' is not authorized.\n`;
    case ErrorCode.NON_EMPTY_GROUP:
      return `Error: Deleting offsets of a consumer group '${groupId}' is forbidden if the group is not empty.\n`;
    default:
      return `Error: Encounter some unknown error: ${javaText(error)}\n`;
  }
}

/** `undefined`: all. */
function wantedOf(options: ParsedOptions, name: 'state' | 'type', known: readonly string[]): Set<string> | undefined {
  const text = options.value(name);
  if (text === undefined) return undefined;
  const wanted = text.split(',').map((each) => each.trim().toLowerCase());
  const valid = known.map((each) => each.toLowerCase());
  if (!wanted.every((each) => valid.includes(each))) {
    throw usageExit(
      `Invalid ${name === 'type' ? 'types' : 'state'} list '${text}'. Valid ${name}s are: ${known.join(', ')}`,
      specs,
    );
  }
  return new Set(wanted);
}

function matches(wanted: ReadonlySet<string> | undefined, value: string): boolean {
  return wanted === undefined || wanted.has(value.toLowerCase());
}

function capitalized(text: string): string {
  return text === '' ? '' : text[0]!.toUpperCase() + text.slice(1);
}

/** 3.8 and 3.9 forget the ends of these lines; 2.1 and 4.x do not. */
function resetTable(results: ReadonlyMap<string, readonly CommittedOffset[]>): string {
  const row = (cells: readonly [string, string, string, string]): string =>
    `${cells[0].padEnd(30)} ${cells[1].padEnd(30)} ${cells[2].padEnd(10)} ${cells[3].padEnd(15)}\n`;
  let text = `\n${row(['GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET'])}`;
  for (const [groupId, offsets] of results) {
    for (const { topic, partition, offset } of offsets)
      text += row([groupId, topic, String(partition), String(offset)]);
  }
  return text;
}

/** Without the group's name where there is only one. */
function csv(results: ReadonlyMap<string, readonly CommittedOffset[]>): string {
  let text = '';
  for (const [groupId, offsets] of results) {
    const prefix = results.size === 1 ? '' : `${groupId},`;
    for (const { topic, partition, offset } of offsets) text += `${prefix}${topic},${partition},${offset}\n`;
  }
  return `${text}\n`;
}

if (import.meta.main) await runTool(kafkaConsumerGroups);
