import { exceptionName } from '../client/client-errors.ts';
import { KafkaError } from '../protocol/errors.ts';
import { OptionError } from './option-parser.ts';

/** An action's own complaint: a class of Java's, which the log line names, and its message. */
export class CommandError extends Error {
  readonly exception: string;

  constructor(message: string, exception = 'java.lang.IllegalArgumentException') {
    super(message);
    this.name = 'CommandError';
    this.exception = exception;
  }
}

/** The Java class that stands for an error. */
export function exceptionOf(error: unknown): string | undefined {
  if (error instanceof CommandError) return error.exception;
  if (error instanceof KafkaError) return `org.apache.kafka.common.errors.${exceptionName(error)}`;
  if (error instanceof OptionError) return `joptsimple.${error.exception}`;
  return undefined;
}
