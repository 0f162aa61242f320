import type { Runtime } from '../../runtime/runtime.ts';
import { validateTopicConfig } from '../log/log-config.ts';
import { KafkaError } from '../protocol/errors.ts';
import { CommandError, exceptionOf } from './command-error.ts';
import type { ParsedOptions } from './option-parser.ts';
import type { ToolIo } from './tool.ts';

/** What the two generations of kafka-topics share. */
export const COLLISION_WARNING =
  "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both.";

export function hasCollisionChars(topic: string): boolean {
  return topic.includes('_') || topic.includes('.');
}

/** Runs an action; what it complains of goes to standard output, and to the log with the name of Apache's class. */
export async function reportingErrors(
  io: ToolIo,
  runtime: Runtime,
  component: string,
  action: () => Promise<void>,
): Promise<number> {
  try {
    await action();
    return 0;
  } catch (error) {
    const exception = exceptionOf(error);
    if (exception === undefined) throw error;
    const { message } = error as Error;
    io.out(`Error while executing topic command : ${message}\n`);
    runtime.log.named(component).error(`${exception}: ${message}\n`);
    return 1;
  }
}

/** `a,b` and `a|b` name either; quotes around the whole are the shell's remains (`IncludeList`). */
export function topicPattern(text: string): RegExp {
  const source = text
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+|["']+$/g, '');
  return new RegExp(`^(?:${source})$`);
}

/** The `--config` settings of a topic. */
export function topicConfigs(options: ParsedOptions): Map<string, string> {
  const configs = new Map<string, string>();
  for (const pair of options.values('config')) {
    const [, name, value] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/s.exec(pair) ?? [];
    if (name === undefined || value === undefined) {
      throw new CommandError(
        'requirement failed: Invalid topic config: all configs to be added must be in the format "key=val".',
      );
    }
    configs.set(name, value);
  }
  return configs;
}

/** Before anything is sent. @throws CommandError, KafkaError for an unknown key */
export function requireValidConfigs(configs: ReadonlyMap<string, string>): void {
  try {
    validateTopicConfig(configs);
  } catch (error) {
    if (!(error instanceof KafkaError) || !error.message.startsWith('Invalid value ')) throw error;
    throw new CommandError(error.message, 'org.apache.kafka.common.config.ConfigException');
  }
}

/** `0:1,1:2`: the replicas of partition 0, of partition 1, … @param home the package of Apache's exceptions */
export function replicaAssignment(text: string, home: string): number[][] {
  const partitions = text.split(',').map((replicas) =>
    replicas
      .trim()
      .split(':')
      .map((id) => Number(id.trim())),
  );
  for (const replicas of partitions) {
    if (replicas.some((id) => !Number.isInteger(id))) {
      throw new CommandError(`For input string: "${text}"`, 'java.lang.NumberFormatException');
    }
    const repeated = replicas.filter((id, index) => replicas.indexOf(id) !== index);
    if (repeated.length > 0) {
      throw new CommandError(
        `Partition replica lists may not contain duplicate entries: ${[...new Set(repeated)].join(',')}`,
        `${home}.AdminCommandFailedException`,
      );
    }
    if (replicas.length !== partitions[0]!.length) {
      throw new CommandError(
        `Partition ${partitions.indexOf(replicas)} has different replication factor: [${replicas.join(', ')}]`,
        `${home}.AdminOperationException`,
      );
    }
  }
  return partitions;
}
