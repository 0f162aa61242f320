import type { ServerAddress, ServerSpec } from '../../../config/server-spec.ts';
import { counterOf, epochOf, printHex } from '../../jute/ids.ts';
import { type ClientPlace, type EnsembleView, memberOf, type ObserverFacts } from '../ensemble-view.ts';
import type { ServerView } from '../server-view.ts';
import { command, type Data, type ServerCommand } from './admin-command.ts';

const ANY = '0.0.0.0';

/** What members of an ensemble tell of it; other servers say that they have none. */
export const ensembleCommands: readonly ServerCommand[] = [
  // Apache keeps the text of a standalone server's configuration alone.
  command(['initial_configuration', 'icfg'], ({ config, ensemble }) => ({
    initial_configuration: ensemble === undefined ? config.source.text : null,
  })),
  command(['leader', 'lead'], leader),
  command(['observer_connection_stat_reset', 'orst'], ({ ensemble }) => {
    ensemble?.resetObservers();
    return {};
  }),
  command(['observers', 'obsr'], ({ ensemble }) => {
    const observers = ensemble?.observers() ?? [];
    return { synced_observers: observers.length, observers: observers.map(factsOf) };
  }),
  command(['voting_view'], (server) => {
    const ensemble = memberOf(server);
    return { current_config: ensemble === undefined ? {} : votingView(ensemble) };
  }),
];

/** Also of a member that serves nobody. */
export function zabState(server: ServerView | undefined): Data {
  const ensemble = server === undefined ? undefined : memberOf(server);
  if (server === undefined || ensemble === undefined) return { voting: false, zabstate: '' };
  const { self, membership } = ensemble;
  const { lastProcessedZxid } = server.tree;
  const addresses = membership.servers.get(self)?.addresses ?? [];
  return {
    myid: self,
    is_leader: server.mode === 'leader',
    quorum_address: addressesOf(addresses, ({ peerPort }) => peerPort),
    election_address: addressesOf(addresses, ({ electionPort }) => electionPort),
    client_address: ensemble.client === undefined ? null : addressOf(ensemble.client),
    voting: membership.verifier.voters.has(self),
    last_zxid: printHex(lastProcessedZxid),
    zab_epoch: epochOf(lastProcessedZxid),
    zab_counter: counterOf(lastProcessedZxid),
    zabstate: ensemble.zabState,
  };
}

function leader(server: ServerView): Data {
  const ensemble = memberOf(server);
  if (ensemble === undefined) return { error: 'server is not initialized' };
  const { membership, leader: id } = ensemble;
  const hosts = id === undefined ? [] : (membership.servers.get(id)?.addresses ?? []);
  return {
    is_leader: server.mode === 'leader',
    leader_id: id ?? -1,
    leader_ip: hosts.map(({ host }) => host).join('|'),
  };
}

function votingView({ self, membership, client }: EnsembleView): Data {
  const voters = [...membership.servers].filter(([id]) => membership.verifier.voters.has(id));
  return Object.fromEntries(
    voters
      .sort(([a], [b]) => a - b)
      .map(([id, spec]) => {
        const { addresses, role } = spec;
        const endpoint = id === self ? client : clientOf(spec);
        return [
          String(id),
          {
            server_addresses: addresses.map(({ host, peerPort }) => `${bracketed(host)}:${peerPort}`),
            election_addresses: addresses.map(({ host, electionPort }) => `${bracketed(host)}:${electionPort}`),
            client_address: endpoint === undefined ? '' : addressOf(endpoint),
            learner_type: role,
          },
        ];
      }),
  );
}

/** As the beans of MultipleAddresses are printed; we ask nobody whether an address can be reached. */
function addressesOf(addresses: readonly ServerAddress[], portOf: (address: ServerAddress) => number): Data {
  const all = addresses.map((address) => `${bracketed(address.host)}:${portOf(address)}`);
  const one = all[0] ?? null;
  return {
    empty: all.length === 0,
    all_addresses: all,
    wildcard_addresses: addresses.map((address) => `${ANY}:${portOf(address)}`),
    all_ports: addresses.map(portOf),
    all_host_strings: addresses.map(({ host }) => host),
    reachable_address: one,
    all_reachable_addresses: all,
    all_reachable_addresses_or_all: all,
    reachable_or_one: one,
    one,
  };
}

function factsOf(observer: ObserverFacts): Data {
  const { remote, server, establishedMs, unsentBytes, packetsReceived, packetsSent, requests, lastZxid } = observer;
  return {
    remote_socket_address: `/${bracketed(remote.host)}:${remote.port}`,
    sid: server,
    established: establishedMs,
    queued_packets: 0,
    queued_packets_size: unsentBytes,
    packets_received: packetsReceived,
    packets_sent: packetsSent,
    requests,
    last_zxid: lastZxid,
  };
}

function clientOf({ clientHost: host, clientPort: port }: ServerSpec): ClientPlace | undefined {
  return port === undefined ? undefined : { host, port };
}

function addressOf({ host = ANY, port }: ClientPlace): string {
  return `${bracketed(host)}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
