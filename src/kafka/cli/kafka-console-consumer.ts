/** kafka-console-consumer.sh, in the words of 3.9; 2.1's `--whitelist` is known too. */
import { below } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { exceptionName } from '../client/client-errors.ts';
import { type Consumer, createConsumer } from '../client/consumer.ts';
import type { ConsumerRecord } from '../client/fetched-records.ts';
import { KafkaError } from '../protocol/errors.ts';
import { consumerOptions } from './client-config.ts';
import { TOOLS_VERSION } from './generation.ts';
import {
  defaultFormatter,
  deserializerOf,
  type MessageFormatter,
  noOpFormatter,
  SerializationError,
} from './message-formatter.ts';
import { OptionError, type OptionSpec, type ParsedOptions, parseOptions } from './option-parser.ts';
import { keyValues, propertiesFile, runTool, type Tool, ToolExit, type ToolIo, usageExit } from './tool.ts';
import { topicPattern } from './topic-command.ts';

const specs: readonly OptionSpec[] = [
  { name: 'bootstrap-server', argument: 'server to connect to', description: 'REQUIRED: the brokers to ask first.' },
  { name: 'topic', argument: 'topic', description: 'The topic to read.' },
  { name: 'include', argument: 'Java regex (String)', description: 'Reads every topic that matches.' },
  { name: 'whitelist', argument: 'Java regex (String)', description: 'The old name of --include.' },
  {
    name: 'partition',
    argument: 'partition',
    type: 'Integer',
    description: 'Only this partition; from its end unless --offset says otherwise.',
  },
  {
    name: 'offset',
    argument: 'consume offset',
    description: 'Where to begin: a number, earliest or latest.',
    default: 'latest',
  },
  { name: 'from-beginning', description: 'Begins with the oldest record where the group has no offset.' },
  { name: 'group', argument: 'consumer group id', description: 'The group to read in.' },
  { name: 'max-messages', argument: 'num_messages', type: 'Integer', description: 'Ends after so many records.' },
  { name: 'timeout-ms', argument: 'timeout_ms', type: 'Long', description: 'Ends when no record comes for so long.' },
  { name: 'skip-message-on-error', description: 'Goes on behind a record that cannot be shown.' },
  {
    name: 'formatter',
    argument: 'class',
    description: 'How records are shown.',
    default: 'org.apache.kafka.tools.consumer.DefaultMessageFormatter',
  },
  {
    name: 'property',
    argument: 'prop',
    description:
      'What is shown: print.timestamp, print.key, print.offset, print.partition, print.headers, print.value, key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer.',
  },
  { name: 'formatter-config', argument: 'config file', description: 'A file of such properties.' },
  { name: 'key-deserializer', argument: 'deserializer for key', description: 'The class that reads keys.' },
  { name: 'value-deserializer', argument: 'deserializer for values', description: 'The class that reads values.' },
  { name: 'consumer-property', argument: 'consumer_prop', description: 'A setting of the consumer; may be repeated.' },
  {
    name: 'consumer.config',
    argument: 'config file',
    description: 'A file of such settings; --consumer-property wins.',
  },
  {
    name: 'isolation-level',
    argument: '',
    description: 'read_committed leaves out aborted transactions.',
    default: 'read_uncommitted',
  },
  { name: 'enable-systest-events', description: 'Accepted without effect.' },
  { name: 'help', description: 'Prints this table.' },
  { name: 'version', description: 'Prints the version of Kafka.' },
];

const DESCRIPTION = 'This tool helps to read data from Kafka topics and outputs it to standard output.';
const LOGGER = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
/** As a JVM ends by SIGINT. */
const INTERRUPTED = 130;

export const kafkaConsoleConsumer: Tool = async (args, io, runtime) => {
  const options = parsed(args);
  if (args.length === 0 || options.has('help')) throw usageExit(DESCRIPTION, specs);
  if (options.has('version')) {
    io.out(`${TOOLS_VERSION}\n`);
    return 0;
  }
  check(options);
  const formatter = formatterOf(options);
  const { properties, isGroupGiven } = consumerProperties(options, runtime);
  // A partition chosen by hand needs no group.
  if (options.has('partition')) for (const key of ['group.id', 'enable.auto.commit']) properties.delete(key);
  const consumer = createConsumer(runtime, {
    ...consumerOptions(runtime, properties),
    ...(isGroupGiven || options.has('partition')
      ? {}
      : { enableAutoCommit: properties.get('enable.auto.commit') === 'true' }),
  });
  return new ConsoleConsumer(consumer, options, formatter, { io, runtime }).run();
};

function parsed(args: readonly string[]): ParsedOptions {
  try {
    return parseOptions(specs, args);
  } catch (error) {
    if (error instanceof OptionError) throw usageExit(error.message, specs);
    throw error;
  }
}

function check(options: ParsedOptions): void {
  const patterns = [options.value('include'), options.value('whitelist')].filter((value) => value !== undefined);
  const topics = [options.value('topic'), ...patterns].filter((value) => value !== undefined);
  if (topics.length !== 1) throw usageExit('Exactly one of --include/--topic is required. ', specs);
  if (options.has('partition')) {
    if (!options.has('topic')) throw usageExit('The topic is required when partition is specified.', specs);
    if (options.has('from-beginning') && options.has('offset')) {
      throw usageExit('Options from-beginning and offset cannot be specified together.', specs);
    }
    if (options.has('group')) throw usageExit('Options group and partition cannot be specified together.', specs);
  } else if (options.has('offset')) {
    throw usageExit('The partition is required when offset is specified.', specs);
  }
  if (!options.has('bootstrap-server')) throw usageExit('Missing required argument "[bootstrap-server]"', specs);
  parsedOffset(options);
}

/** @throws ToolExit */
function parsedOffset(options: ParsedOptions): number | 'earliest' | 'latest' {
  if (!options.has('offset')) return options.has('from-beginning') ? 'earliest' : 'latest';
  const text = options.value('offset')!;
  const lower = text.toLowerCase();
  if (lower === 'earliest' || lower === 'latest') return lower;
  if (/^\+?\d+$/.test(text)) return Number(text);
  throw usageExit(
    `The provided offset value '${text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.`,
    specs,
  );
}

function formatterOf(options: ParsedOptions): MessageFormatter {
  const properties = new Map([
    ...propertiesFile(options.value('formatter-config')),
    ...keyValues(options.values('property')),
  ]);
  const name = options.value('formatter')!.split(/[.$]/).at(-1);
  if (name === 'NoOpMessageFormatter') return noOpFormatter;
  if (name !== 'DefaultMessageFormatter')
    throw new ToolExit(`java.lang.ClassNotFoundException: ${options.value('formatter')}\n`);
  const deserializer = (flag: string, key: string) => {
    const className = options.value(flag) ?? properties.get(key);
    const found = deserializerOf(className);
    if (found === undefined) throw new ToolExit(`java.lang.ClassNotFoundException: ${className}\n`);
    return found;
  };
  return defaultFormatter({
    properties,
    keyDeserializer: deserializer('key-deserializer', 'key.deserializer'),
    valueDeserializer: deserializer('value-deserializer', 'value.deserializer'),
  });
}

function consumerProperties(
  options: ParsedOptions,
  runtime: Runtime,
): { properties: Map<string, string>; isGroupGiven: boolean } {
  const fromFile = propertiesFile(options.value('consumer.config'));
  const fromFlags = keyValues(options.values('consumer-property'));
  const properties = new Map([...fromFile, ...fromFlags]);
  properties.set('bootstrap.servers', options.value('bootstrap-server')!);
  properties.set('isolation.level', options.value('isolation-level')!);
  if (!properties.has('client.id')) properties.set('client.id', 'console-consumer');
  setOffsetReset(options, properties);
  const groups = new Set(
    [options.value('group'), fromFlags.get('group.id'), fromFile.get('group.id')].filter(
      (group) => group !== undefined,
    ),
  );
  if (groups.size > 1) {
    throw usageExit(
      `The group ids provided in different places (directly using '--group', via '--consumer-property', or via '--consumer.config') do not match. Detected group ids: '${[...groups].join("', '")}'`,
      specs,
    );
  }
  const [given] = groups;
  properties.set('group.id', given ?? `console-consumer-${below(runtime.random, 100_000)}`);
  return { properties, isGroupGiven: given !== undefined };
}

/** The flag and the property must not contradict each other. */
function setOffsetReset(options: ParsedOptions, properties: Map<string, string>): void {
  const wanted = parsedOffset(options) === 'earliest' ? 'earliest' : 'latest';
  const given = properties.get('auto.offset.reset');
  if (given === undefined) properties.set('auto.offset.reset', wanted);
  else if (options.has('from-beginning') && given !== 'earliest') {
    throw new ToolExit(
      `Can't simultaneously specify --from-beginning and 'auto.offset.reset=${given}', please remove one option\n`,
    );
  }
}

interface World {
  readonly io: ToolIo;
  readonly runtime: Runtime;
}

class ConsoleConsumer {
  readonly #consumer: Consumer;
  readonly #options: ParsedOptions;
  readonly #formatter: MessageFormatter;
  readonly #world: World;
  #count = 0;
  #isInterrupted = false;

  constructor(consumer: Consumer, options: ParsedOptions, formatter: MessageFormatter, world: World) {
    this.#consumer = consumer;
    this.#options = options;
    this.#formatter = formatter;
    this.#world = world;
  }

  async run(): Promise<number> {
    const { io } = this.#world;
    const stop = io.onInterrupt(() => {
      this.#isInterrupted = true;
      this.#consumer.wakeup();
    });
    let failure: string | undefined;
    try {
      this.#begin();
      await this.#consume();
    } catch (error) {
      failure = describe(error);
      if (failure === undefined) throw error;
    } finally {
      stop();
      await this.#consumer.close({ timeoutMs: 5_000 });
    }
    io.err(`Processed a total of ${this.#count} messages\n`);
    if (failure !== undefined) {
      this.#world.runtime.log.named(LOGGER).error('Unknown error when running consumer: ');
      io.err(`${failure}\n`);
      return 1;
    }
    return this.#isInterrupted ? INTERRUPTED : 0;
  }

  #begin(): void {
    const options = this.#options;
    const topic = options.value('topic');
    const partition = options.number('partition');
    if (topic === undefined) {
      this.#consumer.subscribe(topicPattern(options.value('include') ?? options.value('whitelist')!));
    } else if (partition === undefined) {
      this.#consumer.subscribe([topic]);
    } else {
      this.#consumer.assign([{ topic, partition }]);
      const offset = parsedOffset(options);
      if (typeof offset === 'number') this.#consumer.seek({ topic, partition }, offset);
    }
  }

  async #consume(): Promise<void> {
    const { clock } = this.#world.runtime;
    const max = this.#options.number('max-messages') ?? Number.POSITIVE_INFINITY;
    const patienceMs = this.#options.number('timeout-ms') ?? Number.POSITIVE_INFINITY;
    let lastMs = clock.monotonicMs();
    while (this.#count < max && !this.#isInterrupted) {
      const leftMs = lastMs + patienceMs - clock.monotonicMs();
      if (leftMs <= 0) {
        this.#world.runtime.log.named(LOGGER).error('Error processing message, terminating consumer process: ');
        this.#world.io.err('org.apache.kafka.common.errors.TimeoutException\n');
        return;
      }
      const records = await this.#consumer.poll({
        timeoutMs: Math.min(leftMs, 60_000),
        max: Math.min(500, max - this.#count),
      });
      this.#show(records);
      if (records.length > 0) lastMs = clock.monotonicMs();
    }
  }

  #show(records: readonly ConsumerRecord[]): void {
    const out: Uint8Array[] = [];
    try {
      for (const record of records) {
        this.#count += 1;
        this.#showOne(record, out);
      }
    } finally {
      if (out.length > 0) this.#world.io.out(Buffer.concat(out));
    }
  }

  #showOne(record: ConsumerRecord, out: Uint8Array[]): void {
    try {
      this.#formatter.write(record, out);
    } catch (error) {
      if (!(error instanceof SerializationError) || !this.#options.has('skip-message-on-error')) throw error;
      this.#world.runtime.log.named(LOGGER).error('Error processing message, skipping this message: ');
      this.#world.io.err(`${describe(error)}\n`);
    }
  }
}

/** Undefined for what is our own fault. */
function describe(error: unknown): string | undefined {
  if (error instanceof SerializationError)
    return `org.apache.kafka.common.errors.SerializationException: ${error.message}`;
  if (error instanceof KafkaError) return `org.apache.kafka.common.errors.${exceptionName(error)}: ${error.message}`;
  return undefined;
}

if (import.meta.main) await runTool(kafkaConsoleConsumer);
