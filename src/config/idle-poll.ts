import { availableParallelism } from 'node:os';
import { ConfigError } from './config-error.ts';

const KEY = 'ODRADEK_IDLE_POLL_US';
const DEFAULT_US = 150;
const MAX_US = 10_000;

/**
 * `ODRADEK_IDLE_POLL_US`: for how many microseconds a server stays awake after input, while more tends to come that soon
 * (docs/decisions/0014-idle-poll.md); 0 to 10000, 0 for never. Default 150, and 0 with one processor, which the client needs.
 * Answers milliseconds. @throws ConfigError
 */
export function idlePollMsOf(
  env: Readonly<Record<string, string | undefined>>,
  processorCount = availableParallelism(),
): number {
  const given = env[KEY];
  if (given === undefined) return processorCount > 1 ? DEFAULT_US / 1000 : 0;
  if (!/^\d{1,5}$/.test(given) || Number(given) > MAX_US) {
    throw new ConfigError(KEY, given, `set whole microseconds from 0, which is never, to ${MAX_US}`);
  }
  return Number(given) / 1000;
}
