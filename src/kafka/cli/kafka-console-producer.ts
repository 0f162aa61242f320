/** kafka-console-producer.sh: with `--broker-list` as in 2.1, otherwise as in 3.9. */
import type { Runtime } from '../../runtime/runtime.ts';
import { exceptionName } from '../client/client-errors.ts';
import { createProducer, type Producer } from '../client/producer.ts';
import { KafkaError } from '../protocol/errors.ts';
import { producerOptions } from './client-config.ts';
import { isGiven, TOOLS_VERSION } from './generation.ts';
import { readLines } from './lines.ts';
import { OptionError, type OptionSpec, type ParsedOptions, parseOptions } from './option-parser.ts';
import { parseRecordLine, RecordLineError, type RecordLineOptions, recordLineOptions } from './record-line.ts';
import {
  keyValues,
  propertiesFile,
  requireOption,
  runTool,
  type Tool,
  ToolExit,
  type ToolIo,
  usageExit,
} from './tool.ts';

const specs: readonly OptionSpec[] = [
  { name: 'topic', argument: 'topic', description: 'REQUIRED: where the lines go.' },
  { name: 'bootstrap-server', argument: 'server to connect to', description: 'REQUIRED: the brokers to ask first.' },
  { name: 'broker-list', argument: 'broker-list', description: 'The old name of --bootstrap-server.' },
  { name: 'sync', description: 'Waits for each record to be acknowledged.' },
  {
    name: 'compression-codec',
    argument: 'compression-codec',
    isArgumentOptional: true,
    description: 'none, gzip, snappy, lz4 or zstd; gzip without a value.',
  },
  { name: 'batch-size', argument: 'size', type: 'Integer', description: 'Bytes of a batch.' },
  {
    name: 'message-send-max-retries',
    argument: '',
    type: 'Integer',
    description: 'How often a failed batch is sent again.',
    default: '3',
  },
  {
    name: 'retry-backoff-ms',
    argument: '',
    type: 'Long',
    description: 'Pause before it is sent again.',
    default: '100',
  },
  {
    name: 'timeout',
    argument: 'timeout_ms',
    type: 'Long',
    description: 'How long a batch waits for more lines.',
    default: '1000',
  },
  { name: 'request-required-acks', argument: 'request required acks', description: 'all, 1 or 0.' },
  {
    name: 'request-timeout-ms',
    argument: 'request timeout ms',
    type: 'Integer',
    description: 'How long an answer may take.',
    default: '1500',
  },
  {
    name: 'metadata-expiry-ms',
    argument: 'metadata expiration interval',
    type: 'Long',
    description: 'After what time metadata is asked for again.',
    default: '300000',
  },
  {
    name: 'max-block-ms',
    argument: 'max block on send',
    type: 'Long',
    description: 'How long a line waits for metadata and room.',
    default: '60000',
  },
  {
    name: 'max-memory-bytes',
    argument: 'total memory in bytes',
    type: 'Long',
    description: 'Bytes of lines that may wait.',
    default: '33554432',
  },
  {
    name: 'max-partition-memory-bytes',
    argument: 'memory in bytes per partition',
    type: 'Integer',
    description: 'The old name of --batch-size.',
    default: '16384',
  },
  {
    name: 'socket-buffer-size',
    argument: 'size',
    type: 'Integer',
    description: 'Accepted without effect.',
    default: '102400',
  },
  { name: 'line-reader', argument: 'reader_class', description: 'Only the reader of lines is there.' },
  {
    name: 'property',
    argument: 'prop',
    description:
      'How lines are read: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator, null.marker, ignore.error.',
  },
  { name: 'reader-config', argument: 'config file', description: 'A file of such properties.' },
  { name: 'producer-property', argument: 'producer_prop', description: 'A setting of the producer; may be repeated.' },
  {
    name: 'producer.config',
    argument: 'config file',
    description: 'A file of such settings; --producer-property wins.',
  },
  { name: 'help', description: 'Prints this table.' },
  { name: 'version', description: 'Prints the version of Kafka.' },
];

const DESCRIPTION = 'This tool helps to read data from standard input and publish it to Kafka.';
const lineReaders = ['kafka.tools.ConsoleProducer$LineMessageReader', 'org.apache.kafka.tools.LineMessageReader'];

/** Lines held back beyond this many bytes: a pipe waits. */
const BUFFERED_BYTES_MAX = 16 * 1024 * 1024;

export const kafkaConsoleProducer: Tool = async (args, io, runtime) => {
  const isOldTool = isGiven('broker-list', args) && !isGiven('bootstrap-server', args);
  const options = parsed(args);
  if (options.has('help')) throw usageExit(DESCRIPTION, specs);
  if (options.has('version')) {
    io.out(`${TOOLS_VERSION}\n`);
    return 0;
  }
  if (!options.has('bootstrap-server') && !options.has('broker-list')) {
    throw usageExit('Missing required option(s) [bootstrap-server]', specs);
  }
  requireOption(options, specs, 'topic');
  const reader = options.value('line-reader');
  if (reader !== undefined && !lineReaders.includes(reader))
    throw new ToolExit(`java.lang.ClassNotFoundException: ${reader}\n`);
  const properties = new Map([
    ...propertiesFile(options.value('reader-config')),
    ...keyValues(options.values('property')),
  ]);
  const producer = createProducer(runtime, producerOptions(runtime, producerProperties(options, isOldTool)));
  try {
    await pump(producer, options, recordLineOptions(properties, isOldTool), { io, runtime });
    return 0;
  } catch (error) {
    if (!(error instanceof RecordLineError)) throw error;
    io.err(`org.apache.kafka.common.KafkaException: ${error.message}\n`);
    return 1;
  } finally {
    await producer.close();
  }
};

function parsed(args: readonly string[]): ParsedOptions {
  try {
    return parseOptions(specs, args);
  } catch (error) {
    if (error instanceof OptionError) throw usageExit(error.message, specs);
    throw error;
  }
}

/** Given flags win over files and properties; flags' defaults fill what nobody set (`maybeMergeOptions`). */
function producerProperties(options: ParsedOptions, isOldTool: boolean): Map<string, string> {
  const properties = propertiesFile(options.value('producer.config'));
  for (const [key, value] of keyValues(options.values('producer-property'))) properties.set(key, value);
  properties.set('bootstrap.servers', options.value('bootstrap-server') ?? options.value('broker-list')!);
  if (!properties.has('client.id')) properties.set('client.id', 'console-producer');
  const flags: readonly (readonly [key: string, flag: string])[] = [
    ['linger.ms', 'timeout'],
    ['retries', 'message-send-max-retries'],
    ['retry.backoff.ms', 'retry-backoff-ms'],
    ['request.timeout.ms', 'request-timeout-ms'],
    ['metadata.max.age.ms', 'metadata-expiry-ms'],
    ['max.block.ms', 'max-block-ms'],
    ['buffer.memory', 'max-memory-bytes'],
    ['batch.size', options.has('batch-size') ? 'batch-size' : 'max-partition-memory-bytes'],
  ];
  for (const [key, flag] of flags) {
    if (options.has(flag) || !properties.has(key)) properties.set(key, String(options.number(flag)));
  }
  const acks = options.value('request-required-acks');
  if (acks !== undefined || !properties.has('acks')) properties.set('acks', acks ?? (isOldTool ? '1' : '-1'));
  if (options.has('compression-codec'))
    properties.set('compression.type', options.value('compression-codec') ?? 'gzip');
  return properties;
}

interface World {
  readonly io: ToolIo;
  readonly runtime: Runtime;
}

async function pump(
  producer: Producer,
  options: ParsedOptions,
  lineOptions: RecordLineOptions,
  { io, runtime }: World,
): Promise<void> {
  const topic = options.value('topic')!;
  const log = runtime.log.named('org.apache.kafka.clients.producer.internals.ErrorLoggingCallback');
  // 2.1 prompts whoever it reads from; later tools only a person.
  const prompts = lineOptions.isOldTool || io.isInteractive;
  const prompt = (): void => {
    if (prompts) io.out('>');
  };
  const sizeOf = (text: string | null): string => (text === null ? 'null' : `${Buffer.byteLength(text)} bytes`);
  prompt();
  let number = 0;
  for await (const line of readLines(io.input)) {
    number += 1;
    const record = parseRecordLine(line, number, lineOptions);
    const sent = producer.send({ topic, ...record }).catch((error: unknown) => {
      log.error(
        `Error when sending message to topic ${topic} with key: ${sizeOf(record.key)}, value: ${sizeOf(record.value)} with error:`,
      );
      io.err(`${describe(error)}\n`);
    });
    if (options.has('sync')) await sent;
    else if (producer.bufferedBytes > BUFFERED_BYTES_MAX) await producer.flush();
    prompt();
  }
}

function describe(error: unknown): string {
  if (!(error instanceof KafkaError)) return String(error);
  const exception = exceptionName(error);
  const home = exception === 'InvalidRecordException' ? 'org.apache.kafka.common' : 'org.apache.kafka.common.errors';
  return `${home}.${exception}: ${error.message}`;
}

if (import.meta.main) await runTool(kafkaConsoleProducer);
