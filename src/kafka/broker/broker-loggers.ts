import type { Log, LogFields } from '../../runtime/log.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { AlterOperation, type ConfigChange } from './config/config-change.ts';

/** Of log4j, the least important first. This broker writes no TRACE lines, and its worst are ERROR. */
const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;
type Level = (typeof levels)[number];
const VALID_LEVELS = 'DEBUG, ERROR, FATAL, INFO, TRACE, WARN';

const ROOT = 'root';

/**
 * The loggers of this broker, each with a level that can change while it runs (KIP-412). They are known once they exist; what has no
 * level of its own has that of the nearest name above it, and at last that of the root. Levels do not outlive the broker.
 */
export class BrokerLoggers {
  /** Writes what is important enough. */
  readonly log: Log;
  readonly #names = new Set<string>();
  readonly #levels = new Map<string, Level>([[ROOT, 'INFO']]);
  #brokerId = -1;

  /** @param sink takes every line */
  constructor(sink: Log) {
    this.log = this.#logger(sink, ROOT);
  }

  /** Requests name the broker; its id is known once its log dirs are read. */
  belongTo(brokerId: number): void {
    this.#brokerId = brokerId;
  }

  /** By name, with the level that counts. */
  *all(): Generator<readonly [name: string, level: string]> {
    yield [ROOT, this.#levelOf(ROOT)];
    for (const name of this.#names) yield [name, this.#levelOf(name)];
  }

  /** @throws KafkaError INVALID_REQUEST, INVALID_CONFIG in Apache's words */
  change(resourceName: string, changes: readonly ConfigChange[], validateOnly: boolean): void {
    this.#requireUs(resourceName);
    for (const change of changes) this.#validate(change);
    if (validateOnly) return;
    for (const { name, operation, value } of changes) {
      if (operation === AlterOperation.set) this.#levels.set(name, value as Level);
      else this.#levels.delete(name);
    }
  }

  #requireUs(name: string): void {
    if (!/^[+-]?\d+$/.test(name)) throw invalidRequest(`Node id must be an integer, but it is: ${name}`);
    // Apache tells its own id twice.
    const text = `Unexpected node id. Expected ${this.#brokerId}, but received ${this.#brokerId}`;
    if (Number(name) !== this.#brokerId) throw invalidRequest(text);
  }

  #validate({ name, operation, value }: ConfigChange): void {
    switch (operation) {
      case AlterOperation.set:
        this.#requireKnown(name);
        if ((levels as readonly (string | null)[]).includes(value)) return;
        throw new KafkaError(
          ErrorCode.INVALID_CONFIG,
          `Cannot set the log level of ${name} to ${value} as it is not a supported log level. Valid log levels are ${VALID_LEVELS}`,
        );
      case AlterOperation.delete:
        this.#requireKnown(name);
        if (name === ROOT) throw invalidRequest('Removing the log level of the root logger is not allowed');
        return;
      case AlterOperation.append:
        throw invalidRequest('APPEND operation is not allowed for the BROKER_LOGGER resource');
      case AlterOperation.subtract:
        throw invalidRequest('SUBTRACT operation is not allowed for the BROKER_LOGGER resource');
      default:
        throw invalidRequest(`Unknown operation type ${operation} is not allowed for the BROKER_LOGGER resource`);
    }
  }

  #requireKnown(name: string): void {
    if (name === ROOT || this.#names.has(name)) return;
    throw new KafkaError(ErrorCode.INVALID_CONFIG, `Logger ${name} does not exist!`);
  }

  #levelOf(name: string): Level {
    for (let at = name; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
      const level = this.#levels.get(at);
      if (level !== undefined) return level;
    }
    return this.#levels.get(ROOT) ?? 'INFO';
  }

  #logger(sink: Log, name: string): Log {
    const isOn = (level: Level): boolean => levels.indexOf(this.#levelOf(name)) <= levels.indexOf(level);
    const at = (level: 'info' | 'warn' | 'error') => {
      const rank = level.toUpperCase() as Level;
      return (message: string, fields?: LogFields): void => {
        if (isOn(rank)) sink[level](message, fields);
      };
    };
    return {
      debug: (message, fields) => {
        if (isOn('DEBUG')) sink.debug(message, fields);
      },
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      named: (component) => {
        this.#names.add(component);
        return this.#logger(sink.named(component), component);
      },
    };
  }
}

function invalidRequest(text: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, text);
}
