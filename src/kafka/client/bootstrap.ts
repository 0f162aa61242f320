import type { Address } from '../../runtime/network.ts';
import { ClientUsageError } from './client-errors.ts';

/**
 * `host:port,…` as `bootstrap.servers` has it; brackets around an IPv6 address.
 * @throws ClientUsageError in Apache's words
 */
export function parseBootstrap(servers: string | readonly string[]): Address[] {
  const texts = (typeof servers === 'string' ? servers.split(',') : servers)
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (texts.length === 0) throw new ClientUsageError('No resolvable bootstrap urls given in bootstrap.servers');
  return texts.map(parseAddress);
}

function parseAddress(text: string): Address {
  const [, host, port] = /^(?:[A-Za-z_]+:\/\/)?\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)$/.exec(text) ?? [];
  if (host === undefined || host === '' || Number(port) > 65_535) {
    throw new ClientUsageError(`Invalid url in bootstrap.servers: ${text}`);
  }
  return { host, port: Number(port) };
}
