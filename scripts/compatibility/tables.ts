/** The parts of docs/COMPATIBILITY.md that are made from the code: each is the text between two marks of the same name. */
import { zooCfgOptions, zookeeperSystemProperties } from '../../src/config/zoo-cfg-options.ts';
import { brokerKeys } from '../../src/kafka/broker/config/broker-keys.ts';
import { registerHandlers } from '../../src/kafka/broker/handlers.ts';
import { apiInfos } from '../../src/kafka/protocol/api-keys.ts';
import { bounds, type Versions } from '../../src/wire/versions.ts';
import { OpCode } from '../../src/zookeeper/jute/op-codes.ts';
import { kindOf } from '../../src/zookeeper/server/request-kind.ts';
import { cases } from '../../test/interop/differential/cases.ts';
import { comparedWith4 } from '../../test/interop/differential/compared-with-4.ts';
import { spoken } from '../../test/interop/versions/spoken.ts';
import { apacheVersions } from './apache-versions.ts';
import { brokerKeyNotes, zooCfgNotes } from './key-notes.ts';

/** What shows that some versions of one request are right: a compared answer, or a client. */
interface Evidence {
  readonly apiKey: number;
  readonly name: string;
  readonly versions: readonly number[];
}

/** Beside the cases the differential test compares one answer of ApiVersions. */
const apiVersionsComparison: Evidence = { apiKey: 18, name: 'a client that names itself badly', versions: [4] };

/** Asks no handler to work: they are only told apart, so none needs its broker. */
const handlers = registerHandlers({} as never);

export const tables: Readonly<Record<string, () => string>> = {
  'api-keys': apiKeyTable,
  'api-keys-absent': absentKeys,
  'zookeeper-requests': zookeeperRequests,
  'broker-keys': () => keyLists([...brokerKeys.values()], brokerKeyNotes),
  'zoo-cfg-keys': () => keyLists([...zooCfgOptions.values()], zooCfgNotes),
  'zookeeper-system-properties': () => keyLists([...zookeeperSystemProperties.values()], zooCfgNotes),
};

/** The document with every generated part made anew. */
export function withTables(document: string): string {
  return Object.entries(tables).reduce((text, [name, render]) => {
    const part = new RegExp(`(<!-- generated: ${name} -->\\n)[\\s\\S]*?(<!-- end: ${name} -->)`);
    if (!part.test(text)) throw new RangeError(`the document has no part "${name}"`);
    return text.replace(part, (_, open: string, close: string) => `${open}${render()}\n${close}`);
  }, document);
}

function apiKeyTable(): string {
  const rows = [...handlers.keys()]
    .sort((a, b) => a - b)
    .map((key) => {
      const ours = versionsOf(handlers.get(key)!.versions);
      const apache = apacheVersions.get(key);
      const compared = comparisonsOf(key);
      const speakers = speakersOf(key);
      const proven = new Set([...compared, ...speakers].flatMap(({ versions }) => versions));
      const unproven = ours.filter((version) => !proven.has(version));
      return [
        key,
        apiInfos.get(key)?.name ?? '',
        rangeText(ours),
        apache ?? 'none',
        namesOf(compared),
        namesOf(speakers),
        rangeText(unproven),
      ];
    });
  const head = ['key', 'request', 'odradek', 'Apache 3.9.1', 'same answer as Apache', 'spoken by', 'unproven'];
  return table(head, rows);
}

/** Clients that spoke a version of this request to our broker, as test/interop/kafka-versions.test.ts recorded them. */
function speakersOf(key: number): Evidence[] {
  return spoken.flatMap(({ by, versions }) => {
    const version = versions[key];
    return version === undefined ? [] : [{ apiKey: key, name: by, versions: [version] }];
  });
}

function namesOf(evidence: readonly Evidence[]): string {
  if (evidence.length === 0) return '–';
  return evidence.map(({ name, versions }) => `${name} (${rangeText(versions)})`).join('; ');
}

function comparisonsOf(key: number): Evidence[] {
  const handler = handlers.get(key);
  const apache = apacheVersions.get(key);
  const newer = comparedWith4.filter(({ apiKey }) => apiKey === key);
  if (handler === undefined || apache === undefined) return newer;
  const both = versionsOf(apache).filter((version) => versionsOf(handler.versions).includes(version));
  const compared = cases
    .filter(({ apiKey }) => apiKey === key)
    .map(({ apiKey, name, except = [] }) => ({
      apiKey,
      name,
      versions: both.filter((version) => !except.includes(version)),
    }));
  return [...compared, ...newer, ...(key === apiVersionsComparison.apiKey ? [apiVersionsComparison] : [])];
}

function absentKeys(): string {
  const absent = [...apiInfos.values()].filter(({ key }) => !handlers.has(key));
  const nameOf = ({ key, name }: { key: number; name: string }): string => `${name} (${key})`;
  const ofApache = absent.filter(({ key }) => apacheVersions.has(key)).map(nameOf);
  const newer = absent.filter(({ key }) => !apacheVersions.has(key)).map(nameOf);
  return [
    ofApache.length === 0
      ? 'All that Apache 3.9.1 serves in ZooKeeper mode is served.'
      : `Served by Apache 3.9.1 in ZooKeeper mode, not by us: ${ofApache.join(', ')}.`,
    '',
    `Known to us from newer releases, served by neither: ${newer.length === 0 ? 'none' : newer.join(', ')}.`,
  ].join('\n');
}

function zookeeperRequests(): string {
  const rows = Object.entries(OpCode)
    .filter(([, code]) => kindOf(code) !== 'unknown')
    .sort(([, a], [, b]) => a - b)
    .map(([name, code]) => [code, name, requestKinds[kindOf(code)] ?? '']);
  return table(['code', 'request', 'how it is served'], rows);
}

const requestKinds: Readonly<Record<string, string>> = {
  read: 'from the tree, in its session’s order',
  write: 'through the pipeline',
  auth: 'by the connection: `digest`, `ip`, `x509`, `ensemble`',
  sasl: 'by the connection: DIGEST-MD5',
};

interface Key {
  readonly name: string;
  readonly effect: 'honoured' | 'accepted';
}

function keyLists(keys: readonly Key[], notes: KeyNotes): string {
  const noted = (name: string): boolean => name in notes.refused || name in notes.withoutEffect;
  const listOf = (effect: Key['effect']): string =>
    keys
      .filter((key) => key.effect === effect && !noted(key.name))
      .map(({ name }) => `\`${name}\``)
      .sort()
      .join(', ');
  const notesOf = (group: Readonly<Record<string, string>>): string[] =>
    [...Map.groupBy(keys, ({ name }) => group[name])].flatMap(([reason, alike]) =>
      reason === undefined ? [] : `- ${alike.map(({ name }) => `\`${name}\``).join(', ')}: ${reason}`,
    );
  const parts: [string, string][] = [
    ['Honoured', listOf('honoured')],
    ['Accepted without effect', listOf('accepted')],
    ['Without effect, and why', notesOf(notes.withoutEffect).join('\n')],
    ['Refused', notesOf(notes.refused).join('\n')],
  ];
  return parts
    .filter(([, text]) => text !== '')
    .map(([title, text]) => (text.startsWith('-') ? `**${title}**\n\n${text}` : `**${title}**: ${text}.`))
    .join('\n\n');
}

/** What has to be said of single keys beyond the tables that the code reads. */
export interface KeyNotes {
  readonly withoutEffect: Readonly<Record<string, string>>;
  readonly refused: Readonly<Record<string, string>>;
}

function versionsOf(versions: string): number[] {
  const [first, last] = bounds(versions as Versions);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** `0-3, 5`; `–` for none. */
function rangeText(versions: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const version of versions) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === version - 1) last[1] = version;
    else runs.push([version, version]);
  }
  return runs.length === 0 ? '–' : runs.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(', ');
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
