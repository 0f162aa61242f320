import type { ServerSpec } from '../../config/server-spec.ts';
import { hostAddress } from '../tree/ip-acl.ts';

const ANY_ADDRESS = '0.0.0.0';

/**
 * What stands behind `server.N=` where Apache's QuorumServer prints itself: with role, several addresses sorted, and IPv6 addresses
 * spelled out.
 */
export function serverText({ addresses, role, clientHost, clientPort }: ServerSpec): string {
  const printed = addresses.map((address) => ({ ...address, host: hostAddress(address.host) }));
  const sorted = printed.sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0));
  const members = sorted.map(({ host, peerPort, electionPort }) => `${bracketed(host)}:${peerPort}:${electionPort}`);
  const client = clientPort === undefined ? '' : `;${bracketed(hostAddress(clientHost ?? ANY_ADDRESS))}:${clientPort}`;
  return `${members.join('|')}:${role}${client}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
