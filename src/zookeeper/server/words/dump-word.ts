import { javaDate } from '../../../base/java-date.ts';
import { printHex } from '../../jute/ids.ts';
import type { ClientConnection } from '../client-connection.ts';
import { isLearner, type ServerView } from '../server-view.ts';
import { clientsOfPort } from './connection-lines.ts';

export function dumpText(server: ServerView, asking: ClientConnection): string {
  const { tree, mode, config } = server;
  const toWallMs = server.wallMs() - server.monotonicMs();
  const withLocal = config.localSessionsEnabled && mode !== 'standalone';
  let text = 'SessionTracker dump:\n';
  if (withLocal) text += `Local ${sessionSets(server, toWallMs, 'local')}`;
  if (isLearner(mode)) text += globalSessions(server);
  else text += `${withLocal ? 'Global ' : ''}${sessionSets(server, toWallMs, 'global')}`;
  text += `ephemeral nodes dump:\nSessions with Ephemerals (${tree.ephemerals.size}):\n`;
  for (const [session, paths] of tree.ephemerals) {
    text += `${printHex(session)}:\n`;
    for (const path of paths) text += `\t${path}\n`;
  }
  // Netty's factory has no sets of connections by their time.
  if (asking.port === 'secure') return `${text}Connections dump:\n`;
  return text + connectionsDump(clientsOfPort(server, asking), server, toWallMs);
}

function sessionSets({ sessions }: ServerView, toWallMs: number, scope: 'global' | 'local'): string {
  const sets = [...sessions.buckets]
    .map(([deadlineMs, bucket]) => ({ deadlineMs, members: [...bucket].filter((session) => session.scope === scope) }))
    .filter(({ members }) => members.length > 0)
    .sort((a, b) => a.deadlineMs - b.deadlineMs);
  const count = scope === 'local' ? sessions.localCount : sessions.size - sessions.localCount;
  let text = `Session Sets (${sets.length})/(${count}):\n`;
  for (const { deadlineMs, members } of sets) {
    text += `${members.length} expire at ${javaDate(deadlineMs + toWallMs)}:\n`;
    for (const { id } of members) text += `\t${printHex(id)}\n`;
  }
  return text;
}

/** A learner knows the sessions of the ensemble, and judges nobody's time (LearnerSessionTracker.dumpSessions). */
function globalSessions({ globalSessions: sessions }: ServerView): string {
  const signed = [...sessions].map(([id, timeoutMs]) => ({ id, timeoutMs, order: BigInt.asIntN(64, id) }));
  signed.sort((a, b) => (a.order < b.order ? -1 : 1));
  const lines = signed.map(({ id, timeoutMs }) => `${printHex(id)}\t${timeoutMs}ms\n`);
  return `Global Sessions(${signed.length}):\n${lines.join('')}`;
}

/** NIOServerCnxnFactory looks for idle connections this often. */
const IDLE_CHECK_MS = 10_000;

/** Connections by the time at which they are closed if nothing comes. */
function connectionsDump(clients: readonly ClientConnection[], server: ServerView, toWallMs: number): string {
  const byDeadline = new Map<number, ClientConnection[]>();
  for (const connection of clients) {
    const idleMs = connection.session?.timeoutMs ?? server.config.sessionlessTimeoutMs;
    const deadlineMs = (Math.floor((connection.receivedMs + idleMs) / IDLE_CHECK_MS) + 1) * IDLE_CHECK_MS;
    byDeadline.set(deadlineMs, [...(byDeadline.get(deadlineMs) ?? []), connection]);
  }
  let text = `Connections dump:\nConnections Sets (${byDeadline.size})/(${clients.length}):\n`;
  for (const [deadlineMs, connections] of [...byDeadline].sort(([a], [b]) => a - b)) {
    text += `${connections.length} expire at ${javaDate(deadlineMs + toWallMs)}:\n`;
    for (const { remote, sessionId } of connections) {
      text += `\tip: /${remote.host}:${remote.port} sessionId: ${printHex(sessionId)}\n`;
    }
  }
  return text;
}
