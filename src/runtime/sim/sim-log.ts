import type { Log, LogFields } from '../log.ts';
import { fieldsText } from '../log-text.ts';

/** Lines go to the history: two runs that log differently differ. */
export class SimLog implements Log {
  readonly #line: (level: string, text: string) => void;
  readonly #component: string;

  constructor(line: (level: string, text: string) => void, component = '') {
    this.#line = line;
    this.#component = component;
  }

  debug(message: string | (() => string), fields?: LogFields): void {
    this.#write('DEBUG', typeof message === 'string' ? message : message(), fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('INFO', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('WARN', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('ERROR', message, fields);
  }

  named(component: string): Log {
    return new SimLog(this.#line, component);
  }

  #write(level: string, message: string, fields: LogFields | undefined): void {
    const where = this.#component === '' ? '' : ` (${this.#component})`;
    this.#line(level, `${message}${fieldsText(fields)}${where}`);
  }
}
