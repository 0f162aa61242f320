import type { ServerSpec } from '../../config/server-spec.ts';
import type { Address } from '../../runtime/network.ts';

/** Where a server that leads is found by learners. */
export function peerAddresses(spec: ServerSpec | undefined): Address[] {
  return (spec?.addresses ?? []).map(({ host, peerPort }) => ({ host, port: peerPort }));
}

/** Where it is found by those who elect. */
export function electionAddresses(spec: ServerSpec | undefined): Address[] {
  return (spec?.addresses ?? []).map(({ host, electionPort }) => ({ host, port: electionPort }));
}

/** The same port, perhaps one that no `server.N` line names, at each of its hosts. */
export function atPort(spec: ServerSpec | undefined, port: number): Address[] {
  return [...new Set((spec?.addresses ?? []).map(({ host }) => host))].map((host) => ({ host, port }));
}

/** With `quorumListenOnAllIPs` each port once, on every interface. */
export function listenAddresses(addresses: readonly Address[], onAllIps: boolean): readonly Address[] {
  return onAllIps ? [...new Set(addresses.map(({ port }) => port))].map((port) => ({ host: '', port })) : addresses;
}
