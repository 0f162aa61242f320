import type { Address } from '../../runtime/network.ts';
import { InvalidArgumentError } from './client-errors.ts';
import { validatePath } from './paths.ts';

export const DEFAULT_PORT = 2181;

/** What `h1:p1,h2:p2,[v6]:p3/chroot` says. `chroot` is empty or a path without a trailing slash. */
export interface ConnectString {
  readonly hosts: readonly Address[];
  readonly chroot: string;
}

/** @throws InvalidPathError, InvalidConnectStringError */
export function parseConnectString(text: string): ConnectString {
  const slash = text.indexOf('/');
  const hosts = (slash < 0 ? text : text.slice(0, slash))
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '')
    .map(parseHost);
  if (hosts.length === 0) throw new InvalidConnectStringError('A HostProvider may not be empty!');
  return { hosts, chroot: slash < 0 ? '' : parseChroot(text.slice(slash)) };
}

function parseChroot(text: string): string {
  const chroot = text.trim();
  if (chroot === '/') return '';
  validatePath(chroot);
  return chroot;
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`; bare IPv6 addresses with colons are taken whole. */
function parseHost(text: string): Address {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text);
  if (bracketed?.[1] !== undefined) return { host: bracketed[1], port: parsePort(bracketed[2], text) };
  const colon = text.lastIndexOf(':');
  if (colon < 0 || text.indexOf(':') !== colon) return { host: text, port: DEFAULT_PORT };
  return { host: text.slice(0, colon), port: parsePort(text.slice(colon + 1), text) };
}

function parsePort(text: string | undefined, whole: string): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 1 || port > 65_535) throw new InvalidConnectStringError(`${whole} has no valid port`);
  return port;
}

/** A list of servers that names none, or a port that is none. */
export class InvalidConnectStringError extends InvalidArgumentError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InvalidConnectStringError';
  }
}
