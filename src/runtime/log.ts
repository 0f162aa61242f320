/** Where a component says what happened. One line an event; fields are appended as `key=value`. */
export interface Log {
  /** A message that costs something is made only where it is written. */
  debug(message: string | (() => string), fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same sink under a component's name (`zookeeper.session`, `kafka.controller`). */
  named(component: string): Log;
}

export type LogFields = { readonly [name: string]: unknown };

export const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  named: () => silent,
};
