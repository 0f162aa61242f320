import { printHex } from '../../jute/ids.ts';
import type { ClientConnection } from '../client-connection.ts';
import { shortOpName } from '../connection-stats.ts';
import type { ServerView } from '../server-view.ts';

export function connectionLines(
  server: ServerView,
  asking: ClientConnection,
  details: (connection: ClientConnection, server: ServerView) => string,
): string {
  let lines = '';
  for (const connection of clientsOfPort(server, asking)) {
    const { stats, remote } = connection;
    // The operations that a selector waits for: 1 is reading. Netty's connection still reads while it answers a word.
    const interest = asking.port === 'secure' || (connection !== asking && connection.isReading) ? 1 : 0;
    const counts = `queued=${connection.queuedCount},recved=${stats.packetsReceived},sent=${stats.packetsSent}`;
    lines += ` /${remote.host}:${remote.port}[${interest}](${counts}${details(connection, server)})\n`;
  }
  return lines;
}

export function connectionDetails(connection: ClientConnection): string {
  const { session, stats } = connection;
  if (session === undefined) return '';
  const average = stats.latencyCount === 0 ? 0 : Math.floor(stats.totalLatencyMs / stats.latencyCount);
  return [
    `,sid=${printHex(session.id)}`,
    `,lop=${shortOpName(stats.lastType)}`,
    `,est=${connection.acceptedMs}`,
    `,to=${session.timeoutMs}`,
    stats.lastCxid >= 0 ? `,lcxid=0x${stats.lastCxid.toString(16)}` : '',
    `,lzxid=${printHex(stats.lastZxid)}`,
    `,lresp=${stats.lastResponseMs}`,
    `,llat=${stats.lastLatencyMs}`,
    `,minlat=${stats.latencyCount === 0 ? 0 : stats.minLatencyMs}`,
    `,avglat=${average}`,
    `,maxlat=${stats.maxLatencyMs}`,
  ].join('');
}

/** Each port has its own factory in Apache's server, and a word sees the connections of its factory. */
export function clientsOfPort(server: ServerView, asking: ClientConnection): ClientConnection[] {
  return [...server.connections].filter(({ port }) => port === asking.port);
}

export function resetConnections(server: ServerView, asking: ClientConnection): string {
  for (const connection of clientsOfPort(server, asking)) connection.stats.reset();
  return 'Connection stats reset.\n';
}
