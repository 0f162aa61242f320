import { ConfigError, IllegalValueError } from './config-error.ts';
import { numberFault } from './values.ts';

export interface ServerAddress {
  readonly host: string;
  readonly peerPort: number;
  readonly electionPort: number;
}

/** A `server.N` line: `host:peer:election[:participant|:observer][|…][;[clientHost:]clientPort]`. */
export interface ServerSpec {
  /** Several with `multiAddress.enabled`. */
  readonly addresses: readonly ServerAddress[];
  readonly role: 'participant' | 'observer';
  readonly clientHost: string | undefined;
  readonly clientPort: number | undefined;
}

const shape = 'expected host:peerPort:electionPort[:participant|:observer][;[clientHost:]clientPort]';

/**
 * As strict as Apache's QuorumServer, and in its order: blanks are allowed around the role alone.
 *
 * @throws ConfigError
 */
export function parseServer(key: string, text: string, { multiAddressEnabled = true } = {}): ServerSpec {
  const [members = '', client, ...rest] = split(text, ';');
  const clientEndpoint = clientOf(key, text, rest.length > 0 ? undefined : client);
  const memberTexts = split(members, '|');
  if (memberTexts.length > 1 && !multiAddressEnabled) {
    throw new ConfigError(key, text, 'several addresses need multiAddress.enabled=true');
  }
  if (rest.length > 0) throw new ConfigError(key, text, shape);
  const roles = new Set<ServerSpec['role']>();
  const addresses: ServerAddress[] = [];
  for (const member of memberTexts) {
    const { address, role } = memberOf(key, text, member);
    if (!addresses.some((other) => isSame(other, address))) addresses.push(address);
    if (role !== undefined) roles.add(role);
    if (roles.size > 1) throw new ConfigError(key, text, 'all addresses of a server have one role');
  }
  return { addresses, role: [...roles][0] ?? 'participant', ...clientEndpoint };
}

function memberOf(
  key: string,
  text: string,
  member: string,
): { readonly address: ServerAddress; readonly role: ServerSpec['role'] | undefined } {
  const parts = splitHost(member);
  if (parts === undefined || parts.length < 3 || parts.length > 4) throw new ConfigError(key, text, shape);
  const [host = '', peer = '', election = '', role] = parts;
  const address = { host, peerPort: portOf(key, text, peer), electionPort: portOf(key, text, election) };
  if (address.peerPort === address.electionPort) {
    throw new ConfigError(key, text, 'the port for peers and the port for elections must be different');
  }
  return { address, role: role === undefined ? undefined : roleOf(key, text, role) };
}

function clientOf(
  key: string,
  text: string,
  client: string | undefined,
): { clientHost: string | undefined; clientPort: number | undefined } {
  if (client === undefined) return { clientHost: undefined, clientPort: undefined };
  const parts = splitHost(client);
  if (parts === undefined || parts.length > 2) throw new ConfigError(key, text, shape);
  const port = portOf(key, text, parts.at(-1) ?? '');
  return { clientHost: parts.length === 2 ? parts[0] : undefined, clientPort: port };
}

/** As Java does: empty parts at the end do not count. */
function split(text: string, separator: string): string[] {
  const parts = text.split(separator);
  while (parts.length > 1 && parts.at(-1) === '') parts.pop();
  return parts;
}

/** Splits at colons, but not inside the brackets of an IPv6 address. */
function splitHost(text: string): string[] | undefined {
  const [, inBrackets, after] = /^\[([^\]]+)\](?::(.+))?$/.exec(text) ?? [];
  const parts = inBrackets === undefined ? split(text, ':') : [inBrackets, ...(after ? split(after, ':') : [])];
  return parts[0] === '' ? undefined : parts;
}

function portOf(key: string, text: string, port: string): number {
  const value = Number(port);
  if (numberFault('int', port, {}) !== undefined) throw new ConfigError(key, text, `${port} is no port`);
  if (value < 0 || value > 65_535) throw new IllegalValueError(key, text, `${port} is no port`);
  return value;
}

function roleOf(key: string, text: string, role: string): ServerSpec['role'] {
  const name = role.trim().toLowerCase();
  if (name === 'participant' || name === 'observer') return name;
  throw new ConfigError(key, text, 'the role is participant or observer');
}

function isSame(one: ServerAddress, other: ServerAddress): boolean {
  return one.host === other.host && one.peerPort === other.peerPort && one.electionPort === other.electionPort;
}
