import type { Writable } from 'node:stream';
import { inspect } from 'node:util';
import type { Clock } from '../clock.ts';
import type { Log, LogFields } from '../log.ts';
import { fieldsText } from '../log-text.ts';

export const logLevels = ['debug', 'info', 'warn', 'error', 'off'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface NodeLogOptions {
  readonly clock: Clock;
  readonly stream: Pick<Writable, 'write'>;
  readonly level: LogLevel;
  readonly component?: string;
  /** Components whose lines go elsewhere, with a level of their own. */
  readonly routes?: ReadonlyMap<string, LogRoute>;
}

export type LogRoute = Pick<NodeLogOptions, 'stream' | 'level'>;

/** `[2026-11-23 15:54:25,123] INFO message key=value (component)`: the shape of Kafka's log4j pattern. */
export class NodeLog implements Log {
  readonly #options: NodeLogOptions;
  readonly #least: number;

  constructor(options: NodeLogOptions) {
    this.#options = options;
    this.#least = logLevels.indexOf(options.level);
  }

  debug(message: string | (() => string), fields?: LogFields): void {
    if (this.#least > 0) return;
    this.#write('DEBUG', typeof message === 'string' ? message : message(), fields);
  }

  info(message: string, fields?: LogFields): void {
    if (this.#least <= 1) this.#write('INFO', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    if (this.#least <= 2) this.#write('WARN', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    if (this.#least <= 3) this.#write('ERROR', message, fields);
  }

  named(component: string): Log {
    return new NodeLog({ ...this.#options, ...this.#options.routes?.get(component), component });
  }

  #write(level: string, message: string, fields: LogFields | undefined): void {
    const { clock, stream, component } = this.#options;
    const time = clock.localTime(clock.wallMs());
    const where = component === undefined ? '' : ` (${component})`;
    stream.write(`[${time}] ${level} ${message}${fieldsText(fields)}${where}\n${stacksOf(fields)}`);
  }
}

/** An error's stack follows its line, as log4j prints it. */
function stacksOf(fields: LogFields | undefined): string {
  let text = '';
  for (const name in fields) {
    const value = fields[name];
    if (value instanceof Error) text += `${inspect(value)}\n`;
  }
  return text;
}
