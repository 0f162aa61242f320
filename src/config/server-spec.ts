import { ConfigError } from './config-error.ts';

export interface ServerAddress {
  readonly host: string;
  readonly peerPort: number;
  readonly electionPort: number;
}

/** A `server.N` line: `host:peer:election[|…][:participant|:observer][;[clientHost:]clientPort]`. */
export interface ServerSpec {
  /** Several with `multiAddress.enabled`. */
  readonly addresses: readonly ServerAddress[];
  readonly role: 'participant' | 'observer';
  readonly clientHost: string | undefined;
  readonly clientPort: number | undefined;
}

const shape = 'expected host:peerPort:electionPort[:participant|:observer][;[clientHost:]clientPort]';

/** @throws ConfigError */
export function parseServer(key: string, text: string): ServerSpec {
  const [members = '', client, ...rest] = text.split(';');
  if (rest.length > 0) throw new ConfigError(key, text, shape);
  let role: ServerSpec['role'] = 'participant';
  const addresses: ServerAddress[] = [];
  for (const member of members.split('|')) {
    const parts = splitHost(member.trim());
    if (parts === undefined || parts.length < 3 || parts.length > 4) throw new ConfigError(key, text, shape);
    const [host = '', peer = '', election = '', type] = parts;
    addresses.push({ host, peerPort: portOf(key, text, peer), electionPort: portOf(key, text, election) });
    if (type !== undefined) role = roleOf(key, text, type);
  }
  return { addresses, role, ...clientOf(key, text, client?.trim()) };
}

function clientOf(
  key: string,
  text: string,
  client: string | undefined,
): { clientHost: string | undefined; clientPort: number | undefined } {
  if (client === undefined || client === '') return { clientHost: undefined, clientPort: undefined };
  const parts = splitHost(client);
  if (parts === undefined || parts.length > 2) throw new ConfigError(key, text, shape);
  const port = portOf(key, text, parts.at(-1) ?? '');
  return { clientHost: parts.length === 2 ? parts[0] : undefined, clientPort: port };
}

/** Splits at colons, but not inside the brackets of an IPv6 address. */
function splitHost(text: string): string[] | undefined {
  const [, bracketed, afterBrackets] = /^\[([^\]]+)\](?::(.*))?$/.exec(text) ?? [];
  if (bracketed !== undefined) return [bracketed, ...(afterBrackets ?? '').split(':')].filter((part) => part !== '');
  const parts = text.split(':');
  return parts.some((part) => part === '') ? undefined : parts;
}

function portOf(key: string, text: string, port: string): number {
  const value = Number(port);
  if (!/^\d{1,5}$/.test(port) || value > 65_535) throw new ConfigError(key, text, `${port} is no port`);
  return value;
}

function roleOf(key: string, text: string, role: string): ServerSpec['role'] {
  const name = role.toLowerCase();
  if (name === 'participant' || name === 'observer') return name;
  throw new ConfigError(key, text, 'the role is participant or observer');
}
