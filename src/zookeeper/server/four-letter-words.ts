import type { ZooCfg } from '../../config/zoo-cfg.ts';
import { printHex, type SessionId } from '../jute/ids.ts';
import type { ClientConnection } from './client-connection.ts';
import { shortOpName } from './connection-stats.ts';
import { environmentOf } from './environment.ts';
import { javaDate } from './java-date.ts';
import { average, JavaDouble } from './java-double.ts';
import { type MetricValue, metricValues } from './metric-values.ts';
import { familiesOf, processFamilies } from './prometheus/exposition.ts';
import type { ServerView } from './server-view.ts';
import { SERVER_VERSION } from './version.ts';

/** Answers for one server; the texts are Apache's, since monitors read them. */
type Word = (server: ServerView, asking: ClientConnection, rest: Uint8Array) => string;

const words: ReadonlyMap<string, Word> = new Map<string, Word>([
  ['ruok', () => 'imok'],
  ['srvr', (server) => serverText(server, '')],
  ['stat', (server, asking) => serverText(server, clientsText(server, asking))],
  ['mntr', monitorText],
  ['conf', configurationText],
  ['cons', (server, asking) => `${connectionLines(server, asking, connectionDetails)}\n`],
  ['crst', resetConnections],
  ['srst', resetServer],
  ['dump', dumpText],
  ['envi', environmentText],
  ['wchs', watchSummary],
  ['wchc', watchesByConnection],
  ['wchp', watchesByPath],
  ['isro', ({ mode }) => (mode === 'read-only' ? 'ro' : 'rw')],
  ['dirs', directoriesText],
  ['hash', digestText],
  ['gtmk', (server) => String(server.trace.mask)],
  ['stmk', setTraceMask],
  // There are no observers to forget the figures of.
  ['orst', () => ''],
]);

/** How many bytes a word is with what belongs to it: `stmk` comes with the new mask. */
export function wordLength(word: string, config: ZooCfg): number {
  return word === 'stmk' && isAllowed(word, config) ? 12 : 4;
}

function isAllowed(word: string, { fourLetterWords }: ZooCfg): boolean {
  return fourLetterWords.includes('*') || fourLetterWords.includes(word);
}

/**
 * Undefined if these four bytes are no word: then they are the length of a frame.
 * @param rest what came behind them
 */
export function answerWord(
  word: string,
  server: ServerView,
  asking: ClientConnection,
  rest: Uint8Array,
): string | undefined {
  const answer = words.get(word);
  if (answer === undefined) return undefined;
  asking.stats.packetsReceived += 1;
  server.stats.packetsReceived += 1;
  if (!isAllowed(word, server.config)) return refusalOf(word);
  const text = answer(server, asking, rest);
  server.stats.packetsSent += 1;
  return text;
}

/** AbstractFourLetterCommand.ZK_NOT_SERVING. */
const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests\n';

/** The same of a member of an ensemble that serves nobody now. */
export function answerWordIdle(word: string, config: ZooCfg): string | undefined {
  if (!words.has(word)) return undefined;
  if (!isAllowed(word, config)) return refusalOf(word);
  if (word === 'isro') return 'null';
  return word === 'ruok' ? 'imok' : NOT_SERVING;
}

function refusalOf(word: string): string {
  return `${word} is not executed because it is not in the whitelist.\n`;
}

function serverText(server: ServerView, clients: string): string {
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
  ].join('');
}

function clientsText(server: ServerView, asking: ClientConnection): string {
  return `Clients:\n${connectionLines(server, asking, () => '')}\n`;
}

function connectionLines(
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

function connectionDetails(connection: ClientConnection): string {
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
function clientsOfPort(server: ServerView, asking: ClientConnection): ClientConnection[] {
  return [...server.connections].filter(({ port }) => port === asking.port);
}

function resetConnections(server: ServerView, asking: ClientConnection): string {
  for (const connection of clientsOfPort(server, asking)) connection.stats.reset();
  return 'Connection stats reset.\n';
}

function resetServer(server: ServerView): string {
  server.resetStats();
  return 'Server stats reset.\n';
}

function monitorText(server: ServerView): string {
  let text = '';
  for (const [key, value] of monitorValues(server)) text += `zk_${key}\t${value}\n`;
  return text;
}

/** Also what the admin server's `monitor` shows. */
export function* monitorValues(server: ServerView): Generator<[key: string, value: MetricValue]> {
  yield ['version', SERVER_VERSION];
  yield ['server_state', server.mode];
  yield* valuesOfProvider(server);
}

/** Apache's providers differ in the names under which they show their values. */
function* valuesOfProvider({ config, metrics, process }: ServerView): Generator<[key: string, value: MetricValue]> {
  const { kind, exportJvmInfo } = config.metricsProvider;
  if (kind === 'default') yield* metricValues(metrics.all);
  if (kind !== 'prometheus') return;
  for (const { samples } of [...familiesOf(metrics.all), ...(exportJvmInfo ? processFamilies(process) : [])]) {
    for (const { name, labels, value } of samples) {
      const text = labels.map(([label, of]) => `${label}="${of}"`).join(',');
      yield [text === '' ? name : `${name}{${text}}`, new JavaDouble(value)];
    }
  }
}

function configurationText(server: ServerView): string {
  const { config } = server;
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
  ].join('');
}

function directoriesText(server: ServerView): string {
  const data = server.files.sizeOf(server.files.snapshotDirectory);
  const logs = server.files.sizeOf(server.files.logDirectory);
  return `datadir_size: ${data}\nlogdir_size: ${logs}\n`;
}

function dumpText(server: ServerView, asking: ClientConnection): string {
  const { sessions, tree } = server;
  const toWallMs = server.wallMs() - server.monotonicMs();
  let text = `SessionTracker dump:\nSession Sets (${sessions.buckets.size})/(${sessions.size}):\n`;
  for (const [deadlineMs, bucket] of [...sessions.buckets].sort(([a], [b]) => a - b)) {
    text += `${bucket.size} expire at ${javaDate(deadlineMs + toWallMs)}:\n`;
    for (const session of bucket) text += `\t${printHex(session.id)}\n`;
  }
  text += `ephemeral nodes dump:\nSessions with Ephemerals (${tree.ephemerals.size}):\n`;
  for (const [session, paths] of tree.ephemerals) {
    text += `${printHex(session)}:\n`;
    for (const path of paths) text += `\t${path}\n`;
  }
  // Netty's factory has no sets of connections by their time.
  if (asking.port === 'secure') return `${text}Connections dump:\n`;
  return text + connectionsDump(clientsOfPort(server, asking), server, toWallMs);
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

function environmentText(server: ServerView): string {
  const lines = environmentOf(server).map(([key, value]) => `${key}=${value}\n`);
  return `Environment:\n${lines.join('')}`;
}

function setTraceMask(server: ServerView, _: ClientConnection, rest: Uint8Array): string {
  server.trace.mask = Buffer.from(rest).readBigInt64BE(0);
  return String(server.trace.mask);
}

function watchSummary({ tree: { watches } }: ServerView): string {
  const watchers = new Set([...watches.data.watchers(), ...watches.child.watchers()]);
  const paths = new Set([...watches.data.paths(), ...watches.child.paths()]);
  return `${watchers.size} connections watching ${paths.size} paths\nTotal watches:${watches.size}\n`;
}

function watchesByConnection(server: ServerView): string {
  let text = '';
  for (const connection of server.connections) {
    const { data, child } = server.tree.watches;
    const paths = new Set([...data.pathsOf(connection), ...child.pathsOf(connection)]);
    if (paths.size === 0) continue;
    text += `${printHex(connection.sessionId)}\n`;
    for (const path of paths) text += `\t${path}\n`;
  }
  return `${text}\n`;
}

function watchesByPath(server: ServerView): string {
  const byPath = new Map<string, Set<SessionId>>();
  const { data, child } = server.tree.watches;
  for (const connection of server.connections) {
    for (const path of [...data.pathsOf(connection), ...child.pathsOf(connection)]) {
      let sessions = byPath.get(path);
      if (sessions === undefined) {
        sessions = new Set();
        byPath.set(path, sessions);
      }
      sessions.add(connection.sessionId);
    }
  }
  let text = '';
  for (const [path, sessions] of byPath) {
    text += `${path}\n`;
    for (const id of sessions) text += `\t${printHex(id)}\n`;
  }
  return `${text}\n`;
}

function digestText({ tree }: ServerView): string {
  let text = '';
  for (const { zxid, digest } of tree.digestLog.entries) text += `${zxid.toString(16)}: ${digest}\n`;
  return text;
}
