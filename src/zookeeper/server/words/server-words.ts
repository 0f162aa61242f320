import { printHex } from '../../jute/ids.ts';
import type { ClientConnection } from '../client-connection.ts';
import type { EnsembleView } from '../ensemble-view.ts';
import { environmentOf } from '../environment.ts';
import { average } from '../java-double.ts';
import type { ProcessView, ServerView } from '../server-view.ts';
import { SERVER_VERSION } from '../version.ts';
import { connectionLines } from './connection-lines.ts';
import { monitorValues } from './monitor-values.ts';

/** `srvr`, and with what stands between `stat`. */
export function serverText(server: ServerView, clients: string): string {
  const { stats, tree } = server;
  return [
    `Zookeeper version: ${SERVER_VERSION}\n`,
    server.mode === 'read-only' ? 'READ-ONLY mode; serving only read-only clients\n' : '',
    clients,
    `Latency min/avg/max: ${stats.latencyMinMs}/${average(stats.latencyAvgMs)}/${stats.latencyMaxMs}\n`,
    `Received: ${stats.packetsReceived}\n`,
    `Sent: ${stats.packetsSent}\n`,
    `Connections: ${server.connections.size}\n`,
    `Outstanding: ${server.outstandingCount}\n`,
    `Zxid: ${printHex(tree.lastProcessedZxid)}\n`,
    `Mode: ${server.mode}\n`,
    `Node count: ${tree.nodeCount}\n`,
    proposalSizes(server),
  ].join('');
}

function proposalSizes({ ensemble }: ServerView): string {
  const sizes = ensemble?.leading?.proposalSizes;
  return sizes === undefined ? '' : `Proposal sizes last/min/max: ${sizes.last}/${sizes.min}/${sizes.max}\n`;
}

export function clientsText(server: ServerView, asking: ClientConnection): string {
  return `Clients:\n${connectionLines(server, asking, () => '')}\n`;
}

export function resetServer(server: ServerView): string {
  server.resetStats();
  server.ensemble?.leading?.proposalSizes.reset();
  return 'Server stats reset.\n';
}

export function monitorText(server: ServerView): string {
  let text = '';
  for (const [key, value] of monitorValues(server)) text += `zk_${key}\t${value}\n`;
  return text;
}

export function configurationText(server: ServerView): string {
  const { config, ensemble } = server;
  return [
    `clientPort=${server.clientPort}\n`,
    `secureClientPort=${server.secureClientPort}\n`,
    `dataDir=${server.files.snapshotDirectory}\n`,
    `dataDirSize=${server.files.sizeOf(server.files.snapshotDirectory)}\n`,
    `dataLogDir=${server.files.logDirectory}\n`,
    `dataLogSize=${server.files.sizeOf(server.files.logDirectory)}\n`,
    `tickTime=${config.tickTimeMs}\n`,
    `maxClientCnxns=${config.maxClientCnxns}\n`,
    `minSessionTimeout=${config.minSessionTimeoutMs}\n`,
    `maxSessionTimeout=${config.maxSessionTimeoutMs}\n`,
    `clientPortListenBacklog=${config.clientPortListenBacklog}\n`,
    `serverId=${server.serverId}\n`,
    ensemble === undefined ? '' : membershipText(server, ensemble),
  ].join('');
}

/** QuorumZooKeeperServer.dumpConf; a read-only server leaves the last lines out. */
function membershipText({ config, mode }: ServerView, { self, membership }: EnsembleView): string {
  const spec = membership.servers.get(self);
  const addresses = spec?.addresses ?? [];
  return [
    `initLimit=${config.initLimitTicks}\n`,
    `syncLimit=${config.syncLimitTicks}\n`,
    'electionAlg=3\n',
    `electionPort=${addresses.map(({ electionPort }) => electionPort).join('|')}\n`,
    `quorumPort=${addresses.map(({ peerPort }) => peerPort).join('|')}\n`,
    `peerType=${spec?.role === 'observer' ? 1 : 0}\n`,
    mode === 'read-only' ? '' : `membership: \n${membership.text}`,
  ].join('');
}

export function directoriesText(server: ServerView): string {
  const data = server.files.sizeOf(server.files.snapshotDirectory);
  const logs = server.files.sizeOf(server.files.logDirectory);
  return `datadir_size: ${data}\nlogdir_size: ${logs}\n`;
}

export function environmentText(process: ProcessView): string {
  const lines = environmentOf(process).map(([key, value]) => `${key}=${value}\n`);
  return `Environment:\n${lines.join('')}`;
}

export function digestText({ tree }: ServerView): string {
  let text = '';
  for (const { zxid, digest } of tree.digestLog.entries) text += `${zxid.toString(16)}: ${digest}\n`;
  return text;
}
