import type { ZooCfg } from '../../../config/zoo-cfg.ts';
import type { ClientConnection } from '../client-connection.ts';
import type { ProcessView, ServerView } from '../server-view.ts';
import { connectionDetails, connectionLines, resetConnections } from './connection-lines.ts';
import { dumpText } from './dump-word.ts';
import {
  clientsText,
  configurationText,
  digestText,
  directoriesText,
  environmentText,
  monitorText,
  resetServer,
  serverText,
} from './server-words.ts';
import { watchesByConnection, watchesByPath, watchSummary } from './watch-words.ts';

/** Answers for one server; the texts are Apache's, since monitors read them. */
type Word = (server: ServerView, asking: ClientConnection) => string;

const words: ReadonlyMap<string, Word> = new Map<string, Word>([
  ['srvr', (server) => serverText(server, '')],
  ['stat', (server, asking) => serverText(server, clientsText(server, asking))],
  ['mntr', monitorText],
  ['conf', configurationText],
  ['cons', (server, asking) => `${connectionLines(server, asking, connectionDetails)}\n`],
  ['crst', resetConnections],
  ['srst', resetServer],
  ['dump', dumpText],
  ['wchs', watchSummary],
  ['wchc', watchesByConnection],
  ['wchp', watchesByPath],
  ['isro', ({ mode }) => (mode === 'read-only' ? 'ro' : 'rw')],
  ['dirs', directoriesText],
  ['hash', digestText],
]);

/** Answers of the process, also while nobody is served. */
type ProcessWord = (process: ProcessView, rest: Uint8Array) => string;

const processWords: ReadonlyMap<string, ProcessWord> = new Map<string, ProcessWord>([
  ['ruok', () => 'imok'],
  ['envi', environmentText],
  ['gtmk', ({ trace }) => String(trace.mask)],
  ['stmk', setTraceMask],
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
  const ofServer = words.get(word);
  const ofProcess = processWords.get(word);
  if (ofServer === undefined && ofProcess === undefined) return undefined;
  asking.stats.packetsReceived += 1;
  server.stats.packetsReceived += 1;
  if (!isAllowed(word, server.config)) return refusalOf(word);
  const text = ofServer?.(server, asking) ?? ofProcess?.(server, rest);
  server.stats.packetsSent += 1;
  return text;
}

/** AbstractFourLetterCommand.ZK_NOT_SERVING. */
const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';

/** The same of a member of an ensemble that serves nobody now. */
export function answerWordIdle(word: string, process: ProcessView, rest: Uint8Array): string | undefined {
  const ofProcess = processWords.get(word);
  if (ofProcess === undefined && !words.has(word)) return undefined;
  if (!isAllowed(word, process.config)) return refusalOf(word);
  if (ofProcess !== undefined) return ofProcess(process, rest);
  switch (word) {
    case 'isro':
      return 'null';
    case 'hash':
      return NOT_SERVING;
    default:
      return `${NOT_SERVING}\n`;
  }
}

function refusalOf(word: string): string {
  return `${word} is not executed because it is not in the whitelist.\n`;
}

function setTraceMask({ trace }: ProcessView, rest: Uint8Array): string {
  trace.mask = Buffer.from(rest).readBigInt64BE(0);
  return String(trace.mask);
}
